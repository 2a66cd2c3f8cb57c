"""An ACME issuer over a CA on loopback, with settings, keys and solvers as a document would give them."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from key_kinds import P256
from name_server_ports import HOST

from providers import x509
from providers.acme.issuer import AcmeIssuer
from providers.issued import check
from providers.issuing import Issued, IssueRequest
from providers.secret import Secret
from providers.signer import PrivateKey
from providers.x509.ordering import signing_request
from schemas.acme import Acme
from schemas.certificate import Usage
from schemas.request import KeyType, LeafRequest
from schemas.secrets import SecretReference

ACCOUNT = {"name": "secrets/acme.sops.yaml", "key": "account"}
BINDING = {"name": "secrets/acme.sops.yaml", "key": "hmac"}


class Server(Protocol):
    """A CA that runs; `anchors` (PEM) are for its TLS, and `web_port` is where it looks for HTTP-01."""

    @property
    def web_port(self) -> int: ...

    @property
    def url(self) -> str: ...

    @property
    def anchors(self) -> bytes: ...


@dataclass
class Keyring:
    """The secrets that an Issuer names; `opened` tells which were opened, in order."""

    secrets: dict[str, bytes] = field(default_factory=dict, repr=False)
    opened: list[str] = field(default_factory=list)

    def __call__(self, reference: SecretReference) -> Secret:
        self.opened.append(reference.key)
        return Secret(self.secrets[reference.key])


def pem_key(kind: KeyType = P256) -> bytes:
    """Make a private key, in PEM."""
    return pem_of(x509.generate_key(kind))


def pem_of(key: PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key in PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def http_solver(ca: Server) -> dict[str, Any]:
    """Return a solver that answers where the CA looks."""
    return {"http01": {"standalone": {"listen": f"{HOST}:{ca.web_port}"}}}


def settings(ca: Server, **more: Any) -> Acme:
    """Return settings for an account; by default everything is proved by HTTP."""
    return Acme.model_validate(
        {
            "server": ca.url,
            "email": "pki@example.com",
            "privateKeySecretRef": ACCOUNT,
            "solvers": (http_solver(ca),),
            **more,
        }
    )


def issuer(ca: Server, keyring: Keyring | None = None, **more: Any) -> AcmeIssuer:
    """Make an issuer with an account of its own, unless a keyring is given."""
    held = keyring or Keyring({"account": pem_key()})
    return AcmeIssuer(settings(ca, **more), held, ca.anchors)


@dataclass
class Buyer:
    """Buys certificates. `noted` holds what was given to checkpoints, `key` is the last one's key."""

    noted: list[str] = field(default_factory=list)
    key: Secret = field(default_factory=lambda: Secret(b""))

    def ask(self, *names: str, **fields: object) -> IssueRequest:
        """Make a request for DNS names, or other fields of LeafRequest, with a new key."""
        wanted = LeafRequest.model_validate(
            {
                "issuer": "public",
                "issuer_generation": 0,
                "issuer_id": "public",
                "dns_names": names,
                "usages": (Usage.SERVER_AUTH,),
                "key": P256,
                "duration": 90 * 86_400,
                **fields,
            }
        )
        self.key = x509.encode_key(x509.generate_key(wanted.key))
        start, end = x509.validity(datetime.now(UTC), wanted.duration)
        csr, token = signing_request(wanted, self.key), secrets.token_hex(16)
        return IssueRequest(csr, wanted, start, end, token, self.noted.append)

    def buy(self, issuer: AcmeIssuer, *names: str, **fields: object) -> Issued:
        """Ask for a certificate, and expect that it is issued at once, and as asked for."""
        request = self.ask(*names, **fields)
        return bought(issuer, request)


def bought(issuer: AcmeIssuer, request: IssueRequest) -> Issued:
    """Issue, and expect what was asked for."""
    answer = issuer.issue(request)
    assert isinstance(answer, Issued), answer
    check(answer, request, issuer.honours, datetime.now(UTC))
    return answer
