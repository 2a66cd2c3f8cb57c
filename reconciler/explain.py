"""Everything about one address, in words: what is wanted, what was issued, what is there."""

from collections.abc import Callable, Iterator

from reconciler.description import describe, describe_authority
from reconciler.diff import World
from reconciler.ledger.records import AuthorityRecord, CertificateRecord, Issuance
from reconciler.render.escape import visible
from reconciler.render.fields import flatten, shown
from reconciler.schedule import renewal_time
from reconciler.state import DesiredAuthority, DesiredCertificate
from schemas.plan import Source
from schemas.scalars import format_duration, format_instant

Origin = Callable[[str, str, str], Source | None]
"""Returns where a field of a document (kind, name, field) was written, profiles included."""


def explain(world: World, address: str, origin: Origin | None = None) -> str | None:
    """Return the text, None for an address nobody knows; `origin` adds each value's place."""
    kind, _, name = address.partition("/")
    if kind == "certificate":
        lines = list(_certificate(world, name, origin))
    elif kind == "authority":
        lines = list(_authority(world, name, origin))
    else:
        return None
    return "\n".join(map(visible, [address, *lines])) if lines else None


def _certificate(world: World, name: str, origin: Origin | None) -> Iterator[str]:
    desired, record = world.desired.certificates.get(name), world.records.get(name)
    if desired is not None:
        yield f"  wanted                                     {desired.source}"
        yield from _fields(_wishes(desired), origin, "Certificate", name)
    if record is not None:
        yield "  issued"
        for issuance in record.issuances:
            yield f"    {_issuance(issuance)}"
        yield from _placements(record)
        if record.attempts:
            attempts = record.attempts
            yield f"    {attempts.failures} failed attempts, last at {format_instant(attempts.last_at)}"
            yield f"      {attempts.error}"
    if desired is not None and record is not None and record.current is not None:
        due = renewal_time(record.current, desired.renew_before)
        yield f"  renewed from {format_instant(due)}"
    if desired is not None:
        yield from _found(world, desired)


def _wishes(desired: DesiredCertificate) -> dict[str, object]:
    return {
        **describe(desired.request),
        "renewBefore": format_duration(desired.renew_before),
        "custody": str(desired.custody),
        "rotationPolicy": str(desired.rotation_policy),
        "onRemove": str(desired.on_remove),
        "rollout": str(desired.rollout),
        "targets": [f"{i.target} (as {i.name})" for i in desired.installs],
        "labels": dict(desired.labels),
    }


def _authority(world: World, name: str, origin: Origin | None) -> Iterator[str]:
    desired: DesiredAuthority | None = world.desired.authorities.get(name)
    record: AuthorityRecord | None = world.ledger.authorities.get(name)
    if desired is not None:
        yield f"  wanted                                     {desired.source}"
        crl = format_duration(desired.crl_duration)
        wishes = {**describe_authority(desired.request), "crlDuration": crl}
        yield from _fields(wishes, origin, "Authority", name)
    if record is not None:
        yield "  issued"
        for issuance in record.issuances:
            yield f"    {_issuance(issuance)}"
    for (authority, generation), openers in sorted(world.ledger.ca_keys.items()):
        if authority == name:
            yield f"  key of generation {generation}: {', '.join(sorted(openers))} can open it"
    for (authority, generation), last in world.ledger.crls.items():
        if authority == name:
            dates = f"{format_instant(last.this_update)} to {format_instant(last.next_update)}"
            yield f"  CRL of generation {generation}: number {last.number}, {dates}"


def _fields(
    wishes: dict[str, object], origin: Origin | None, kind: str, name: str
) -> Iterator[str]:
    for path, value in flatten({key: value for key, value in wishes.items() if value}):
        text = f"    {path} = {shown(path, value)}"
        place = origin(kind, name, path.partition(".")[0]) if origin else None
        yield f"{text:<60} # {place}" if place else text


def _issuance(issuance: Issuance) -> str:
    dates = f"{format_instant(issuance.not_before)} to {format_instant(issuance.not_after)}"
    key = "; key in the ledger" if issuance.bundle else ""
    revoked = f" ({issuance.revoked.reason})" if issuance.revoked else ""
    return f"{issuance.serial}  {issuance.status}{revoked}  {dates}{key}"


def _placements(record: CertificateRecord) -> Iterator[str]:
    for placement in record.placements:
        seen = (
            f"serial {placement.serial} verified at {format_instant(placement.verified_at)}"
            if placement.serial and placement.verified_at
            else "not verified yet"
        )
        yield f"    in {placement.target} as {placement.object_name}: {seen}"


def _found(world: World, desired: DesiredCertificate) -> Iterator[str]:
    yield "  found"
    for install in desired.installs:
        observation, found = world.observation(install.target), world.installed(install)
        if observation.status != "observed":
            yield f"    {install.target}: {observation.status} ({observation.detail})"
        elif found is None:
            yield f"    {install.target}: nothing"
        else:
            drift = "".join(f"; {words}" for words in found.drift)
            yield f"    {install.target}: {found.id}, serial {found.serial}{drift}"
