"""Whether a text holds any part of a private key, however an SDK or a service may have written it."""

import base64
import re
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from providers.mldsa import MlDsaPrivateKey
from providers.secret import Secret

FRAGMENT = 10
"""Octets of a key that nothing else has by chance: less than one line of PEM holds of it."""
_CODINGS = 2
"""How often a key is put into base64: once in PEM, and by protocols that know no bytes once more."""
_BREAK = re.compile(rb"\s+|\\+[nrt]|\\+u000[adAD]|%0[adAD]|&#(10|13|x0?[adAD]);")
_ESCAPE = re.compile(rb"\\+u00([0-9a-fA-F]{2})|%([0-9a-fA-F]{2})")
_SLASH = re.compile(rb"\\+/")
_CODED = re.compile(rb"[A-Za-z0-9+/]{16,}")


def discloses(key: Secret, text: str) -> bool:
    """Whether a text holds a part of a private key (PEM).

    Found are PEM with lines of any length, base64 over that, DER, numbers in hex or decimal; escaped for
    JSON, for a URL or by `repr`. The public half is no part of it: certificates hold that.
    """
    secrets = tuple(_secrets(key))
    numbers = [str(int.from_bytes(each)).encode() for each in secrets]
    parts = tuple(dict.fromkeys(part for each in secrets for part in _fragments(each)))
    written = text.encode("utf-8", "surrogateescape")
    return any(number in written for number in numbers) or any(
        _holds(layer, parts) for layer in _layers(written, _CODINGS)
    )


def _secrets(key: Secret) -> Iterator[bytes]:
    """Yield the octets of all that only the private key has."""
    loaded = load_pem_private_key(key.reveal(), None, unsafe_skip_rsa_key_validation=True)
    if isinstance(loaded, rsa.RSAPrivateKey):
        own = loaded.private_numbers()
        for number in (own.d, own.p, own.q, own.dmp1, own.dmq1, own.iqmp):
            yield number.to_bytes((number.bit_length() + 7) // 8)
    elif isinstance(loaded, ec.EllipticCurvePrivateKey):
        yield loaded.private_numbers().private_value.to_bytes((loaded.key_size + 7) // 8)
    elif isinstance(loaded, ed25519.Ed25519PrivateKey | MlDsaPrivateKey):
        yield loaded.private_bytes_raw()
    else:
        raise TypeError(type(loaded))


def _fragments(secret: bytes) -> Iterator[bytes]:
    """Yield parts that overlap, so that of one and a half times as much as a part one is whole."""
    return (
        secret[at : at + FRAGMENT] for at in range(0, len(secret) - FRAGMENT + 1, FRAGMENT // 2)
    )


def _holds(layer: bytes, parts: tuple[bytes, ...]) -> bool:
    lower, bare = layer.lower().replace(b":", b""), layer.replace(b"\\", b"")
    return any(
        part in layer or part.hex().encode() in lower or _as_repr(part) in bare for part in parts
    )


def _as_repr(part: bytes) -> bytes:
    """Return octets as `repr` writes them, without backslashes: nobody knows how often those are doubled."""
    return repr(part)[2:-1].replace("\\", "").encode()


def _layers(written: bytes, codings: int) -> Iterator[bytes]:
    """Yield what is written, and what that is base64 of; where a group of four begins nobody knows."""
    yield written
    if not codings:
        return
    joined = _BREAK.sub(b"", written)
    plain = _SLASH.sub(
        b"/", _ESCAPE.sub(lambda found: bytes.fromhex((found[1] or found[2]).decode()), joined)
    )
    runs = _CODED.findall(plain.replace(b"-", b"+").replace(b"_", b"/"))
    for start in range(4):
        decoded = b"\0".join(base64.b64decode(_whole(run[start:])) for run in runs)
        yield from _layers(decoded, codings - 1)


def _whole(run: bytes) -> bytes:
    return run[: len(run) // 4 * 4]
