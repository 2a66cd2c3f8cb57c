"""A CA that existed before: what its certificate says in our words, and what only its own bytes say."""

from base64 import b64encode
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from providers.signer import PublicKey
from providers.x509.facts import extension, facts, was_issued_by
from providers.x509.keys import key_type
from providers.x509.profile import subject_name
from providers.x509.subtrees import decode_constraints, unlike
from schemas.authority import NameConstraints
from schemas.certificate import Subject
from schemas.request import Inherited, KeyType

_FIELDS = {
    NameOID.ORGANIZATION_NAME: "organizations",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "organizational_units",
    NameOID.COUNTRY_NAME: "countries",
    NameOID.LOCALITY_NAME: "localities",
    NameOID.STATE_OR_PROVINCE_NAME: "provinces",
    NameOID.STREET_ADDRESS: "street_addresses",
    NameOID.POSTAL_CODE: "postal_codes",
}


@dataclass(frozen=True, slots=True)
class ExistingAuthority:
    """One CA certificate. `subject` is the whole name as text, `words` what of it our words can say.

    `duration` is in seconds, as a request counts them; `remarks` tell what verifiers may read otherwise.
    """

    subject: str
    common_name: str | None
    words: Subject
    key: KeyType
    duration: int
    path_length: int | None
    constraints: NameConstraints | None
    inherited: Inherited | None
    is_root: bool
    remarks: tuple[str, ...] = ()


def existing_authority(der: bytes) -> ExistingAuthority:
    """Return what a CA certificate (DER) says; raises ValueError for one that nothing can be issued under."""
    try:
        return _read(facts(der).certificate)
    except UnsupportedAlgorithm as why:
        raise ValueError(f"it cannot be read: {why}") from None


def _read(certificate: x509.Certificate) -> ExistingAuthority:
    name = _subject(certificate)
    _require_authority(certificate)
    key = _key(certificate)
    common_name, words = _common_name(name), _words(name)
    # a request always has a common name: a certificate without one keeps its name as it is
    ours = None if common_name is None else subject_name(words, common_name)
    algorithm, size = key_type(key)
    constraints = extension(certificate, x509.NameConstraints)
    basic = extension(certificate, x509.BasicConstraints)
    return ExistingAuthority(
        subject=name.rfc4514_string(),
        common_name=common_name,
        words=words,
        key=KeyType(algorithm=algorithm, size=size),
        duration=_duration(certificate),
        path_length=basic.path_length if basic else None,
        constraints=decode_constraints(constraints) if constraints is not None else None,
        inherited=_inherited(certificate, name, ours, key),
        is_root=was_issued_by(certificate, certificate),
        remarks=unlike(constraints) if constraints is not None else (),
    )


def _subject(certificate: x509.Certificate) -> x509.Name:
    try:
        name = certificate.subject
    except ValueError:
        raise ValueError(
            "its name cannot be read: it is written in T.61, which every program reads in another way"
        ) from None
    # what is issued below it repeats this name, and has to come out as the bytes that stand here
    if name.public_bytes() not in certificate.tbs_certificate_bytes:
        raise ValueError("its name is encoded in a way that nothing below it could repeat")
    if not name.rdns:
        raise ValueError("it has no name")
    return name


def _require_authority(certificate: x509.Certificate) -> None:
    """RFC 5280 sections 4.2.1.3 and 4.2.1.9; a certificate without key usage may be used for anything."""
    basic = extension(certificate, x509.BasicConstraints)
    if basic is None or not basic.ca:
        raise ValueError("it is no CA (its basicConstraints do not say so)")
    usage = extension(certificate, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("it may not sign certificates (its key usage lacks keyCertSign)")


def _key(certificate: x509.Certificate) -> PublicKey:
    try:
        return cast("PublicKey", certificate.public_key())
    except UnsupportedAlgorithm:
        raise ValueError("its key is of an unknown kind") from None


def _common_name(name: x509.Name) -> str | None:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else None


def _words(name: x509.Name) -> Subject:
    """Return what of a name our words can say: for people, and for the names of later generations."""
    said: dict[str, tuple[str, ...]] = {}
    for attribute in name:
        field = _FIELDS.get(attribute.oid)
        if field is not None and _is_said(field, str(attribute.value)):
            said[field] = (*said.get(field, ()), str(attribute.value))
    return Subject.model_validate(said)


def _is_said(field: str, value: str) -> bool:
    try:
        Subject.model_validate({field: (value,)})
    except ValidationError:
        return False
    return True


def _duration(certificate: x509.Certificate) -> int:
    """Both ends count (RFC 5280 section 4.1.2.5); most programs write the end one second late."""
    span = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    whole = span % timedelta(minutes=1) == timedelta(minutes=1) - timedelta(seconds=1)
    return int(span.total_seconds()) + whole


def _inherited(
    certificate: x509.Certificate, name: x509.Name, ours: x509.Name | None, key: PublicKey
) -> Inherited | None:
    theirs = extension(certificate, x509.SubjectKeyIdentifier)
    usual = x509.SubjectKeyIdentifier.from_public_key(key)
    found = Inherited(
        name=None
        if ours is not None and name.public_bytes() == ours.public_bytes()
        else b64encode(name.public_bytes()).decode(),
        key_id=None if theirs is None or theirs == usual else theirs.digest.hex(),
    )
    return None if found == Inherited() else found
