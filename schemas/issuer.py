"""Issuer: a CA of others, or a place in a cloud that issues certificates by itself.

What each kind takes and obeys is data, so that `validate` needs no SDK and asks nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from schemas.acme import Acme, RenewalInformation
from schemas.base import Model
from schemas.certificate import Algorithm, Usage
from schemas.clouds import RoleArn
from schemas.connection import Connected
from schemas.quotas import IssuerQuotas
from schemas.request import KeyType
from schemas.scalars import Boolean, Matching, Text
from schemas.secrets import SecretReference, references
from schemas.vault import Vault

NAME_FIELDS = ("common_name", "dns_names", "ip_addresses", "uris", "email_addresses")
"""The fields of a LeafRequest that name whom a certificate speaks for."""
REQUEST_FIELDS = frozenset({*NAME_FIELDS, "subject", "usages", "key", "duration"})
"""The fields of a LeafRequest that an issuer may honour; `dns_names` is honoured by every one."""

PrivateCaArn = Annotated[
    str,
    Matching(
        r"^arn:aws[a-z-]*:acm-pca:[a-z]{2,4}(-[a-z]+)+-[0-9]:[0-9]{12}:certificate-authority/[0-9a-f-]{36}$",
        "must be the ARN of a CA, such as arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/"
        "6b4b5c1e-9c5d-4f3a-8a7e-2f1d0c9b8a7f",
    ),
]
"""https://docs.aws.amazon.com/privateca/latest/APIReference/API_IssueCertificate.html"""

_PLAIN = ("", "_APIPassthrough", "_APICSRPassthrough", "_CSRPassthrough")
_GIVEN = {
    "EndEntityCertificate": frozenset({Usage.SERVER_AUTH, Usage.CLIENT_AUTH}),
    "EndEntityServerAuthCertificate": frozenset({Usage.SERVER_AUTH}),
    "EndEntityClientAuthCertificate": frozenset({Usage.CLIENT_AUTH}),
    "CodeSigningCertificate": frozenset({Usage.CODE_SIGNING}),
}
TEMPLATES: Mapping[str, frozenset[Usage] | None] = {
    **{f"{name}{form}/V1": usages for name, usages in _GIVEN.items() for form in _PLAIN},
    "BlankEndEntityCertificate_CSRPassthrough/V1": None,
    "BlankEndEntityCertificate_CriticalBasicConstraints_CSRPassthrough/V1": None,
}
"""The templates for leaves and the usages each gives; None gives what the request asks for.

https://docs.aws.amazon.com/privateca/latest/userguide/template-definitions.html
"""


def _template(value: Any) -> Any:
    """Take a template by its full ARN as well as by its name."""
    return value.rpartition(":template/")[2] if isinstance(value, str) else value


def _known(value: str) -> str:
    if value not in TEMPLATES:
        raise ValueError(f"must be a template for leaves: {', '.join(TEMPLATES)}")
    return value


Template = Annotated[str, BeforeValidator(_template), AfterValidator(_known)]


@dataclass(frozen=True, slots=True)
class IssuerCapabilities:
    """What a kind of issuer takes and obeys; `plan` refuses what it would refuse.

    `honours` are fields of LeafRequest: what is not among them is neither compared nor checked.
    `hosted` tells that the place a certificate is for issues and renews it by itself; `in_place`,
    that it can change what it issued, instead of issuing another. `keys` is None for any kind;
    `longest` is the longest life, as far as it is known without asking. `patience` are the pauses after a
    failure, the last of them for ever: what fails again and again is asked for less and less. A kind
    without them is left alone after a refusal only, for as long as `RETRIES` say.
    `authorities` tells that it signs CAs, too.
    """

    honours: frozenset[str] = REQUEST_FIELDS
    names: frozenset[str] = frozenset(NAME_FIELDS)
    keys: tuple[KeyType, ...] | None = None
    revokes: bool = False
    hosted: bool = False
    in_place: bool = False
    longest: timedelta | None = None
    patience: tuple[timedelta, ...] = ()
    authorities: bool = False


def _keys(rsa: tuple[int, ...], ecdsa: tuple[int, ...]) -> tuple[KeyType, ...]:
    return (
        *(KeyType(algorithm=Algorithm.RSA, size=size) for size in rsa),
        *(KeyType(algorithm=Algorithm.ECDSA, size=size) for size in ecdsa),
    )


_DNS = frozenset({"common_name", "dns_names"})
AWS_PRIVATE_CA = IssuerCapabilities(keys=_keys((2048, 3072, 4096), (256, 384, 521)), revokes=True)
AMAZON = IssuerCapabilities(
    honours=frozenset({"dns_names", "key"}),
    names=_DNS,
    keys=_keys((2048,), (256, 384)),
    hosted=True,
)
"""https://docs.aws.amazon.com/acm/latest/userguide/acm-certificate-characteristics.html"""
GOOGLE = IssuerCapabilities(honours=frozenset({"dns_names"}), names=_DNS, hosted=True)
"""https://cloud.google.com/certificate-manager/docs/certificates: the key is Google's choice."""
KEY_VAULT = IssuerCapabilities(
    honours=frozenset({"common_name", "dns_names", "email_addresses", "key", "usages", "duration"}),
    names=frozenset({"common_name", "dns_names", "email_addresses"}),
    keys=_keys((2048, 3072, 4096), (256, 384, 521)),
    hosted=True,
    in_place=True,
)
"""https://learn.microsoft.com/azure/key-vault/certificates/create-certificate: life in whole months."""
RETRIES = (*(timedelta(minutes=minutes) for minutes in (1, 10, 100)), timedelta(days=1))
"""https://letsencrypt.org/docs/integration-guide/#retrying-failures."""
ACME = IssuerCapabilities(
    honours=frozenset({"dns_names", "ip_addresses", "key"}),
    names=frozenset({"common_name", "dns_names", "ip_addresses"}),
    keys=_keys((2048, 3072, 4096), (256, 384)),
    revokes=True,
    patience=RETRIES,
)
"""RFC 8555, and RFC 8738 for IP addresses: names and key are ours, all else is the CA's profile."""
VAULT = IssuerCapabilities(
    honours=frozenset(
        {"common_name", "dns_names", "ip_addresses", "uris", "email_addresses", "usages", "key"}
        | {"duration"}
    ),
    keys=_keys((2048, 3072, 4096), (256, 384, 521)),
    revokes=True,
    authorities=True,
)
"""https://developer.hashicorp.com/vault/api-docs/secret/pki: the subject, names apart, is the role's."""


class AwsPrivateCa(Connected):
    """A CA in AWS Private CA, in the region that its ARN names; `role` is assumed for it."""

    CONNECTION: ClassVar = ("arn", "role", "external_id")

    arn: PrivateCaArn = Field(description="the CA; the region is in it")
    role: RoleArn | None = Field(
        default=None,
        description="the role that is assumed (STS). Without it, the credentials' own account",
    )
    external_id: Text | None = Field(
        default=None, description="what the role's trust policy asks for, where it does"
    )
    template: Template = Field(
        default="EndEntityCertificate/V1", description="name or ARN of a template for leaves"
    )

    @property
    def region(self) -> str:
        """The region the CA is in."""
        return self.arn.split(":")[3]

    @property
    def template_arn(self) -> str:
        """The template's ARN, in the partition of the CA."""
        return f"arn:{self.arn.split(':')[1]}:acm-pca:::template/{self.template}"


class AmazonIssuer(Connected):
    """Amazon's public CA, as ACM uses it; `exportable` lets the key be exported, for a price."""

    exportable: Boolean = False


class GoogleManagedIssuer(Connected):
    """The public CA that Google Cloud Certificate Manager uses."""


class VaultIssuer(Connected):
    """A CA that a Key Vault knows by a name, such as one of DigiCert or GlobalSign."""

    CONNECTION: ClassVar = ("issuer_name",)

    issuer_name: Annotated[
        str, Matching(r"^[0-9a-zA-Z-]{1,127}$", "must be the name of an issuer in the vault")
    ]
    certificate_type: Text | None = None


class IssuerSpec(Model):
    """One kind of issuer; the kinds that a place offers by itself are called as the place is."""

    aws_private_ca: AwsPrivateCa | None = Field(default=None, alias="aws-private-ca")
    aws_acm: AmazonIssuer | None = Field(default=None, alias="aws-acm")
    gcp_certificate_manager: GoogleManagedIssuer | None = Field(
        default=None, alias="gcp-certificate-manager"
    )
    azure_key_vault: VaultIssuer | None = Field(default=None, alias="azure-key-vault")
    acme: Acme | None = None
    vault: Vault | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if len(self._kinds()) != 1:
            raise ValueError(
                "must say what kind of issuer it is, once: `acme: {...}`, `vault: {...}` or"
                " `aws-private-ca: {arn: ...}`, or a place that issues by itself: `aws-acm: {}`,"
                " `gcp-certificate-manager: {}` or `azure-key-vault: {issuerName: ...}`"
            )
        return self

    def _kinds(self) -> tuple[str, ...]:
        return tuple(kind for kind, name in _FIELDS.items() if getattr(self, name) is not None)

    @property
    def kind(self) -> str:
        """The kind of issuer, as the registry names it; of a hosted one, the kind of its target."""
        return self._kinds()[0]

    @property
    def settings(self) -> Connected:
        """The settings of its kind."""
        settings: Connected = getattr(self, _FIELDS[self.kind])
        return settings

    def connection(self) -> Mapping[str, Any]:
        """Return what says which CA is asked, and as whom."""
        return {"kind": self.kind, **self.settings.connection(f"{self.kind}.")}

    @property
    def capabilities(self) -> IssuerCapabilities:
        """What this kind of issuer takes and obeys, known without asking it."""
        return _CAPABILITIES[self.kind]

    @property
    def usages(self) -> frozenset[Usage] | None:
        """The usages that every certificate gets, None where they are those asked for."""
        return TEMPLATES[self.aws_private_ca.template] if self.aws_private_ca else None

    @property
    def secrets(self) -> tuple[SecretReference, ...]:
        """Where the secrets are that it is asked with."""
        return tuple(references(self.settings))

    @property
    def ca_bundle(self) -> str | None:
        """The file of the repository with the anchors for its TLS certificate, if one is named."""
        mine = self.acme or self.vault
        return mine.ca_bundle if mine else None

    @property
    def advises(self) -> bool:
        """Whether it is to be asked when what it issued should be renewed (ARI, RFC 9773)."""
        source = self.acme.renewal_information_source if self.acme else RenewalInformation.NONE
        return source is RenewalInformation.ARI

    @property
    def quotas(self) -> IssuerQuotas:
        """What it sells in a while; nothing is said where nobody publishes it."""
        return self.acme.limits if self.acme else IssuerQuotas()

    def is_same_ca(self, identity: str) -> bool:
        """Whether an `identity` is of the same CA, however it was asked."""
        return identity.partition(" ")[0] == self.identity.partition(" ")[0]

    @property
    def authority_identity(self) -> str:
        """What tells this CA from another where it signs CAs: how it issues leaves is no part of it."""
        return self.identity.partition(" ")[0]

    @property
    def identity(self) -> str:
        """What tells this CA from another: with another one every certificate is issued anew."""
        if self.aws_private_ca is not None:
            return f"{self.aws_private_ca.arn} {self.aws_private_ca.template}"
        if self.acme is not None:
            profile = self.acme.profile
            return f"{self.acme.server} profile={profile}" if profile else self.acme.server
        if self.vault is not None:
            return f"{self.vault.mount}{_of(self.vault.issuer)} role={self.vault.role}"
        said = self.settings.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return " ".join((self.kind, *(f"{name}={value}" for name, value in sorted(said.items()))))


def _of(issuer: str | None) -> str:
    return f"/issuer/{issuer}" if issuer else ""


_CAPABILITIES = {
    "aws-private-ca": AWS_PRIVATE_CA,
    "aws-acm": AMAZON,
    "gcp-certificate-manager": GOOGLE,
    "azure-key-vault": KEY_VAULT,
    "acme": ACME,
    "vault": VAULT,
}
_FIELDS = {kind: kind.replace("-", "_") for kind in _CAPABILITIES}


def gives_way(kind: str) -> bool:
    """Whether a kind of place can hold another certificate where it has issued one by itself."""
    hosting = _CAPABILITIES.get(kind)
    return hosting is None or hosting.in_place
