"""Carrying a plan out: how a run that is stopped ends, and that the next one goes on."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from fleet import Fleet
from fleet_documents import Leaf

from providers.errors import Unreachable
from reconciler.cli.app import Console
from reconciler.cli.console import ColourOption
from reconciler.cli.options import Choice
from reconciler.cli.running import Limits, carry_out
from reconciler.errors import Incomplete, Interrupted, Unsafe
from reconciler.ledger.records import LedgerState

LIMITS = Limits(ask=False, mass=False)


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Console:
    monkeypatch.setenv("SOPS_AGE_KEY_CMD", "nobody looks")
    return Console(Path(), ColourOption.NEVER)


def fail(why: BaseException) -> None:
    raise why


def watched(fleet: Fleet, wave: int, happen: Callable[[], object]) -> Callable[..., None]:
    """Let something happen while a wave is being written."""

    def watch(_before: LedgerState, _after: LedgerState) -> None:
        if fleet.journal.waves == wave:
            happen()

    return watch


def test_a_signal_ends_with_what_was_done(console: Console) -> None:
    fleet = Fleet(leaves={"web": Leaf()})
    session = fleet.session()
    fleet.journal.watch = watched(fleet, 2, lambda: setattr(session.interruption, "asked", True))
    with pytest.raises(Interrupted) as caught:
        carry_out(console, session, Choice(), LIMITS)
    assert str(caught.value) == "interrupted: 1 of 5 changes made (1 issued)"
    assert caught.value.hint == "what was done is recorded; the next run goes on from there"
    fleet.converge()


def test_the_guard_is_heard_out(console: Console) -> None:
    fleet = Fleet(leaves={f"c{number}": Leaf() for number in range(10)}).converge()
    fleet.wait(500)
    with pytest.raises(Unsafe) as caught:
        carry_out(console, fleet.session(), Choice(), LIMITS)
    clock, expired = caught.value.diagnostics
    assert "expired by this clock" in expired.summary
    assert clock.hint == expired.hint
    assert clock.hint.startswith("set the clock of this host")
    assert caught.value.exit_code == 3


def test_a_signal_at_the_question_is_no_answer(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = Fleet(leaves={"web": Leaf()})
    session = fleet.session()

    def stop(_prompt: str) -> str:
        session.interruption.note(signal.SIGINT, None)
        return "never reached"

    monkeypatch.setattr("click.termui.visible_prompt_func", stop)
    with pytest.raises(Interrupted) as caught:
        carry_out(console, session, Choice(), Limits(ask=True, mass=False))
    assert caught.value.exit_code == 130
    assert fleet.journal.waves == 0


@pytest.mark.parametrize(
    ("failure", "kind"), [(KeyboardInterrupt(), Interrupted), (Unreachable("gone"), Incomplete)]
)
def test_so_does_what_ends_at_once(
    console: Console, failure: BaseException, kind: type[Exception]
) -> None:
    fleet = Fleet(leaves={"web": Leaf()})
    fleet.journal.watch = watched(fleet, 3, lambda: fail(failure))
    with pytest.raises(kind) as caught:
        carry_out(console, fleet.session(), Choice(), LIMITS)
    detail = getattr(caught.value, "detail", "")
    assert "1 of 5 changes made (1 issued)" in f"{caught.value} {detail}"
    fleet.journal.watch = None
    fleet.converge()
