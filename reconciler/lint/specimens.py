"""Specimens: certificates built as they would be signed, by nobody. No key is opened, made or needed.

A specimen has all that the certificate will have but its serial number, its key, where that is not known
yet, and its signature: that is of the right form, and of no key.
"""

import math
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from providers import mldsa, x509
from providers.signer import PublicKey
from reconciler.apply.reservation import issuer_urls
from reconciler.certificate_terms import alone, to_be_signed
from reconciler.chains import Generation, certificates_of, is_rooted, issuers_of
from reconciler.crl_terms import settled_terms
from reconciler.diff import World
from reconciler.diff.takeovers import existing_path
from reconciler.ledger.records import Issuance, Status, Urls
from reconciler.lint.issues import Issue
from reconciler.published_names import shard_of
from schemas.certificate import Algorithm
from schemas.request import AuthorityRequest, KeyType, LeafRequest

_SMALL_PRIMES = math.prod(n for n in range(3, 752) if all(n % d for d in range(2, n)))
_EXPONENT = 65537


@dataclass(frozen=True, slots=True)
class Specimen:
    """A certificate as it would be, in DER, and the one it would be signed under; its own for a root."""

    der: bytes
    issuer: bytes


class Nobody:
    """Signs with no key: what it returns has the form of a signature, and is none."""

    def __init__(self, public: PublicKey) -> None:
        self._public = public

    def public_key(self) -> PublicKey:
        """Return the key that would have signed."""
        return self._public

    def sign(self, _data: bytes, /) -> bytes:
        """Return what is as long as a signature."""
        if isinstance(self._public, rsa.RSAPublicKey):
            return b"\x01" * (self._public.key_size // 8)
        if isinstance(self._public, ec.EllipticCurvePublicKey):
            return encode_dss_signature(1, 1)
        if isinstance(self._public, mldsa.MlDsaPublicKey):
            return bytes(mldsa.SIGNATURES[mldsa.size_of(self._public)])
        return bytes(64)


@dataclass
class Workshop:
    """Builds specimens for one plan. `coming` are the CAs that the plan issues, by name and generation."""

    world: World
    coming: dict[Generation, Issue]
    _issuers: dict[Generation, x509.IssuingAuthority] = field(default_factory=dict)
    _paths: dict[Generation, tuple[bytes, ...]] = field(default_factory=dict)
    _keys: dict[KeyType, bytes] = field(default_factory=dict)

    def make(self, issue: Issue) -> Specimen:
        """Return a certificate as it would be; raises `IssuanceRefused` with all that is against it."""
        issuer = _above(issue.request)
        if issuer is None:
            der = self._sign(issue, None)
            return Specimen(der, der)
        return Specimen(self._sign(issue, self._issuer(issuer)), self._path(issuer)[0])

    def line(self, issue: Issue) -> tuple[Generation, ...]:
        """Return the CAs that a certificate would hang by, as far up as they are to come."""
        issuer = _above(issue.request)
        return () if issuer is None else self._line(issuer)

    def refusals(self, issue: Issue) -> tuple[str, ...]:
        """Return why a certificate must not be signed under its CA as that was issued, or will be."""
        try:
            issuer = _above(issue.request)
            above = self._issuer(issuer) if issuer else None
            return x509.refusals(to_be_signed(self._reserved(issue, above)), above)
        except x509.IssuanceRefused as why:
            return why.reasons

    def _sign(self, issue: Issue, issuer: x509.IssuingAuthority | None) -> bytes:
        reserved = self._reserved(issue, issuer)
        public = issuer.public_key if issuer else x509.decode_spki(b64decode(reserved.spki))
        return x509.sign(to_be_signed(reserved), issuer, Nobody(public))

    def _reserved(self, issue: Issue, issuer: x509.IssuingAuthority | None) -> Issuance:
        request = issue.request if issuer else alone(issue.request)
        now = self.world.now
        try:
            not_before, not_after = x509.validity(
                now,
                request.duration,
                not_before_limit=issuer.not_before if issuer else None,
                not_after_limit=issuer.not_after if issuer else None,
            )
        except ValueError as why:
            raise x509.IssuanceRefused((str(why),)) from None
        serial = x509.new_serial()
        return Issuance(
            serial=serial,
            status=Status.RESERVED,
            request=request,
            digest="",
            not_before=not_before,
            not_after=not_after,
            spki=self._spki(issue),
            urls=self._urls(request, serial),
            reserved_at=now,
        )

    def _urls(self, request: LeafRequest | AuthorityRequest, serial: str) -> Urls:
        if request.issuer is None:
            return Urls()
        issuer = (request.issuer, request.issuer_generation or 0)
        wanted = self.world.desired.authorities.get(request.issuer)
        terms = settled_terms(self.world.ledger, *issuer, wanted)
        shard = shard_of(serial, terms.shards) if terms else None
        asked = wanted is not None and wanted.ocsp is not None
        return issuer_urls(self.world.desired.publish, *issuer, shard=shard, ocsp=asked)

    def _spki(self, issue: Issue) -> str:
        """Return the subject's public key: a CA's own where it has one, else one that nobody holds."""
        request = issue.request
        if isinstance(request, AuthorityRequest):
            known = self.world.authority(issue.name).generation(request.generation)
            if known is not None and known.spki:
                return known.spki
            return b64encode(public_key(request.key)).decode()
        if request.key not in self._keys:
            self._keys[request.key] = public_key(request.key)
        return b64encode(self._keys[request.key]).decode()

    def _issuer(self, issuer: Generation) -> x509.IssuingAuthority:
        if issuer not in self._issuers:
            path = self._path(issuer)
            proved = not any(ca in self.coming for ca in self._line(issuer)) and self._ends(issuer)
            load = x509.IssuingAuthority.load if proved else x509.IssuingAuthority.unproved
            self._issuers[issuer] = load(path[0], path[1:])
        return self._issuers[issuer]

    def _ends(self, issuer: Generation) -> bool:
        """Whether what an issuer hangs by is known up to a root."""
        found = issuers_of(self.world.ledger.authorities, *issuer)
        return not found or is_rooted(found)

    def _path(self, issuer: Generation) -> tuple[bytes, ...]:
        """Return the CA certificates from an issuer to its root, in DER, specimens of those to come."""
        if issuer not in self._paths:
            self._paths[issuer] = self._made(issuer) or self._issued(issuer)
        return self._paths[issuer]

    def _made(self, issuer: Generation) -> tuple[bytes, ...]:
        coming = self.coming.get(issuer)
        if coming is None:
            return ()
        above, own = _above(coming.request), self.make(coming).der
        return (own, *self._path(above)) if above else (own,)

    def _issued(self, issuer: Generation) -> tuple[bytes, ...]:
        found = issuers_of(self.world.ledger.authorities, *issuer)
        if not found and (taken := existing_path(self.world, *issuer)):
            return taken
        if not found:
            name, generation = issuer
            raise x509.IssuanceRefused((f"authority/{name} generation {generation} is not issued",))
        return tuple(map(x509.to_der, certificates_of(found)))

    def _line(self, issuer: Generation) -> tuple[Generation, ...]:
        """Return the CAs from an issuer upwards as far as they are to come."""
        coming = self.coming.get(issuer)
        above = _above(coming.request) if coming else None
        return (issuer, *self._line(above)) if above else (issuer,)


def _above(request: LeafRequest | AuthorityRequest) -> Generation | None:
    """Return whose specimen signs; None for a root, and for a CA that one of others is to sign.

    Nobody knows its path yet: that stands in for a root.
    """
    if request.issuer is None or request.issuer_id is not None:
        return None
    return request.issuer, request.issuer_generation or 0


def public_key(kind: KeyType) -> bytes:
    """Return a public key of a kind, in DER, that nobody has the private half of."""
    if kind.algorithm is not Algorithm.RSA:
        return x509.spki(x509.generate_key(kind).public_key())
    return x509.spki(rsa.RSAPublicNumbers(_EXPONENT, _modulus(kind.size)).public_key())


def _modulus(size: int) -> int:
    """Return a number of so many bits that may be a modulus: to make a real one takes seconds."""
    while True:
        number = secrets.randbits(size) | 3 << (size - 2) | 1
        if math.gcd(number, _SMALL_PRIMES) == 1:
            return number
