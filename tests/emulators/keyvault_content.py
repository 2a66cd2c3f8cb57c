"""What an emulated vault makes and reads: keys, signing requests, certificates, and what is imported."""

import base64
import datetime as dt
import ipaddress
import re
from collections.abc import Iterator

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)
from keyvault_errors import bad
from keyvault_state import Json, Key

PEM, PFX = "application/x-pem-file", "application/x-pkcs12"
_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
    "P-256K": ec.SECP256K1,
}
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


def make_key(properties: Json) -> Key:
    kind = properties.get("kty", "RSA").removesuffix("-HSM")
    if kind == "EC":
        curve = properties.get("crv", "P-256")
        if curve not in _CURVES:
            raise bad(f"Property policy.key_props.crv has invalid value {curve}")
        return ec.generate_private_key(_CURVES[curve]())
    size = properties.get("key_size", 2048)
    if kind != "RSA" or size not in (2048, 3072, 4096):
        raise bad("Property policy.key_props has invalid value")
    return rsa.generate_private_key(65537, size)


def signing_request(key: Key, properties: Json) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(_subject(properties))
    if names := list(_names(properties.get("sans") or {})):
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if usages := [x509.ObjectIdentifier(oid) for oid in properties.get("ekus") or ()]:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def issue(csr: bytes, key: Key, issuer: str, months: int = 12) -> x509.Certificate:
    """Return a certificate for a signing request, by an issuer that has this key."""
    request = x509.load_der_x509_csr(csr)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(request.subject if issuer == "Self" else name)
        .public_key(request.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=10))
        .not_valid_after(now + dt.timedelta(days=30 * months))
    )
    for extension in request.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(key, hashes.SHA256())


def read_import(value: str, password: str | None, content_type: str) -> tuple[Key, list[bytes]]:
    """Return the key and the certificates (DER, in their order) of what is imported."""
    data = base64.b64decode(value)
    try:
        key, certificates = (
            _read_pem(data, content_type) if b"-----BEGIN" in data else _read_pfx(data, password)
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise bad("The specified X.509 certificate content can not be read.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise bad("The key of the X.509 certificate is of an unsupported kind.")
    return key, certificates


def read_merged(parts: list[str]) -> list[bytes]:
    """Return the certificates (DER) of `x5c`, whose parts hold DER or PEM, in base64."""
    try:
        found = [
            x509.load_pem_x509_certificate(data)
            if data.startswith(b"-----BEGIN")
            else x509.load_der_x509_certificate(data)
            for data in map(base64.b64decode, parts)
        ]
    except ValueError:
        raise bad("Property x5c has invalid value") from None
    if not found:
        raise bad("Property x5c is required")
    return [each.public_bytes(Encoding.DER) for each in found]


def check_kind(key: Key, properties: Json) -> None:
    """Refuse to import a key of another kind than the policy says, where it does."""
    kind, size = properties.get("kty", "").removesuffix("-HSM"), properties.get("key_size")
    curve = properties.get("crv")
    if isinstance(key, rsa.RSAPrivateKey):
        fits = kind in ("", "RSA") and size in (None, key.key_size)
    else:
        wanted = _CURVES.get(curve) if curve else type(key.curve)
        fits = kind in ("", "EC") and isinstance(key.curve, wanted or ())
    if not fits:
        raise bad("Property policy.key_props does not match the key of the X.509 certificate.")


def arranged(key: Key, certificates: list[bytes], *, preserve: bool) -> list[x509.Certificate]:
    """Return the leaf first: the first one where order is preserved, else the one of the key."""
    loaded = [x509.load_der_x509_certificate(each) for each in certificates]
    if not preserve:
        loaded.sort(key=lambda each: spki(each) != spki(key))
    if not loaded or spki(loaded[0]) != spki(key):
        raise bad("The private key does not match the public key of the X.509 certificate.")
    if loaded[0].not_valid_after_utc < dt.datetime.now(dt.UTC):
        raise bad("The specified X.509 certificate has expired.")
    return loaded


def spki(holder: Key | x509.Certificate | x509.CertificateSigningRequest) -> bytes:
    return holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _read_pem(data: bytes, content_type: str) -> tuple[object, list[bytes]]:
    if content_type != PEM:
        raise bad("The content type of the policy does not match the imported content.")
    blocks = [(found[1], found[0]) for found in _BLOCK.finditer(data)]
    keys = [block for label, block in blocks if label.endswith(b"PRIVATE KEY")]
    if len(keys) != 1 or not keys[0].startswith(b"-----BEGIN PRIVATE KEY-----"):
        raise bad("The specified PEM content must hold one private key, in PKCS#8, unencrypted.")
    certificates = [
        x509.load_pem_x509_certificate(block).public_bytes(Encoding.DER)
        for label, block in blocks
        if label == b"CERTIFICATE"
    ]
    return load_pem_private_key(keys[0], None), certificates


def _read_pfx(data: bytes, password: str | None) -> tuple[object, list[bytes]]:
    held = pkcs12.load_pkcs12(data, password.encode() if password else None)
    above = [each.certificate.public_bytes(Encoding.DER) for each in held.additional_certs]
    leaf = [held.cert.certificate.public_bytes(Encoding.DER)] if held.cert else []
    return held.key, [*leaf, *above]


def _subject(properties: Json) -> x509.Name:
    try:
        return x509.Name.from_rfc4514_string(properties.get("subject") or "")
    except ValueError:
        raise bad("Property policy.x509_props.subject has invalid X500 name") from None


def _names(sans: Json) -> Iterator[x509.GeneralName]:
    yield from (x509.DNSName(name) for name in sans.get("dns_names") or ())
    yield from (x509.RFC822Name(name) for name in sans.get("emails") or ())
    yield from (x509.UniformResourceIdentifier(name) for name in sans.get("uris") or ())
    for address in sans.get("ipAddresses") or ():
        yield x509.IPAddress(ipaddress.ip_address(address))
