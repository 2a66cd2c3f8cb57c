"""The sides of a plan where nobody may be asked: targets are assumed, the ledger is the one that is here."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from providers.local.hosts import called
from reconciler.assumption import Assumption
from reconciler.diagnostics import Diagnostic, warning
from reconciler.diff import World
from reconciler.ledger.reader import read_held, read_ledger
from reconciler.ledger.records import LedgerState
from reconciler.state import Assumed, Desired, DesiredTarget, Observation
from schemas.project import LedgerSettings


@dataclass(frozen=True, slots=True)
class Unseen:
    """No target is looked at; `why` tells the reader. The ledger is read as always: its remote is asked."""

    why: str = "not looked at"

    def read(self, root: Path, settings: LedgerSettings, /) -> LedgerState | None:
        """Return the ledger as it is now; raises as `read_ledger` does."""
        return read_ledger(root, settings)

    def assume(
        self, desired: Desired, base: Desired | None, ledger: LedgerState, now: datetime, /
    ) -> Assumed:
        """Return what every target is taken to hold, and what is taken to be published."""
        guess = Assumption(desired, ledger, now, base)
        targets = {
            name: _elsewhere(target) or guess.holding(name, self.why)
            for name, target in desired.targets.items()
        }
        return Assumed(targets, guess.published())


@dataclass(frozen=True, slots=True)
class Offline(Unseen):
    """Nobody is spoken to at all: the ledger is the one that was fetched last, None where there is none."""

    why: str = "offline, not looked at"

    def read(self, root: Path, settings: LedgerSettings, /) -> LedgerState | None:
        """Return the ledger that is here; raises `LedgerRefused` for one that is not the Project's."""
        return read_held(root, settings) if settings.public_key else None


def remarks(world: World) -> tuple[Diagnostic, ...]:
    """Say that a plan was made without a ledger that the documents name."""
    settings = (world.base or world.desired).ledger
    if world.ledger.tip or settings.public_key is None:
        return ()
    summary = "the ledger was never fetched here: everything is taken to be new"
    return (warning(summary, hint=f"git fetch origin {settings.branch}"),)


def _elsewhere(target: DesiredTarget) -> Observation | None:
    """Return how a target is found that is on another host; its name alone tells, nobody is asked for it."""
    settings = target.spec.local_directory
    if settings is None or called(settings.hosts):
        return None
    return Observation("not-here", detail=f"on {', '.join(settings.hosts)}")
