"""What keeps one install from being as it should, and what that takes: a key, patience, somebody's care."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from providers.base import NAME, Installed
from reconciler.checks import Finding
from reconciler.diff.world import World
from reconciler.ledger.records import CertificateRecord, Issuance, Placement
from reconciler.state import DesiredCertificate, DesiredInstall
from schemas.certificate import Custody
from schemas.issuer import gives_way
from schemas.plan import Reason

FLAPPING_AFTER = 2
FLAPPING_WITHIN = timedelta(days=1)
"""What had to be put right twice within a day, and is wrong again, is being changed by somebody else."""

NEEDS_KEY = frozenset({Reason.NOT_FOUND, Reason.SUPERSEDED, Reason.DRIFTED, Reason.CHAIN_CHANGED})
SOUND = frozenset({Reason.UNVERIFIED, Reason.INCOMPLETE})
PUT_RIGHT = frozenset({Reason.NOT_FOUND, Reason.DRIFTED})

Needs = Mapping[DesiredInstall, Finding | None]
"""What each install of a certificate needs, None where it needs nothing or nobody can tell."""


def need_of(
    world: World, desired: DesiredCertificate, record: CertificateRecord, install: DesiredInstall
) -> Finding | None:
    """Say what keeps one install from being as it should, None when nothing does or nobody can tell."""
    current = record.current
    if world.observation(install.target).status != "observed":
        return None
    found, placement = world.installed(install), record.placement(install.target, install.name)
    stood = was_seen(world, install, placement)
    if found is None and (held := world.held(install)):
        holds = f"{held.id} holds bundle/{held.labels.get(NAME)}"
        return Finding(Reason.OCCUPIED, f"{holds}; give this one another objectName")
    if found is None:
        return Finding(Reason.NOT_FOUND, "nothing is installed there", outside=stood)
    if taken := occupied(world, desired, install, found) or _made_there(world, install, found):
        return replace(taken, outside=stood and not found.owned_by(world.ledger.lineage.owner))
    if current is None or not is_same(found, current):
        return _other(record, found)
    if found.drift:
        return Finding(Reason.DRIFTED, "; ".join(found.drift), outside=True)
    if lacks := _files_beside(found, install):
        return Finding(Reason.DRIFTED, lacks)
    if found.trust is not None and found.trust != world.trust(current):
        return Finding(
            Reason.CHAIN_CHANGED, "its chain or trust anchors are not those of its issuer"
        )
    return _lacking(world, placement, current, install, found)


def _files_beside(found: Installed, install: DesiredInstall) -> str:
    """Say which additional files are not as they are wanted; empty when all are."""
    if set(found.output_formats) != set(install.output_formats):
        return "additionalOutputFormats are not those wanted"
    if found.keystores != install.keystores_digest:
        return "keystores are not those wanted, or have another password"
    return ""


def was_seen(world: World, install: DesiredInstall, placement: Placement | None) -> bool:
    """Whether what certform put in a place was there: that it is not is somebody else's doing."""
    known = placement is not None and (
        placement.serial or (placement.hosted and placement.object_id)
    )
    return bool(known) and not world.is_elsewhere(install.target)


def incomplete(world: World, install: DesiredInstall, found: Installed) -> Finding:
    """Say what an object lacks around it, in the words of its place."""
    undone = world.is_as_configured(install.target)
    return Finding(Reason.INCOMPLETE, "; ".join(found.incomplete), outside=undone)


def _lacking(
    world: World,
    placement: Placement | None,
    current: Issuance,
    install: DesiredInstall,
    found: Installed,
) -> Finding | None:
    """Say what a sound object lacks: nothing of it takes a key."""
    if placement is None or placement.serial != current.serial:
        words = ("installed, but not yet seen working", *found.incomplete)
        return Finding(Reason.UNVERIFIED, "; ".join(words))
    return incomplete(world, install, found) if found.incomplete else None


def occupied(
    world: World, desired: DesiredCertificate, install: DesiredInstall, found: Installed
) -> Finding | None:
    """Say who else has what is there; None when it is this certificate's."""
    if not found.owned_by(world.ledger.lineage.owner):
        adopts = world.desired.targets[install.target].spec.capabilities.adopts
        or_adopt = f", or take it over with `adopt: {found.id}`" if adopts else ""
        message = (
            f"{found.id} is not certform's; move it away, or choose another objectName{or_adopt}"
        )
        return Finding(Reason.OCCUPIED, message)
    name = found.labels.get(NAME)
    if name in (desired.name, *desired.formerly):
        return None
    return Finding(Reason.OCCUPIED, f"{found.id} holds certificate/{name}")


def _made_there(world: World, install: DesiredInstall, found: Installed) -> Finding | None:
    """Say that what a place issued by itself keeps its name for ever; None where it can make room."""
    if found.hosting is None or found.name != install.name:
        return None
    spec = world.desired.targets[install.target].spec
    if not spec.capabilities.names_objects or gives_way(spec.kind):
        return None
    message = f"{found.id} was issued by the place itself and cannot become another certificate"
    return Finding(Reason.OCCUPIED, f"{message}; give this one another objectName")


def is_same(found: Installed, current: Issuance) -> bool:
    """Whether an object holds a certificate; where a place tells no fingerprint, its serial does."""
    if found.sha256 is None:
        return found.serial == current.serial
    return found.sha256 == current.sha256


def _other(record: CertificateRecord, found: Installed) -> Finding:
    if found.hosting is not None:
        return Finding(Reason.SUPERSEDED, "it holds a certificate that the place issued by itself")
    ours = {issuance.serial for issuance in record.issuances}
    if found.serial in ours and not found.drift:
        return Finding(Reason.SUPERSEDED, f"it still has serial {found.serial}")
    seen = f"serial {found.serial}" if found.serial else "no readable certificate"
    words = "; ".join(found.drift) or f"{seen} was found instead"
    return Finding(Reason.DRIFTED, words, outside=True)


def is_unfinished(record: CertificateRecord, needs: Needs) -> bool:
    """Whether the newest certificate is still on its way: who asks for a new one gets that one first.

    One whose key is in its target may never arrive: only there could anybody tell.
    """
    current = record.current
    if current is None or _is_there(current):
        return False
    return any(
        need is not None and resumes(record, install, need) for install, need in needs.items()
    )


def keyless(
    world: World,
    record: CertificateRecord,
    needs: Needs,
) -> str | None:
    """Say which install needs the key although the ledger does not hold it."""
    current = record.current
    if current is None or current.bundle in world.ledger.bundles:
        return None
    lost = "was made there and is gone" if _is_there(current) else "is no longer kept"
    for install, need in needs.items():
        if need is not None and need.reason in NEEDS_KEY and not _waits(record, install):
            return f"{install.target}: {need.message}, and the key {lost}"
    return None


def has_vanished(record: CertificateRecord, needs: Needs) -> bool:
    """Whether somebody else alone is why the key is needed that the ledger does not hold."""
    lacking = [
        need
        for install, need in needs.items()
        if need is not None and need.reason in NEEDS_KEY and not _waits(record, install)
    ]
    return all(need.outside for need in lacking)


def _is_there(current: Issuance) -> bool:
    return current.custody is Custody.TARGET


def _waits(record: CertificateRecord, install: DesiredInstall) -> bool:
    """Whether a key that was made in a target still waits there for its certificate."""
    current, placement = record.current, record.placement(install.target, install.name)
    if current is None or not _is_there(current) or placement is None:
        return False
    return all(place.serial != current.serial for place in record.placements)


def resumes(record: CertificateRecord, install: DesiredInstall, need: Finding) -> bool:
    """Whether an install only goes on with what was issued: the target was not touched by others."""
    placement = record.placement(install.target, install.name)
    first = need.reason is Reason.NOT_FOUND and (placement is None or placement.serial is None)
    return first or need.reason is Reason.SUPERSEDED


def is_flapping(world: World, record: CertificateRecord, needs: Needs) -> bool:
    """Whether an object that has to be put right was put right twice within a day already."""
    since = world.now - FLAPPING_WITHIN
    wrong = {i.target for i, need in needs.items() if need is not None and need.reason in PUT_RIGHT}
    return any(
        sum(moment > since for moment in placement.changes) >= FLAPPING_AFTER
        for placement in record.placements
        if placement.target in wrong and placement.serial is not None
    )
