"""Tokens of SoftHSM in a folder of the test's own, and keys that are made in them."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pkcs11
from pkcs11 import Attribute, KeyType, Session
from pkcs11.util.ec import encode_named_curve_parameters

from providers.pkcs11.module import load
from schemas.certificate import Algorithm
from schemas.custody import RemoteKey
from schemas.request import KeyType as Kind

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN, OFFICER = "271828", "31415926"
_CURVES = {256: "secp256r1", 384: "secp384r1", 521: "secp521r1"}
_KEPT = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}


@dataclass
class SoftHsm:
    """A folder with tokens. `environment` leads SoftHSM there, in this process or in another."""

    folder: Path
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        tokens, conf = self.folder / "tokens", self.folder / "softhsm2.conf"
        tokens.mkdir(parents=True)
        conf.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\n")
        self.environment = {"SOFTHSM2_CONF": str(conf)}

    def token(self, label: str) -> None:
        """Make a token, as an operator does."""
        self.run("--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", OFFICER)

    def lose(self, label: str) -> None:
        """Take a token away."""
        self.run("--delete-token", "--token", label)

    def run(self, *arguments: str) -> str:
        """Run softhsm2-util."""
        done = subprocess.run(
            ["softhsm2-util", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def key(self, token: str, label: str, kind: Kind, **template: Any) -> RemoteKey:
        """Make a key in a token and return it as documents name it."""
        with load(MODULE).get_token(token_label=token).open(rw=True, user_pin=PIN) as session:
            make_key(session, label, kind, template)
        return named(f"pkcs11:token={token};object={label}")


def named(uri: str, module: str = MODULE) -> RemoteKey:
    """Return a key as a document names it."""
    return RemoteKey.model_validate({"pkcs11": {"key": uri, "module": module}})


def make_key(session: Session, label: str, kind: Kind, template: dict[str, Any]) -> None:
    """Make a key pair that stays in its token, unless the template says otherwise."""
    own = {**_KEPT, **{Attribute[name]: value for name, value in template.items()}}
    settings: dict[str, Any] = {"store": True, "label": label, "id": label.encode()}
    if kind.algorithm is Algorithm.RSA:
        session.generate_keypair(KeyType.RSA, kind.size, private_template=own, **settings)
        return
    curve = encode_named_curve_parameters(_CURVES[kind.size])
    parameters = session.create_domain_parameters(
        KeyType.EC, {Attribute.EC_PARAMS: curve}, local=True
    )
    parameters.generate_keypair(private_template=own, **settings)


def extracted(token: str, label: str) -> bytes:
    """Try to read a private key out of its token, whose session is open; raises what the token raises."""
    with load(MODULE).get_token(token_label=token).open() as session:  # logged in already
        key = session.get_key(pkcs11.ObjectClass.PRIVATE_KEY, label=label)
        value: bytes = key[
            Attribute.VALUE if key.key_type is KeyType.EC else Attribute.PRIVATE_EXPONENT
        ]
        return value
