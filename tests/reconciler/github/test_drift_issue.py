"""What becomes of the one issue: every state it can be in, and every way a look can end."""

from dataclasses import replace
from datetime import timedelta

import pytest
from drifts import HOSTILE, NOW, drifted, hostile, many, outside, unreadable

from reconciler.drifting import Drift, Outcome
from reconciler.github.commands.drift import LARGEST as SUMMARY
from reconciler.github.drift_issue import LARGEST, Move, Step, body, move, step
from reconciler.github.drift_memory import MOST, Memory
from reconciler.github.forge import Issue
from reconciler.github.marker import Marker
from reconciler.github.workflow import LARGEST_SUMMARY
from reconciler.render.drift_markdown import Setting, render_drift_markdown
from reconciler.render.drift_remarks import title

WHERE = Setting("prod", "https://git.example/runs/7", "https://git.example/blob/4f6b")
SAME = Memory(digest="set")
OTHER = Memory(digest="other")

TABLE = {
    # what was found, whether the issue is open (None: there is none), whether the set is the one told last
    (Outcome.CLEAN, None, False): Move.NOTHING,
    (Outcome.CLEAN, None, True): Move.NOTHING,
    (Outcome.CLEAN, False, False): Move.NOTHING,
    (Outcome.CLEAN, False, True): Move.NOTHING,
    (Outcome.CLEAN, True, False): Move.CLOSE,
    (Outcome.CLEAN, True, True): Move.CLOSE,
    (Outcome.DRIFT, None, False): Move.OPEN,
    (Outcome.DRIFT, None, True): Move.OPEN,
    (Outcome.DRIFT, False, False): Move.REOPEN,
    (Outcome.DRIFT, False, True): Move.REOPEN,
    (Outcome.DRIFT, True, False): Move.TELL,
    (Outcome.DRIFT, True, True): Move.UPDATE,
    (Outcome.UNCHECKED, None, False): Move.OPEN,
    (Outcome.UNCHECKED, None, True): Move.OPEN,
    (Outcome.UNCHECKED, False, False): Move.REOPEN,
    (Outcome.UNCHECKED, False, True): Move.REOPEN,
    (Outcome.UNCHECKED, True, False): Move.TELL,
    (Outcome.UNCHECKED, True, True): Move.UPDATE,
}


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("there", [None, False, True])
@pytest.mark.parametrize("same", [False, True])
def test_each_state_has_its_move(outcome: Outcome, there: bool | None, *, same: bool) -> None:
    known = SAME if same else OTHER
    assert move(outcome, "set", known, there=there) is TABLE[outcome, there, same]


def issue(found: Drift, *, known: Memory | None = None, open_: bool = True, **more: str) -> Issue:
    """The issue as it stands after a look."""
    text = body(found, known or Memory(), WHERE)
    name = more.get("title", title("prod", found.outcome))
    return Issue(3, "github-actions[bot]", name, more.get("body", text), open_, "https://x/3")


def known_of(text: str) -> Memory:
    marker = Marker.of(text)
    assert marker is not None
    return Memory.of(marker)


def test_an_unchanged_set_updates_the_text_and_says_nothing() -> None:
    found = drifted(outside())
    later = replace(found, plan=found.plan.model_copy(update={"created_at": NOW + timedelta(1)}))
    done = step(issue(found), later, WHERE)
    assert done.remark == ""
    assert set(done.changes) == {"body"}
    assert "Last checked 2026-11-28 03:17 UTC" in done.changes["body"]
    assert "2026-11-27 03:17 UTC |" in done.changes["body"], "first seen the night before"


def test_a_changed_set_says_what_is_new_and_how_much_is_gone() -> None:
    done = step(issue(drifted(outside("a"))), drifted(outside("b"), outside("c")), WHERE)
    assert "<code>certificate/b</code> in <code>edge</code>" in done.remark
    assert "<code>certificate/a</code>" not in done.remark
    assert "1 of what was told before is gone." in done.remark


def test_nothing_is_said_to_be_gone_while_something_could_not_be_checked() -> None:
    done = step(issue(drifted(outside("a"))), drifted(unreadable()), WHERE)
    assert "<code>vault</code> could not be checked" in done.remark
    assert "gone" not in done.remark


def test_clean_closes_as_completed_and_says_so() -> None:
    done = step(issue(drifted(outside())), drifted(), WHERE)
    assert (done.changes["state"], done.changes["state_reason"]) == ("closed", "completed")
    assert "no drift" in done.changes["body"]
    assert done.remark.startswith("**Nothing differs any more**")


def test_what_could_not_be_checked_closes_nothing() -> None:
    done = step(issue(drifted(outside())), drifted(unreadable()), WHERE)
    assert "state" not in done.changes


def test_a_clean_closed_issue_is_left_alone() -> None:
    assert step(issue(drifted(), open_=False), drifted(), WHERE) == Step()


def test_drift_that_comes_back_reopens_the_issue_we_closed() -> None:
    done = step(issue(drifted(), open_=False), drifted(outside()), WHERE)
    assert (done.changes["state"], done.changes["state_reason"]) == ("open", "reopened")
    assert done.remark.startswith("**Again: 1 changed outside certform**")


def test_an_issue_that_a_person_closed_is_reopened_and_told_why() -> None:
    done = step(issue(drifted(outside()), open_=False), drifted(outside()), WHERE)
    assert done.changes["state"] == "open"
    assert done.remark.startswith("**Still: 1 changed outside certform**")


def test_a_title_that_a_person_chose_stays() -> None:
    found = issue(drifted(outside()), title="Who broke the vault?")
    assert "title" not in step(found, drifted(unreadable()), WHERE).changes


def test_a_title_of_ours_follows_what_was_found() -> None:
    found = issue(drifted(outside()))
    assert found.title == "Certificates: drift (prod)"
    done = step(found, drifted(unreadable()), WHERE)
    assert done.changes["title"] == "Certificates: could not be checked (prod)"
    assert "title" not in step(found, drifted(outside("b")), WHERE).changes
    assert "title" not in step(found, drifted(), WHERE).changes


def test_what_was_behind_a_place_that_could_not_be_checked_keeps_its_first_day() -> None:
    first = drifted(outside("a"), outside("b"))
    memory = Memory().after(first)
    night = timedelta(days=1)
    blind = drifted(unreadable())
    blind = replace(blind, plan=blind.plan.model_copy(update={"created_at": NOW + night}))
    memory = memory.after(blind).after(
        replace(first, plan=first.plan.model_copy(update={"created_at": NOW + 2 * night}))
    )
    assert set(memory.seen(first).values()) == {NOW}


def test_what_went_and_came_back_is_new() -> None:
    memory = Memory().after(drifted(outside("a"))).after(drifted(outside("b")))
    assert outside("a").fingerprint not in memory.seen(drifted(outside("a")))


def test_the_memory_comes_back_from_the_text() -> None:
    found = drifted(outside("a"), unreadable())
    known = known_of(body(found, Memory(), WHERE))
    assert known == Memory().after(found)
    assert set(known.seen(found)) == set(found.fingerprints)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"outcome": 7, "set": [], "since": [], "failure": {}},
        {"outcome": "?", "since": {"x": "ab", "1": 7, "99999999999": "a" * 12, "-1": "a" * 12}},
        {"since": {"29": "a" * 13}},
        {"since": {"²": "a" * 12}},
    ],
)
def test_a_marker_that_somebody_edited_is_believed_as_far_as_it_can_be(
    fields: dict[str, object],
) -> None:
    marker = replace(Memory().marker("prod"), fields=fields)
    assert Memory.of(marker) == Memory()


@pytest.mark.parametrize("found", [many(), hostile(), many(found=HOSTILE * 20)], ids=range(3))
def test_text_and_memory_of_any_drift_fit(found: Drift) -> None:
    memory = Memory()
    for _ in range(3):
        text = body(found, memory, replace(WHERE, label=HOSTILE))
        assert len(text) <= LARGEST
        memory = known_of(text)
    assert len(memory.since) <= MOST
    assert memory.digest == found.digest


def test_the_summary_of_any_drift_is_one_that_the_runner_takes() -> None:
    found = many(found="\U00020000" * 300, expected="\U00020000" * 300)
    text = render_drift_markdown(found, WHERE, SUMMARY)
    assert SUMMARY * 3 < len(text.encode()) <= LARGEST_SUMMARY


def test_a_remark_on_any_drift_fits() -> None:
    done = step(issue(drifted(outside())), many(found=HOSTILE * 20), WHERE)
    assert len(done.remark) < 30_000
    assert "more" in done.remark


def test_a_day_that_is_not_remembered_is_not_told() -> None:
    memory = Memory().after(many())
    left = drifted(*many().differences[850:1_100])
    left = replace(left, plan=left.plan.model_copy(update={"created_at": NOW + timedelta(1)}))
    seen = memory.after(left).seen(left)
    assert set(seen.values()) == {NOW}, "nobody says that the others are new"
    assert 0 < len(seen) < len(left.differences)
