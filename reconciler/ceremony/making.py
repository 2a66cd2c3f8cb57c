"""Making what a request asks for, by the same code and with the same refusals as `apply`.

An answer is checked by making it again: the signature that it brings is put in where the key would
make one, after it was verified over exactly what was to be signed.
"""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509 as pyca

from providers import x509
from providers.errors import Conflict
from providers.remote import verifies
from providers.signer import PublicKey, Signer
from providers.x509 import IssuingAuthority
from reconciler.ceremony.papers import AskedCertificate, AskedCrl, Generation
from reconciler.certificate_terms import to_be_signed

Chains = Mapping[Generation, Sequence[bytes]]
"""The certificates (DER) from each CA generation up to its root."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Stands in for a key: it gives the one signature it was given, if that is one over the data."""

    key: PublicKey
    signature: bytes

    def public_key(self) -> PublicKey:
        """Return the public half of the key that is stood in for."""
        return self.key

    def sign(self, data: bytes, /) -> bytes:
        """Return the signature; raises `Conflict` where it is not over these data by that key."""
        if not verifies(self.key, self.signature, data):
            raise Conflict(
                "it is signed by another key, or says something else than what was asked"
            )
        return self.signature


def make_certificate(asked: AskedCertificate, spki: bytes, chains: Chains, signer: Signer) -> bytes:
    """Return the certificate in DER; raises IssuanceRefused with every reason, and what the signer raises."""
    if asked.issuance.spki and b64decode(asked.issuance.spki) != spki:
        raise Conflict("it is for another key than the one that is reserved")
    issuer = None if asked.is_self_signed else issuing(chains, asked.signer)
    return x509.sign(to_be_signed(asked.issuance, spki), issuer, signer)


def make_crl(asked: AskedCrl, chains: Chains, signer: Signer) -> bytes:
    """Return the CRL in DER; raises as `make_certificate` does."""
    return x509.sign_crl(asked.content(), issuing(chains, asked.signer), signer)


def issuing(chains: Chains, whose: Generation) -> IssuingAuthority:
    """Return a CA ready to sign, its chain verified up to the root; raises `Conflict` without one."""
    chain = chains.get(whose)
    if not chain:
        raise Conflict(
            f"the certificate of authority/{whose[0]}, generation {whose[1]}, is missing"
        )
    return IssuingAuthority.load(chain[0], chain[1:])


def replay_certificate(asked: AskedCertificate, der: bytes, chains: Chains) -> None:
    """Raise ProviderError unless a certificate is, byte for byte, what was asked for, soundly signed."""
    found = pyca.load_der_x509_certificate(der)
    spki = x509.facts(der).spki
    key = found.public_key() if asked.is_self_signed else issuing(chains, asked.signer).public_key
    again = make_certificate(asked, spki, chains, Replay(key, found.signature))  # type: ignore[arg-type]
    if again != der:
        raise Conflict("it is not, byte for byte, what was asked for")


def replay_crl(asked: AskedCrl, der: bytes, chains: Chains) -> None:
    """Raise ProviderError unless a CRL is, byte for byte, what was asked for, soundly signed."""
    signature = pyca.load_der_x509_crl(der).signature
    again = make_crl(asked, chains, Replay(issuing(chains, asked.signer).public_key, signature))
    if again != der:
        raise Conflict("it is not, byte for byte, what was asked for")
