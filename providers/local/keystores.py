"""Keystores beside the PEM files: PKCS#12 (RFC 7292) as Java and Windows take it, and JKS."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import PBES, PKCS12Certificate

from providers.base import Bundle, Keystore
from providers.errors import Rejected
from providers.local.jks import KeyEntry, TrustedEntry, key_store
from providers.mldsa import MlDsaPrivateKey
from providers.signer import PrivateKey
from providers.x509.keys import decode_key_file, encode_key
from schemas.certificate import Pkcs12Profile

ROUNDS = 10_000
"""Of PBKDF2, as cert-manager's Modern2023 has; five times what OpenSSL takes."""
_LEGACY_ROUNDS = 2_048


@dataclass(frozen=True, slots=True)
class _Content:
    """What goes into keystores; the certificate is the first of the chain."""

    key: PrivateKey
    chain: Sequence[x509.Certificate]
    anchors: Sequence[x509.Certificate]

    def trusted(self) -> Sequence[tuple[str, x509.Certificate]]:
        """Return each anchor with its alias: `ca`, as cert-manager has it, then `ca-1` and so on."""
        return [(f"ca-{n}" if n else "ca", each) for n, each in enumerate(self.anchors)]


def files_of(store: Keystore, bundle: Bundle) -> dict[str, bytes]:
    """Return the files of one form by name; that of the anchors only where there are some.

    Raises `Rejected` for a password that is not ASCII: programs disagree on how others are written.
    """
    if not re.fullmatch(rb"[ -~]+", store.password.reveal()):
        raise Rejected("the password of a keystore has to be printable ASCII, on one line")
    content = _Content(
        decode_key_file(bundle.held_key),
        [x509.load_pem_x509_certificate(pem) for pem in (bundle.certificate, *bundle.chain)],
        [x509.load_pem_x509_certificate(pem) for pem in bundle.anchors],
    )
    return _jks(store, content) if store.form == "jks" else _pkcs12(store, content)


def _pkcs12(store: Keystore, content: _Content) -> dict[str, bytes]:
    leaf, *above = content.chain
    if isinstance(content.key, MlDsaPrivateKey):
        raise Rejected("no keystore holds an ML-DSA key")
    name, sealing = store.alias.encode(), _encryption(store)
    whole = pkcs12.serialize_key_and_certificates(name, content.key, leaf, above, sealing)
    files = {"keystore.p12": whole}
    if trusted := [PKCS12Certificate(each, name.encode()) for name, each in content.trusted()]:
        files["truststore.p12"] = pkcs12.serialize_java_truststore(trusted, sealing)
    return files


def _encryption(store: Keystore) -> KeySerializationEncryption:
    """Return how a file is sealed: PBES2 (RFC 8018) with AES-256, or Triple DES and SHA-1 on request."""
    builder = PrivateFormat.PKCS12.encryption_builder()
    if store.profile == Pkcs12Profile.LEGACY_DES:
        builder = builder.kdf_rounds(_LEGACY_ROUNDS)
        builder = builder.key_cert_algorithm(PBES.PBESv1SHA1And3KeyTripleDESCBC)
        builder = builder.hmac_hash(hashes.SHA1())  # noqa: S303 - the one that old systems know
    else:
        builder = builder.kdf_rounds(ROUNDS)
        builder = builder.key_cert_algorithm(PBES.PBESv2SHA256AndAES256CBC)
        builder = builder.hmac_hash(hashes.SHA256())
    return builder.build(store.password.reveal())


def _jks(store: Keystore, content: _Content) -> dict[str, bytes]:
    made = content.chain[0].not_valid_before_utc
    chain = [each.public_bytes(Encoding.DER) for each in content.chain]
    entry = KeyEntry(store.alias, encode_key(content.key), chain)
    files = {"keystore.jks": key_store([entry], store.password, made)}
    trusted = [
        TrustedEntry(name, each.public_bytes(Encoding.DER)) for name, each in content.trusted()
    ]
    if trusted:
        files["truststore.jks"] = key_store(trusted, store.password, made)
    return files
