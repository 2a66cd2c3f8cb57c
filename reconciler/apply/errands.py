"""What one run has to do at one CA of others, and the orders it places there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from providers import x509
from providers.errors import Rejected
from providers.issuing import Issued, Issuer
from providers.secret import Secret
from providers.x509 import CertificateFacts
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

    def claim(self, facts: CertificateFacts, answer: Issued) -> None:
        """Take a new certificate; raises `Rejected` for another's serial, and for another CA of its mount."""
        if facts.serial in self.serials:
            raise Rejected(
                "the issuer returned another certificate than asked for: its serial is that of another"
                " certificate"
            )
        ca = self.session.world.desired.mounted(self.purse.issuer)
        if ca and not self._is_handed(ca.name, answer):
            raise Rejected(
                f"another CA signed it than {ca.address}, which the mount was handed: is another issuer"
                " its default, or the role's? Name that in issuerName if it is meant"
            )
        self.serials.add(facts.serial)

    def _is_handed(self, name: str, answer: Issued) -> bool:
        """Whether a CA of ours signed, or its Issuer names which one of the mount's is to sign."""
        settings = self.session.world.desired.issuers[self.purse.issuer].spec.vault
        record = self.session.journal.state.authorities.get(name)
        known = {issuance.certificate for issuance in record.issuances} if record else set()
        above = x509.pem((*answer.chain, *answer.anchors)[0]).decode()
        return above in known or bool(settings and settings.issuer)

    def purchase(self, change: Change) -> Purchase:
        """Return how the order of a certificate counts, by the reservation it has by now."""
        return self.purse.purchase(self.session.desired(change), self.session.record(owner(change)))

    def is_full(self, chunk: Sequence[Order], costly: int) -> bool:
        """Whether no more is to be reserved together."""
        return self.purse.limited and (costly >= CHUNK or len(chunk) >= FREE)
