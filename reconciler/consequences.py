"""What hangs by the CAs that a plan revokes or replaces, and how much of it the plan itself issues anew."""

from collections import Counter
from collections.abc import Iterator, Sequence

from reconciler.address import owner
from reconciler.diff import World
from reconciler.holdings import Holdings, Line
from reconciler.impact import FallenAuthority, FallenCertificate, Impact, impact
from reconciler.ledger.records import Status
from schemas.plan import (
    Action,
    Change,
    ImpactBranch,
    ImpactReport,
    LeftBehind,
    PlaceCount,
    Reason,
)
from schemas.request import AuthorityRequest

MOST = 5
"""How many CAs are told of; those by which the most hangs."""
_BRANCHES, _PLACES, _LEFT = 12, 8, 10
_RENEWALS = (Reason.RENEWING, Reason.STANDBY, Reason.CROSS_SIGNED, Reason.TAKEN_OVER)
"""Why a CA is issued whose certificates stay as they are."""


def impacts(world: World, changes: Sequence[Change]) -> tuple[ImpactReport, ...]:
    """Return what hangs by each CA that changes revoke or replace, the most first.

    A CA below one that is told of is told of with it.
    """
    touched = dict(_touched(world, changes))
    if not touched:
        return ()
    elsewhere = [n for n, found in world.observed.targets.items() if found.status == "not-here"]
    fallen = [
        found
        for name, generation in _topmost(world, touched)
        if (
            found := impact(
                world.desired,
                world.ledger,
                f"authority/{name}",
                world.now,
                generation=generation,
                elsewhere=elsewhere,
            )
        )
    ]
    reports = [_report(each, changes, touched) for each in fallen]
    told = sorted(reports, key=lambda each: (-each.certificates, each.address, each.generation))
    return tuple(told[:MOST])


def _touched(world: World, changes: Sequence[Change]) -> Iterator[tuple[Line, bool]]:
    """Yield the generations of CAs that changes replace or revoke, and whether they revoke them."""
    for step in changes:
        if not step.address.startswith("authority/"):
            continue
        if step.action is Action.ISSUE and step.reason not in _RENEWALS:
            yield from ((line, False) for line in _replaced(world, owner(step.address)))
    for step in changes:
        if step.action is Action.REVOKE and step.address.startswith("authority/"):
            name, known = owner(step.address), world.serials.get(step.address.partition("#")[2])
            request = known[1].request if known else None
            if isinstance(request, AuthorityRequest) and request.issuer != name:
                yield (name, request.generation), True


def _replaced(world: World, name: str) -> Iterator[Line]:
    """Yield the generations of a CA that live when it is issued anew, be it with the same key."""
    desired, record = world.desired.authorities.get(name), world.ledger.authorities.get(name)
    for issuance in record.issuances if desired and record else ():
        request = issuance.request
        if not isinstance(request, AuthorityRequest) or request.issuer == name:
            continue
        lives = issuance.status is Status.ISSUED and issuance.not_after > world.now
        if lives and not (desired and _is_renewed(world, request, name)):
            yield name, request.generation


def _is_renewed(world: World, request: AuthorityRequest, name: str) -> bool:
    """Whether a CA's certificate only follows itself, under who signed it before."""
    desired = world.desired.authorities[name].request
    return (request.generation, request.issuer, request.issuer_generation) == (
        desired.generation,
        desired.issuer,
        desired.issuer_generation,
    )


def _topmost(world: World, touched: dict[Line, bool]) -> Iterator[Line]:
    """Yield the CAs that no other one of them is above."""
    lines = Holdings(world.desired, world.ledger, world.now).lines
    for line in touched:
        request, covered = lines.get(line), False
        while request is not None and request.issuer and not covered:
            above = (request.issuer, request.issuer_generation or 0)
            covered, request = above in touched, lines.get(above)
        if not covered:
            yield line


def _report(fallen: Impact, changes: Sequence[Change], touched: dict[Line, bool]) -> ImpactReport:
    line = (fallen.subject.partition("/")[2], fallen.generation or 0)
    issued = {step.address for step in changes if step.action is Action.ISSUE}
    blocked = {step.address: step.message for step in changes if step.action is Action.BLOCKED}
    leaves = [each for each in fallen.certificates if each.not_after]
    left = [each for each in leaves if each.address not in issued]
    return ImpactReport(
        address=fallen.subject,
        generation=line[1],
        revoked=touched[line],
        certificates=len(leaves),
        reissued=len(leaves) - len(left),
        first_end=fallen.ends[0] if fallen.ends else None,
        places=_counted(leaves),
        place_count=len({place for each in leaves for place in each.places}),
        left=tuple(
            LeftBehind(address=each.address, why=blocked.get(each.address) or _why(each))
            for each in left[:_LEFT]
        ),
        branches=tuple(_branches(fallen)),
    )


def _why(each: FallenCertificate) -> str | None:
    return ", ".join(map(str, each.impediments)) or None


def _counted(leaves: Sequence[FallenCertificate]) -> tuple[PlaceCount, ...]:
    counted = Counter(place for each in leaves for place in each.places)
    fullest = sorted(counted.items(), key=lambda each: (-each[1], each[0]))[:_PLACES]
    return tuple(PlaceCount(place=place, certificates=number) for place, number in fullest)


def _branches(fallen: Impact) -> Iterator[ImpactBranch]:
    """Yield the CAs, those above before those below; of many those with the most certificates."""
    kept = sorted(fallen.authorities, key=lambda each: -len(fallen.below.get(each.line, ())))
    at: dict[Line, int] = {}
    waiting = kept[:_BRANCHES]
    while waiting:
        ready = [e for e in waiting if e.above is None or e.above in at or _is_out(e, waiting)]
        for each in ready:
            above = at.get(each.above) if each.above else None
            at[each.line] = len(at)
            yield _branch(fallen, each, above)
        waiting = [each for each in waiting if each not in ready]


def _is_out(each: FallenAuthority, waiting: Sequence[FallenAuthority]) -> bool:
    return all(other.line != each.above for other in waiting)


def _branch(fallen: Impact, each: FallenAuthority, above: int | None) -> ImpactBranch:
    leaves = fallen.below.get(each.line, ())
    return ImpactBranch(
        address=each.address,
        generation=each.line[1],
        above=above,
        not_after=each.not_after,
        certificates=len(leaves),
        places=_counted(leaves),
    )
