"""Signing requests of our own (PKCS #10, RFC 2986): what a CA of others is asked with."""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from providers.secret import Secret
from providers.signer import KeySigner, Signer, builder_key, signature_hash
from providers.x509.issuance import deterministic
from providers.x509.keys import armoured, decode_key
from providers.x509.profile import (
    Extensions,
    authority_extensions,
    leaf_extensions,
    own_name,
    subject_name,
)
from schemas.request import AuthorityRequest, LeafRequest


def request_pem(der: bytes) -> bytes:
    """Return a signing request (DER) as PEM (RFC 7468 section 7)."""
    return armoured("CERTIFICATE REQUEST", der)


def signing_request(request: LeafRequest, key: Secret) -> bytes:
    """Return a signing request (DER) for all that a leaf is to say, signed by its key (PKCS #8 DER).

    The same key and leaf give the same bytes: a CA that is asked twice with one token sees one request.
    """
    name = subject_name(request.subject, request.common_name)
    return _signed(name, leaf_extensions(request), KeySigner(decode_key(key)))


def authority_signing_request(request: AuthorityRequest, signer: Signer) -> bytes:
    """Return a signing request (DER) for all that a CA is to say, signed by its key, wherever that is.

    Path length and name constraints are in it; raises whatever the signer raises.
    """
    said = authority_extensions(request, signer.public_key())
    return _signed(own_name(request), said, signer)


def _signed(name: x509.Name, said: Extensions, signer: Signer) -> bytes:
    public = signer.public_key()
    builder = x509.CertificateSigningRequestBuilder(
        subject_name=name,
        extensions=[x509.Extension(value.oid, critical, value) for value, critical in said],
    )
    signed = builder.sign(
        builder_key(signer), signature_hash(public), ecdsa_deterministic=deterministic(public)
    )
    return signed.public_bytes(Encoding.DER)
