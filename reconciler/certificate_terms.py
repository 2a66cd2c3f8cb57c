"""What a reservation decides: every byte that a signature will cover."""

from base64 import b64decode
from dataclasses import replace

from providers.x509 import ToBeSigned, new_serial
from reconciler.ledger.records import Issuance
from schemas.request import AuthorityRequest, LeafRequest


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


def to_be_ordered(issuance: Issuance) -> ToBeSigned:
    """Return what a CA of others is to say of a CA of ours, as if that signed itself: to judge it by."""
    return replace(to_be_signed(issuance), request=alone(issuance.request), serial=new_serial())


def alone(request: LeafRequest | AuthorityRequest) -> LeafRequest | AuthorityRequest:
    """Return what is asked for without whoever is to sign it."""
    parent = {"issuer": None, "issuer_generation": None, "issuer_id": None}
    return request.model_copy(update=parent)
