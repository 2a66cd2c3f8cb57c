"""Gathering the three sides for a command, read only or under the ledger's lock."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from providers.base import Publisher, Target
from reconciler.cli.app import Console
from reconciler.cli.failures import tell_skipped
from reconciler.diff import World
from reconciler.interruption import interruptible
from reconciler.ledger.reader import read_ledger
from reconciler.ledger.records import LedgerState
from reconciler.observe import inspect, make_publisher, make_targets, observe
from reconciler.pinning import pin
from reconciler.render.escape import visible
from reconciler.repository import Examination, examine, versioned
from reconciler.state import Desired

if TYPE_CHECKING:
    from reconciler.apply import Session


def now() -> datetime:
    """The moment, to the second, in UTC."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Survey:
    """The world as one command found it, and the hands that could change it."""

    world: World
    targets: Mapping[str, Target]
    publisher: Publisher | None


def survey(
    console: Console,
    examination: Examination,
    *,
    at: datetime | None = None,
    replace: frozenset[str] = frozenset(),
) -> Survey:
    """Read the ledger and the targets; changes nothing and opens no key."""
    desired = versioned(console.root, examination)
    ledger = read_ledger(console.root, desired.ledger)
    return _survey(console.root, desired, ledger, at or now(), replace)


def _survey(
    root: Path, desired: Desired, ledger: LedgerState, at: datetime, replace: frozenset[str]
) -> Survey:
    hush()
    targets = make_targets(desired, ledger, root)
    publisher = make_publisher(desired, ledger, root)
    observed = observe(desired, ledger, targets, publisher)
    world = inspect(World(desired, observed, ledger, at, replace), targets)
    return Survey(world, targets, publisher)


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
    clock: Callable[[], datetime] = now,
) -> Iterator["Session"]:
    """Hold the ledger's lock and read everything under it; a signal waits for the step in hand.

    `pinned` keeps every certificate as it was last issued.
    """
    # what only looks does not wait for what writes
    from providers.sops.binary import Sops  # noqa: PLC0415
    from reconciler.apply import Session  # noqa: PLC0415
    from reconciler.cli.authorship import author  # noqa: PLC0415
    from reconciler.ledger.journal import Access, open_journal  # noqa: PLC0415
    from reconciler.ledger.lock import Patience  # noqa: PLC0415

    read = examine(console.root, ref)
    tell_skipped(read.skipped, console)
    desired = versioned(console.root, read)
    sops = Sops()
    with interruptible() as interruption:

        def tell(remark: str) -> None:
            console.say(visible(remark))
            interruption.check()

        patience = Patience(timeout=lock_timeout, tell=tell)
        access = Access(sops, clock, patience, author(console.root, desired))
        with open_journal(console.root, desired.ledger, access) as journal:
            wanted = pin(desired, journal.state) if pinned else desired
            found = _survey(console.root, wanted, journal.state, clock(), replace)
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
