"""Configuration directories as certbot leaves them, without a CA: certificates that sign themselves."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from josepy.jwk import JWKRSA

SERVER = "https://acme-v02.api.letsencrypt.org/directory"
ACCOUNT = "0123456789abcdef0123456789abcdef"
BEGUN = datetime(2026, 11, 1, tzinfo=UTC)


def leaf(names: tuple[str, ...], *, bits: int = 0) -> bytes:
    """Return a certificate for names, in PEM: ECDSA P-256, or RSA of so many bits."""
    key = rsa.generate_private_key(65537, bits) if bits else ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([])
    made = (
        x509.CertificateBuilder(subject, subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(BEGUN)
        .not_valid_after(BEGUN + timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    )
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def account_jwk() -> bytes:
    """Return a new key as certbot keeps an account's: a JWK."""
    key = rsa.generate_private_key(65537, 2048)
    return json.dumps(JWKRSA(key=key).to_json()).encode()


def account_pem() -> bytes:
    """Return a new key as lego keeps an account's: PEM, in the form of SEC 1."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


class CertbotFolder:
    """A configuration directory, one renewal file after the other."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "renewal").mkdir(parents=True)

    def add(
        self,
        name: str,
        settings: str,
        names: tuple[str, ...] = (),
        *,
        above: str = "",
        bits: int = 0,
    ) -> Path:
        """Add a lineage; without names it has no certificate."""
        if names:
            folder = self.root / "archive" / name
            folder.mkdir(parents=True)
            (folder / "cert1.pem").write_bytes(leaf(("old.example.com",)))
            (folder / "cert2.pem").write_bytes(leaf(names, bits=bits))
        path = self.root / "renewal" / f"{name}.conf"
        path.write_text(
            f"{above}version = 5.1.0\narchive_dir = /etc/letsencrypt/archive/{name}\n"
            f"cert = /etc/letsencrypt/live/{name}/cert.pem\n\n# Options used in the renewal process\n"
            f"[renewalparams]\naccount = {ACCOUNT}\nserver = {SERVER}\n{settings}\n"
        )
        return path

    def add_account(self, email: str = "admin@example.com") -> Path:
        """Add the account that the renewal files name; return where its key is."""
        folder = self.root / "accounts/acme-v02.api.letsencrypt.org/directory" / ACCOUNT
        folder.mkdir(parents=True)
        said = {"body": {"contact": [f"mailto:{email}"]}, "uri": "https://acme.example/acct/1"}
        (folder / "regr.json").write_text(json.dumps(said))
        (folder / "private_key.json").write_bytes(account_jwk())
        return folder / "private_key.json"
