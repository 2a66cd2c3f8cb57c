"""What apply says while it works, and at the end."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from reconciler.events import Event, EventStatus
from reconciler.render.events import kinds_of, progress, render_apply_summary, render_event
from reconciler.render.vocabulary import Kind
from schemas.plan import Action, Change, Reason

WEB = "certificate/web"


def kind(action: Action) -> Kind:
    return Kind.NEW if action is Action.ISSUE else Kind[action.name]


def kinds(*events: Event) -> dict[tuple[str, Action], Kind]:
    return {(event.address, event.action): kind(event.action) for event in events}


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Event(WEB, Action.ISSUE, EventStatus.STARTED), "certificate/web: Issuing..."),
        (
            Event(WEB, Action.ISSUE, EventStatus.WAITING, "order is pending", 10),
            "certificate/web: Still issuing... (order is pending) [10s elapsed]",
        ),
        (
            Event(f"{WEB}@nginx", Action.INSTALL, EventStatus.DONE, elapsed_seconds=0.3),
            "certificate/web@nginx: Installed in 0.3s",
        ),
        (
            Event(WEB, Action.REVOKE, EventStatus.FAILED, "denied\nby nginx", 75),
            "certificate/web: NOT revoked after 1m15s: denied\n    | by nginx",
        ),
        (
            Event(WEB, Action.REMOVE, EventStatus.SKIPPED, "its successor failed"),
            "certificate/web: Not started: its successor failed",
        ),
    ],
)
def test_an_event_is_one_line(event: Event, line: str) -> None:
    assert render_event(event, kind(event.action), colour=False) == line


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("status", EventStatus)
def test_every_event_has_words(action: Action, status: EventStatus) -> None:
    assert (
        render_event(Event(WEB, action, status, "why"), kind(action), colour=True).count("why") == 1
    )


def test_a_hostile_event_commands_nobody(hostile_text: str) -> None:
    event = Event(f"::{hostile_text}", Action.ISSUE, EventStatus.FAILED, f"a\n::{hostile_text}")
    for line in render_event(event, kind(event.action), colour=False).split("\n"):
        assert line.isprintable()
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


def issued(number: int, status: EventStatus = EventStatus.DONE) -> Iterator[Event]:
    for n in range(number):
        yield Event(f"certificate/{n}", Action.ISSUE, EventStatus.STARTED)
        yield Event(f"certificate/{n}", Action.ISSUE, status)


def test_few_changes_are_told_one_by_one() -> None:
    events = list(issued(50))
    assert len(list(progress(events, kinds(*events), colour=False))) == 100


def test_many_changes_are_counted() -> None:
    events = list(issued(10_000))
    lines = list(progress(events, kinds(*events), colour=False))
    assert len(lines) == 20
    assert lines[0] == "... 500 of 10,000 issued"
    assert lines[-1] == "... 10,000 of 10,000 issued"


def test_failures_are_told_even_among_many() -> None:
    events = [*issued(99), Event("certificate/99", Action.ISSUE, EventStatus.FAILED, "no")]
    lines = list(progress(events, kinds(*events), colour=False))
    assert "certificate/99: NOT issued after 0.0s: no" in lines


def test_a_remark_is_told_even_among_many() -> None:
    events = list(issued(100))
    events[41] = replace(events[41], message="its own chain")
    lines = list(progress(events, kinds(*events), colour=False))
    assert [line for line in lines if "its own chain" in line] == [
        f"{events[41].address}: Issued in 0.0s (its own chain)"
    ]
    assert lines[-1] == "... 100 of 100 issued"


def test_the_end_counts_what_was_done() -> None:
    events = [
        *issued(2),
        Event(f"{WEB}@a", Action.INSTALL, EventStatus.DONE),
        Event("certificate/old@a", Action.REMOVE, EventStatus.DONE),
    ]
    text = render_apply_summary(events, kinds(*events), colour=False)
    assert text == "Apply complete: 2 issued, 1 installed, 1 removed."


def test_the_end_speaks_the_words_of_the_plan() -> None:
    reasons = (Reason.NOT_FOUND, Reason.RENEWING, Reason.SPEC_CHANGED, Reason.RESUMING)
    changes = [
        Change(address=f"certificate/{n}", action=Action.ISSUE, reason=reason, message="")
        for n, reason in enumerate(reasons)
    ]
    events = list(issued(4))
    assert render_apply_summary(events, kinds_of(changes), colour=False) == (
        "Apply complete: 1 issued, 1 renewed, 1 finished, 1 replaced."
    )
    lines = list(progress(events, kinds_of(changes), colour=False))
    assert lines[4:6] == ["certificate/2: Replacing...", "certificate/2: Replaced in 0.0s"]


def test_an_end_with_failures_names_them_and_says_what_to_do() -> None:
    events = [
        *issued(3),
        Event(f"{WEB}@a", Action.INSTALL, EventStatus.FAILED, "disk is full", 0.2),
        Event(f"{WEB}@b", Action.INSTALL, EventStatus.SKIPPED),
        Event("certificate/old@a", Action.REMOVE, EventStatus.SKIPPED),
    ]
    assert render_apply_summary(events, kinds(*events), colour=False) == (
        "Failed: certificate/web@a.\n"
        "Apply incomplete: 3 done, 1 failed, 2 not started. "
        "Run apply again: it goes on where it stopped."
    )


def test_what_waits_has_not_failed_and_is_told_as_that() -> None:
    why = "waits until 2026-12-01T00:00:00Z: 300 orders in 3h"
    events = [
        *issued(3),
        Event(WEB, Action.ISSUE, EventStatus.POSTPONED, why, 0.1),
        Event(f"{WEB}@b", Action.INSTALL, EventStatus.SKIPPED),
    ]
    assert (
        render_event(events[-2], kind(Action.ISSUE), colour=False)
        == f"certificate/web: Not issued yet: {why}"
    )
    assert render_apply_summary(events, kinds(*events), colour=False) == (
        "Apply incomplete: 3 done, 1 waiting, 1 not started. "
        "Run apply again: it goes on where it stopped."
    )


def test_of_many_failures_the_first_are_named() -> None:
    events = list(issued(25, EventStatus.FAILED))
    text = render_apply_summary(events, kinds(*events), colour=False)
    assert "certificate/19 and 5 more.\n" in text


def test_a_change_that_failed_first_and_was_done_then_counts_as_done() -> None:
    events = [
        Event(WEB, Action.ISSUE, EventStatus.FAILED, "busy"),
        Event(WEB, Action.ISSUE, EventStatus.DONE),
    ]
    assert render_apply_summary(events, kinds(*events), colour=False) == "Apply complete: 1 issued."
