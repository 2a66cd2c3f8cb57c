"""What the nightly run works with: certificates as last issued, so that no open edit stops a renewal."""

from dataclasses import replace

from reconciler.ledger.records import LedgerState, Status
from reconciler.state import Desired, DesiredCertificate
from schemas.request import LeafRequest


def pin(desired: Desired, ledger: LedgerState) -> Desired:
    """Return the documents with each issued certificate's request as the ledger has it."""
    certificates = {
        name: _pinned(certificate, ledger) for name, certificate in desired.certificates.items()
    }
    return replace(desired, certificates=certificates)


def _pinned(certificate: DesiredCertificate, ledger: LedgerState) -> DesiredCertificate:
    record = ledger.certificates.get(certificate.name)
    current = record.current if record else None
    if current is None or current.status is not Status.ISSUED:
        return certificate
    request = current.request
    if current.digest == certificate.digest or not isinstance(request, LeafRequest):
        return certificate
    issuer = ledger.authorities.get(request.issuer)
    signing = issuer.generation(request.issuer_generation) if issuer else None
    if signing is None or signing.status is not Status.ISSUED:
        return certificate
    return replace(certificate, request=request, digest=current.digest)
