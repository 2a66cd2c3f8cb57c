"""What there is: every CA and certificate, wanted or not yet gone, with its state in one word."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from providers.base import Installed
from reconciler.diff import World
from reconciler.ledger.records import AuthorityRecord, CertificateRecord, Issuance, Status
from reconciler.places import places
from reconciler.render.inventory import InventoryRow, Place, PlaceState
from reconciler.retention import is_dead
from reconciler.schedule import is_ahead
from reconciler.state import DesiredAuthority, DesiredCertificate
from schemas.certificate import OnRemove
from schemas.plan import Action, Change, Reason
from schemas.request import AuthorityRequest


def inventory(
    world: World, changes: tuple[Change, ...], *, foreign: bool = False
) -> list[InventoryRow]:
    """Return the rows by address; with `foreign`, also what stands in our targets and is not ours."""
    planned: dict[str, list[Change]] = {}
    for step in changes:
        planned.setdefault(step.address.partition("@")[0], []).append(step)
    found = places(world)
    leaves = (_told(world, row, found) for row in _certificates(world, planned))
    rows = [*_authorities(world), *leaves]
    if foreign:
        rows += _foreign(world)
    return sorted(rows, key=lambda row: row.address)


def _authorities(world: World) -> Iterator[InventoryRow]:
    for name in sorted(world.ledger.authorities.keys() | world.desired.authorities.keys()):
        record, desired = world.authority(name), world.desired.authorities.get(name)
        wanted = record.generation(desired.request.generation) if desired else None
        for issuance in record.issuances:
            over = issuance.not_after <= world.now and issuance is not wanted
            if issuance.status in (Status.ISSUED, Status.REVOKED) and not over:
                yield _authority(world, record, issuance, desired)
        if desired is not None and (wanted is None or wanted.status is Status.RESERVED):
            yield _coming(desired)


def _authority(
    world: World, record: AuthorityRecord, issuance: Issuance, desired: DesiredAuthority | None
) -> InventoryRow:
    request = issuance.request
    generation = request.generation if isinstance(request, AuthorityRequest) else 0
    life = _life(world, issuance)
    status = _ahead(record, generation, desired) if life == "ok" and desired else ""
    row = _row(world, f"authority/{record.name}", issuance, (), status or life)
    crl = world.ledger.crls.get((record.name, generation, None))
    before = world.ledger.past.get((record.name, generation))
    return replace(
        row,
        generation=generation,
        past=len(before.unexpired(world.now)) if before else 0,
        crl_until=crl.next_update if crl else None,
        labels=desired.labels if desired else {},
        source=desired.source if desired else None,
    )


def _ahead(record: AuthorityRecord, generation: int, desired: DesiredAuthority) -> str:
    """Say what a generation is there for that is later than the one that is to issue; empty for any other."""
    wanted = record.issued(desired.request.generation)
    if generation <= desired.request.generation or wanted is None:
        return ""
    if desired.standby is not None and desired.standby.generation == generation:
        return "kept ready"
    return "not asked for" if wanted.status is Status.ISSUED else ""


def _coming(desired: DesiredAuthority) -> InventoryRow:
    """A generation of a CA that is wanted and not issued yet."""
    request = desired.request
    return InventoryRow(
        name=desired.name,
        address=desired.address,
        issuer=request.issuer or "itself",
        serial="",
        not_after=None,
        days_left=None,
        key=str(request.key),
        names=(request.common_name,),
        targets=(),
        status="to be issued",
        generation=request.generation,
        issuer_generation=request.issuer_generation,
        labels=desired.labels,
        source=desired.source,
    )


def _certificates(world: World, planned: Mapping[str, list[Change]]) -> Iterator[InventoryRow]:
    for name in sorted(world.records.keys() | world.desired.certificates.keys()):
        record = world.records.get(name) or CertificateRecord(name=name)
        if is_dead(record, world.desired.certificates, world):
            continue
        address = f"certificate/{name}"
        targets = tuple(placement.target for placement in record.placements)
        status = _status(world, record, planned.get(address, []))
        desired = world.desired.certificates.get(name)
        if desired is not None and world.desired.hosting(desired):
            yield _hosted(world, desired, planned.get(address, []))
        elif record.current is not None:
            yield _row(world, address, record.current, targets, status)
        elif name in world.desired.certificates:
            yield _wanted(world, name, status)


def _told(world: World, row: InventoryRow, found: Mapping[str, tuple[Place, ...]]) -> InventoryRow:
    """Add what the documents, the ledger and the targets say of a leaf beside its state."""
    desired, record = world.desired.certificates.get(row.name), world.records.get(row.name)
    told = replace(row, places=found.get(row.name, ()))
    if desired is None:
        return told
    current = record.current if record else None
    own = current is not None and current.status is Status.ISSUED and current.serial == row.serial
    told = replace(told, labels=desired.labels, source=desired.source)
    if current is None or not own:
        return told
    renewal = world.renewal(desired, current)
    return replace(told, renewal=renewal.at, window=renewal.window)


def _status(world: World, record: CertificateRecord, steps: list[Change]) -> str:
    """Say the worst first: what is wrong with it, what stands in the way, what is missing, then age."""
    actions = {step.action for step in steps}
    current, desired = record.current, world.desired.certificates.get(record.name)
    life = _life(world, current) if current else ""
    if life == "revoked" or Action.BLOCKED in actions:
        return "revoked" if life == "revoked" else "blocked"
    if desired is None:
        return "to be removed" if record.placements else _gone(record, life)
    if current is None:
        held = Action.ISSUE not in actions and _adopted(world, desired)
        return "adopted" if held else "to be issued"
    if life != "ok":
        return life
    undue = [step for step in steps if step.action is not Action.REVOKE and not step.due]
    if undue:
        return f"out of date ({undue[0].reason})"
    if unseen := _unseen(world, desired, record):
        return unseen
    return "due" if world.renewal(desired, current).at <= world.now else "ok"


def _adopted(world: World, desired: DesiredCertificate) -> Installed | None:
    """What stands for a certificate until one of ours is issued: of several, what ends first."""
    places = ((i.target, found) for i in desired.installs for found in world.adoptable(i))
    held = [found for target, found in places if (target, found.id) in world.adopted]
    return min(held, key=lambda found: found.not_after or world.now, default=None)


def _gone(record: CertificateRecord, life: str) -> str:
    """What is said of a certificate that is wanted no longer, and in no target as far as we answer for it."""
    if life not in ("", "ok"):
        return life
    return "no longer managed" if record.on_remove is OnRemove.FORGET else "removed"


def _unseen(world: World, desired: DesiredCertificate, record: CertificateRecord) -> str:
    """Name a target where nobody can tell whether the certificate is there."""
    for install in desired.installs:
        status = world.observation(install.target).status
        if status == "unknown":
            return f"unknown ({install.target})"
        placement = record.placement(install.target, install.name)
        verified = placement and record.current and placement.serial == record.current.serial
        if status == "not-here" and not verified:
            return f"not yet in {install.target}"
    return ""


def _life(world: World, issuance: Issuance) -> str:
    if issuance.status is Status.REVOKED:
        return "revoked"
    if is_ahead(issuance.not_before, world.now):
        return "not yet valid"
    return "expired" if issuance.not_after <= world.now else "ok"


def _row(
    world: World, address: str, issuance: Issuance, targets: tuple[str, ...], status: str
) -> InventoryRow:
    request = issuance.request
    return InventoryRow(
        name=address.partition("/")[2],
        address=address,
        issuer=request.issuer or "itself",
        serial=issuance.serial,
        not_after=issuance.not_after,
        days_left=(issuance.not_after - world.now).days,
        key=str(request.key),
        names=_names(issuance),
        targets=targets,
        status=status,
        not_before=issuance.not_before,
        sha256=issuance.sha256 or "",
        issuer_generation=request.issuer_generation,
    )


def _names(issuance: Issuance) -> tuple[str, ...]:
    request = issuance.request
    if isinstance(request, AuthorityRequest):
        return (request.common_name,)
    return (
        *request.dns_names,
        *request.ip_addresses,
        *request.uris,
        *request.email_addresses,
    )


def _wanted(world: World, name: str, status: str) -> InventoryRow:
    desired = world.desired.certificates[name]
    request, found = desired.request, _adopted(world, desired)
    ends = found.not_after if found else None
    return InventoryRow(
        name=name,
        address=desired.address,
        issuer=request.issuer,
        serial=(found.serial or "") if found else "",
        not_after=ends,
        days_left=(ends - world.now).days if ends else None,
        key=str(request.key),
        names=request.dns_names,
        targets=tuple(install.target for install in desired.installs),
        status=status,
        sha256=(found.sha256 or "") if found else "",
        issuer_generation=request.issuer_generation,
    )


def _hosted(world: World, desired: DesiredCertificate, steps: list[Change]) -> InventoryRow:
    """What a place issues by itself, as it is found there."""
    found = next((i for w in desired.installs if (i := world.installed(w)) and i.hosting), None)
    row = _wanted(world, desired.name, _hosted_status(world, desired, found, steps))
    end = found.not_after if found else None
    if found is None or end is None:
        return row
    days = (end - world.now).days
    content = found.content
    return replace(
        row,
        serial=found.serial or "",
        not_after=end,
        days_left=days,
        not_before=content.not_before if content else None,
        sha256=found.sha256 or "",
    )


def _hosted_status(
    world: World, desired: DesiredCertificate, found: Installed | None, steps: list[Change]
) -> str:
    """Say the worst first, as of any certificate."""
    if any(step.reason is Reason.PENDING for step in steps):
        return "pending"
    if any(step.action is Action.BLOCKED for step in steps):
        return "blocked"
    for install in desired.installs:
        if world.observation(install.target).status != "observed":
            return f"unknown ({install.target})"
    if found is None:
        return "to be issued"
    if found.not_after is not None and found.not_after <= world.now:
        return "expired"
    undue = [step for step in steps if step.action is not Action.REVOKE and not step.due]
    return f"out of date ({undue[0].reason})" if undue else "ok"


def _foreign(world: World) -> Iterator[InventoryRow]:
    for target, observation in world.observed.targets.items():
        for found in observation.installed.values():
            if not found.owned_by(world.ledger.lineage.owner):
                yield InventoryRow(
                    name=found.name,
                    address=f"{target}:{found.id}",
                    issuer="",
                    serial=found.serial or "",
                    not_after=found.not_after,
                    days_left=(found.not_after - world.now).days if found.not_after else None,
                    key="",
                    names=(found.dns_name,) if found.dns_name else (),
                    targets=(target,),
                    status="foreign",
                    sha256=found.sha256 or "",
                    places=(_strange(target, found),),
                )


def _strange(target: str, found: Installed) -> Place:
    return Place(
        target,
        PlaceState.FOREIGN,
        "not certform's",
        object_name=found.name,
        id=found.id,
        serial=found.serial or "",
        sha256=found.sha256 or "",
        not_after=found.not_after,
    )
