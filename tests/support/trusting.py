"""Bundles as they are written in a fleet, and certificates of others for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from reconciler.state import DesiredBundle, DesiredInstall
from schemas.base import digest
from schemas.plan import Source


@dataclass(frozen=True)
class Trust:
    """A Bundle as it is written. `targets` are (target, object name) pairs, `others` PEM."""

    authorities: tuple[str, ...] = ("root",)
    targets: tuple[tuple[str, str | None], ...] = (("a", None),)
    others: tuple[bytes, ...] = ()
    overlap: float = 7
    labels: Mapping[str, str] = field(default_factory=dict)


def desired_bundle(name: str, trust: Trust) -> DesiredBundle:
    """Return a Bundle as documents ask for it; `overlap` is in days."""
    return DesiredBundle(
        name=name,
        source=Source(file="test.yaml"),
        authorities=trust.authorities,
        digest=digest([list(trust.authorities), [pem.decode() for pem in trust.others]]),
        overlap=timedelta(days=trust.overlap),
        installs=tuple(DesiredInstall(t, o or name) for t, o in trust.targets),
        others=trust.others,
        labels=trust.labels,
    )


def stranger(
    name: str, start: datetime, days: int = 3650, *, ca: bool = True, by: str | None = None
) -> bytes:
    """Return a certificate (PEM) of somebody else, `by` whom it says; its key is made for tests and lost."""
    key = Ed25519PrivateKey.generate()
    named = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, n)]) for n in (name, by or name)]
    made = (
        x509.CertificateBuilder()
        .subject_name(named[0])
        .issuer_name(named[1])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    return made.sign(key, None).public_bytes(Encoding.PEM)
