"""What a test orders from a role of Vault, and how it looks at the answer."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bao import Bao

from providers import x509
from providers.issued import check
from providers.issuing import Issued, IssueRequest, RevokeRequest
from providers.secret import Secret
from providers.vault.issuer import VaultIssuer
from providers.vault.session import VaultSession
from providers.x509 import CertificateFacts
from providers.x509.ordering import signing_request
from schemas.certificate import Algorithm, Usage
from schemas.request import KeyType, LeafRequest
from schemas.revocation import RevocationReason
from schemas.secrets import SecretReference
from schemas.vault import Vault

DAY = 86_400
HELD = {"name": "secrets/vault.sops.yaml", "key": "secret"}


def held(value: str) -> Callable[[SecretReference], Secret]:
    """Return what opens a secret that an Issuer names."""
    return lambda _: Secret(value.encode())


def issuer(
    server: str,
    secret: str,
    *,
    patience: float = 5.0,
    bundle: bytes | None = None,
    sleep: Callable[[float], None] = lambda _: None,
    **more: Any,
) -> VaultIssuer:
    """Make an issuer; its secret is a token, unless `auth` says otherwise."""
    ca = {"caBundle": "ca.pem"} if bundle else {}
    said = {"server": server, "role": "web", "auth": {"tokenSecretRef": HELD}, **ca, **more}
    settings = Vault.model_validate(said)
    session = VaultSession(settings, held(secret), bundle, sleep=sleep, patience=patience)
    return VaultIssuer(settings, session)


def as_root(bao: Bao, **more: Any) -> VaultIssuer:
    return issuer(bao.url, bao.root, **more)


@dataclass
class Order:
    """One order; `noted` is what was made durable of it."""

    request: IssueRequest
    noted: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, **fields: Any) -> "Order":
        wanted = LeafRequest.model_validate(
            {
                "issuer": "theirs",
                "issuer_generation": 0,
                "issuer_id": "theirs",
                "dns_names": ("www.example.com",),
                "usages": (Usage.SERVER_AUTH,),
                "key": KeyType(algorithm=Algorithm.ECDSA, size=256),
                "duration": 5 * DAY,
                **fields,
            }
        )
        key = x509.encode_key(x509.generate_key(wanted.key))
        start, end = x509.validity(datetime.now(UTC), wanted.duration)
        noted: list[str] = []
        csr, token = signing_request(wanted, key), secrets.token_hex(16)
        return cls(IssueRequest(csr, wanted, start, end, token, noted.append), noted)

    def by(self, maker: VaultIssuer, resume: str | None = None) -> Issued:
        """Let an issuer fill the order, or go on with it."""
        request = self.request
        made = IssueRequest(
            request.csr,
            request.request,
            request.not_before,
            request.not_after,
            request.token,
            request.checkpoint,
            resume,
        )
        return maker.issue(made)

    def facts(self, issued: Issued) -> CertificateFacts:
        """What was issued, once it is believed."""
        return check(issued, self.request, VaultIssuer.honours, datetime.now(UTC))


def revocation(issued: Issued) -> RevokeRequest:
    """A request to revoke what was issued."""
    serial = x509.facts(issued.certificate).serial
    return RevokeRequest(issued.certificate, serial, RevocationReason.SUPERSEDED)
