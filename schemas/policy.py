"""Policy: what the certificates under some paths may ask for."""

from typing import Annotated

from pydantic import Field

from schemas.base import Model
from schemas.certificate import Algorithm
from schemas.scalars import Boolean, DnsDomain, Duration, Integer, IpRange, Reference, Text


class Selector(Model):
    """Paths below the repository's root; `*` within one folder, `**` across folders."""

    paths: Annotated[tuple[Text, ...], Field(min_length=1)]


class Allowed(Model):
    """What may be named; a list that is absent permits everything, an empty one nothing.

    `adopt` is whether an object that somebody else made may be taken over; where a policy selects a
    path it has to say so.
    """

    issuers: tuple[Reference, ...] | None = None
    targets: tuple[Reference, ...] | None = None
    dns_domains: tuple[DnsDomain, ...] | None = None
    ip_ranges: tuple[IpRange, ...] | None = None
    uri_domains: tuple[DnsDomain, ...] | None = None
    email_domains: tuple[DnsDomain, ...] | None = None
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


class PolicySpec(Model):
    """What every certificate whose file is selected must satisfy; several policies add up."""

    selector: Selector
    allowed: Allowed = Allowed()
    constraints: Constraints = Constraints()
