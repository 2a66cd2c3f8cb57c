"""CAs of before for the fleet in memory: certificates by cryptography, as people made them elsewhere."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509 as cx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from fleet_documents import LINEAGE

from providers import x509
from providers.signer import PrivateKey
from reconciler.ledger.records import PastEntry, Revoked
from reconciler.takeover import Takeover
from schemas.custody import CaCustody, Kept, SopsKey
from schemas.request import AuthorityRequest
from schemas.revocation import RevocationReason

IN_SOPS = SopsKey(sops="legacy/key.sops")
NAME = cx.Name(
    [
        cx.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
        cx.NameAttribute(NameOID.EMAIL_ADDRESS, "ca@example.com"),
        cx.NameAttribute(NameOID.COMMON_NAME, "Legacy CA"),
    ]
)
"""An e-mail address in a name is more than our words can say."""


def made(
    start: datetime,
    key: PrivateKey,
    *,
    name: cx.Name = NAME,
    days: int = 3000,
    parent: tuple[bytes, PrivateKey] | None = None,
    serial: int = 0x1000,
) -> bytes:
    """Return a CA certificate as a program of before would make it, in DER: no key usage, ids of its own."""
    issuer = cx.load_der_x509_certificate(parent[0]).subject if parent else name
    builder = (
        cx.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(cx.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(cx.SubjectKeyIdentifier(serial.to_bytes(20)), critical=False)
    )
    signed = builder.sign(parent[1] if parent else key, hashes.SHA256())
    return signed.public_bytes(Encoding.DER)


def takeover(
    der: bytes,
    key: PrivateKey | None = None,
    *,
    parent: str | None = None,
    custody: CaCustody = IN_SOPS,
    past: Sequence[PastEntry] = (),
    number: int | None = None,
) -> Takeover:
    """Return what resolving the documents of such a CA gives; `key` is what is in its sops file."""
    found, said = x509.facts(der), x509.existing_authority(der)
    request = AuthorityRequest(
        issuer=parent,
        issuer_generation=1 if parent else None,
        generation=1,
        common_name=said.common_name or "",
        subject=said.words,
        key=said.key,
        duration=said.duration,
        path_length=said.path_length,
        name_constraints=said.constraints,
        key_ref=custody.reference,
        inherited=said.inherited,
    )
    told = [entry.to_json() for entry in past]
    return Takeover(
        request=request,
        custody=custody,
        certificate=der,
        serial=found.serial,
        sha256=found.sha256,
        not_before=found.not_before,
        not_after=found.not_after,
        spki=b64encode(found.spki).decode(),
        subject=said.subject,
        evidence=hashlib.sha256(json.dumps([found.sha256, told, number]).encode()).hexdigest()[:32],
        past=tuple(past),
        number=number,
        sealed=sealed(key) if key is not None else None,
    )


def sealed(key: PrivateKey) -> bytes:
    """Return a key as a whole file in what the cipher of the fleet takes for a sops file."""
    clear = x509.key_pem(x509.encode_key(key)).reveal().hex()
    age = [{"recipient": LINEAGE.leaf_recipient}]
    return json.dumps({"clear": clear, "sops": {"age": age}}).encode()


def elliptic() -> ec.EllipticCurvePrivateKey:
    """Return a new key."""
    return ec.generate_private_key(ec.SECP256R1())


def entry(serial: str, ends: datetime | None, revoked: datetime | None = None) -> PastEntry:
    """Return what is known of a certificate of before."""
    why = RevocationReason.KEY_COMPROMISE
    told = Revoked(at=revoked, reason=why) if revoked else None
    return PastEntry(serial=serial, not_after=ends, subject=f"/CN={serial}", revoked=told)


ANCHOR = Kept.NONE
OFFLINE = Kept.OFFLINE
