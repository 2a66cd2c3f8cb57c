"""Signatures in the format of `ssh-keygen -Y sign` (PROTOCOL.sshsig), Ed25519 and SHA-512 only.

git knows this format (`gpg.format=ssh`), so anybody with git and the public key can judge them.
"""

import base64
import hashlib
import struct
import textwrap

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_MAGIC = b"SSHSIG"
_KEY_TYPE = b"ssh-ed25519"
_NAMESPACE = b"git"
_HASH = b"sha512"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"


def public_line(key: Ed25519PublicKey) -> str:
    """Return a public key as OpenSSH writes it: `ssh-ed25519 AAAA...`."""
    return f"ssh-ed25519 {base64.b64encode(_wire(key)).decode()}"


def sign(key: Ed25519PrivateKey, message: bytes) -> str:
    """Return the armored signature of a message in git's namespace."""
    signature = _string(_KEY_TYPE) + _string(key.sign(_signed(message)))
    version = struct.pack(">I", 1)
    parts = (_wire(key.public_key()), _NAMESPACE, b"", _HASH, signature)
    blob = _MAGIC + version + b"".join(_string(part) for part in parts)
    body = textwrap.wrap(base64.b64encode(blob).decode(), 70)
    return "\n".join((_BEGIN, *body, _END, ""))


def verify(public: str, message: bytes, armored: str) -> bool:
    """Whether the signature is the given key's over the message, in git's namespace."""
    wire = base64.b64decode(public.split(" ")[1])
    expected = _string(wire) + _string(_NAMESPACE) + _string(b"") + _string(_HASH)
    prefix = _MAGIC + struct.pack(">I", 1) + expected
    # Both are fixed in length, so one comparison settles key, namespace and hash.
    algorithm = struct.pack(">I", 4 + len(_KEY_TYPE) + 4 + 64) + _string(_KEY_TYPE)
    blob = _unarmored(armored)
    head = prefix + algorithm + struct.pack(">I", 64)
    if not blob.startswith(head) or len(blob) != len(head) + 64:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(wire[-32:]).verify(blob[-64:], _signed(message))
    except InvalidSignature:
        return False
    return True


def _signed(message: bytes) -> bytes:
    parts = (_NAMESPACE, b"", _HASH, hashlib.sha512(message).digest())
    return _MAGIC + b"".join(_string(part) for part in parts)


def _unarmored(armored: str) -> bytes:
    body = armored.strip().removeprefix(_BEGIN).removesuffix(_END)
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except ValueError:
        return b""


def _wire(key: Ed25519PublicKey) -> bytes:
    return _string(_KEY_TYPE) + _string(key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def _string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value
