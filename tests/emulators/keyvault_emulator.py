"""An Azure Key Vault on loopback, for its certificates: talked to by the unmodified SDK, from any process.

    with KeyVault.made(folder) as vault:
        os.environ.update(vault.environment())
        CertificateClient(vault.url, DefaultAzureCredential(), verify_challenge_resource=False)

`vault.store` has the switches, `vault.wire` counts what is asked and fails as told. Not emulated: backup,
contacts, issuer objects (their names are in `store.issuers`), and the keys and secrets of certificates.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import keyvault_operations as operations
from keyvault_content import issue, make_key, signing_request
from keyvault_errors import Refusal, bad, error, forbidden, throttled
from keyvault_operations import Ask
from keyvault_state import Entry, Json, Pending
from keyvault_store import Store, completed_policy
from keyvault_tokens import Tokens, environment
from wire import Request, Response, Tls, Wire

VERSIONS = frozenset(
    "2016-10-01 7.0 7.1 7.2 7.3 7.4 7.5 7.6 2025-07-01 2026-04-01".split()  # noqa: SIM905
)
CHALLENGE = "Challenge"
"""The operation of a request without credentials."""


class Route(NamedTuple):
    method: str
    path: re.Pattern[str]
    operation: str
    permission: str
    serve: Callable[[Store, Ask], Response]


def _route(
    text: str, operation: str, permission: str, serve: Callable[[Store, Ask], Response]
) -> Route:
    method, path = text.split()
    pattern = path.replace("{name}", "(?P<name>[0-9a-zA-Z-]{1,127})")
    pattern = pattern.replace("{version}", "(?P<version>[0-9a-f]{32})?")
    return Route(method, re.compile(f"{pattern}/?"), operation, permission, serve)


ROUTES = (
    _route("GET /certificates", "ListCertificates", "list", operations.list_certificates),
    _route("GET /certificates/{name}/versions", "ListVersions", "list", operations.list_versions),
    _route("GET /deletedcertificates", "ListDeletedCertificates", "list", operations.list_deleted),
    _route("POST /certificates/{name}/import", "ImportCertificate", "import", operations.import_),
    _route("POST /certificates/{name}/create", "CreateCertificate", "create", operations.create),
    _route("GET /certificates/{name}/policy", "GetPolicy", "get", operations.get_policy),
    _route("PATCH /certificates/{name}/policy", "UpdatePolicy", "update", operations.update_policy),
    _route("GET /certificates/{name}/pending", "GetPending", "get", operations.get_pending),
    _route("PATCH /certificates/{name}/pending", "CancelPending", "update", operations.cancel_pending),
    _route("DELETE /certificates/{name}/pending", "DeletePending", "update", operations.delete_pending),
    _route("POST /certificates/{name}/pending/merge", "MergeCertificate", "create", operations.merge),
    _route("GET /deletedcertificates/{name}", "GetDeletedCertificate", "get", operations.get_deleted),
    _route("POST /deletedcertificates/{name}/recover", "RecoverCertificate", "recover", operations.recover),
    _route("DELETE /deletedcertificates/{name}", "PurgeCertificate", "purge", operations.purge),
    _route("GET /certificates/{name}/{version}", "GetCertificate", "get", operations.get),
    _route("GET /certificates/{name}", "GetCertificate", "get", operations.get),
    _route("PATCH /certificates/{name}/{version}", "UpdateCertificate", "update", operations.update),
    _route("PATCH /certificates/{name}", "UpdateCertificate", "update", operations.update),
    _route("DELETE /certificates/{name}", "DeleteCertificate", "delete", operations.delete),
)  # fmt: skip


@dataclass(slots=True)
class RateLimit:
    """At most `calls` of each operation in any window of `seconds`."""

    calls: int
    seconds: float = 10.0
    clock: Callable[[], float] = time.monotonic
    _times: dict[str, list[float]] = field(default_factory=dict)

    def check(self, operation: str) -> None:
        now = self.clock()
        recent = [then for then in self._times.get(operation, ()) if now - then < self.seconds]
        self._times[operation] = recent
        if len(recent) >= self.calls:
            raise throttled(max(1.0, self.seconds - (now - recent[0])))
        recent.append(now)


@dataclass(slots=True)
class KeyVault:
    """A vault that is served."""

    tls: Tls
    tokens: Tokens = field(default_factory=Tokens)
    store: Store = field(default_factory=Store)
    rate_limit: RateLimit | None = None
    wire: Wire = field(init=False)
    identity: Wire = field(init=False)

    def __post_init__(self) -> None:
        self.wire = Wire(self.serve, _operation, self.tls)
        self.identity = self.tokens.wire()

    @classmethod
    @contextmanager
    def made(cls, folder: Path) -> Iterator["KeyVault"]:
        """Serve an empty vault until the end of the context; what its clients trust goes into `folder`."""
        vault = cls(Tls.made(folder))
        with vault.wire.running(), vault.identity.running():
            yield vault

    @property
    def url(self) -> str:
        return self.wire.url

    def environment(self) -> Mapping[str, str]:
        """Return what a process needs in its environment to get at this vault."""
        return environment(self.identity, self.tls)

    def serve(self, request: Request) -> Response:
        """Answer one request, as the service would."""
        if (authorization := request.headers.get("authorization")) is None:
            return self.tokens.challenge("AKV10000: Request is missing a Bearer or PoP token.")
        if (fault := self.tokens.fault(authorization)) is not None:
            return self.tokens.challenge(fault)
        try:
            with self.store.lock:
                return self._allowed(request)
        except Refusal as refusal:
            return refusal.response

    def _allowed(self, request: Request) -> Response:
        if request.query.get("api-version") not in VERSIONS:
            raise bad("The specified version is not recognized.")
        found = _found(request)
        if found is None:
            return error(404, "NotFound", "there is no such resource")
        route, parts = found
        if self.rate_limit is not None:
            self.rate_limit.check(route.operation)
        if route.permission in self.store.denied or route.operation in self.store.denied:
            raise forbidden(route.permission, rbac=self.store.rbac)
        base = f"https://{request.headers['host']}"
        ask = Ask(base, request, parts.get("name") or "", parts.get("version") or "")
        return route.serve(self.store, ask)

    def entry(self, name: str) -> Entry:
        """Return what is there under a name."""
        return self.store.entries[name.lower()]

    def finish(self, name: str) -> None:
        """Let an integrated issuer issue what is pending."""
        with self.store.lock:
            entry = self.entry(name)
            assert entry.pending is not None
            made = issue(entry.pending.csr, self.store.authority, "Integrated CA")
            operations.complete(self.store, entry, [made])

    def refuse(self, name: str, message: str) -> None:
        """Let an integrated issuer refuse what is pending."""
        pending = self.entry(name).pending
        assert pending is not None
        pending.status = "failed"
        pending.error = {"code": "CertificateRequestFailed", "message": message}

    def renew(self, name: str) -> None:
        """Let the vault make a new version by itself, as `AutoRenew` does; it takes the tags along."""
        with self.store.lock:
            entry = self.entry(name)
            wanted: Json = {"subject": "CN=renewed by the vault"}
            policy = completed_policy(entry.policy, "Self")
            wanted = {**wanted, **(policy.get("x509_props") or {})}
            key = make_key(policy.get("key_props") or {})
            csr = signing_request(key, wanted)
            entry.pending = Pending(key, csr, policy["issuer"], dict(entry.tags))
            self.finish(name)


def _found(request: Request) -> tuple[Route, dict[str, str | None]] | None:
    for route in ROUTES:
        matched = route.path.fullmatch(request.path)
        if route.method == request.method and matched:
            return route, matched.groupdict()
    return None


def _operation(request: Request) -> str:
    if "authorization" not in request.headers:
        return CHALLENGE
    found = _found(request)
    return found[0].operation if found else "Unknown"
