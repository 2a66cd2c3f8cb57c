"""Selections: what is meant, and what it requires."""

import pytest
from fleet import Fleet
from fleet_documents import Ca, Leaf, at
from fleet_sights import shown

from reconciler.diagnostics import Diagnostic
from reconciler.selection import Selection, parse_labels, select, unknown_addresses
from schemas.plan import Action, Change, Reason


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    leaves = {
        "web": Leaf("mid", at("a", "b"), labels={"team": "shop"}),
        "web2": Leaf("root", at("a"), labels={"team": "shop", "env": "prod"}),
        "api": Leaf("root", at("b")),
    }
    return Fleet(cas={"root": Ca(), "mid": Ca("root")}, leaves=leaves, publish=False)


ROOT, MID = "issue authority/root", "issue authority/mid"
API = {"issue certificate/api", "install certificate/api@b"}
WEB = {"issue certificate/web", "install certificate/web@a", "install certificate/web@b"}
WEB2 = {"issue certificate/web2", "install certificate/web2@a"}
ROWS = [
    (Selection(), {ROOT, MID} | API | WEB | WEB2),
    (Selection(("certificate/api",)), {ROOT} | API),
    (Selection(("certificate/web",)), {ROOT, MID} | WEB),
    (
        Selection(("certificate/web@a",)),
        {ROOT, MID, "issue certificate/web", "install certificate/web@a"},
    ),
    (Selection(("authority/mid",)), {ROOT, MID}),
    (Selection(("authority/mid", "certificate/api")), {ROOT, MID} | API),
    (Selection(labels={"team": "shop"}), {ROOT, MID} | WEB | WEB2),
    (Selection(labels={"team": "shop", "env": "prod"}), {ROOT} | WEB2),
    (Selection(labels={"team": "none"}), set()),
    (Selection(("certificate/web",), {"env": "prod"}), set()),
    (Selection(due_only=True), set()),
]


@pytest.mark.parametrize(("selection", "expected"), ROWS)
def test_what_is_meant_comes_with_what_it_requires(
    fleet: Fleet, selection: Selection, expected: set[str]
) -> None:
    assert {
        f"{action} {address}" for action, address, _ in shown(fleet.plan(selection))
    } == expected


def test_what_is_left_keeps_its_order(fleet: Fleet) -> None:
    everything = fleet.plan().changes
    kept = fleet.plan(Selection(("certificate/web",))).changes
    assert list(kept) == [step for step in everything if step in kept]


def chain(*due: bool) -> list[Change]:
    return [
        Change(
            address=f"certificate/c{n}",
            action=Action.ISSUE,
            reason=Reason.RENEWING,
            message="",
            due=each,
            requires=(f"issue:certificate/c{n - 1}",) if n else (),
        )
        for n, each in enumerate(due)
    ]


@pytest.mark.parametrize(
    ("due", "kept"),
    [
        ((True, True, True), 3),
        ((False, True, True), 0),
        ((True, False, True), 1),
        ((True, True, False), 2),
        ((False, True, True, True, True), 0),
    ],
)
def test_what_requires_at_any_remove_what_is_not_due_is_left_out(
    fleet: Fleet, due: tuple[bool, ...], kept: int
) -> None:
    for steps in (chain(*due), chain(*due)[::-1]):
        assert len(select(steps, Selection(due_only=True), fleet.desired())) == kept


def test_blocked_changes_stay_in_a_due_plan(fleet: Fleet) -> None:
    step = Change(
        address="target/a", action=Action.BLOCKED, reason=Reason.TARGET_UNKNOWN, message=""
    )
    assert select([step], Selection(due_only=True), fleet.desired()) == (step,)


def test_a_selection_is_told_in_the_words_it_was_asked_for() -> None:
    chosen = Selection(("certificate/web",), {"team": "shop"}, due_only=True)
    assert chosen.words() == ("certificate/web", "team=shop", "due")


@pytest.mark.parametrize("text", ["", "team", "=shop", "team=shop,", "team=shop,env"])
def test_labels_that_are_no_pairs_are_told(text: str) -> None:
    assert isinstance(parse_labels(text), Diagnostic)


def test_labels_are_parsed() -> None:
    assert parse_labels("team=shop, env=prod") == {"team": "shop", "env": "prod"}


@pytest.mark.parametrize(
    ("address", "known"),
    [
        ("certificate/web", True),
        ("certificate/web@a", True),
        ("certificate/web@c", False),
        ("certificate/we", False),
        ("authority/root", True),
        ("authority/web", False),
        ("web", False),
    ],
)
def test_an_address_of_nothing_is_told(fleet: Fleet, address: str, known: bool) -> None:
    found = unknown_addresses([address], fleet.plan().changes, fleet.desired())
    assert [d.summary for d in found] == ([] if known else [f"there is no {address}"])
