"""How it is proved to a public CA that a name is ours: RFC 8555 section 8, in cert-manager's words."""

import ipaddress
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from schemas.base import Model, Word
from schemas.clouds import Endpoint, GcpProject, RoleArn, Tenant
from schemas.connection import Connected
from schemas.plugged import plugged, write_schema
from schemas.scalars import DnsDomain, DnsName, Duration, FilePath, Matching, Text
from schemas.secrets import SecretReference
from schemas.target import HostPort


def _absolute(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError("must be an absolute path on the host that applies, such as /var/www/html")
    return value


class Webroot(Connected):
    """A directory that a web server of this host serves: files go below `.well-known/acme-challenge/`."""

    CONNECTION: ClassVar = ("path",)

    path: Annotated[FilePath, AfterValidator(_absolute)]


class Standalone(Connected):
    """A web server of our own, for as long as the CA looks; `listen` is what it binds to."""

    CONNECTION: ClassVar = ("listen",)

    listen: HostPort = "[::]:80"


class Http01(Model):
    """A file at http://NAME/.well-known/acme-challenge/ (RFC 8555 section 8.3); no wildcards."""

    webroot: Webroot | None = None
    standalone: Standalone | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.webroot is None) == (self.standalone is None):
            raise ValueError("must be `webroot: {path: /var/www/html}` or `standalone: {}`")
        return self

    @property
    def kind(self) -> str:
        """The way the file is served, as the registry of solvers names it."""
        return "webroot" if self.webroot is not None else "standalone"

    @property
    def settings(self) -> Connected:
        """The settings of its kind."""
        settings: Connected = getattr(self, self.kind)
        return settings


class TsigAlgorithm(Word):
    """A TSIG algorithm (RFC 8945 section 6)."""

    SHA256 = "hmac-sha256"
    SHA384 = "hmac-sha384"
    SHA512 = "hmac-sha512"


class Rfc2136(Connected):
    """A name server that takes dynamic updates (RFC 2136), signed with a TSIG key."""

    CONNECTION: ClassVar = ("nameserver", "tsig_key_name", "tsig_algorithm", "tsig_secret_ref")

    nameserver: HostPort
    tsig_key_name: Text
    tsig_algorithm: TsigAlgorithm = TsigAlgorithm.SHA256
    tsig_secret_ref: SecretReference


class Route53(Connected):
    """Amazon Route 53; `role` is assumed for it. Without `hostedZoneID` the zone is looked for."""

    CONNECTION: ClassVar = ("hosted_zone_id", "role", "external_id")

    hosted_zone_id: Annotated[
        str | None,
        Matching(
            r"^[A-Z0-9]{1,32}$", "must be the ID of a hosted zone such as Z0123456789ABCDEFGHIJ"
        ),
    ] = Field(default=None, alias="hostedZoneID")
    role: RoleArn | None = None
    external_id: Text | None = None


class AzureDns(Connected):
    """Azure DNS; without `zone` it is looked for in the resource group."""

    CONNECTION: ClassVar = ("subscription_id", "resource_group", "zone", "tenant", "endpoint")

    subscription_id: Annotated[
        str, Matching(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "must be a UUID")
    ] = Field(alias="subscriptionID")
    resource_group: Text
    zone: DnsDomain | None = None
    tenant: Tenant | None = None
    endpoint: Endpoint | None = None


class CloudDns(Connected):
    """Google Cloud DNS; `zone` is a managed zone's name. Without it, it is looked for in the project."""

    CONNECTION: ClassVar = ("project", "zone", "endpoint")

    project: GcpProject
    zone: Text | None = None
    endpoint: Endpoint | None = None


class Lexicon(Connected):
    """Any provider that dns-lexicon knows: `options` are in its words, `secretRefs` those that are secret."""

    CONNECTION: ClassVar = ("provider", "options", "secret_refs")

    provider: Annotated[str, Matching(r"^[a-z0-9]{2,32}$", "must be a provider of dns-lexicon")]
    options: dict[str, Text] = Field(default_factory=dict)
    secret_refs: dict[str, SecretReference] = Field(default_factory=dict)


class SolverPlugin(Connected):
    """A kind of DNS that another package adds; `settings` are its own, as they are written.

    `secrets` are those of its settings whose names end in `SecretRef`: that much is known of any kind.
    """

    # nobody here can tell which of its settings say who is spoken to, so all of them count
    CONNECTION: ClassVar = ("kind", "settings", "secrets")

    kind: str
    settings: dict[str, Any]
    secrets: dict[str, SecretReference] = Field(default_factory=dict)

    def connection(self, above: str = "") -> Mapping[str, Any]:
        """Return every setting."""
        return {f"{above}{name}": value for name, value in self.settings.items()}


def _plugin(kind: str, settings: dict[str, Any]) -> SolverPlugin:
    secrets = {
        name: SecretReference.model_validate(value, by_alias=True, by_name=False)
        for name, value in settings.items()
        if name.endswith("SecretRef")
    }
    return SolverPlugin(kind=kind, settings=settings, secrets=secrets)


class CnameStrategy(Word):
    """Whether a record goes where the name's CNAME points (`Follow`), or where the name is (`None`)."""

    NONE = "None"
    FOLLOW = "Follow"


class Propagation(Model):
    """How long a record is waited for before the CA looks, and who is asked.

    Without `nameservers`, the zone's own name servers are asked, all of them.
    """

    timeout: Duration = timedelta(minutes=2)
    nameservers: tuple[HostPort, ...] = ()


DNS_KINDS = {
    "rfc2136": "rfc2136",
    "route53": "route53",
    "azureDNS": "azure_dns",
    "cloudDNS": "cloud_dns",
    "lexicon": "lexicon",
}
"""The kinds of DNS, as they are written, and the fields that hold their settings."""


class Dns01(Model):
    """A TXT record at _acme-challenge.NAME (RFC 8555 section 8.4); wildcards too."""

    model_config = ConfigDict(json_schema_extra=write_schema)

    cname_strategy: CnameStrategy = CnameStrategy.NONE
    propagation: Propagation = Propagation()
    rfc2136: Rfc2136 | None = None
    route53: Route53 | None = None
    azure_dns: AzureDns | None = Field(default=None, alias="azureDNS")
    cloud_dns: CloudDns | None = Field(default=None, alias="cloudDNS")
    lexicon: Lexicon | None = None
    plugin: SolverPlugin | None = None

    @model_validator(mode="before")
    @classmethod
    def _plugged(cls, data: Any) -> Any:
        """Take what another package adds."""
        return plugged(data, "kind of DNS", "example.com/dns", _plugin)

    @model_validator(mode="after")
    def _one(self) -> Self:
        kinds = (*DNS_KINDS.values(), "plugin")
        if sum(getattr(self, field) is not None for field in kinds) != 1:
            raise ValueError(f"must name one kind of DNS: {', '.join(DNS_KINDS)}")
        return self

    @property
    def kind(self) -> str:
        """The kind of DNS, as the registry of solvers names it."""
        if self.plugin is not None:
            return self.plugin.kind
        return next(kind for kind, field in DNS_KINDS.items() if getattr(self, field) is not None)

    @property
    def settings(self) -> Connected:
        """The settings of its kind."""
        if self.plugin is not None:
            return self.plugin
        settings: Connected = getattr(self, DNS_KINDS[self.kind])
        return settings


class Selector(Model):
    """Which names a solver is for: exactly these, or all at and below these zones."""

    dns_names: tuple[DnsName, ...] = ()
    dns_zones: tuple[DnsDomain, ...] = ()


class Solver(Model):
    """One way to prove names, and the names it is for; without a selector, all that no other is for."""

    selector: Selector | None = None
    http01: Http01 | None = None
    dns01: Dns01 | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.http01 is None) == (self.dns01 is None):
            raise ValueError("must be `http01: {...}` or `dns01: {...}`")
        return self


def is_ip(name: str) -> bool:
    """Whether what is to be proved is an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
