"""Certificates by a role of the PKI engine: signed by one call, known by their serial, revoked by themselves.

https://developer.hashicorp.com/vault/api-docs/secret/pki and https://openbao.org/api-docs/secret/pki/.
The engine has no tokens: an answer to `sign` that is lost leaves one certificate that nobody uses.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar, Self

from providers import x509
from providers.errors import Rejected
from providers.failpoints import reach
from providers.issuing import (
    AuthorityOrder,
    Issued,
    IssuerConfig,
    IssueRequest,
    RevokeRequest,
)
from providers.vault.authorities import issue_authority
from providers.vault.mount import Mount, colons, signed
from providers.vault.revocation import revoke
from providers.vault.role import check_usages, explained
from providers.vault.session import VaultSession
from providers.x509.ordering import request_pem
from schemas.issuer import VAULT
from schemas.request import LeafRequest
from schemas.vault import Vault


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class VaultIssuer:
    """One role of a mount."""

    honours: ClassVar[frozenset[str]] = VAULT.honours

    settings: Vault
    session: VaultSession
    clock: Callable[[], datetime] = _now

    @classmethod
    def from_config(cls, config: IssuerConfig, /) -> Self:
        """Make the issuer; reads nothing and connects nowhere."""
        settings = config.spec.vault
        if settings is None:
            raise TypeError(config.spec.kind)
        return cls(settings, VaultSession.to(settings, config.secret, config.files))

    def issue(self, request: IssueRequest, /) -> Issued:
        """Let the role sign, and make the serial known; with a serial, read back what was signed."""
        known = request.resume
        issued = self._new(request) if known is None else self._mount.issued(known)
        check_usages(issued.certificate, request.request.usages, self._role)
        return issued

    def issue_authority(self, order: AuthorityOrder, /) -> Issued:
        """Let the mount's CA, by no role, sign one of ours."""
        return issue_authority(self._mount, order)

    def revoke(self, request: RevokeRequest, /) -> None:
        """Revoke a certificate; the engine takes no reason. One that is revoked already is no error."""
        revoke(self._mount, request, self.clock())

    def _new(self, request: IssueRequest) -> Issued:
        answer = self._signed(request)
        reach("vault.signed")
        issued = signed(answer)
        request.checkpoint(colons(x509.facts(issued.certificate).serial))
        reach("vault.noted")
        return issued

    @cached_property
    def _mount(self) -> Mount:
        return Mount(self.session, self.settings.path, self.settings.issuer)

    @property
    def _role(self) -> str:
        return f"{self.settings.path}/roles/{self.settings.role}"

    def _signed(self, request: IssueRequest) -> dict[str, Any]:
        settings = self.settings
        below = f"issuer/{settings.issuer}/" if settings.issuer else ""
        left = int((request.not_after - self.clock()).total_seconds())
        data = {
            "csr": request_pem(request.csr).decode(),
            "ttl": f"{max(1, left)}s",
            "format": "pem",
            **_names(request.request),
        }
        try:
            return self.session.write(f"{settings.path}/{below}sign/{settings.role}", data)
        except Rejected as why:
            raise explained(why, self._role) from None


def _names(wanted: LeafRequest) -> dict[str, object]:
    """Return the names in the words of `sign`; a role with use_csr_sans reads the request's instead."""
    names: dict[str, object] = {
        "alt_names": ",".join((*wanted.dns_names, *wanted.email_addresses)),
        "ip_sans": list(wanted.ip_addresses),
        "uri_sans": list(wanted.uris),
        "exclude_cn_from_sans": True,
    }
    return {**names, "common_name": wanted.common_name} if wanted.common_name else names
