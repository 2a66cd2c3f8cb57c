"""Revocation: a pull request that revokes."""

from typing import Self

from pydantic import model_validator

from schemas.base import Model, Word
from schemas.scalars import Instant, Reference, Serial


class RevocationReason(Word):
    """CRL reason codes (RFC 5280 section 5.3.1); `unspecified` leaves the extension out."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keyCompromise"
    CA_COMPROMISE = "cACompromise"
    AFFILIATION_CHANGED = "affiliationChanged"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessationOfOperation"
    PRIVILEGE_WITHDRAWN = "privilegeWithdrawn"


class RevocationSpec(Model):
    """Which serials are revoked: listed, or everything issued under a name before a moment."""

    certificates: tuple[Reference, ...] = ()
    issued_before: Instant | None = None
    serials: tuple[Serial, ...] = ()
    reason: RevocationReason = RevocationReason.UNSPECIFIED

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if bool(self.certificates) == bool(self.serials):
            raise ValueError("must name either `certificates` with `issuedBefore`, or `serials`")
        if bool(self.certificates) != (self.issued_before is not None):
            raise ValueError(
                "must name `certificates` and `issuedBefore` together; later ones are not meant"
            )
        return self
