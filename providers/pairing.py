"""The last look before a bundle is written: the key is the certificate's, and the chain holds."""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise, starmap

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import Certificate, load_pem_x509_certificate

from providers import x509
from providers.base import Bundle
from providers.errors import Rejected
from providers.secret import Secret


@dataclass(frozen=True, slots=True)
class Pair:
    """What a sound bundle's certificate says."""

    serial: str
    sha256: str
    not_after: datetime
    trust: str
    dns_name: str | None


@dataclass(frozen=True, slots=True)
class Pairing:
    """Checks bundles; what many have in common, their issuers, is looked at once."""

    _parsed: dict[bytes, Certificate] = field(default_factory=dict)
    _linked: set[tuple[bytes, bytes]] = field(default_factory=set)
    _trust: dict[tuple[tuple[bytes, ...], tuple[bytes, ...]], str] = field(default_factory=dict)

    def check(self, bundle: Bundle) -> Pair:
        """Return what the certificate says; raises `Rejected` for a bundle nobody could use."""
        try:
            facts = x509.facts(bundle.certificate)
            if bundle.private_key is not None:
                _check_key(bundle.private_key, facts.certificate)
            self._check_chain(facts.certificate, bundle)
            name = next(iter(facts.dns_names), None)
            trust = self._trust_digest(bundle)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            # the parser's own words are left out: they may quote what it could not read
            raise Rejected("the bundle holds PEM that cannot be read") from None
        return Pair(facts.serial, facts.sha256, facts.not_after, trust, name)

    def _check_chain(self, leaf: Certificate, bundle: Bundle) -> None:
        above = bundle.chain
        if above and not (
            x509.is_issued_by(leaf, self._parse(above[0]))
            and all(starmap(self._links, pairwise(above)))
        ):
            raise Rejected("the chain is broken: a certificate was not issued by the next one")
        if bundle.anchors and not any(self._ends(leaf, above, anchor) for anchor in bundle.anchors):
            raise Rejected("the chain ends at a certificate that no trust anchor issued")

    def _ends(self, leaf: Certificate, above: tuple[bytes, ...], anchor: bytes) -> bool:
        return (
            self._links(above[-1], anchor)
            if above
            else x509.is_issued_by(leaf, self._parse(anchor))
        )

    def _links(self, child: bytes, issuer: bytes) -> bool:
        """Whether one CA issued another, asked once for all that lies below them."""
        if (child, issuer) not in self._linked:
            if not x509.is_issued_by(self._parse(child), self._parse(issuer)):
                return False
            self._linked.add((child, issuer))
        return True

    def _parse(self, pem: bytes) -> Certificate:
        if pem not in self._parsed:
            self._parsed[pem] = load_pem_x509_certificate(pem)
        return self._parsed[pem]

    def _trust_digest(self, bundle: Bundle) -> str:
        key = (bundle.chain, bundle.anchors)
        if key not in self._trust:
            self._trust[key] = x509.trust_digest(bundle.chain, bundle.anchors)
        return self._trust[key]


def _check_key(private_key: Secret, certificate: Certificate) -> None:
    pem = private_key.reveal()
    # validating an RSA key takes 30 ms; the question is only whose it is
    key = load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
    if key.public_key() != certificate.public_key():
        raise Rejected("the private key is not the certificate's")
