"""The CA that signs: its certificate and everything above it, read once for many signatures."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID

from providers.errors import ProviderError
from providers.signer import PublicKey
from providers.x509.facts import extension, was_issued_by
from providers.x509.subtrees import decode_constraints
from schemas.authority import NameConstraints


class IssuanceRefused(ProviderError):
    """What was to be signed must not be; `reasons` are all of them."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


@dataclass(frozen=True, slots=True)
class Ancestor:
    """What one CA certificate of the path allows below it; `usages` None for any (RFC 5280 4.2.1.12)."""

    name: str
    is_ca: bool
    signs_certificates: bool
    path_length: int | None
    constraints: NameConstraints | None
    usages: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class IssuingAuthority:
    """A CA certificate ready to sign below. `path` runs from the CA itself up to the root.

    `not_after` is when the first of them ends: what lives longer is accepted by nobody.
    """

    subject: x509.Name
    public_key: PublicKey
    key_id: x509.AuthorityKeyIdentifier
    not_before: datetime
    not_after: datetime
    signs_crls: bool
    path: tuple[Ancestor, ...]

    @classmethod
    def load(cls, certificate: bytes, above: Sequence[bytes] = (), *, rooted: bool = True) -> Self:
        """Read a CA certificate and those above it (DER), from its issuer up to the self-signed root.

        One that is not `rooted` is below a CA of others, which did not tell all that is above it.
        Raises IssuanceRefused when they are no path, or when one of them cannot be read for sure.
        """
        try:
            path = [x509.load_der_x509_certificate(der) for der in (certificate, *above)]
            _require_path(path, rooted=rooted)
            return cls._read(path)
        except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound) as error:
            raise IssuanceRefused(
                (f"the issuer's chain cannot be used: {error or 'bad signature'}",)
            ) from None

    @classmethod
    def unproved(cls, certificate: bytes, above: Sequence[bytes] = ()) -> Self:
        """Read a path as `load` does, whoever signed it: for specimens, which nobody is shown."""
        try:
            return cls._read([x509.load_der_x509_certificate(der) for der in (certificate, *above)])
        except (ValueError, x509.ExtensionNotFound) as error:
            raise IssuanceRefused((f"the issuer's chain cannot be used: {error}",)) from None

    @classmethod
    def _read(cls, path: Sequence[x509.Certificate]) -> Self:
        own = path[0]
        public = cast("PublicKey", own.public_key())
        return cls(
            subject=own.subject,
            public_key=public,
            key_id=_key_id(own, public),
            not_before=own.not_valid_before_utc,
            not_after=min(certificate.not_valid_after_utc for certificate in path),
            signs_crls=_key_usage(own, "crl_sign"),
            path=tuple(map(_ancestor, path)),
        )


def _key_id(own: x509.Certificate, key: PublicKey) -> x509.AuthorityKeyIdentifier:
    """As the CA's certificate calls its key; one of before that does not, by the key's own digest."""
    named = extension(own, x509.SubjectKeyIdentifier)
    if named is None:
        basic = extension(own, x509.BasicConstraints)
        if basic is None or not basic.ca:
            raise ValueError(f"{own.subject.rfc4514_string()} is no CA")
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(named)


def _require_path(path: Sequence[x509.Certificate], *, rooted: bool) -> None:
    """Every certificate is signed by the next one and the last by itself, with whatever was good then."""
    for child, parent in itertools.pairwise(path):
        child.verify_directly_issued_by(parent)
    if rooted and not was_issued_by(path[-1], path[-1]):
        raise ValueError(f"{path[-1].subject.rfc4514_string()} is not signed by itself")
    # issuer names below are written from this value: they must come out as the bytes that stand here
    if path[0].subject.public_bytes() not in path[0].tbs_certificate_bytes:
        raise ValueError("the issuer's name is encoded in an unusual way")


def _ancestor(certificate: x509.Certificate) -> Ancestor:
    constraints = extension(certificate, x509.NameConstraints)
    basic = extension(certificate, x509.BasicConstraints)
    return Ancestor(
        name=certificate.subject.rfc4514_string(),
        is_ca=basic is not None and basic.ca,
        signs_certificates=_key_usage(certificate, "key_cert_sign"),
        path_length=basic.path_length if basic is not None else None,
        constraints=decode_constraints(constraints) if constraints is not None else None,
        usages=_usages(certificate),
    )


def _usages(certificate: x509.Certificate) -> frozenset[str] | None:
    """Return what a CA's certificates may be for, as dotted OIDs; None where it does not say, or for any."""
    found = extension(certificate, x509.ExtendedKeyUsage)
    if found is None or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in found:
        return None
    return frozenset(use.dotted_string for use in found)


def _key_usage(certificate: x509.Certificate, bit: str) -> bool:
    """Whether a key may be used so; without the extension it may be (RFC 5280 section 6.1.4, n)."""
    usage = extension(certificate, x509.KeyUsage)
    return usage is None or bool(getattr(usage, bit))
