"""X.509: keys, certificates and CRLs, made the same way every time and refused when unsound."""

from providers.x509.crl import (
    Crl,
    CrlEntry,
    CrlOutline,
    crl_dates,
    crl_is_by,
    outline_crl,
    read_crl,
    sign_crl,
)
from providers.x509.facts import (
    CertificateFacts,
    facts,
    is_issued_by,
    pem,
    split_pem,
    to_der,
    trust_digest,
    was_issued_by,
)
from providers.x509.inherited import ExistingAuthority, existing_authority
from providers.x509.issuance import sign
from providers.x509.issuer import IssuanceRefused, IssuingAuthority
from providers.x509.keys import (
    decode_key,
    decode_spki,
    encode_key,
    generate_key,
    key_pem,
    key_type,
    spki,
)
from providers.x509.profile import ToBeSigned, own_name
from providers.x509.refusals import objections, refusals
from providers.x509.reservation import new_serial, validity

__all__ = [
    "CertificateFacts",
    "Crl",
    "CrlEntry",
    "CrlOutline",
    "ExistingAuthority",
    "IssuanceRefused",
    "IssuingAuthority",
    "ToBeSigned",
    "crl_dates",
    "crl_is_by",
    "decode_key",
    "decode_spki",
    "encode_key",
    "existing_authority",
    "facts",
    "generate_key",
    "is_issued_by",
    "key_pem",
    "key_type",
    "new_serial",
    "objections",
    "outline_crl",
    "own_name",
    "pem",
    "read_crl",
    "refusals",
    "sign",
    "sign_crl",
    "spki",
    "split_pem",
    "to_der",
    "trust_digest",
    "validity",
    "was_issued_by",
]
