"""What a mount of the PKI engine tells: certificates, the CAs above them, and what is revoked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import CertificateRevocationList

from providers import x509
from providers.errors import NotFound, Rejected
from providers.issued import sorted_chain
from providers.issuing import Issued
from providers.vault.session import VaultSession
from providers.x509.foreign_crl import load_foreign_crl

_MOST = 32
"""Certificates that came with another and are looked at."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A certificate (DER) as the mount keeps it."""

    der: bytes
    is_revoked: bool


@dataclass(frozen=True, slots=True)
class Mount:
    """A mount, and the one of its issuers that is meant; None is for its default.

    Its CAs and its settings are read once a run: a night with many revocations asks for them as often.
    """

    session: VaultSession
    path: str
    issuer: str | None = None
    _known: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)

    def certificate(self, serial: str) -> Kept | None:
        """Return a certificate by its serial as Vault writes it, None where none is kept."""
        try:
            told = self.session.read(f"{self.path}/cert/{serial}")
        except NotFound:
            return None
        der = certificates(told.get("certificate"))[0]
        return Kept(der, bool(told.get("revocation_time")))

    def issued(self, serial: str) -> Issued:
        """Return what was signed under a serial; raises `NotFound` where it was not kept."""
        found = self.certificate(serial)
        if found is None:
            raise NotFound(
                f"{self.session.connection.server} keeps no certificate {serial} at {self.path}, as with"
                " no_store or after a tidy: it is ordered anew"
            )
        return _with_path(found.der, self._issuer_of(found.der)[1])

    def crl(self, certificate: bytes) -> CertificateRevocationList | None:
        """Return the list on which a certificate (DER) would be; None where it is not made at once.

        A list that is made now and then, or by nobody, tells nothing yet of what was just revoked.
        """
        config = self._once("config/crl")
        if config.get("disable") or config.get("auto_rebuild"):
            return None
        name, above = self._issuer_of(certificate)
        told = self.session.read(f"{self.path}/issuer/{name}/crl")
        try:
            return load_foreign_crl(str(told.get("crl")).encode(), above[0])
        except ValueError as why:
            raise Rejected(f"the CRL of {self.path}/issuer/{name} is of no use: {why}") from None

    def _issuer_of(self, certificate: bytes) -> tuple[str, tuple[bytes, ...]]:
        """Return the issuer of a certificate, by its id, and the CAs (DER) from it upwards."""
        for name in self._issuers():
            told = self._once(f"issuer/{name}/json")
            above = linked(certificate, certificates(told.get("certificate"), told.get("ca_chain")))
            if above:
                return str(told.get("issuer_id") or name), above
        server = self.session.connection.server
        raise NotFound(f"{server} has no issuer at {self.path} that issued the certificate")

    def _once(self, what: str) -> dict[str, Any]:
        if what not in self._known:
            self._known[what] = self.session.read(f"{self.path}/{what}")
        return self._known[what]

    def _issuers(self) -> Iterator[str]:
        """Yield the one that is meant, then the others: what was the default may have changed."""
        yield self.issuer or "default"
        yield from self.session.names(f"{self.path}/issuers")


def signed(answer: Mapping[str, Any]) -> Issued:
    """Return what an answer to a signing request holds; raises `Rejected` for what cannot be read."""
    certificate, *above = certificates(
        answer.get("certificate"), answer.get("issuing_ca"), answer.get("ca_chain")
    )
    return _with_path(certificate, above)


def _with_path(certificate: bytes, above: Sequence[bytes]) -> Issued:
    chain, anchors = sorted_chain(linked(certificate, above))
    return Issued(certificate, chain, anchors)


def certificates(*told: Any) -> tuple[bytes, ...]:
    """Return the certificates (DER) of what an answer holds, a PEM or a list of them; raises `Rejected`."""
    texts = [text for each in told for text in (each if isinstance(each, list) else [each])]
    try:
        found = [x509.split_pem(str(text).encode()) for text in texts if text]
        ders = [der for each in found for der in each if x509.facts(der)]
    except ValueError:
        ders = []
    if not ders:
        # the parser's own words are left out: they may quote what it could not read
        raise Rejected("Vault returned what cannot be read as a certificate")
    return tuple(dict.fromkeys(ders))[:_MOST]


def linked(certificate: bytes, others: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return those of other certificates that stand above one, each the issuer of the one before it."""
    path, left = [certificate], list(others)
    while above := next((each for each in left if _is_above(each, path[-1])), None):
        path.append(above)
        left.remove(above)
    return tuple(path[1:])


def _is_above(issuer: bytes, certificate: bytes) -> bool:
    child, parent = x509.facts(certificate), x509.facts(issuer)
    try:
        is_root = child.subject == child.issuer and x509.is_issued_by(
            child.certificate, child.certificate
        )
        return not is_root and x509.is_issued_by(child.certificate, parent.certificate)
    except (ValueError, UnsupportedAlgorithm):
        return False


def colons(serial: str) -> str:
    """Return a serial in hex as Vault writes it: pairs of digits with colons between them."""
    even = serial.zfill(len(serial) + len(serial) % 2)
    return ":".join(even[at : at + 2] for at in range(0, len(even), 2))
