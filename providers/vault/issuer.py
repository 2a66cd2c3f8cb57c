"""Certificates by a role of the PKI engine: signed by one call, known by their serial, revoked by themselves.

https://developer.hashicorp.com/vault/api-docs/secret/pki and https://openbao.org/api-docs/secret/pki/.
The engine has no tokens: an answer to `sign` that is lost leaves one certificate that nobody uses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Self

from providers import x509
from providers.errors import NotFound, Rejected
from providers.failpoints import reach
from providers.issued import sorted_chain
from providers.issuing import (
    AuthorityOrder,
    Issued,
    IssuerConfig,
    IssueRequest,
    RevokeRequest,
)
from providers.vault.authorities import issue_authority
from providers.vault.mount import Mount, certificates, colons, linked
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
        if request.resume is not None:
            return self._kept(request.resume)
        answer = self._signed(request)
        reach("vault.signed")
        (certificate, *above) = certificates(
            answer.get("certificate"), answer.get("issuing_ca"), answer.get("ca_chain")
        )
        request.checkpoint(colons(x509.facts(certificate).serial))
        reach("vault.noted")
        check_usages(certificate, request.request.usages, self._role)
        return _issued(certificate, above)

    def issue_authority(self, order: AuthorityOrder, /) -> Issued:
        """Let the mount's CA, by no role, sign one of ours."""
        return issue_authority(self._mount, order)

    def revoke(self, request: RevokeRequest, /) -> None:
        """Revoke a certificate; the engine takes no reason. One that is revoked already is no error."""
        revoke(self._mount, request, self.clock())

    @property
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

    def _kept(self, serial: str) -> Issued:
        found = self._mount.certificate(serial)
        if found is None:
            raise NotFound(
                f"{self.settings.server} keeps no certificate {serial}, because {self._role} has no_store or"
                " because it was tidied up: it is ordered anew"
            )
        return _issued(found.der, self._mount.above(found.der))


def _names(wanted: LeafRequest) -> dict[str, object]:
    """Return the names in the words of `sign`; a role with use_csr_sans reads the request's instead."""
    names: dict[str, object] = {
        "alt_names": ",".join((*wanted.dns_names, *wanted.email_addresses)),
        "ip_sans": list(wanted.ip_addresses),
        "uri_sans": list(wanted.uris),
        "exclude_cn_from_sans": True,
    }
    return {**names, "common_name": wanted.common_name} if wanted.common_name else names


def _issued(certificate: bytes, above: Sequence[bytes]) -> Issued:
    chain, anchors = sorted_chain(linked(certificate, above))
    return Issued(certificate, chain, anchors)
