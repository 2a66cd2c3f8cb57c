"""Certificate revocation lists, version 2 (RFC 5280 section 5)."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from providers.signer import Signer, builder_key, signature_hash
from providers.x509.issuance import deterministic
from providers.x509.issuer import IssuanceRefused, IssuingAuthority
from schemas.revocation import RevocationReason

_REASONS: dict[RevocationReason, tuple[x509.Extension[x509.ExtensionType], ...]] = {
    reason: (x509.Extension(x509.CRLReason.oid, False, x509.CRLReason(x509.ReasonFlags(reason))),)
    if reason is not RevocationReason.UNSPECIFIED
    else ()
    for reason in RevocationReason
}
"""The entry extensions of each reason; RFC 5280 section 5.3.1 leaves `unspecified` out."""


@dataclass(frozen=True, slots=True)
class CrlEntry:
    """When a certificate was revoked (UTC), and why."""

    at: datetime
    reason: RevocationReason


@dataclass(frozen=True, slots=True)
class Crl:
    """What a CRL says; entries by serial number.

    `urls` of a part of a list are those that certificates name which may be in it; of a whole list there
    are none, and it holds whatever the CA revoked (RFC 5280 section 5.2.5).
    """

    number: int
    this_update: datetime
    next_update: datetime
    entries: Mapping[str, CrlEntry]
    urls: tuple[str, ...] = ()


def sign_crl(crl: Crl, issuer: IssuingAuthority, signer: Signer) -> bytes:
    """Return the CRL in DER, entries by rising serial; the same content and key give the same bytes.

    Raises IssuanceRefused for what a relying party would have to refuse, and whatever the signer
    raises.
    """
    reasons = _refusals(crl, issuer, signer)
    if reasons:
        raise IssuanceRefused(reasons)
    by_number = sorted((int(serial, 16), entry) for serial, entry in crl.entries.items())
    # the builder copies its whole list at every added entry: the list is given at once instead
    builder = (
        x509.CertificateRevocationListBuilder(
            revoked_certificates=[_entry(number, entry) for number, entry in by_number]
        )
        .issuer_name(issuer.subject)
        .last_update(crl.this_update)
        .next_update(crl.next_update)
        .add_extension(issuer.key_id, critical=False)
        .add_extension(x509.CRLNumber(crl.number), critical=False)
    )
    if crl.urls:
        builder = builder.add_extension(_distribution_point(crl.urls), critical=True)
    signed = builder.sign(
        builder_key(signer),
        signature_hash(issuer.public_key),
        ecdsa_deterministic=deterministic(issuer.public_key),
    )
    return signed.public_bytes(Encoding.DER)


@dataclass(frozen=True, slots=True)
class CrlOutline:
    """What a CRL is known by: its number and dates, what serials it revokes, of which URLs it is the list."""

    number: int
    serials: frozenset[str]
    urls: frozenset[str]
    this_update: datetime
    next_update: datetime | None


def read_crl(der: bytes, known: Container[str] = ()) -> Crl:
    """Return what a CRL says, without looking at its signature; raises ValueError when it is malformed.

    Entries of serials in `known` are left out: to read when and why is most of the work.
    """
    crl = _load(der)
    number = _number(crl)
    if crl.next_update_utc is None:
        raise ValueError("the CRL has no nextUpdate")
    return Crl(
        number=number,
        this_update=crl.last_update_utc,
        next_update=crl.next_update_utc,
        entries={s: _read(entry) for entry in crl if (s := _serial(entry)) not in known},
        urls=_urls(crl),
    )


def outline_crl(der: bytes) -> CrlOutline:
    """Return what a CRL is known by, at a small part of the cost; raises ValueError when it is malformed."""
    crl = _load(der)
    return CrlOutline(
        _number(crl),
        frozenset(map(_serial, crl)),
        frozenset(_urls(crl)),
        crl.last_update_utc,
        crl.next_update_utc,
    )


def crl_dates(der: bytes) -> tuple[datetime, datetime | None]:
    """Return thisUpdate and nextUpdate of a CRL, no entry looked at; raises ValueError when malformed."""
    crl = _load(der)
    return crl.last_update_utc, crl.next_update_utc


def _number(crl: x509.CertificateRevocationList) -> int:
    try:
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        raise ValueError("the CRL has no number") from None
    except x509.DuplicateExtension as error:
        raise ValueError(str(error)) from None


def _serial(entry: x509.RevokedCertificate) -> str:
    return f"{entry.serial_number:x}"


def _distribution_point(urls: Sequence[str]) -> x509.IssuingDistributionPoint:
    """Return the extension that tells of which certificates a list is, and no others."""
    return x509.IssuingDistributionPoint(
        full_name=[x509.UniformResourceIdentifier(url) for url in sorted(urls)],
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )


def _urls(crl: x509.CertificateRevocationList) -> tuple[str, ...]:
    try:
        found = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return ()
    names = found.full_name or ()
    return tuple(n.value for n in names if isinstance(n, x509.UniformResourceIdentifier))


def _load(der: bytes) -> x509.CertificateRevocationList:
    try:
        return x509.load_der_x509_crl(der)
    except x509.InvalidVersion as error:
        raise ValueError(str(error)) from None


def crl_is_by(der: bytes, certificate: bytes) -> bool:
    """Whether the CA of a certificate (DER) signed a CRL; raises ValueError when either is malformed."""
    crl = _load(der)
    issuer = x509.load_der_x509_certificate(certificate)
    return crl.issuer == issuer.subject and crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]


def _refusals(crl: Crl, issuer: IssuingAuthority, signer: Signer) -> tuple[str, ...]:
    checks = (
        (not issuer.signs_crls, "the issuer may not sign CRLs (its key usage lacks cRLSign)"),
        (
            signer.public_key() != issuer.public_key,
            "the signer holds another key than the issuer's certificate",
        ),
        (not 0 <= crl.number < 1 << 159, "the CRL number must be below 2^159"),
        (crl.next_update <= crl.this_update, "the CRL would end before it starts"),
    )
    return tuple(reason for applies, reason in checks if applies)


def _entry(number: int, entry: CrlEntry) -> x509.RevokedCertificate:
    # given at once for speed, which leaves to us what the builder's setters do: UTC without a zone
    moment = entry.at.astimezone(UTC).replace(tzinfo=None)
    return x509.RevokedCertificateBuilder(number, moment, list(_REASONS[entry.reason])).build()


def _read(entry: x509.RevokedCertificate) -> CrlEntry:
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return CrlEntry(entry.revocation_date_utc, RevocationReason.UNSPECIFIED)
    return CrlEntry(entry.revocation_date_utc, RevocationReason(reason.value))
