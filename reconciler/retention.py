"""What may leave the ledger: serials nobody can need any more, and records that hold nothing else."""

from collections.abc import Collection

from reconciler.diff.publications import file_name
from reconciler.diff.world import World
from reconciler.ledger.records import CertificateRecord, Issuance


def is_spent(issuance: Issuance, world: World) -> bool:
    """Whether a serial has expired and, if it was revoked, the CRL has told so and lists it no more.

    A CRL is signed from the one before it: an entry goes only while the ledger knows that it expired.
    """
    if issuance.not_after > world.now:
        return False
    return issuance.revoked is None or not _may_be_listed(issuance, world)


def _may_be_listed(issuance: Issuance, world: World) -> bool:
    name, generation = str(issuance.request.issuer), issuance.request.issuer_generation or 0
    crl = world.ledger.crls.get((name, generation, None))
    signing = world.authority(name).generation(generation)
    over = signing is None or signing.not_after <= world.now
    if crl is None or over or world.desired.publish is None:
        return False
    if world.observed.published is None or crl.this_update <= issuance.not_after:
        return True
    published = world.observed.published.get(file_name(name, generation, "crl"))
    return published is not None and issuance.serial in published.revoked


def is_dead(record: CertificateRecord, wanted: Collection[str], world: World) -> bool:
    """Whether a record can go: no document names it, nothing is installed, every serial is spent."""
    if record.name in wanted or record.placements:
        return False
    return all(is_spent(issuance, world) for issuance in record.issuances)
