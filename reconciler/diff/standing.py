"""How far a certificate has come that its place issues by itself, and what its object is labelled with."""

from collections.abc import Mapping
from dataclasses import replace

from providers.base import OWNER, SPEC, HostingState
from reconciler.diff.world import World
from reconciler.ledger.records import CertificateRecord
from reconciler.state import DesiredCertificate, DesiredInstall


def is_issued_there(world: World, certificate: DesiredCertificate) -> bool:
    """Whether the place of a certificate that it is to issue by itself has done so, as is wanted now."""
    for install in certificate.installs:
        found = world.installed(install)
        done = found and found.hosting and found.hosting.state is HostingState.ACTIVE
        if found is None or not done or found.labels.get(SPEC) != certificate.digest:
            return False
    return bool(certificate.installs)


def labelled_digest(
    world: World, certificate: DesiredCertificate, record: CertificateRecord
) -> str:
    """Return the digest of what was wanted when what is installed of a certificate was issued."""
    ours = record.current if world.desired.hosting(certificate) is None else None
    return ours.digest if ours else certificate.digest


def is_relabelled(
    world: World,
    certificate: DesiredCertificate,
    install: DesiredInstall,
    differing: Mapping[str, str | None],
) -> bool:
    """Whether somebody else changed labels of an object: `differing` are those not as they are wanted.

    Documents may have changed since they were put there. Without a base nobody can tell; then only the
    labels count that no document chooses.
    """
    if world.base is None:
        return not differing.keys().isdisjoint((OWNER, SPEC))
    former = world.former(certificate)
    if former is None or world.is_elsewhere(install.target):
        return False
    record = world.records.get(certificate.name) or CertificateRecord(name=certificate.name)
    before = replace(world, desired=world.base, base=None)
    given = before.labels(former, labelled_digest(before, former, record), install.target)
    return any(given.get(key) != value for key, value in differing.items())
