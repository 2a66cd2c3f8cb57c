"""Which anchors a Bundle is to hold: of the generations that documents ask for, and of those still needed.

Of a generation the newest certificate is enough. It has the same key and the same name, which is all that
a path is built by (RFC 5280 section 6.1.1 d), so whatever hangs by an older one hangs by it as well.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from providers import x509
from providers.anchors import by_fingerprint
from reconciler.chains import Generation
from reconciler.diagnostics import Diagnostic, warning
from reconciler.diff.hanging import uses
from reconciler.diff.world import World
from reconciler.ledger.records import AuthorityRecord, Issuance, Status
from reconciler.ledger.trust import TrustPlacement
from reconciler.state import DesiredAuthority, DesiredBundle, DesiredInstall
from schemas.request import AuthorityRequest
from schemas.revocation import COMPROMISES
from schemas.scalars import format_instant


@dataclass(frozen=True, slots=True)
class Anchor:
    """One certificate that is trusted, by its SHA-256 in hex; `root` is None for one of others.

    `revoked` and `compromised` are what the ledger says of it, whatever documents ask for.
    """

    sha256: str
    pem: bytes
    name: str
    not_after: datetime
    root: Generation | None = None
    revoked: bool = False
    compromised: bool = False


Anchors = Mapping[str, Anchor]
"""Anchors by fingerprint."""


@dataclass(frozen=True, slots=True)
class Stock:
    """What a Bundle may hold: what documents ask for, what something hangs by, and what may stay for a while.

    None of it is expired. `earlier` are the other generations of its roots, those `needed` among them.
    """

    wanted: Anchors
    needed: Anchors = field(default_factory=dict)
    earlier: Anchors = field(default_factory=dict)

    def at(self, standing: frozenset[str]) -> Anchors:
        """Return what a place is to hold that has some anchors already; nothing leaves it by this."""
        stays = {key: anchor for key, anchor in self.earlier.items() if key in standing}
        return dict(sorted({**self.wanted, **self.needed, **stays}.items()))

    def succeeds(self, root: Generation) -> bool:
        """Whether another generation of a root is there to be trusted instead of one."""
        return any(a.root and a.root[0] == root[0] for a in self.wanted.values())


def stock_of(
    world: World, bundle: DesiredBundle, coming: Collection[Generation] = frozenset()
) -> Stock:
    """Return what a Bundle may hold, as far as it is issued; `coming` are generations that soon will be."""
    wanted: dict[str, Anchor] = {}
    needed: dict[str, Anchor] = {}
    earlier: dict[str, Anchor] = {}
    for name in bundle.authorities:
        asked = world.desired.authorities[name]
        known = {n: _anchor(name, n, i) for n, i in newest(world.authority(name)).items()}
        alive = {n: anchor for n, anchor in known.items() if anchor.not_after > world.now}
        chosen = set(_chosen(asked, alive, coming))
        for number, anchor in alive.items():
            if number in chosen:
                wanted[anchor.sha256] = anchor
                continue
            earlier[anchor.sha256] = anchor
            if _is_needed(world, anchor):
                needed[anchor.sha256] = anchor
    theirs = {a.sha256: a for a in others_of(bundle) if a.not_after > world.now}
    return Stock({**theirs, **wanted}, needed, earlier)


def _chosen(
    asked: DesiredAuthority, alive: Mapping[int, Anchor], coming: Collection[Generation]
) -> Iterator[int]:
    """Yield the generations that documents ask for; while the one is not issued, the newest before it."""
    usable = {number for number, anchor in alive.items() if not anchor.revoked}
    wanted = asked.request.generation
    known = usable | {number for name, number in coming if name == asked.name}
    yield from sorted(n for n in known if n <= wanted)[-1:]
    if asked.standby is not None and asked.standby.generation in usable:
        yield asked.standby.generation


def _is_needed(world: World, anchor: Anchor) -> bool:
    """Whether something hangs by an anchor that a place must have that never had it."""
    if anchor.revoked or anchor.root is None or is_compromised(world, anchor.root):
        return False
    return any(True for _ in uses(world, anchor.root))


def is_compromised(world: World, root: Generation) -> bool:
    """Whether documents say that somebody else may have the key of a generation."""
    return any(
        (each.authority, each.generation) == root and each.reason in COMPROMISES
        for each in world.desired.revocations
    )


def newest(record: AuthorityRecord) -> Mapping[int, Issuance]:
    """Return the newest self-signed certificate of each generation of a CA, revoked or not."""
    asked = (i.request for i in record.issuances if isinstance(i.request, AuthorityRequest))
    numbers = {request.generation for request in asked if request.issuer is None}
    found = ((number, record.issued(number)) for number in sorted(numbers))
    return {number: issuance for number, issuance in found if issuance is not None}


def _anchor(name: str, number: int, issuance: Issuance) -> Anchor:
    ((sha256, pem),) = by_fingerprint([(issuance.certificate or "").encode()]).items()
    why = issuance.revoked.reason if issuance.revoked else None
    return Anchor(
        sha256,
        pem,
        f"{name}-g{number}",
        issuance.not_after,
        (name, number),
        revoked=issuance.status is Status.REVOKED,
        compromised=why in COMPROMISES,
    )


def others_of(bundle: DesiredBundle) -> Iterator[Anchor]:
    """Yield the anchors of others that a Bundle brings, expired ones among them; they go by their subject."""
    for pem in bundle.others:
        found = x509.facts(pem)
        yield Anchor(found.sha256, pem, found.subject or found.sha256[:16], found.not_after)


def named_anchors(world: World, bundle: DesiredBundle) -> Mapping[str, str]:
    """Return what every anchor that a Bundle may have had is called, by fingerprint."""
    ours = {
        issuance.sha256: f"{record.name}-g{issuance.request.generation}"
        for record in world.ledger.authorities.values()
        for issuance in record.issuances
        if issuance.sha256 and isinstance(issuance.request, AuthorityRequest)
    }
    return {**{anchor.sha256: anchor.name for anchor in others_of(bundle)}, **ours}


def placement_of(
    world: World, bundle: DesiredBundle, install: DesiredInstall
) -> TrustPlacement | None:
    """Return what the ledger knows of a Bundle in a place; None where it was never to be there."""
    record = world.ledger.trust.get(bundle.name)
    return record.placement(install.target, install.name) if record else None


def standing(world: World, bundle: DesiredBundle, install: DesiredInstall) -> frozenset[str]:
    """Return the fingerprints that a place holds; where what is there was touched, those verified last."""
    held = world.held(install)
    if held is not None and not held.drift and held.owned_by(world.ledger.lineage.owner):
        return frozenset(held.anchors)
    placement = placement_of(world, bundle, install)
    return frozenset(placement.anchors if placement else ())


def anchor_warnings(world: World) -> Iterator[Diagnostic]:
    """Yield the anchors of others that have expired, and that are in no place any more for that."""
    for bundle in world.desired.bundles.values():
        for anchor in others_of(bundle):
            if anchor.not_after <= world.now:
                ended = format_instant(anchor.not_after)
                summary = f"{bundle.address}: the anchor {anchor.name} expired at {ended}"
                hint = "take it out of its file; it is installed nowhere any more"
                yield warning(summary, bundle.source, hint=hint)
