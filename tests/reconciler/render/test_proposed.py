"""What a plan against a base says in text: which commit, what nobody looked at, whose doing a change is."""

from datetime import UTC, datetime

import pytest

from reconciler.render.blocks import blocks
from reconciler.render.heading import heading
from reconciler.render.story import tell
from reconciler.render.summary import against, proposed_share
from reconciler.render.table import where
from reconciler.render.text import found, render_text
from schemas.plan import Action, Change, Plan, Reason, TargetReport


def step(
    name: str, *, proposed: bool | None = None, outside: bool = False, due: bool = False
) -> Change:
    return Change(
        address=f"certificate/{name}@edge",
        action=Action.INSTALL,
        reason=Reason.NOT_FOUND,
        message="nothing is installed there",
        proposed=proposed,
        outside=outside,
        due=due,
    )


def plan(*changes: Change, base: str | None = "1" * 40) -> Plan:
    return Plan(
        certform_version="0",
        project="example",
        lineage="",
        base=base,
        ledger_tip="",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        changes=changes,
        digest="d" * 32,
    )


def test_a_place_that_is_told_twice_is_one_place() -> None:
    labels = step("web").model_copy(update={"action": Action.RELABEL, "message": "team changed"})
    (block,) = blocks([step("web"), labels])
    assert heading(block) == "certificate/web will be installed in edge"
    assert where(block) == "<code>edge</code>"


def test_a_plan_says_what_it_is_proposed_against() -> None:
    assert (
        against(plan()) == "Proposed against 111111111111; only who is named there was spoken to."
    )
    assert against(plan(base=None)) == ""


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ((True, True), "All of this is proposed here."),
        ((False,), "Nothing of this is proposed here: it would be done without it, too."),
        ((True, False, False), "1 of these is proposed here; 2 would be done without that, too."),
        ((), ""),
    ],
)
def test_a_plan_says_how_much_of_it_is_proposed(marks: tuple[bool, ...], said: str) -> None:
    steps = [step(f"c{n}", proposed=mark) for n, mark in enumerate(marks)]
    assert proposed_share(plan(*steps)) == said
    assert proposed_share(plan(*steps, base=None)) == ""


def test_a_change_says_whose_doing_it_is() -> None:
    def notes(change: Change) -> list[str]:
        (block,) = blocks([change])
        return [line.text for line in tell(block, {}) if line.text.startswith("#")]

    anyway = "# not proposed here: it would be done without that, too"
    asked = "# not proposed here: the base asks for it already"
    theirs = "# because something was changed outside certform"
    assert notes(step("web")) == []
    assert notes(step("web", proposed=True)) == []
    assert notes(step("web", proposed=False)) == [asked]
    assert notes(step("web", proposed=False, due=True)) == [anyway]
    assert notes(step("web", proposed=False, outside=True)) == [anyway, theirs]


def test_a_block_of_which_something_is_proposed_says_nothing_of_the_rest() -> None:
    shown = render_text(plan(step("web", proposed=True), step("web", proposed=False)), colour=False)
    assert "# not proposed here" not in shown


def test_a_target_that_was_not_looked_at_says_what_it_is_taken_to_hold_and_why() -> None:
    new = TargetReport(name="edge", status="assumed", detail="new here, not looked at")
    assert found(new) == "taken to hold nothing: new here, not looked at"
    held = TargetReport(name="edge", status="assumed", certificates=2, detail="nobody was asked")
    assert found(held) == "taken to hold 2 certificates: nobody was asked"
