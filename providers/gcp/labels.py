"""The labels of a certificate there, one of them ours to hold what a listing does not tell.

Certificate Manager lists a certificate with its chain, but it is never given the trust anchors. The
label `certform-trust` remembers them: the trust digest of what was installed, and after it a witness
of the PEM that it belongs to, both in base32 so that they fit the 63 characters of a label's value.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence

from providers import x509

TRUST = "certform-trust"
_WITNESS_BYTES = 6


def sealed(labels: Mapping[str, str], pems: Sequence[bytes], trust: str) -> dict[str, str]:
    """Return labels with the one that holds the trust digest (hex) of a leaf and its chain."""
    return {**labels, TRUST: f"{_encode(bytes.fromhex(trust))}-{_witness(pems)}"}


def unsealed(labels: Mapping[str, str]) -> dict[str, str]:
    """Return labels without that one."""
    return {key: value for key, value in labels.items() if key != TRUST}


def told_trust(labels: Mapping[str, str], pems: Sequence[bytes]) -> str | None:
    """Return the trust digest of a leaf and its chain, None for what we did not install.

    Where the PEM is not what was installed it is the digest of the chain that is there, without anchors.
    """
    if TRUST not in labels:
        return None
    digest, _, witness = labels[TRUST].partition("-")
    if witness == _witness(pems):
        return _decode(digest)
    return x509.trust_digest(pems[1:], ())


def _witness(pems: Sequence[bytes]) -> str:
    found = hashlib.sha256(b"".join(hashlib.sha256(x509.to_der(pem)).digest() for pem in pems))
    return _encode(found.digest()[:_WITNESS_BYTES])


def _encode(value: bytes) -> str:
    return base64.b32encode(value).decode().rstrip("=").lower()


def _decode(text: str) -> str | None:
    try:
        return base64.b32decode(text.upper() + "=" * (-len(text) % 8)).hex()
    except ValueError:
        return None
