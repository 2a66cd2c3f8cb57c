"""Gathering the three sides for a command, read only or under the ledger's lock."""

import dataclasses
import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from providers.base import Publisher, Target
from reconciler.boundary import Boundary, draw, unread_ledger, without
from reconciler.cli.app import Console
from reconciler.cli.failures import tell_skipped
from reconciler.diff import World
from reconciler.errors import Refused
from reconciler.interruption import Interruption, interruptible
from reconciler.ledger.reader import read_ledger
from reconciler.ledger.records import LedgerState
from reconciler.observe import inspect, make_publisher, make_targets, observe
from reconciler.pinning import pin
from reconciler.render.escape import visible
from reconciler.repository import Base, Examination, examine, versioned
from reconciler.state import Assumed, Desired, Observed
from schemas.project import LedgerSettings

if TYPE_CHECKING:
    from reconciler.apply import Session
    from reconciler.ledger.holder import Holder
    from reconciler.ledger.lock import Patience


def now() -> datetime:
    """The moment, to the second, in UTC."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Survey:
    """The world as one command found it, and the hands that could change it."""

    world: World
    targets: Mapping[str, Target]
    publisher: Publisher | None


class Offline(Protocol):
    """How the three sides are put together where nobody may be spoken to."""

    def read(self, root: Path, settings: LedgerSettings, /) -> LedgerState | None:
        """Return the ledger as it is known here, None where it is not."""
        ...

    def assume(
        self, desired: Desired, base: Desired | None, ledger: LedgerState, now: datetime, /
    ) -> Assumed:
        """Return what targets and what is published are taken to be; what is left out is looked at."""
        ...


def survey(
    console: Console,
    examination: Examination,
    *,
    at: datetime | None = None,
    replace: frozenset[str] = frozenset(),
    base: Base | None = None,
    offline: Offline | None = None,
) -> Survey:
    """Read the ledger and the targets; changes nothing and opens no key.

    With a `base`, only who is named there is spoken to, and as it says; what is new is not looked at.
    """
    desired, moment = versioned(console.root, examination), at or now()
    before = base.desired if base else None
    boundary, read = draw(desired, before), offline.read if offline else read_ledger
    known = read(console.root, boundary.ledger) if boundary.ledger else None
    ledger = known or unread_ledger(desired.project, moment)
    assumed = boundary.assumed
    if offline:
        assumed = offline.assume(desired, before, ledger, moment).under(assumed)
    world = World(desired, Observed({}), ledger, moment, replace, before)
    return _survey(console.root, world, boundary.reached, assumed, to_read=True)


def _survey(
    root: Path, unseen: World, reached: Desired, assumed: Assumed, *, to_read: bool = False
) -> Survey:
    """Look at what may be reached, and at nothing that is assumed."""
    hush()
    ledger = unseen.ledger
    targets = make_targets(without(reached, assumed), ledger, root, to_read=to_read)
    publisher = make_publisher(reached, ledger, root) if assumed.published is None else None
    observed = observe(unseen.desired, ledger, targets, publisher, assumed)
    world = dataclasses.replace(unseen, observed=observed)
    return Survey(inspect(world, targets), targets, publisher)


def hush() -> None:
    """Let what SDKs log go nowhere: where nobody listens, Python prints warnings, with their tracebacks."""
    if not logging.root.handlers:
        logging.root.addHandler(logging.NullHandler())


@contextmanager
def session(
    console: Console,
    *,
    ref: str | None = None,
    replace: frozenset[str] = frozenset(),
    lock_timeout: float = 600,
    pinned: bool = False,
    base: Base | None = None,
    approved: Collection[str] = frozenset(),
    waiting: Callable[["Holder | None", float], None] | None = None,
    clock: Callable[[], datetime] = now,
) -> Iterator["Session"]:
    """Hold the ledger's lock and read everything under it; a signal waits for the step in hand.

    `pinned` keeps every certificate as it was last issued, but for edits of the base that wait for its
    renewal. With a `base`, who is spoken to is as it says
    there, but for the changes whose fingerprints are `approved`; raises `Refused` where the ledger is
    another one and that is not. `waiting` hears, instead of the console, who holds the lock and for how
    many seconds more this will wait.
    """
    # what only looks does not wait for what writes
    from providers.sops.binary import Sops  # noqa: PLC0415
    from reconciler.apply import Session  # noqa: PLC0415
    from reconciler.cli.authorship import author  # noqa: PLC0415
    from reconciler.ledger.journal import Access, open_journal  # noqa: PLC0415

    read, before = examine(console.root, ref), base.desired if base else None
    tell_skipped(read.skipped, console)
    desired = versioned(console.root, read)
    boundary, sops = _approved(desired, before, approved), Sops()
    with interruptible() as interruption:
        patience = _patience(console, interruption, lock_timeout, waiting)
        access = Access(sops, clock, patience, author(console.root, desired))
        with open_journal(console.root, desired.ledger, access) as journal:
            wanted = pin(desired, journal.state, before) if pinned else desired
            world = World(wanted, Observed({}), journal.state, clock(), replace, before)
            found = _survey(console.root, world, boundary.reached, boundary.assumed)
            interruption.check()
            yield Session(
                world=found.world,
                journal=journal,
                targets=found.targets,
                publisher=found.publisher,
                sops=sops,
                clock=clock,
                interruption=interruption,
                root=console.root,
            )


def _approved(desired: Desired, base: Desired | None, approved: Collection[str]) -> Boundary:
    """Return whom an apply may speak to; raises `Refused` where the ledger is not among them."""
    boundary = draw(desired, base, approved)
    if boundary.ledger != desired.ledger and desired.ledger.public_key:
        raise Refused(
            "nothing was applied: where the ledger is was changed, and that was not reviewed",
            hint="open a pull request, so that its plan shows this, and merge that",
        )
    return boundary


def _patience(
    console: Console,
    interruption: Interruption,
    timeout: float,
    waiting: Callable[["Holder | None", float], None] | None,
) -> "Patience":
    """Return how the lock is waited for; who waits for it can be interrupted."""
    from reconciler.ledger.lock import Patience  # noqa: PLC0415

    def tell(remark: str) -> None:
        console.say(visible(remark))
        interruption.check()

    def observe(holder: "Holder | None", left: float) -> None:
        if waiting:
            waiting(holder, left)
        interruption.check()

    return Patience(timeout=timeout, tell=tell, observe=observe if waiting else None)
