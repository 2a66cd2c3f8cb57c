"""Policy: what the certificates, or the CAs, under some paths may ask for, and what they have to."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from schemas.base import Model, Word
from schemas.certificate import Algorithm, Usage
from schemas.scalars import (
    Boolean,
    Day,
    DnsDomain,
    Duration,
    Integer,
    IpRange,
    Name,
    Reference,
    Text,
)


class Governed(Word):
    """The kind of document that a policy is about; a CertificateSet is many Certificates."""

    CERTIFICATE = "Certificate"
    AUTHORITY = "Authority"


class Selector(Model):
    """Paths below the repository's root; `*` within one folder, `**` across folders."""

    paths: Annotated[tuple[Text, ...], Field(min_length=1)]
    kind: Governed = Governed.CERTIFICATE


class Allowed(Model):
    """What may be named; a list that is absent permits everything, an empty one nothing.

    `issuers` of an Authority are its parents. `adopt` is whether an object that somebody else made may
    be taken over; where a policy selects a path it has to say so.
    """

    issuers: tuple[Reference, ...] | None = None
    targets: tuple[Reference, ...] | None = None
    dns_domains: tuple[DnsDomain, ...] | None = None
    ip_ranges: tuple[IpRange, ...] | None = None
    uri_domains: tuple[DnsDomain, ...] | None = None
    email_domains: tuple[DnsDomain, ...] | None = None
    usages: tuple[Usage, ...] | None = None
    wildcards: Boolean = True
    adopt: Boolean = False


class MinSize(Model):
    """The smallest key of each algorithm, in bits."""

    rsa: Integer | None = Field(default=None, alias="RSA")
    ecdsa: Integer | None = Field(default=None, alias="ECDSA")


class KeyConstraints(Model):
    """Which keys are strong enough."""

    algorithms: tuple[Algorithm, ...] | None = None
    min_size: MinSize = MinSize()


class Constraints(Model):
    """Bounds on lifetimes and keys."""

    max_duration: Duration | None = None
    min_duration: Duration | None = None
    private_key: KeyConstraints = KeyConstraints()


class Required(Model):
    """What a certificate has to have, whatever else: each of these targets, each of these usages."""

    targets: tuple[Reference, ...] = ()
    usages: tuple[Usage, ...] = ()


class Baseline(Word):
    """Rules that others wrote. `cabf-tls`: the CA/Browser Forum's Baseline Requirements for TLS."""

    CABF_TLS = "cabf-tls"


class Exemption(Model):
    """Documents that a policy does not bind before a day begins, in UTC, and why."""

    certificates: tuple[Name, ...] = ()
    authorities: tuple[Name, ...] = ()
    until: Day
    reason: Text

    @model_validator(mode="after")
    def _names_some(self) -> Self:
        if not (self.certificates or self.authorities):
            raise ValueError("must name certificates or authorities")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """What it names."""
        return (*self.certificates, *self.authorities)


class LintSettings(Model):
    """Findings of the linter that are known and accepted, by their codes."""

    accept: tuple[Text, ...] = ()


class PolicySpec(Model):
    """What every document that is selected must satisfy; several policies add up."""

    selector: Selector
    baseline: Baseline | None = None
    allowed: Allowed = Allowed()
    required: Required = Required()
    constraints: Constraints = Constraints()
    lint: LintSettings = LintSettings()
    exceptions: tuple[Exemption, ...] = ()
