"""Known keys in every form they could take, and the search for them wherever a run shows anything."""

import base64
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import judge
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from rig import Repository

SPACE = re.compile(rb"\s+|\\+[nr]")


def forms(name: str, key: PrivateKeyTypes) -> dict[str, bytes]:
    """Return every form of a key that would be a leak, by name."""
    pkcs8 = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    raw = scalar(key)
    found = {"PKCS#8": pkcs8, "scalar": raw, "scalar in decimal": str(int.from_bytes(raw)).encode()}
    for form, value in (("PKCS#8", pkcs8), ("scalar", raw)):
        found[f"{form} in hex"] = value.hex().encode()
        found[f"{form} in HEX"] = value.hex().upper().encode()
        found[f"{form} in base64"] = base64.b64encode(value).rstrip(b"=")
    if not isinstance(key, Ed25519PrivateKey):
        sec1 = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        found["SEC 1 in base64"] = base64.b64encode(sec1).rstrip(b"=")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    whole = pem[: len(pem) // 3 * 3]  # what comes after the key would change the last group
    found["PEM in base64"] = base64.b64encode(whole)
    # what comes after two lines is the public half
    found |= {f"line {n} of PEM": line for n, line in enumerate(pem.splitlines()[1:-1][:2], 1)}
    return {f"{name}: {form}": value for form, value in found.items()}


def scalar(key: PrivateKeyTypes) -> bytes:
    if isinstance(key, Ed25519PrivateKey):
        return key.private_bytes_raw()
    assert isinstance(key, EllipticCurvePrivateKey)
    return key.private_numbers().private_value.to_bytes((key.key_size + 7) // 8)


def hits(canaries: Mapping[str, bytes], surfaces: Mapping[str, bytes]) -> Iterator[str]:
    """Yield where a secret can be seen, line breaks left out as well."""
    for place, content in surfaces.items():
        joined = SPACE.sub(b"", content)
        for name, value in canaries.items():
            if value in content or value in joined:
                yield f"{name} in {place}"


def left_behind(repository: Repository) -> dict[str, bytes]:
    """Return all that a run left on disk, but for the keys in targets, by place."""
    root = repository.root
    surfaces = {
        "git objects": judge.git(root, "cat-file", "--batch-all-objects", "--batch", "--unordered")
    }
    for path in (*root.rglob("*"), *repository.temporary.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.name != "privkey.pem":
            surfaces[str(path.relative_to(root.parent))] = content(path)
    return surfaces


def content(path: Path) -> bytes:
    """Return a file, decompressed if it is a loose object, half written ones as well."""
    data = path.read_bytes()
    if "objects" in path.parts:
        try:
            return zlib.decompressobj().decompress(data)
        except zlib.error:
            pass
    return data
