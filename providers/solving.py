"""The contract of solvers: what proves to a public CA that a name is ours (RFC 8555 section 8).

A **solver** puts something where the CA looks, `present`, and takes it away, `clean_up`. Both may be
repeated: to present what is there is no error, nor to clean up what is gone. Another certificate's
challenge may stand under the same name at the same time: values are added and taken out one by one,
and never replaced. A run that dies leaves a value behind; the run that goes on with its order
presents the same value again and takes it away.

Every failure is a `providers.errors.ProviderError`. Making a solver reads nothing and connects nowhere.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, Self, TypeVar, runtime_checkable

from providers.issuing import no_secrets
from providers.secret import Secret
from schemas.base import Model
from schemas.secrets import SecretReference

Settings = TypeVar("Settings", bound=Model)


@dataclass(frozen=True, slots=True)
class SolverConfig:
    """What a solver is made from: the settings of its kind, and what opens the secrets they name."""

    settings: Model
    secret: Callable[[SecretReference], Secret] = no_secrets

    def of(self, kind: type[Settings]) -> Settings:
        """Return the settings, which are of this kind; raises TypeError for others."""
        if not isinstance(self.settings, kind):
            raise TypeError(type(self.settings).__name__)
        return self.settings


@dataclass(frozen=True, slots=True)
class TxtRecord:
    """A TXT record: `name` is absolute, without the dot at the end (`_acme-challenge.www.example.com`)."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class WebFile:
    """A file at `http://HOST/.well-known/acme-challenge/TOKEN`, whose content is `content`."""

    host: str
    token: str
    content: str = field(repr=False)


class DnsSolver(Protocol):
    """Writes TXT records where a zone is kept."""

    @classmethod
    def from_config(cls, config: SolverConfig, /) -> Self:
        """Make the solver; reads nothing and connects nowhere."""
        ...

    def present(self, record: TxtRecord, /) -> None:
        """Add a value to a name, beside those that are there; returns once the provider has taken it."""
        ...

    def clean_up(self, record: TxtRecord, /) -> None:
        """Take a value out, and nothing else."""
        ...


@runtime_checkable
class Settler(Protocol):
    """Is told by its provider when every name server has what was presented."""

    def settle(self) -> None:
        """Wait for all that was presented since the last time, together; raises `Ambiguous` after a while."""
        ...


class HttpSolver(Protocol):
    """Has a file answered by HTTP."""

    @classmethod
    def from_config(cls, config: SolverConfig, /) -> Self:
        """Make the solver; reads nothing and connects nowhere."""
        ...

    def present(self, file: WebFile, /) -> None:
        """Have the file answered."""
        ...

    def clean_up(self, file: WebFile, /) -> None:
        """Have it answered no more, and stop what was started for it."""
        ...
