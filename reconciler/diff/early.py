"""Renewals that are not when a document has them: asked for early by a CA, or of too short a life."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby

from reconciler.diagnostics import Diagnostic, warning
from reconciler.diff.world import World
from reconciler.leads import Share, time_left
from reconciler.ledger.issuing import Advised
from reconciler.ledger.records import Issuance
from reconciler.schedule import life_of
from reconciler.state import DesiredCertificate
from schemas.plan import Action, Change, Reason
from schemas.scalars import format_duration


def renewal_warnings(world: World, changes: Sequence[Change]) -> Iterator[Diagnostic]:
    """Yield which CA wants many renewed at once, and whose `renewBefore` does not fit the life it got."""
    yield from _many(world, changes)
    yield from _misfits(world)


def _many(world: World, changes: Sequence[Change]) -> Iterator[Diagnostic]:
    """Yield each CA that asks for more early renewals than the guard's share of what it issued."""
    pulled = dict[str, list[Advised]]()
    for step in changes if world.advice else ():
        window = _pulled(world, step)
        if window is not None:
            issuer = world.serials[window.serial][1].request.issuer
            pulled.setdefault(str(issuer), []).append(window)
    guard = world.desired.guard
    for issuer, found in sorted(pulled.items()):
        total = sum(c.request.issuer == issuer for c in world.desired.certificates.values())
        if total >= guard.from_ and len(found) > total * guard.max_change / 100:
            summary = (
                f"{issuer} asks for {len(found):,} of {total:,} certificates to be renewed early"
            )
            pages = sorted({each.explanation for each in found if each.explanation})
            hint = (
                "as before it revokes many; each stays in its places until the new one works there"
            )
            yield warning(summary, detail="\n".join(pages[:3]), hint=hint)


def _pulled(world: World, step: Change) -> Advised | None:
    """Return by which window a renewal is early; None where it is not."""
    name = step.address.partition("/")[2]
    desired, record = world.desired.certificates.get(name), world.records.get(name)
    renews = step.action is Action.ISSUE and step.reason is Reason.RENEWING
    if not renews or desired is None or record is None or record.current is None:
        return None
    found = world.renewal(desired, record.current)
    return found.window if found.pulled else None


def _misfits(world: World) -> Iterator[Diagnostic]:
    found = sorted(_unfit(world), key=lambda each: each[0].request.issuer)
    for issuer, group in groupby(found, key=lambda each: each[0].request.issuer):
        every = list(group)
        desired, issued = every[0]
        life = life_of(issued)
        early = time_left(desired.renew_before, life)
        more = f", and {len(every) - 1:,} more of {issuer}" if len(every) > 1 else ""
        yield warning(
            f"renewal {desired.renew_before} before the end does not fit the life of"
            f" {_rough(life)} that {issuer} gave {desired.address}{more}",
            desired.source,
            hint=f"it is renewed {_rough(early)} before the end; leave renewBefore out, or make it shorter",
        )


def _rough(value: timedelta) -> str:
    """Return a time in whole hours, or days where it is many."""
    hours = round(value / timedelta(hours=1))
    return format_duration(timedelta(days=hours // 24) if hours >= 72 else timedelta(hours=hours))


def _unfit(world: World) -> Iterator[tuple[DesiredCertificate, Issuance]]:
    for desired in world.desired.certificates.values():
        early = desired.renew_before
        record = world.records.get(desired.name) if isinstance(early, Share) else None
        current = record.current if record else None
        if isinstance(early, Share) and current is not None and not early.fits(life_of(current)):
            yield desired, current
