"""When a command asks CAs of others when they want renewals, and whom: never more than the base trusts."""

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.boundary import reached_issuers
from reconciler.cli.app import Console
from reconciler.cli.failures import show
from reconciler.diff import World
from schemas.project import AdviceAsking

if TYPE_CHECKING:
    from reconciler.advising import Advising, Asking
    from reconciler.apply import Session


def planned(console: Console, world: World) -> World:
    """Return the world of a plan: with what CAs say now where the Project, or the base's, has plans ask."""
    trusted = world.base or world.desired
    return asked(console, world) if trusted.renewal_information is AdviceAsking.PLAN else world


def asked(console: Console, world: World) -> World:
    """Return the world with what CAs say now, which is recorded nowhere."""
    if not _advises(world):
        return world
    from providers.registry import make_issuer  # noqa: PLC0415 - where nobody is asked
    from reconciler.advising import Asking, opener  # noqa: PLC0415

    return _advised(console, world, Asking(opener(make_issuer, world, console.root))).world


def asked_by(console: Console, session: "Session") -> "Advising | None":
    """Have a session know what CAs say now; what is returned is still to be recorded."""
    if not _advises(session.world):
        return None
    from reconciler.advising import Asking, opener  # noqa: PLC0415

    def pause() -> None:
        session.stay_alive()
        session.interruption.check()

    opened = opener(session.open_issuer, session.world, session.root)
    found = _advised(console, session.world, Asking(opened, pause))
    session.world = found.world
    return found


def recorded(session: "Session", advising: "Advising | None") -> None:
    """Make what CAs said durable, in one wave, once nothing stands against writing any more."""
    wave = advising.wave if advising else None
    if wave is not None:
        session.journal.write(wave)
        session.world = replace(session.world, ledger=session.journal.state)


def _advises(world: World) -> bool:
    return any(issuer.spec.advises for issuer in world.desired.issuers.values())


def _advised(console: Console, world: World, asking: "Asking") -> "Advising":
    from reconciler.advising import advise  # noqa: PLC0415

    found = advise(world, reached_issuers(world.desired, world.base), asking)
    show(found.remarks, console)
    return found
