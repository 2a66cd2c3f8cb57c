"""Certificate, CertificateSet and Profile: one leaf, many alike, and the part they share.

The field names are cert-manager's; `targets` stands where cert-manager has `secretName`.
"""

from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from schemas.base import Model, Word
from schemas.scalars import (
    Boolean,
    CommonName,
    Country,
    DnsName,
    Duration,
    EmailAddress,
    FilePath,
    Integer,
    IpAddress,
    Matching,
    Name,
    Percent,
    Reference,
    Text,
    Uri,
)
from schemas.secrets import SecretReference


class Algorithm(Word):
    """Key algorithms, in cert-manager's spelling; ML-DSA, which it has not, as FIPS 204 spells it."""

    RSA = "RSA"
    ECDSA = "ECDSA"
    ED25519 = "Ed25519"
    ML_DSA = "ML-DSA"


class Custody(Word):
    """Where a leaf key may be while its certificate lives."""

    UNTIL_INSTALLED = "until-installed"
    LEDGER = "ledger"
    TARGET = "target"


class RotationPolicy(Word):
    """Whether a re-issue makes a new key."""

    ALWAYS = "Always"
    NEVER = "Never"


class Usage(Word):
    """Extended key usages (RFC 5280 section 4.2.1.12); key usages follow from these and the key."""

    SERVER_AUTH = "server auth"
    CLIENT_AUTH = "client auth"
    CODE_SIGNING = "code signing"
    EMAIL_PROTECTION = "email protection"
    TIMESTAMPING = "timestamping"


class OnRemove(Word):
    """What becomes of a certificate whose document is deleted."""

    REMOVE = "remove"
    REVOKE = "revoke"
    FORGET = "forget"


class Rollout(Word):
    """When an edit that would re-issue takes effect."""

    NOW = "now"
    ON_RENEWAL = "onRenewal"


class OutputFormat(Word):
    """Files a local target writes beside the usual ones."""

    COMBINED_PEM = "CombinedPEM"


class Subject(Model):
    """The subject's distinguished name, apart from its common name (RFC 5280 section 4.1.2.6)."""

    organizations: tuple[Text, ...] = ()
    organizational_units: tuple[Text, ...] = ()
    countries: tuple[Country, ...] = ()
    localities: tuple[Text, ...] = ()
    provinces: tuple[Text, ...] = ()
    street_addresses: tuple[Text, ...] = ()
    postal_codes: tuple[Text, ...] = ()
    serial_number: Text | None = None


class LeafKey(Model):
    """A leaf's private key: kind, size, custody and whether it changes at renewal."""

    algorithm: Algorithm = Algorithm.ECDSA
    size: Integer | None = None
    custody: Custody = Custody.UNTIL_INSTALLED
    rotation_policy: RotationPolicy = RotationPolicy.ALWAYS


ObjectId = Annotated[
    str,
    Matching(
        r"^[^\x00-\x20\x7f]{1,500}$", "must be an object's identity, such as an ARN, in one word"
    ),
]
"""What a provider calls an object: an ARN, a URL, a resource name."""


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Adopted = Annotated[
    tuple[ObjectId, ...],
    BeforeValidator(_several, json_schema_input_type=ObjectId | tuple[ObjectId, ...]),
]
"""One identity may stand for a list of one."""


class Pkcs12Profile(Word):
    """How a PKCS#12 file is encrypted: PBES2 with AES-256, or as old systems know it."""

    MODERN_2023 = "Modern2023"
    LEGACY_DES = "LegacyDES"


class Pkcs12Settings(Model):
    """Whether `keystore.p12` and `truststore.p12` (RFC 7292) are written, and what opens them."""

    create: Boolean
    password_secret_ref: SecretReference
    profile: Pkcs12Profile = Pkcs12Profile.MODERN_2023


Alias = Annotated[
    str, Matching(r"^[!-~]([ -~]{0,98}[!-~])?$", "must be 1 to 100 characters of ASCII")
]


class JksSettings(Model):
    """Whether `keystore.jks` and `truststore.jks` are written, and what opens them.

    Java finds an `alias` whatever its case; it is written in lower case.
    """

    create: Boolean
    password_secret_ref: SecretReference
    alias: Alias = "certificate"


class Keystores(Model):
    """The keystores for Java beside the PEM files, of one form or of both."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    pkcs12: Pkcs12Settings | None = None
    jks: JksSettings | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.pkcs12 is None and self.jks is None:
            raise ValueError("must have `pkcs12` or `jks`")
        return self


class TargetEntry(Model):
    """One place a certificate goes to, and what is special about it there.

    `adopt` is the provider's own identity of an object that is there already and is taken over; a
    target of several regions may have one in each.
    """

    target_ref: Reference
    object_name: Name | None = None
    adopt: Adopted = ()
    additional_output_formats: tuple[OutputFormat, ...] = ()
    keystores: Keystores | None = None


def _entry(value: Any) -> Any:
    return {"targetRef": value} if isinstance(value, str) else value


TargetShorthand = Annotated[
    TargetEntry,
    BeforeValidator(_entry, json_schema_input_type=Reference | TargetEntry),
]
"""`nginx` is short for `{targetRef: nginx}`."""


class ProfileSpec(Model):
    """The reusable part of a Certificate spec; every field may be left to whoever refers to it."""

    profile_ref: Reference | None = None
    issuer_ref: Reference | None = None
    subject: Subject | None = None
    duration: Duration | None = None
    renew_before: Duration | None = None
    renew_before_percentage: Percent | None = None
    usages: tuple[Usage, ...] | None = None
    private_key: LeafKey | None = None
    targets: tuple[TargetShorthand, ...] | None = None
    on_remove: OnRemove | None = None
    rollout: Rollout | None = None


class CertificateSpec(Model):
    """One leaf as it is wanted, its profile merged in: maps merged, lists replaced."""

    profile_ref: Reference | None = None
    issuer_ref: Reference
    common_name: CommonName | None = None
    subject: Subject = Subject()
    dns_names: tuple[DnsName, ...] = ()
    ip_addresses: tuple[IpAddress, ...] = ()
    uris: tuple[Uri, ...] = ()
    email_addresses: tuple[EmailAddress, ...] = ()
    duration: Duration = timedelta(days=90)
    renew_before: Duration | None = None
    renew_before_percentage: Percent | None = None
    usages: tuple[Usage, ...] = (Usage.SERVER_AUTH,)
    private_key: LeafKey = LeafKey()
    targets: tuple[TargetShorthand, ...] = ()
    on_remove: OnRemove = OnRemove.REMOVE
    rollout: Rollout = Rollout.NOW


class CertificateDraft(CertificateSpec):
    """A Certificate spec as it is written, before its profile is merged in."""

    issuer_ref: Reference | None = None  # type: ignore[assignment]


class SetTemplate(Model):
    """What every item of a CertificateSet becomes; `{name}` and item keys are filled in."""

    metadata: dict[str, Any] = Field(default_factory=dict)
    spec: dict[str, Any]


class CertificateSetSpec(Model):
    """Many certificates of one form: a template, and the items listed here or in a CSV file."""

    template: SetTemplate
    items: tuple[dict[str, str], ...] | None = None
    csv: FilePath | None = None
