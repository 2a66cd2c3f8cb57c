"""Project: who owns what certform installs, who opens its keys, and where it publishes."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from schemas.base import Model, Word
from schemas.connection import Connected
from schemas.scalars import FilePath, Integer, Matching, Percent, Text

AgeRecipient = Annotated[
    str, Matching("^age1[a-z0-9]{58}$", "must be an age recipient: age1 and 58 characters")
]
SshEd25519 = Annotated[
    str,
    Matching("^ssh-ed25519 [A-Za-z0-9+/]{68}$", "must be an Ed25519 public key in OpenSSH form"),
]
HttpUrl = Annotated[
    str,
    Matching(
        r"^http://[A-Za-z0-9.:-]+(/[^\s?#]*)?$",
        "must be an http:// address: CRLs are fetched before TLS can be trusted",
    ),
]
"""RFC 5280 section 4.2.1.13: fetched before TLS can be trusted, so http and not https."""


Branch = Annotated[
    str,
    Matching(
        "^[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)*$",
        "must be a branch name of lower-case letters, digits, hyphens and slashes",
    ),
]


class Recipient(Model):
    """Someone who can open a sops file; exactly one of the fields."""

    age: AgeRecipient | None = None
    pgp: Text | None = None
    aws_kms: Text | None = Field(default=None, alias="aws-kms")
    gcp_kms: Text | None = Field(default=None, alias="gcp-kms")
    azure_key_vault: Text | None = Field(default=None, alias="azure-key-vault")
    hc_vault: Text | None = Field(default=None, alias="hc-vault")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(value is not None for value in self.__dict__.values()) != 1:
            raise ValueError("must name exactly one recipient, such as `age: age1...`")
        return self


class LedgerSettings(Connected):
    """Where the record of everything issued is kept, and the key its commits are signed with."""

    CONNECTION: ClassVar = ("branch", "remote", "public_key")

    branch: Branch = "certform/ledger"
    remote: Text | None = None
    public_key: SshEd25519 | None = None


class GuardSettings(Model):
    """How much one plan may remove, revoke or replace, from `from` certificates up."""

    max_change: Percent = 30
    from_: Integer = Field(default=10, alias="from")


class PublishTo(Connected):
    """A place that serves what is published."""

    CONNECTION: ClassVar = ("directory",)

    directory: FilePath


class PublishSettings(Connected):
    """Where CRLs and CA certificates are written, and the URL certificates name for them."""

    # whoever checks a certificate is sent there, for as long as it lives
    CONNECTION: ClassVar = ("base_url",)

    to: PublishTo
    base_url: HttpUrl = Field(alias="baseURL")

    def connection(self, above: str = "") -> Mapping[str, Any]:
        """Return where is written to, and where those are sent who check."""
        return {**self.to.connection(f"{above}to."), **super().connection(above)}


class AdviceAsking(Word):
    """Who asks CAs of others when they want their certificates renewed: `apply`, or every `plan`, too."""

    APPLY = "apply"
    PLAN = "plan"


class ProjectSpec(Model):
    """The one Project of a repository."""

    keyring: tuple[Recipient, ...] = Field(min_length=1)
    ledger: LedgerSettings = LedgerSettings()
    guard: GuardSettings = GuardSettings()
    publish: PublishSettings | None = None
    renewal_information: AdviceAsking = AdviceAsking.APPLY
