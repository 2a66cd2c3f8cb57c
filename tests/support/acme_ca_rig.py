"""An ACME issuer over Pebble, with settings, keys and solvers as a document would give them."""

from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from key_kinds import P256
from name_server_ports import HOST
from pebble import Pebble

from providers import x509
from providers.acme.issuer import AcmeIssuer
from providers.secret import Secret
from schemas.acme import Acme
from schemas.request import KeyType
from schemas.secrets import SecretReference

ACCOUNT = {"name": "secrets/acme.sops.yaml", "key": "account"}
BINDING = {"name": "secrets/acme.sops.yaml", "key": "hmac"}


@dataclass
class Keyring:
    """The secrets that an Issuer names; `opened` tells which were opened, in order."""

    secrets: dict[str, bytes] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)

    def __call__(self, reference: SecretReference) -> Secret:
        self.opened.append(reference.key)
        return Secret(self.secrets[reference.key])


def pem_key(kind: KeyType = P256) -> bytes:
    """Make a private key, in PEM."""
    key = x509.generate_key(kind)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def http_solver(pebble: Pebble) -> dict[str, Any]:
    """Return a solver that answers where Pebble looks."""
    return {"http01": {"standalone": {"listen": f"{HOST}:{pebble.web_port}"}}}


def settings(pebble: Pebble, **more: Any) -> Acme:
    """Return settings for an account at Pebble; by default everything is proved by HTTP."""
    return Acme.model_validate(
        {
            "server": pebble.url,
            "email": "pki@example.com",
            "privateKeySecretRef": ACCOUNT,
            "solvers": (http_solver(pebble),),
            **more,
        }
    )


def issuer(pebble: Pebble, keyring: Keyring | None = None, **more: Any) -> AcmeIssuer:
    """Make an issuer with an account of its own, unless a keyring is given."""
    held = keyring or Keyring({"account": pem_key()})
    return AcmeIssuer(settings(pebble, **more), held, pebble.anchors)
