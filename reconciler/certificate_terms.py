"""What a reservation decides: every byte that a signature will cover."""

from base64 import b64decode

from providers.x509 import ToBeSigned
from reconciler.ledger.records import Issuance


def to_be_signed(issuance: Issuance, spki: bytes | None = None) -> ToBeSigned:
    """Return everything a signature covers, as it was reserved; `spki` is a key that became known since."""
    return ToBeSigned(
        request=issuance.request,
        serial=issuance.serial,
        not_before=issuance.not_before,
        not_after=issuance.not_after,
        spki=b64decode(issuance.spki) if spki is None else spki,
        crl_url=issuance.urls.crl,
        issuer_url=issuance.urls.issuer,
        ocsp_url=issuance.urls.ocsp,
    )
