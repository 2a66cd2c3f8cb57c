"""Target: one place certificates are installed at."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from schemas.base import digest
from schemas.capabilities import (
    AWS_ACM,
    AZURE_KEY_VAULT,
    GCP_CERTIFICATE_MANAGER,
    LOCAL_DIRECTORY,
    Capabilities,
    Limits,
)
from schemas.clouds import AwsAcm, AzureKeyVault, GcpCertificateManager
from schemas.connection import Connected
from schemas.plugged import plugged, write_schema
from schemas.scalars import (
    Duration,
    FilePath,
    Integer,
    Matching,
    Mode,
    OfOthers,
    Text,
    format_duration,
)

LONGEST_PATIENCE = timedelta(minutes=2)
"""How long one certificate may be waited for: the ledger's lock is not renewed meanwhile."""
_HOST_PORT = "must be a host and a port from 1 to 65535, such as 127.0.0.1:443"


def _program(value: tuple[str, ...]) -> tuple[str, ...]:
    if "/" in value[0] and not value[0].startswith("/"):
        raise ValueError(
            f"must begin with a bare name that is found on PATH, or an absolute path: {value[0]} would "
            "be looked up in the repository, where any proposed change could replace it"
        )
    return value


def _host_port(value: str) -> str:
    host, _, port = value.rpartition(":")
    try:
        if host.startswith("["):
            ipaddress.IPv6Address(host.strip("[]"))
        elif re.fullmatch(r"[0-9.]+", host):
            ipaddress.IPv4Address(host)
    except ValueError:
        raise ValueError(_HOST_PORT) from None
    if len(host) > 253 or not 1 <= int(port) <= 65535:
        raise ValueError(_HOST_PORT)
    return value


def _patience(value: timedelta) -> timedelta:
    if value > LONGEST_PATIENCE:
        raise ValueError(f"must be {format_duration(LONGEST_PATIENCE)} or less")
    return value


Argv = Annotated[tuple[Text, ...], Field(min_length=1), AfterValidator(_program)]
"""A command as a list of arguments; it is run without a shell, and never from the repository."""
_LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
HostPort = Annotated[
    str,
    Matching(rf"^(\[[0-9a-fA-F:.]+\]|{_LABEL}(\.{_LABEL})*):[0-9]{{1,5}}$", _HOST_PORT),
    AfterValidator(_host_port),
]


def _private(value: int) -> int:
    if value & 0o117:
        raise ValueError(
            "must let nobody but owner and group at a private key, such as 0600 or 0640"
        )
    return value


class LocalDirectory(Connected):
    """A directory on this host: `PATH/NAME/current/privkey.pem` and its companions."""

    CONNECTION: ClassVar = ("path", "hosts")

    path: FilePath
    hosts: tuple[Text, ...] = ()
    owner: Text | None = None
    group: Text | None = None
    mode: Annotated[Mode, AfterValidator(_private)] = 0o600
    keep_generations: Annotated[Integer, Field(ge=1)] = 2

    @property
    def whereabouts(self) -> tuple[str, ...]:
        """Which directory it is, and of which hosts."""
        return (self.path, *sorted(self.hosts))


class Verify(Connected):
    """A TLS handshake that must return the certificate just installed."""

    CONNECTION: ClassVar = ("connect",)

    connect: HostPort
    timeout: Annotated[Duration, AfterValidator(_patience)] | None = None


class Plugin(Connected):
    """A kind of place that another package adds; `settings` are its own, as they are written."""

    # nobody here can tell which of its settings say who is spoken to, so all of them count
    CONNECTION: ClassVar = ("kind", "settings")

    kind: str
    settings: dict[str, Any]
    capabilities: Annotated[Capabilities, Field(exclude=True)] = Capabilities()

    def connection(self, above: str = "") -> Mapping[str, Any]:
        """Return every setting."""
        return {f"{above}{name}": value for name, value in self.settings.items()}

    @property
    def whereabouts(self) -> tuple[str, ...]:
        """Every setting: another one may mean another place."""
        return (self.kind, digest(self.settings))


Settings = LocalDirectory | AwsAcm | AzureKeyVault | GcpCertificateManager | Plugin
"""The settings of one kind of place."""


class TargetSpec(Connected):
    """One kind of place, and how its consumer checks, reloads and shows what it was given.

    `tags` are put on everything installed in a cloud, beside the labels of each certificate.
    """

    model_config = ConfigDict(json_schema_extra=write_schema)
    CONNECTION: ClassVar = ("check", "reload")

    local_directory: LocalDirectory | None = Field(default=None, alias="local-directory")
    aws_acm: AwsAcm | None = Field(default=None, alias="aws-acm")
    azure_key_vault: AzureKeyVault | None = Field(default=None, alias="azure-key-vault")
    gcp_certificate_manager: GcpCertificateManager | None = Field(
        default=None, alias="gcp-certificate-manager"
    )
    plugin: Plugin | None = None
    check: Argv | None = None
    reload: Argv | None = None
    verify: Verify | None = None
    tags: dict[Annotated[Text, OfOthers], Text] = Field(
        default_factory=dict,
        description="labels put on everything installed in a cloud, beside those of each certificate",
    )

    @model_validator(mode="before")
    @classmethod
    def _plugged(cls, data: Any) -> Any:
        """Take what another package adds."""
        return plugged(
            data,
            "kind of place",
            "example.com/box",
            lambda kind, settings: Plugin(kind=kind, settings=settings),
        )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if len(tuple(self._kinds())) != 1:
            raise ValueError(
                "must say what kind of place it is, once: `local-directory: {path: ...}`,"
                " `aws-acm: {regions: [...]}`, `azure-key-vault: {vault: ...}`"
                " or `gcp-certificate-manager: {project: ...}`"
            )
        misplaced = ("check", "reload", "verify") if self.local_directory is None else ("tags",)
        for name in misplaced:
            if getattr(self, name):
                raise ValueError(f"`{name}` means nothing in a place of kind {self.kind}")
        return self

    def _kinds(self) -> Iterator[str]:
        return (kind for kind, name in _KINDS.items() if getattr(self, name) is not None)

    @property
    def kind(self) -> str:
        """The kind of place, as the registry names it."""
        return self.plugin.kind if self.plugin else next(self._kinds())

    @property
    def settings(self) -> Settings:
        """The settings of its kind."""
        settings: Settings = getattr(self, self._field)
        return settings

    @property
    def _field(self) -> str:
        return "plugin" if self.plugin else _KINDS[self.kind]

    def connection(self, above: str = "") -> Mapping[str, Any]:
        """Return what says who is spoken to, and what is run here: kind, address, account, commands."""
        return {
            f"{above}kind": self.kind,
            **self.settings.connection(f"{above}{self.kind}."),
            **super().connection(above),
            **(self.verify.connection(f"{above}verify.") if self.verify else {}),
        }

    def reached_as(self, other: Connected) -> Self:
        """Return this spec of a place reached as another one of its kind, whose commands it runs.

        Raises ValueError for one of another kind.
        """
        if not isinstance(other, TargetSpec) or other.kind != self.kind:
            raise ValueError(
                f"a place of kind {self.kind} cannot be reached as one of another kind"
            )
        reached = super().reached_as(other)
        settings = self.settings.reached_as(other.settings)
        return reached.model_copy(update={self._field: settings, "verify": other.verify})

    def to_read(self) -> Self:
        """Return this spec as it is for whoever only reads."""
        return self.model_copy(update={self._field: self.settings.to_read()})

    @property
    def whereabouts(self) -> tuple[str, ...]:
        """Which place it is; how it is reached is no part of that."""
        return (self.kind, *self.settings.whereabouts)

    def installs_like(self, other: "TargetSpec") -> bool:
        """Whether what is installed comes out as with other settings, but for tags and how it is reached."""
        if self.kind != other.kind:
            return False
        return _installing(self.reached_as(other)) == _installing(other)

    @property
    def capabilities(self) -> Capabilities:
        """What this kind of place can hold, known without asking it."""
        return self.plugin.capabilities if self.plugin else _CAPABILITIES[self.kind]

    @property
    def limits(self) -> Limits:
        """What the place allows, by the account's own quotas where they are told."""
        limits = self.capabilities.limits
        if self.aws_acm is None:
            return limits
        own = self.aws_acm.quotas
        return replace(limits, objects=own.certificates, installs_per_year=own.imports_per_year)

    def places(self) -> Mapping[str, "TargetSpec"]:
        """Return each single place that is meant, by what is added to the name: `/eu-west-1`, or nothing."""
        if (acm := self.aws_acm) is not None:
            return {f"/{r}": self._only(acm, regions=(r,)) for r in acm.regions}
        if (gcp := self.gcp_certificate_manager) is not None:
            return {f"/{place}": self._only(gcp, locations=(place,)) for place in gcp.locations}
        return {"": self}

    def _only(self, settings: Settings, **only: tuple[str, ...]) -> "TargetSpec":
        return self.model_copy(update={_KINDS[self.kind]: settings.model_copy(update=only)})


def _installing(spec: TargetSpec) -> Mapping[str, Any]:
    """Return the settings that show in what is installed, beside its labels."""
    return spec.model_dump(
        exclude={"tags": True, "aws_acm": {"quotas"}, "local_directory": {"keep_generations"}}
    )


_CAPABILITIES = {
    "local-directory": LOCAL_DIRECTORY,
    "aws-acm": AWS_ACM,
    "azure-key-vault": AZURE_KEY_VAULT,
    "gcp-certificate-manager": GCP_CERTIFICATE_MANAGER,
}
_KINDS = {kind: kind.replace("-", "_") for kind in (*_CAPABILITIES, "plugin")}
