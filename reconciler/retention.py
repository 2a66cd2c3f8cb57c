"""What may leave the ledger: serials nobody can need any more, and records that hold nothing else."""

from collections.abc import Collection

from reconciler.diff.lists import lists_of
from reconciler.diff.world import World
from reconciler.ledger.publications import CrlKey
from reconciler.ledger.records import CertificateRecord, Issuance
from reconciler.published_names import file_name


def is_spent(issuance: Issuance, world: World) -> bool:
    """Whether a serial has expired and, if it was revoked, the CRL has told so and lists it no more.

    A CRL is signed from the one before it: an entry goes only while the ledger knows that it expired.
    """
    if issuance.not_after > world.now:
        return False
    return issuance.revoked is None or not _may_be_listed(issuance, world)


def _may_be_listed(issuance: Issuance, world: World) -> bool:
    name, generation = str(issuance.request.issuer), issuance.request.issuer_generation or 0
    lasting = world.authority(name).lasting(generation)
    over = lasting is None or lasting.not_after <= world.now
    if over or world.desired.publish is None:
        return False
    return any(_may_be_on(key, issuance, world) for key in lists_of(issuance))


def _may_be_on(key: CrlKey, issuance: Issuance, world: World) -> bool:
    """Whether a list, the whole or the shard that a certificate names, tells of it yet or still has to."""
    crl, (name, generation, shard) = world.ledger.crls.get(key), key
    if crl is None:
        return False
    if world.observed.published is None or crl.this_update <= issuance.not_after:
        return True
    published = world.observed.published.get(file_name(name, generation, "crl", shard))
    return published is not None and issuance.serial in published.revoked


def is_dead(record: CertificateRecord, wanted: Collection[str], world: World) -> bool:
    """Whether a record can go: no document names it, nothing is installed, every serial is spent."""
    if record.name in wanted or record.placements:
        return False
    return all(is_spent(issuance, world) for issuance in record.issuances)
