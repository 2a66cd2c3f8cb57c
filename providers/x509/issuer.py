"""The CA that signs: its certificate and everything above it, read once for many signatures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self, TypeVar, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from providers.errors import ProviderError
from providers.signer import PublicKey
from providers.x509.subtrees import decode_constraints
from schemas.authority import NameConstraints

_E = TypeVar("_E", bound=x509.ExtensionType)


class IssuanceRefused(ProviderError):
    """What was to be signed must not be; `reasons` are all of them."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


@dataclass(frozen=True, slots=True)
class Ancestor:
    """What one CA certificate of the path allows below it."""

    name: str
    is_ca: bool
    signs_certificates: bool
    path_length: int | None
    constraints: NameConstraints | None


@dataclass(frozen=True, slots=True)
class IssuingAuthority:
    """A CA certificate ready to sign below. `path` runs from the CA itself up to the root."""

    subject: x509.Name
    public_key: PublicKey
    key_id: x509.AuthorityKeyIdentifier
    not_before: datetime
    not_after: datetime
    signs_crls: bool
    path: tuple[Ancestor, ...]

    @classmethod
    def load(cls, certificate: bytes, above: Sequence[bytes] = ()) -> Self:
        """Read a CA certificate and those above it (DER), from its issuer up to the self-signed root.

        Raises IssuanceRefused when they are no path, or when one of them cannot be read for sure.
        """
        try:
            path = [x509.load_der_x509_certificate(der) for der in (certificate, *above)]
            _require_path(path)
            return cls._read(path)
        except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound) as error:
            raise IssuanceRefused(
                (f"the issuer's chain cannot be used: {error or 'bad signature'}",)
            ) from None

    @classmethod
    def _read(cls, path: Sequence[x509.Certificate]) -> Self:
        own = path[0]
        key_id = own.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        return cls(
            subject=own.subject,
            public_key=cast("PublicKey", own.public_key()),
            key_id=x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id),
            not_before=own.not_valid_before_utc,
            not_after=own.not_valid_after_utc,
            signs_crls=_key_usage(own, "crl_sign"),
            path=tuple(map(_ancestor, path)),
        )


def _require_path(path: Sequence[x509.Certificate]) -> None:
    """Every certificate is signed by the next one and the last by itself."""
    for child, parent in zip(path, [*path[1:], path[-1]], strict=True):
        child.verify_directly_issued_by(parent)
    # issuer names below are written from this value: they must come out as the bytes that stand here
    if path[0].subject.public_bytes() not in path[0].tbs_certificate_bytes:
        raise ValueError("the issuer's name is encoded in an unusual way")


def _ancestor(certificate: x509.Certificate) -> Ancestor:
    constraints = _extension(certificate, x509.NameConstraints)
    basic = _extension(certificate, x509.BasicConstraints)
    return Ancestor(
        name=certificate.subject.rfc4514_string(),
        is_ca=basic is not None and basic.ca,
        signs_certificates=_key_usage(certificate, "key_cert_sign"),
        path_length=basic.path_length if basic is not None else None,
        constraints=decode_constraints(constraints) if constraints is not None else None,
    )


def _extension(certificate: x509.Certificate, kind: type[_E]) -> _E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _key_usage(certificate: x509.Certificate, bit: str) -> bool:
    usage = _extension(certificate, x509.KeyUsage)
    return usage is not None and bool(getattr(usage, bit))
