"""How far a certificate has come that its place issues by itself, and what its object is labelled with."""

from providers.base import SPEC, HostingState
from reconciler.diff.world import World
from reconciler.ledger.records import CertificateRecord
from reconciler.state import DesiredCertificate


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
