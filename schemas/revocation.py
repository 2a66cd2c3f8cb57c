"""Revocation: a pull request that revokes."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from schemas.base import Model, Word
from schemas.scalars import Boolean, Instant, Integer, Reference, Serial


class RevocationReason(Word):
    """CRL reason codes (RFC 5280 section 5.3.1); `unspecified` leaves the extension out."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keyCompromise"
    CA_COMPROMISE = "cACompromise"
    AFFILIATION_CHANGED = "affiliationChanged"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessationOfOperation"
    PRIVILEGE_WITHDRAWN = "privilegeWithdrawn"


COMPROMISES = frozenset({RevocationReason.KEY_COMPROMISE, RevocationReason.CA_COMPROMISE})
"""Reasons for which waiting may be worse than an outage."""


class RevocationSpec(Model):
    """Which serials are revoked: listed, all issued under a name before a moment, or a CA's generation.

    With a generation of a CA goes everything that it signed; one that still issues gives way to the
    next. Beside `serials`, `authorityRef` tells whose they are: CAs of before gave the same numbers.
    `immediate` revokes what nothing can take the place of in time, and is for a compromised key alone.
    """

    certificates: tuple[Reference, ...] = ()
    issued_before: Instant | None = None
    serials: tuple[Serial, ...] = ()
    authority_ref: Reference | None = None
    generation: Annotated[Integer, Field(ge=1)] | None = None
    immediate: Boolean = False
    reason: RevocationReason = RevocationReason.UNSPECIFIED

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        forms = (self.certificates, self.serials, self.authority_ref and not self.serials)
        if sum(map(bool, forms)) != 1:
            raise ValueError(
                "must name `certificates` with `issuedBefore`, or `serials`, or `authorityRef` with"
                " `generation`"
            )
        if bool(self.certificates) != (self.issued_before is not None):
            raise ValueError(
                "must name `certificates` and `issuedBefore` together; later ones are not meant"
            )
        if (self.authority_ref is None or bool(self.serials)) != (self.generation is None):
            raise ValueError(
                "must name `authorityRef` and `generation` together; later ones are not meant"
            )
        if self.immediate and self.reason not in COMPROMISES:
            raise ValueError("`immediate` is for keyCompromise and cACompromise alone")
        return self
