"""Keys encrypted with a passphrase: PKCS #8 (RFC 5958) by PBES2 (RFC 8018), which OpenSSL opens.

cryptography and OpenSSL write 2048 rounds of PBKDF2, which is little for the key of a root.
"""

import secrets

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from providers.secret import Secret
from providers.x509.keys import armoured

ROUNDS = 1_000_000
"""Of HMAC-SHA256: some tenths of a second for whoever has the passphrase, and for others at every guess."""
_PBES2 = bytes.fromhex("06092a864886f70d01050d")
_PBKDF2 = bytes.fromhex("06092a864886f70d01050c")
_HMAC_SHA256 = bytes.fromhex("300c06082a864886f70d02090500")
_AES256_CBC = bytes.fromhex("060960864801650304012a")
_INTEGER, _OCTETS, _SEQUENCE = 0x02, 0x04, 0x30


def sealed(key: Secret, passphrase: Secret, rounds: int = ROUNDS) -> bytes:
    """Return a private key (PKCS #8 DER) as PEM, encrypted by AES-256-CBC under a passphrase."""
    salt, iv = secrets.token_bytes(16), secrets.token_bytes(16)
    derived = PBKDF2HMAC(hashes.SHA256(), 32, salt, rounds).derive(passphrase.reveal())
    padder = padding.PKCS7(128).padder()
    padded = padder.update(key.reveal()) + padder.finalize()
    encryptor = Cipher(algorithms.AES(derived), modes.CBC(iv)).encryptor()
    content = encryptor.update(padded) + encryptor.finalize()
    kdf = _der(_SEQUENCE, _der(_OCTETS, salt), _integer(rounds), _HMAC_SHA256)
    parameters = _der(
        _SEQUENCE,
        _der(_SEQUENCE, _PBKDF2, kdf),
        _der(_SEQUENCE, _AES256_CBC, _der(_OCTETS, iv)),
    )
    algorithm = _der(_SEQUENCE, _PBES2, parameters)
    whole = _der(_SEQUENCE, algorithm, _der(_OCTETS, content))
    return armoured("ENCRYPTED PRIVATE KEY", whole)


def _integer(value: int) -> bytes:
    return _der(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content
