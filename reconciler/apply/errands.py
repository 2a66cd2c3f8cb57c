"""What one run has to do at one CA of others, and the orders it places there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from providers.errors import Rejected
from providers.issuing import Issuer
from providers.secret import Secret
from reconciler.apply.budgets import Purse, Reception
from reconciler.apply.session import Session, owner
from reconciler.ledger.records import CertificateRecord, Issuance
from reconciler.spending import Purchase
from schemas.plan import Change

CHUNK = 25
"""Orders of a CA with quotas that are reserved, and written down as spent, together."""
FREE = 250
"""The same where orders count for no quota."""


@dataclass(frozen=True, slots=True)
class Order:
    """One certificate to order; `record` holds its reservation, `fresh` that it is not durable yet.

    `key` is None where it is in the target, which made the signing request `csr` (DER).
    """

    change: Change
    record: CertificateRecord
    issuance: Issuance
    csr: bytes
    key: Secret | None = field(repr=False)
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class Errand:
    """What one run has to do at one CA. `waiting` are the changes that are not made in it, and why."""

    session: Session
    desk: Issuer
    purse: Purse
    kept: Mapping[str, Secret] = field(repr=False)
    reception: Reception = field(default_factory=Reception)
    waiting: list[tuple[Change, str]] = field(default_factory=list)
    serials: set[str] = field(default_factory=set)
    """Of every certificate that the ledger knows: what a CA sells under one of them is not taken."""

    @classmethod
    def begin(
        cls, session: Session, desk: Issuer, purse: Purse, kept: Mapping[str, Secret]
    ) -> "Errand":
        """Return what is to be done, knowing of all that was issued until now."""
        state = session.journal.state
        serials = {i.serial for record in state.certificates.values() for i in record.issuances}
        serials |= {i.serial for record in state.authorities.values() for i in record.issuances}
        return cls(session, desk, purse, kept, serials=serials)

    def claim(self, serial: str) -> None:
        """Take a new certificate's serial; raises `Rejected` for that of another one."""
        if serial in self.serials:
            raise Rejected(
                "the issuer returned another certificate than asked for: its serial is that of another"
                " certificate"
            )
        self.serials.add(serial)

    def purchase(self, change: Change) -> Purchase:
        """Return how the order of a certificate counts, by the reservation it has by now."""
        return self.purse.purchase(self.session.desired(change), self.session.record(owner(change)))

    def is_full(self, chunk: Sequence[Order], costly: int) -> bool:
        """Whether no more is to be reserved together."""
        return self.purse.limited and (costly >= CHUNK or len(chunk) >= FREE)
