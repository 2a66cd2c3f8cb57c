"""What an order takes the place of, for a CA that wants to know (RFC 9773 section 5)."""

from providers.x509 import to_der
from reconciler.ledger.records import CertificateRecord, Issuance
from reconciler.purchases import predecessor
from reconciler.state import Desired
from schemas.request import LeafRequest


def replaced(desired: Desired, record: CertificateRecord, issuance: Issuance) -> bytes | None:
    """Return the certificate (DER) in use that an order is to replace; None where there is none such."""
    wanted = issuance.request
    issuer = desired.issuers.get(str(wanted.issuer))
    if issuer is None or not isinstance(wanted, LeafRequest):
        return None
    before = predecessor(issuer, wanted, record)
    return to_der(before.certificate.encode()) if before and before.certificate else None
