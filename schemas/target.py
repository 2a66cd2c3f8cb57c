"""Target: one place certificates are installed at."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from schemas.base import Model
from schemas.capabilities import LOCAL_DIRECTORY, Capabilities
from schemas.scalars import Duration, FilePath, Integer, Matching, Mode, Text

Argv = Annotated[tuple[Text, ...], Field(min_length=1)]
"""A command as a list of arguments; it is run without a shell."""
HostPort = Annotated[
    str,
    Matching(
        r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$",
        "must be a host and a port, such as 127.0.0.1:443",
    ),
]


def _private(value: int) -> int:
    if value & 0o117:
        raise ValueError(
            "must let nobody but owner and group at a private key, such as 0600 or 0640"
        )
    return value


class LocalDirectory(Model):
    """A directory on this host: `PATH/NAME/current/privkey.pem` and its companions."""

    path: FilePath
    hosts: tuple[Text, ...] = ()
    owner: Text | None = None
    group: Text | None = None
    mode: Annotated[Mode, AfterValidator(_private)] = 0o600
    keep_generations: Annotated[Integer, Field(ge=1)] = 2


class Verify(Model):
    """A TLS handshake that must return the certificate just installed."""

    connect: HostPort
    timeout: Duration | None = None


class TargetSpec(Model):
    """One kind of place, and how its consumer checks, reloads and shows what it was given."""

    local_directory: LocalDirectory | None = Field(default=None, alias="local-directory")
    check: Argv | None = None
    reload: Argv | None = None
    verify: Verify | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.local_directory is None:
            raise ValueError("must say what kind of place it is: `local-directory: {path: ...}`")
        return self

    @property
    def kind(self) -> str:
        """The kind of place, as the registry names it."""
        return "local-directory"

    @property
    def capabilities(self) -> Capabilities:
        """What this kind of place can hold, known without asking it."""
        return LOCAL_DIRECTORY
