"""What an order takes the place of, for a CA that wants to know (RFC 9773 section 5)."""

from providers.x509 import to_der
from reconciler.ledger.records import CertificateRecord, Issuance, Status
from reconciler.state import Desired
from schemas.request import LeafRequest


def replaced(desired: Desired, record: CertificateRecord, issuance: Issuance) -> bytes | None:
    """Return the certificate (DER) in use that an order is to replace; None where there is none such.

    It has to be of the same CA, not revoked, and to speak for one of the names that are ordered.
    """
    current, wanted = record.current, issuance.request
    if current is None or current.status is not Status.ISSUED or current.certificate is None:
        return None
    had = current.request
    if not isinstance(had, LeafRequest) or not isinstance(wanted, LeafRequest):
        return None
    issuer = desired.issuers.get(wanted.issuer)
    same = had.issuer_id is not None and issuer is not None and had.issuer == wanted.issuer
    if not same or issuer is None or not issuer.spec.is_same_ca(str(had.issuer_id)):
        return None
    return to_der(current.certificate.encode()) if _names(had) & _names(wanted) else None


def _names(request: LeafRequest) -> frozenset[str]:
    return frozenset((*request.dns_names, *request.ip_addresses))
