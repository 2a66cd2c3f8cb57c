"""Signing requests of our own (PKCS #10, RFC 2986): what a CA of others is asked with."""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from providers.secret import Secret
from providers.signer import signature_hash
from providers.x509.issuance import deterministic
from providers.x509.keys import armoured, decode_key
from providers.x509.profile import leaf_extensions, subject_name
from schemas.request import LeafRequest


def request_pem(der: bytes) -> bytes:
    """Return a signing request (DER) as PEM (RFC 7468 section 7)."""
    return armoured("CERTIFICATE REQUEST", der)


def signing_request(request: LeafRequest, key: Secret) -> bytes:
    """Return a signing request (DER) for all that a leaf is to say, signed by its key (PKCS #8 DER).

    The same key and leaf give the same bytes: a CA that is asked twice with one token sees one request.
    """
    private = decode_key(key)
    builder = x509.CertificateSigningRequestBuilder(
        subject_name=subject_name(request.subject, request.common_name),
        extensions=[
            x509.Extension(value.oid, critical, value)
            for value, critical in leaf_extensions(request)
        ],
    )
    public = private.public_key()
    signed = builder.sign(
        private, signature_hash(public), ecdsa_deterministic=deterministic(public)
    )
    return signed.public_bytes(Encoding.DER)
