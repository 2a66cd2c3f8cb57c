"""Trust anchors as files hold them: read, put in order and told apart by their fingerprints."""

import hashlib
from collections.abc import Iterable, Mapping

from providers import x509


def by_fingerprint(certificates: Iterable[bytes]) -> Mapping[str, bytes]:
    """Return certificates (PEM or DER) as PEM by SHA-256 in hex, sorted, each once; ValueError for others."""
    ders = (x509.to_der(certificate) for certificate in certificates)
    found = {hashlib.sha256(der).hexdigest(): x509.pem(der) for der in ders}
    return dict(sorted(found.items()))


def bundled(anchors: Mapping[str, bytes]) -> bytes:
    """Return anchors as one PEM file, in the order of their fingerprints: the order means nothing."""
    return b"".join(pem.rstrip(b"\n") + b"\n" for _, pem in sorted(anchors.items()))


def unbundled(content: bytes) -> Mapping[str, bytes]:
    """Return the anchors of a PEM file by fingerprint; what cannot be read is left out."""
    try:
        return by_fingerprint(x509.split_pem(content))
    except ValueError:
        return {}


def digest_of(fingerprints: Iterable[str]) -> str:
    """Return what a set of anchors is known by: SHA-256 in hex over their fingerprints."""
    return hashlib.sha256(b"".join(map(bytes.fromhex, sorted(fingerprints)))).hexdigest()
