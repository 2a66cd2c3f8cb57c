"""What time alone causes, so that nobody has to review it: nothing that an edit makes due, or changes.

What was wanted before the documents of the base tell, where there are any; the ledger, what was issued.
"""

from dataclasses import replace

from reconciler.checks import Finding
from reconciler.diff.world import World
from reconciler.leads import time_left
from reconciler.ledger.records import CertificateRecord, Issuance
from reconciler.schedule import is_due, life_of
from reconciler.state import DesiredAuthority, DesiredCertificate, DesiredInstall
from schemas.plan import TIME_DRIVEN, Reason

_BESIDES = frozenset({Reason.KEY_UNAVAILABLE, Reason.CHAIN_CHANGED, Reason.REVOKED})
"""Why the same certificate is made anew, whether or not it is time for that."""


def is_lapsing(
    world: World, desired: DesiredCertificate, record: CertificateRecord, finding: Finding
) -> bool:
    """Whether the clock alone asks for a certificate, and for the one that was wanted before."""
    if finding.reason is Reason.RESUMING:
        return True
    lapses = finding.reason in TIME_DRIVEN or _lapses_anyway(world, desired, record, finding)
    return lapses and is_asked_as_before(world, desired, record)


def _lapses_anyway(
    world: World, desired: DesiredCertificate, record: CertificateRecord, finding: Finding
) -> bool:
    """Whether the same certificate would be renewed by now, were it not to be put right as well."""
    current = record.current
    if finding.reason not in _BESIDES or current is None:
        return False
    return world.is_due(desired, current)


def is_asked_as_before(
    world: World, desired: DesiredCertificate, record: CertificateRecord
) -> bool:
    """Whether a certificate is asked for as it was issued last, or as the base has it, and no earlier.

    One that the base does not know counts where it was seen working: it was reviewed since.
    """
    current, former = record.current, world.former(desired)
    issued = current is not None and _is_asked_for(desired, current)
    if world.base is None:
        return issued or current is None
    if former is None:
        return issued and any(place.serial is not None for place in record.placements)
    kept = former.custody is desired.custody and former.rotation_policy is desired.rotation_policy
    return kept and (issued or former.digest == desired.digest) and _is_time(world, desired, record)


def _is_asked_for(desired: DesiredCertificate, current: Issuance) -> bool:
    return current.digest == desired.digest or current.request == desired.request


def _is_time(world: World, desired: DesiredCertificate, record: CertificateRecord) -> bool:
    """Whether the `renewBefore` of the base would have it renewed by now as well."""
    current, former = record.current, world.former(desired)
    if former is None or current is None or desired.renew_before == former.renew_before:
        return True
    return not _is_earlier(desired, former, current) or world.is_due(
        replace(former, name=desired.name), current
    )


def _is_earlier(desired: DesiredCertificate, former: DesiredCertificate, current: Issuance) -> bool:
    """Whether a certificate would be renewed earlier than the base has it, as long as it really lives."""
    life = life_of(current)
    return time_left(desired.renew_before, life) > time_left(former.renew_before, life)


def is_renewed_anyway(world: World, desired: DesiredAuthority, issued: Issuance) -> bool:
    """Whether time alone asks for another certificate of a CA's generation, as the base has it.

    One that the base does not know counts as long as it is asked for as it was issued.
    """
    former = world.base.authorities.get(desired.name) if world.base else desired
    if former is None:
        return issued.digest == desired.digest
    kept = (former.request, *((former.standby,) if former.standby else ()))
    asked = not former.retired and issued.generation in {each.generation for each in kept}
    if not asked or desired.renew_before <= former.renew_before:
        return asked
    return is_due(issued, former.renew_before, world.now)


def is_wanted_as_before(
    world: World, desired: DesiredCertificate, record: CertificateRecord, install: DesiredInstall
) -> bool:
    """Whether a certificate is wanted in a place just as the base has it, whatever its labels.

    Where the base does not want it there, it counts where it was seen working: it was reviewed since.
    """
    if world.base is None:
        return True
    if world.is_elsewhere(install.target):
        return False
    before, now = (each.targets[install.target] for each in (world.base, world.desired))
    former, placement = world.former(desired), record.placement(install.target, install.name)
    wanted = former.installs if former else ()
    there = next((each for each in wanted if each.target == install.target), None)
    seen = placement is not None and placement.serial is not None
    same = seen if there is None else _outcome(there) == _outcome(install)
    return same and now.spec.installs_like(before.spec)


def _outcome(install: DesiredInstall) -> tuple[object, ...]:
    formats = frozenset(install.output_formats)
    return install.name, formats, install.keystores_digest, install.hosted


def is_labelled_as_before(
    world: World, desired: DesiredCertificate, install: DesiredInstall
) -> bool:
    """Whether a certificate and its target ask for the labels that the base has them ask for."""
    former = world.former(desired)
    if world.base is None or former is None or world.is_elsewhere(install.target):
        return True
    before, now = (each.targets[install.target] for each in (world.base, world.desired))
    return (former.labels, before.spec.tags) == (desired.labels, now.spec.tags)


def is_hosted_as_before(world: World, desired: DesiredCertificate, install: DesiredInstall) -> bool:
    """Whether a place is to be asked for just what the base has it asked for."""
    former, unissued = world.former(desired), CertificateRecord(name=desired.name)
    asked = world.base is None or (former is not None and former.digest == desired.digest)
    same = asked and is_wanted_as_before(world, desired, unissued, install)
    return same and is_labelled_as_before(world, desired, install)
