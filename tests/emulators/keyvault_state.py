"""What is in an emulated vault: certificates with their versions, pending creations and soft-deleted ones."""

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

Json = dict[str, Any]
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
IN_PROGRESS = "inProgress"


def now() -> int:
    return int(dt.datetime.now(dt.UTC).timestamp())


def new_id() -> str:
    return uuid.uuid4().hex


@dataclass(slots=True)
class Version:
    """One version; `chain` is what came with the leaf, which is `certificate`."""

    certificate: x509.Certificate
    chain: tuple[bytes, ...]
    key: Key
    tags: dict[str, str]
    enabled: bool = True
    preserve_order: bool = False
    id: str = field(default_factory=new_id)
    created: int = field(default_factory=now)
    updated: int = field(default_factory=now)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def thumbprint(self) -> bytes:
        return hashlib.sha1(self.der).digest()

    @property
    def attributes(self) -> Json:
        return {
            "enabled": self.enabled,
            "nbf": int(self.certificate.not_valid_before_utc.timestamp()),
            "exp": int(self.certificate.not_valid_after_utc.timestamp()),
            "created": self.created,
            "updated": self.updated,
        }


@dataclass(slots=True)
class Pending:
    """A creation that is under way, or how it ended."""

    key: Key
    csr: bytes
    issuer: Json
    tags: dict[str, str]
    status: str = IN_PROGRESS
    detail: str = ""
    error: Json | None = None
    cancelled: bool = False
    preserve_order: bool = False
    id: str = field(default_factory=new_id)
    created: int = field(default_factory=now)

    @property
    def under_way(self) -> bool:
        return self.status == IN_PROGRESS


@dataclass(slots=True)
class Entry:
    """A name in the vault. One whose creation never ended has no version."""

    name: str
    policy: Json
    versions: list[Version] = field(default_factory=list)
    pending: Pending | None = None
    created: int = field(default_factory=now)
    shell_tags: dict[str, str] = field(default_factory=dict)
    polls: int = 0

    @property
    def current(self) -> Version | None:
        return self.versions[-1] if self.versions else None

    @property
    def busy(self) -> bool:
        return self.pending is not None and self.pending.under_way

    @property
    def tags(self) -> dict[str, str]:
        return self.current.tags if self.current else self.shell_tags

    @property
    def unfinished(self) -> Json:
        """The attributes of what has no certificate yet."""
        return {"enabled": False, "created": self.created, "updated": self.created}


@dataclass(slots=True)
class Deleted:
    """A soft-deleted name. Until it was asked for `polls` times its deletion is not finished."""

    entry: Entry
    polls: int
    at: int = field(default_factory=now)
