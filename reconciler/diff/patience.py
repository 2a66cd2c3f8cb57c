"""What a leaf goes on with while what is wanted of its CA has to wait: no renewal is stopped by that."""

from collections.abc import Mapping
from dataclasses import replace

from reconciler.diff.changes import blocked
from reconciler.diff.prospects import Prospects
from reconciler.diff.world import World
from reconciler.ledger.records import Issuance
from reconciler.resolve.issuers import request_digest
from reconciler.state import DesiredCertificate
from schemas.plan import Change, Reason
from schemas.request import LeafRequest


def patient(above: Prospects) -> tuple[World, Mapping[str, Change]]:
    """Return the world with every leaf below what can sign it, and what holds leaves back, by their name."""
    world = above.world
    kept: dict[str, DesiredCertificate] = {}
    held: dict[str, Change] = {}
    ready: dict[tuple[str, int], bool] = {}  # asked once for all that one CA issues
    for certificate in world.desired.certificates.values():
        request = certificate.request
        issuer = (request.issuer, request.issuer_generation)
        if issuer not in ready:
            ready[issuer] = request.issuer_id is not None or _is_ready(above, request)
        if ready[issuer]:
            continue
        if why := _withheld(above, certificate):
            held[certificate.name] = why
        settled = _settled(above, certificate, held=bool(why))
        if settled is not certificate:
            kept[certificate.name] = settled
    if not kept:
        return world, held
    certificates = {**world.desired.certificates, **kept}
    return replace(world, desired=replace(world.desired, certificates=certificates)), held


def _is_ready(above: Prospects, request: LeafRequest) -> bool:
    """Whether a CA can sign as it is asked for, and its root is trusted wherever that is known."""
    return above.placed(request) is request and not above.waits(above.line(request)).missing


def _withheld(above: Prospects, certificate: DesiredCertificate) -> Change | None:
    """Say which place does not trust yet what a certificate that works is to hang by."""
    current = _current(above.world, certificate)
    line = above.line(above.placed(certificate.request))
    if current is None or not line:
        return None
    missing = above.waits(line, current).missing if above.world.line(current) else ""
    if not missing:
        return None
    message = f"its new root is not trusted everywhere: {missing}"
    return blocked(certificate.address, Reason.PENDING, message, source=certificate.source)


def _settled(
    above: Prospects, certificate: DesiredCertificate, *, held: bool
) -> DesiredCertificate:
    current = _current(above.world, certificate)
    if held and current is not None and isinstance(current.request, LeafRequest):
        return replace(certificate, request=current.request, digest=current.digest)
    request = above.placed(certificate.request)
    if request is certificate.request:
        return certificate
    return replace(certificate, request=request, digest=request_digest(request, None))


def _current(world: World, certificate: DesiredCertificate) -> Issuance | None:
    """The certificate issued last, if a CA of ours did."""
    record = world.records.get(certificate.name)
    current = record.current if record else None
    return current if current is not None and current.reference is None else None
