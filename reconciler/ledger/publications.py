"""What the ledger keeps of each CRL and of each tree of OCSP responses; a JSON file each."""

from schemas.base import Model
from schemas.scalars import Instant


class CrlTerms(Model):
    """What a CA's CRLs are made by, in seconds: `refresh_before` None stands for half of `duration`."""

    duration: int
    refresh_before: int | None = None
    shards: int = 1


class CrlRecord(Model):
    """The last CRL number reserved for one CA generation, or one shard of it, and what was signed under it.

    `shard` counts from 1, None stands for the whole list. `der` (base64) is a CRL that was signed at a
    ceremony, until another one takes its place. `terms`, of the whole list alone, are those that were
    reviewed last; records of before 2026-12 do not have them.
    """

    authority: str
    generation: int
    shard: int | None = None
    number: int
    this_update: Instant
    next_update: Instant
    sha256: str | None = None
    der: str | None = None
    terms: CrlTerms | None = None

    @property
    def key(self) -> "CrlKey":
        """Which list it is."""
        return self.authority, self.generation, self.shard


CrlKey = tuple[str, int, int | None]
"""A CA, its generation, and the shard of its list; None for the whole."""


class Responder(Model):
    """A delegated OCSP responder's certificate; its key lived as long as the run that made it.

    `serial`, dates and `spki` (base64) are written before it is signed, `sha256` after.
    """

    serial: str
    not_before: Instant
    not_after: Instant
    spki: str
    sha256: str | None = None


class OcspTerms(Model):
    """What a CA's responses are made by, in seconds: `refresh_before` None stands for half of `duration`."""

    duration: int
    refresh_before: int | None = None


class OcspRecord(Model):
    """The responses last signed for one CA generation; `sha256` is over the whole tree of files.

    `responders` are those whose certificates are not expired, newest last. `terms` are those that
    were reviewed last.
    """

    authority: str
    generation: int
    responders: tuple[Responder, ...]
    this_update: Instant
    next_update: Instant
    sha256: str | None = None
    terms: OcspTerms | None = None
