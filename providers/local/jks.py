"""The Java KeyStore format (JKS), as far as it has to be written; every Java since 1.2 reads it.

The library that is on PyPI (pyjks) was last released in 2020, and brings ciphers of other formats that
have to be compiled. What is written here is Sun's format, version 2, after JavaKeyStore and KeyProtector
of OpenJDK (sun.security.provider): big-endian, texts as modified UTF-8, sealed by SHA-1 over the
password. It protects little: who can choose takes PKCS#12.
"""

import hashlib
import secrets
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from providers.secret import Secret

_MAGIC, _VERSION = 0xFEEDFEED, 2
_KEY, _TRUSTED = 1, 2
_WHITENER = b"Mighty Aphrodite"
_PROTECTED = bytes.fromhex("300e060a2b060104012a021101010500")
"""AlgorithmIdentifier of Sun's key protection, 1.3.6.1.4.1.42.2.17.1.1."""
_SALT = 20


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A private key (PKCS #8 DER) and its chain (DER), the certificate first."""

    alias: str
    key: Secret
    chain: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class TrustedEntry:
    """A certificate (DER) that is trusted."""

    alias: str
    certificate: bytes


def key_store(
    entries: Sequence[KeyEntry | TrustedEntry], password: Secret, made: datetime
) -> bytes:
    """Return a keystore; `made` is when its entries came. Aliases are in lower case, or Java finds none."""
    secret = password.reveal().decode().encode("utf-16-be")
    body = struct.pack(">III", _MAGIC, _VERSION, len(entries))
    body += b"".join(_entry(each, secret, int(made.timestamp() * 1000)) for each in entries)
    return body + hashlib.sha1(secret + _WHITENER + body, usedforsecurity=False).digest()


def _entry(entry: KeyEntry | TrustedEntry, password: bytes, moment: int) -> bytes:
    kind = _KEY if isinstance(entry, KeyEntry) else _TRUSTED
    head = struct.pack(">I", kind) + _text(entry.alias.lower()) + struct.pack(">Q", moment)
    if isinstance(entry, TrustedEntry):
        return head + _certificate(entry.certificate)
    chain = b"".join(map(_certificate, entry.chain))
    return (
        head + _sized(_protected(entry.key, password)) + struct.pack(">I", len(entry.chain)) + chain
    )


def _certificate(der: bytes) -> bytes:
    return _text("X.509") + _sized(der)


def _protected(key: Secret, password: bytes) -> bytes:
    """Return an EncryptedPrivateKeyInfo (RFC 5958): the key, masked by a chain of SHA-1 over the password."""
    salt, plain = secrets.token_bytes(_SALT), key.reveal()
    mask, link = b"", salt
    while len(mask) < len(plain):
        link = hashlib.sha1(password + link, usedforsecurity=False).digest()
        mask += link
    masked = bytes(one ^ other for one, other in zip(plain, mask, strict=False))
    check = hashlib.sha1(password + plain, usedforsecurity=False).digest()
    return _der(0x30, _PROTECTED + _der(0x04, salt + masked + check))


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def _sized(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def _text(words: str) -> bytes:
    encoded = words.encode("ascii")
    return struct.pack(">H", len(encoded)) + encoded
