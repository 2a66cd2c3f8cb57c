"""OCSP responses below the CAs of a mint, and the programs that ask for them and judge them."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mint import Authority

from providers import x509
from providers.base import Tree
from providers.signer import KeySigner
from providers.x509.ocsp import Freshness, request_for, request_path, sign_responses
from providers.x509.responder import (
    Responder,
    ResponderRequest,
    responder_key_type,
    sign_responder,
)

NAME = "ocsp/services-g1"
Statuses = Mapping[str, x509.CrlEntry | None]


def delegated(
    issuer: Authority, now: datetime, *, life: timedelta = timedelta(days=4)
) -> Responder:
    """Return a responder whose certificate the CA signed."""
    authority = issuer.authority
    algorithm, _ = x509.key_type(authority.public_key)
    signer = KeySigner(x509.generate_key(responder_key_type(algorithm)))
    request = ResponderRequest(
        serial=x509.new_serial(),
        not_before=now - timedelta(minutes=5),
        not_after=now + life,
        spki=x509.spki(signer.public_key()),
    )
    return Responder(sign_responder(request, authority, issuer.signer), signer)


def tree(issuer: Authority, statuses: Statuses, name: str = NAME) -> Tree:
    """Return the responses of some serials, good from now on for four days."""
    now = datetime.now(UTC).replace(microsecond=0)
    freshness = Freshness(now, now + timedelta(days=4))
    return Tree(name, sign_responses(statuses, issuer.authority, delegated(issuer, now), freshness))


def path_of(issuer: Authority, serial: str) -> str:
    """Return where the response of a serial lies."""
    return request_path(request_for(issuer.authority, serial))


@dataclass
class Asker:
    """OpenSSL and GnuTLS, which ask about leaves below one CA and look at what they are told."""

    folder: Path
    issuer: Authority

    def __post_init__(self) -> None:
        self._write("issuer.pem", x509.pem(self.issuer.der))
        line = (self.issuer.der, *self.issuer.above)
        self._write("root.pem", x509.pem(line[-1]))
        self._write("between.pem", b"".join(map(x509.pem, line)))

    def openssl_request(self, leaf: bytes) -> bytes:
        """Return the request that OpenSSL makes for a leaf."""
        out = self.folder / "openssl.req"
        self._openssl(leaf, "-no_nonce", "-reqout", str(out))
        return out.read_bytes()

    def gnutls_request(self, leaf: bytes) -> bytes:
        """Return the request that GnuTLS makes for a leaf."""
        out = self.folder / "gnutls.req"
        self._gnutls(leaf, "--generate-request", "--no-nonce", "--outfile", str(out))
        return out.read_bytes()

    def openssl(self, leaf: bytes, response: bytes) -> str:
        """Return what OpenSSL says of a response: the status is in it, and `OK` where it verifies."""
        self._write("response.der", response)
        respin = ("-respin", str(self.folder / "response.der"))
        return self._openssl(leaf, *respin, *self._trust())

    def openssl_at(self, leaf: bytes, url: str, *more: str) -> str:
        """Ask a server by POST, and return what OpenSSL says of the answer."""
        return self._openssl(leaf, "-url", url, *more, *self._trust())

    def gnutls(self, leaf: bytes, response: bytes) -> str:
        """Return what GnuTLS says of a response, after it verified it below the root."""
        self._write("response.der", response)
        respin = ("--load-response", str(self.folder / "response.der"))
        trust = ("--load-trust", str(self.folder / "between.pem"))
        return self._gnutls(leaf, "--verify-response", *respin, *trust)

    def _trust(self) -> tuple[str, ...]:
        root, between = str(self.folder / "root.pem"), str(self.folder / "between.pem")
        return ("-CAfile", root, "-verify_other", between)

    def _openssl(self, leaf: bytes, *options: str) -> str:
        self._write("leaf.pem", x509.pem(leaf))
        issuer, cert = (str(self.folder / name) for name in ("issuer.pem", "leaf.pem"))
        argv = ("openssl", "ocsp", "-issuer", issuer, "-cert", cert, *options)
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def _gnutls(self, leaf: bytes, *options: str) -> str:
        self._write("leaf.pem", x509.pem(leaf))
        issuer, cert = (str(self.folder / name) for name in ("issuer.pem", "leaf.pem"))
        argv = ("ocsptool", "--load-issuer", issuer, "--load-cert", cert, *options)
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def _write(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)
