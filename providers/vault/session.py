"""A Vault, and our login there: made once a run, and once more where the token was taken from us."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from providers.calls import PATIENCE, Calls
from providers.errors import Denied, NotFound, ProviderError, Transient, Unreachable
from providers.issuing import no_secrets
from providers.secret import Secret
from providers.vault.errors import TimedOut, explanation
from providers.vault.logins import is_lasting, token
from providers.vault.transport import client_of
from schemas.secrets import SecretReference
from schemas.vault import VaultConnection

_HOPELESS = (Unreachable, Transient, TimedOut)
Way = Callable[[Callable[[], Any]], Any]


@dataclass
class VaultSession:
    """Reads and writes paths of one Vault, as `bao read` and `bao write` do.

    `secret` opens what the connection names, when it is needed; `bundle` is the PEM of its `caBundle`.
    A server that could not be reached after all patience (seconds), or that let nobody log in, is not
    asked again by the same session. Not for several threads. `sleep` takes seconds.
    """

    connection: VaultConnection
    secret: Callable[[SecretReference], Secret] = no_secrets
    bundle: bytes | None = field(default=None, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, kw_only=True)
    patience: float = field(default=PATIENCE, kw_only=True)
    _failure: ProviderError | None = field(default=None, init=False)
    _logged_in_in_vain: bool = field(default=False, init=False)

    @classmethod
    def to(
        cls,
        connection: VaultConnection,
        secret: Callable[[SecretReference], Secret],
        files: Mapping[str, bytes],
    ) -> Self:
        """Return a session that is made of what documents say; reads nothing and connects nowhere."""
        bundle = files.get(connection.ca_bundle) if connection.ca_bundle else None
        if connection.ca_bundle and bundle is None:
            raise NotFound(f"{connection.ca_bundle}, the caBundle of a Vault, is not there")
        return cls(connection, secret, bundle)

    def read(self, path: str) -> dict[str, Any]:
        """Return the data at a path; raises `NotFound`, `Denied` with the policy it takes, and others."""
        return self._ask(self._calls.read, lambda: self._client.adapter.get(f"/v1/{path}"))

    def names(self, path: str) -> tuple[str, ...]:
        """Return the names below a path; raises `NotFound` where there is none."""
        found = self._ask(self._calls.read, lambda: self._client.adapter.list(f"/v1/{path}"))
        return tuple(map(str, found.get("keys") or ()))

    def write(
        self, path: str, data: Mapping[str, object], *, repeatable: bool = False
    ) -> dict[str, Any]:
        """Write to a path, and return the data of the answer, {} for none.

        Raises `Ambiguous` where it may have happened; `repeatable` says that to do it twice is to do it once.
        """
        way = self._calls.read if repeatable else self._calls.change
        return self._ask(way, lambda: self._client.adapter.post(f"/v1/{path}", json=dict(data)))

    def _ask(self, way: Way, call: Callable[[], Any]) -> dict[str, Any]:
        """Make a call as whoever we are here, and once more where another token helps."""
        if self._failure is not None:
            raise self._failure
        try:
            if not self._client.token:
                self._log_in()
            return _data(self._again(way, call))
        except _HOPELESS as why:
            self._failure = why
            raise

    def _again(self, way: Way, call: Callable[[], Any]) -> Any:
        try:
            return way(call)
        except Denied:
            if self._logged_in_in_vain or is_lasting(self.connection.auth):
                raise
        self._logged_in_in_vain = True
        self._log_in()
        answer = way(call)
        self._logged_in_in_vain = False
        return answer

    def _log_in(self) -> None:
        """Log in; a login that is lost is made again, and its token ends by itself."""
        client, auth = self._client, self.connection.auth
        client.token = ""
        try:
            found: Secret = self._calls.read(lambda: token(client, auth, self.secret))
        except ProviderError as why:
            self._failure = why
            raise
        client.token = found.reveal().decode()

    @cached_property
    def _calls(self) -> Calls:
        explain = explanation(self.connection.server)
        return Calls(explain, patience=self.patience, sleep=self.sleep, secret=True)

    @cached_property
    def _client(self) -> Any:
        return client_of(self.connection.server, self.connection.namespace, self.bundle)


def _data(answer: Any) -> dict[str, Any]:
    told = answer.get("data") if isinstance(answer, dict) else None
    return told if isinstance(told, dict) else {}
