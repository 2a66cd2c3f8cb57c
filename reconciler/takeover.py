"""A CA that existed before, as its files say it: part of what is desired."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from schemas.base import digest
from schemas.custody import CaCustody
from schemas.request import AuthorityRequest

if TYPE_CHECKING:  # validate reads no ledger
    from reconciler.ledger.records import PastEntry


@dataclass(frozen=True, slots=True)
class Takeover:
    """A CA that existed before, as its files say it. `request` is what its certificate says in our words.

    `certificate` is DER, `spki` its key as a record holds it. `past` is everything that the files know it
    to have issued or revoked, also what is expired; `number` is that of its last CRL. `evidence` is a digest
    over all of the files, `sealed` the sops file that its key, or the PIN of its token, is in.
    """

    request: AuthorityRequest
    custody: CaCustody
    certificate: bytes = field(repr=False)
    serial: str
    sha256: str
    not_before: datetime
    not_after: datetime
    spki: str = field(repr=False)
    subject: str
    evidence: str
    past: "tuple[PastEntry, ...]" = field(default=(), repr=False)
    number: int | None = None
    sealed: bytes | None = field(default=None, repr=False)

    @property
    def generation(self) -> int:
        """The generation that it stands for."""
        return self.request.generation

    @property
    def digest(self) -> str:
        """The digest of what its certificate says."""
        return digest(self.request.to_json())
