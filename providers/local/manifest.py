"""The manifest of a generation: labels, what the certificate says, a digest of each file.

The digest of `privkey.pem` lets drift be seen without parsing a key. It gives nothing away: the
file holds at least 128 bits nobody can guess, so its SHA-256 only confirms a key one already has.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from providers.anchors import digest_of
from providers.local.layout import ANCHORS, COMBINED, FILES, KEYSTORES, TRUSTSTORES
from schemas.base import canonical
from schemas.scalars import format_instant

FORMAT = 1
_TRUST = "trust"
_REQUIRED = frozenset(FILES)
_JAVA = frozenset((*KEYSTORES, *TRUSTSTORES))
_KNOWN = _REQUIRED | {COMBINED} | _JAVA
_SERIAL = re.compile("[0-9a-f]{1,40}")
_DIGEST = re.compile("[0-9a-f]{64}")
_TOLD = re.compile("([0-9a-f]{32})?")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was installed: `files` maps each file's name to the SHA-256 of its content, in hex.

    `keystores` is the digest of what was wanted of them, empty where none were.
    """

    labels: Mapping[str, str]
    serial: str
    sha256: str
    not_after: datetime
    trust: str
    dns_name: str | None
    files: Mapping[str, str]
    keystores: str = ""

    def says_the_same(self, other: "Manifest") -> bool:
        """Whether two tell of the same content: keystores are never the same bytes twice, by their salt."""
        return _but_for_salt(self) == _but_for_salt(other)


def _but_for_salt(manifest: Manifest) -> Manifest:
    files = {name: "" if name in _JAVA else told for name, told in manifest.files.items()}
    return replace(manifest, files=files)


@dataclass(frozen=True, slots=True)
class TrustManifest:
    """What a bundle of anchors was installed with: `anchors` are their SHA-256 fingerprints, sorted."""

    labels: Mapping[str, str]
    anchors: tuple[str, ...]
    files: Mapping[str, str]

    @property
    def sha256(self) -> str:
        """What the set of anchors is known by."""
        return digest_of(self.anchors)


AnyManifest = Manifest | TrustManifest


def checksum(content: bytes) -> str:
    """Return the SHA-256 of a file's content, in hex."""
    return hashlib.sha256(content).hexdigest()


def encode(manifest: AnyManifest) -> bytes:
    """Return the manifest's one textual form."""
    if isinstance(manifest, TrustManifest):
        return canonical(_trust_data(manifest)) + b"\n"
    data = {
        "format": FORMAT,
        "labels": dict(manifest.labels),
        "serial": manifest.serial,
        "sha256": manifest.sha256,
        "notAfter": format_instant(manifest.not_after),
        "trust": manifest.trust,
        "dnsName": manifest.dns_name,
        "files": dict(manifest.files),
        **({"keystores": manifest.keystores} if manifest.keystores else {}),
    }
    return canonical(data) + b"\n"


def _trust_data(manifest: TrustManifest) -> dict[str, object]:
    return {
        "format": FORMAT,
        "kind": _TRUST,
        "labels": dict(manifest.labels),
        "anchors": list(manifest.anchors),
        "files": dict(manifest.files),
    }


def read(content: bytes) -> AnyManifest | None:
    """Read a manifest of a certificate or of a bundle of anchors; None when it is neither."""
    return decode(content) or decode_trust(content)


def decode_trust(content: bytes) -> TrustManifest | None:
    """Read the manifest of a bundle of anchors; None when it is not one that certform wrote."""
    try:
        data = json.loads(content)
        known = data["format"] == FORMAT and data["kind"] == _TRUST
        if not known or data["files"].keys() != {ANCHORS} or not isinstance(data["anchors"], list):
            return None
        return TrustManifest(
            {_text(key): _text(value) for key, value in data["labels"].items()},
            tuple(_matching(_DIGEST, anchor) for anchor in data["anchors"]),
            {file: _matching(_DIGEST, digest) for file, digest in data["files"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def decode(content: bytes) -> Manifest | None:
    """Read a manifest; None when it is not one that certform wrote: it may be anybody's."""
    try:
        data = json.loads(content)
        if data["format"] != FORMAT or not _REQUIRED <= data["files"].keys() <= _KNOWN:
            return None
        return Manifest(
            {_text(key): _text(value) for key, value in data["labels"].items()},
            _matching(_SERIAL, data["serial"]),
            _matching(_DIGEST, data["sha256"]),
            datetime.fromisoformat(_matching(_INSTANT, data["notAfter"])),
            _matching(_DIGEST, data["trust"]),
            None if data["dnsName"] is None else _text(data["dnsName"]),
            {file: _matching(_DIGEST, digest) for file, digest in data["files"].items()},
            _matching(_TOLD, data.get("keystores", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _matching(form: re.Pattern[str], value: str) -> str:
    """Return text of one form; raises ValueError or TypeError for anything else."""
    if form.fullmatch(value) is None:
        raise ValueError(form.pattern)
    return value


def _text(value: str) -> str:
    """Return text that can be written somewhere, as half a surrogate pair cannot."""
    str.encode(value)
    return value
