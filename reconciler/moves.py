"""Certificates that a plan moves to another CA: what becomes of the old ones, and what clients have to know.

Pure: nobody is asked.
"""

from collections.abc import Iterator, Sequence

from reconciler.address import owner
from reconciler.description import describe, ignored
from reconciler.diff import World
from reconciler.holdings import Holdings
from reconciler.ledger.records import Issuance, Status
from reconciler.state import DesiredCertificate
from schemas.plan import Action, Change, MoveReport
from schemas.request import LeafRequest

_Move = tuple[DesiredCertificate, LeafRequest, Issuance]
"""A certificate as it is wanted, what was asked for when it was issued, and what was issued."""


def moves(world: World, changes: Sequence[Change]) -> tuple[MoveReport, ...]:
    """Return the moves of a plan: certificates that go from one CA to another are told together."""
    found: dict[tuple[str, str, tuple[str, ...]], list[_Move]] = {}
    for desired, had, current in _moving(world, changes):
        sides = *_addresses(had, desired.request), _ignored(world, desired)
        found.setdefault(sides, []).append((desired, had, current))
    revoked = {c.address.partition("#")[2] for c in changes if c.action is Action.REVOKE}
    roots = _Roots(world)
    return tuple(_report(roots, sides, found[sides], revoked) for sides in sorted(found))


def _moving(world: World, changes: Sequence[Change]) -> Iterator[_Move]:
    for step in changes:
        if step.action is not Action.ISSUE or not step.address.startswith("certificate/"):
            continue
        name = owner(step.address)
        desired, record = world.desired.certificates.get(name), world.records.get(name)
        current = record.current if record else None
        if desired is None or current is None or not isinstance(current.request, LeafRequest):
            continue
        had, want = current.request, desired.request
        if (had.issuer, had.issuer_id) != (want.issuer, want.issuer_id):
            yield desired, had, current


def _ignored(world: World, desired: DesiredCertificate) -> tuple[str, ...]:
    """Return what its documents say, be it by default, and its issuer decides by itself."""
    theirs = ignored(desired.request, world.desired.issuers)
    return tuple(word for word in describe(desired.request) if word in theirs)


def _addresses(had: LeafRequest, want: LeafRequest) -> tuple[str, str]:
    """Return both CAs; what is called the same and is another CA is told by what it is."""
    apart = had.issuer == want.issuer
    return _address(had, apart=apart), _address(want, apart=apart)


def _address(request: LeafRequest, *, apart: bool) -> str:
    if request.issuer_id is None:
        return f"authority/{request.issuer}"
    return f"issuer/{request.issuer}{f' ({request.issuer_id})' if apart else ''}"


def _is_revocable(world: World, had: LeafRequest) -> bool:
    """Whether what was issued can be revoked after the move: its CA has to be known by that name."""
    issuer = world.desired.issuers.get(had.issuer)
    if had.issuer_id is None:
        return True
    return (
        issuer is not None
        and issuer.spec.is_same_ca(had.issuer_id)
        and issuer.spec.capabilities.revokes
    )


class _Roots:
    """Which root is above each CA of ours, and which Bundles have it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._held = Holdings(world.desired, world.ledger, world.now)

    def of(self, request: LeafRequest) -> str | None:
        """Return the name of the root above a leaf; None where that is of others."""
        if request.issuer_id is not None:
            return None
        line = (request.issuer, request.issuer_generation or 0)
        while (above := self._held.above(line)) is not None:
            line = above
        return line[0] if line[1] else None

    def bundles(self, root: str) -> tuple[str, ...]:
        """Return the Bundles that have a root of ours."""
        bundles = self.world.desired.bundles.values()
        return tuple(sorted(each.name for each in bundles if root in each.authorities))

    def are_others(self, had: LeafRequest, want: LeafRequest) -> bool:
        """Whether clients have to trust another root than before, as far as anybody can tell."""
        issuer = self.world.desired.issuers.get(want.issuer)
        if issuer is not None and had.issuer_id is not None:
            return not issuer.spec.is_same_ca(had.issuer_id)
        return self.of(want) is None or self.of(had) != self.of(want)


def _report(
    roots: _Roots,
    sides: tuple[str, str, tuple[str, ...]],
    moving: Sequence[_Move],
    revoked: set[str],
) -> MoveReport:
    want, had = moving[0][0].request, moving[0][1]
    root = roots.of(want)
    open_ = [i for _, _, i in moving if i.status is Status.ISSUED and i.serial not in revoked]
    return MoveReport(
        before=sides[0],
        after=sides[1],
        certificates=len(moving),
        revoked=len(moving) - len(open_),
        valid_until=max((issuance.not_after for issuance in open_), default=None),
        ignored=sides[2],
        other_root=roots.are_others(had, want),
        revocable=_is_revocable(roots.world, had),
        root=root,
        bundles=roots.bundles(root) if root else (),
    )
