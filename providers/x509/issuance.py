"""Signing: one content and one key give the same bytes, but by ML-DSA; again is no second certificate."""

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from providers.signer import PublicKey, Signer, builder_key, signature_hash
from providers.x509.issuer import IssuanceRefused, IssuingAuthority
from providers.x509.profile import ToBeSigned, extensions, own_name
from providers.x509.refusals import examine


def sign(tbs: ToBeSigned, issuer: IssuingAuthority | None, signer: Signer) -> bytes:
    """Return the certificate in DER, self-signed when there is no issuer.

    Raises IssuanceRefused with every reason why it must not exist, and whatever the signer raises.
    """
    key, reasons = examine(tbs, issuer)
    if reasons or key is None:
        raise IssuanceRefused(reasons)
    signing_key = signer.public_key()
    if signing_key != (issuer.public_key if issuer else key):
        raise IssuanceRefused(("the signer holds another key than the issuer's certificate",))
    certificate = _builder(tbs, key, issuer).sign(
        builder_key(signer),
        signature_hash(signing_key),
        ecdsa_deterministic=deterministic(signing_key),
    )
    return certificate.public_bytes(Encoding.DER)


def deterministic(key: PublicKey) -> bool | None:
    """Return what cryptography's builders take as `ecdsa_deterministic`: True for ECDSA, else None."""
    return True if isinstance(key, ec.EllipticCurvePublicKey) else None


def _builder(
    tbs: ToBeSigned, key: PublicKey, issuer: IssuingAuthority | None
) -> x509.CertificateBuilder:
    """Everything at once: the builder copies itself at every added part, a third of the whole time."""
    subject = own_name(tbs.request)
    said = extensions(tbs, key, issuer.key_id if issuer else None)
    return x509.CertificateBuilder(
        issuer_name=issuer.subject if issuer else subject,
        subject_name=subject,
        public_key=key,
        serial_number=int(tbs.serial, 16),
        not_valid_before=tbs.not_before.replace(tzinfo=None),
        not_valid_after=tbs.not_after.replace(tzinfo=None),
        extensions=[x509.Extension(value.oid, critical, value) for value, critical in said],
    )
