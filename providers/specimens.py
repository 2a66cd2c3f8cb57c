"""Specimen certificates: a small hierarchy made in memory, for trying a target out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from providers import x509
from providers.base import Bundle
from providers.signer import KeySigner, PrivateKey
from schemas.certificate import Algorithm, Usage
from schemas.request import AuthorityRequest, KeyType, LeafRequest

P256 = KeyType(algorithm=Algorithm.ECDSA, size=256)
_YEAR = 365 * 86_400
_WEEK = 7 * 86_400
_EARLIER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Specimens:
    """A root and an intermediate that issues leaves; certificates in DER."""

    root: bytes
    intermediate: bytes
    key: PrivateKey

    @classmethod
    def make(cls, now: datetime) -> "Specimens":
        """Make a hierarchy with keys of its own."""
        root_key, key = x509.generate_key(P256), x509.generate_key(P256)
        root = _authority("Specimen Root", None, root_key, None, now)
        issuer = x509.IssuingAuthority.load(root)
        below = _authority("Specimen CA", issuer, key, KeySigner(root_key), now)
        return cls(root, below, key)

    def bundle(self, dns_name: str, now: datetime, kind: KeyType = P256) -> Bundle:
        """Return a new certificate with a new key."""
        key = x509.generate_key(kind)
        start, end = x509.validity(now, _WEEK)
        request = LeafRequest(
            issuer="specimen",
            issuer_generation=1,
            dns_names=(dns_name,),
            usages=(Usage.SERVER_AUTH,),
            key=kind,
            duration=_WEEK,
        )
        tbs = x509.ToBeSigned(request, x509.new_serial(), start, end, x509.spki(key.public_key()))
        issuer = x509.IssuingAuthority.load(self.intermediate, (self.root,))
        return Bundle(
            certificate=x509.pem(x509.sign(tbs, issuer, KeySigner(self.key))),
            chain=(x509.pem(self.intermediate),),
            anchors=(x509.pem(self.root),),
            private_key=x509.key_pem(x509.encode_key(key)),
        )


def _authority(
    name: str,
    issuer: x509.IssuingAuthority | None,
    key: PrivateKey,
    signer: KeySigner | None,
    now: datetime,
) -> bytes:
    start, end = x509.validity(now, _YEAR, backdate=_EARLIER)
    request = AuthorityRequest(
        issuer="root" if issuer else None,
        issuer_generation=1 if issuer else None,
        generation=1,
        common_name=name,
        key=P256,
        duration=_YEAR,
    )
    tbs = x509.ToBeSigned(request, x509.new_serial(), start, end, x509.spki(key.public_key()))
    return x509.sign(tbs, issuer, signer or KeySigner(key))
