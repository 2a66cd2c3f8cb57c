"""CRLs of others: also those without a number or an end, and with reasons that certform never gives."""

import re
from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from providers.signer import PublicKey
from providers.x509.crl import CrlEntry
from schemas.revocation import RevocationReason

_PEM = re.compile(rb"-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----")
_BITS = 158
"""A number has 159 bits at most; a CRL of ours has a larger one each time."""
_PARTS = (x509.DeltaCRLIndicator, x509.IssuingDistributionPoint)
_REASONS = {reason.value: reason for reason in RevocationReason}


@dataclass(frozen=True, slots=True)
class ForeignCrl:
    """What a CRL says; `number` is None where it has none. Entries by serial number."""

    number: int | None
    this_update: datetime
    entries: Mapping[str, CrlEntry]


def load_foreign_crl(data: bytes, certificate: bytes) -> x509.CertificateRevocationList:
    """Return the CRL (PEM or DER) of a CA's certificate (DER).

    Raises ValueError when it is malformed, no whole list, or another CA signed it.
    """
    try:
        return _checked(_load(data), x509.load_der_x509_certificate(certificate))
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as why:
        raise ValueError(f"it cannot be read: {why}") from None


def _checked(
    crl: x509.CertificateRevocationList, issuer: x509.Certificate
) -> x509.CertificateRevocationList:
    if any(extension.value.oid in [part.oid for part in _PARTS] for extension in crl.extensions):
        raise ValueError("it is a part of a list, not the whole of one")
    if not _is_by(crl, issuer):
        raise ValueError(f"this CA did not sign it, but {crl.issuer.rfc4514_string() or 'nobody'}")
    return crl


def read_foreign_crl(crl: x509.CertificateRevocationList) -> ForeignCrl:
    """Return what a CRL says; raises ValueError for what cannot be read."""
    try:
        return ForeignCrl(
            number=_number(crl),
            this_update=crl.last_update_utc,
            entries={f"{entry.serial_number:x}": _entry(entry) for entry in crl},
        )
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as why:
        raise ValueError(f"it cannot be read: {why}") from None


def _load(data: bytes) -> x509.CertificateRevocationList:
    try:
        found = _PEM.search(data)
        der = b64decode(found[1]) if found else data
        return x509.load_der_x509_crl(der)
    except (ValueError, NoBase64, x509.InvalidVersion):
        raise ValueError("it is no CRL in PEM or DER") from None


def _is_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        key = cast("PublicKey", issuer.public_key())
        return crl.issuer == issuer.subject and crl.is_signature_valid(key)
    except (TypeError, UnsupportedAlgorithm):
        return False


def _number(crl: x509.CertificateRevocationList) -> int | None:
    try:
        number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return None
    if number >> _BITS:
        raise ValueError("its number is so large that there is soon no larger one (RFC 5280 5.2.3)")
    return number


def _entry(entry: x509.RevokedCertificate) -> CrlEntry:
    if entry.serial_number < 0:
        raise ValueError("it revokes a serial number below zero, which no CRL of today may name")
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    except x509.ExtensionNotFound:
        reason = "unspecified"
    why = _REASONS.get(reason, RevocationReason.UNSPECIFIED)
    return CrlEntry(entry.revocation_date_utc, why)
