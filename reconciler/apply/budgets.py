"""What one run spends at a CA of others: written down in the wave before it is asked, whatever comes then."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from providers.errors import (
    Ambiguous,
    ProviderError,
    QuotaExceeded,
    Throttled,
    Transient,
    Unreachable,
)
from reconciler.apply.session import Session
from reconciler.ledger.contract import Wave
from reconciler.ledger.issuing import SpendingRecord, Spent
from reconciler.ledger.records import CertificateRecord
from reconciler.purchases import advised, look_back, purchase_of, spent_at, terms_of
from reconciler.spending import Purchase, Spending, Terms, Wait
from reconciler.state import DesiredCertificate

SILENT = 3
"""So many failures in a row that say nothing of a certificate mean that a CA answers nobody just now."""
DELAY = timedelta(hours=1)
"""An order that is filled so much later counts from then: that is when its CA counts the certificate."""
LONGEST = timedelta(days=7)
"""How long a CA is left alone at the most that wishes it: its certificates would end meanwhile."""
PAGE = 250
"""So many orders are written down together: a day of ten thousand would else be in the ledger 400 times."""
_NOT_OURS = (Transient, Ambiguous, Unreachable, Throttled)
"""Failures that another certificate would meet as well."""
SAYS_NOTHING = (*_NOT_OURS, QuotaExceeded)
"""Failures that say nothing against a certificate: it may be had another time."""


@dataclass
class Purse:
    """What is spent at the CA of one Issuer; what changes is written with the next wave (`pages`)."""

    session: Session
    issuer: str
    terms: Terms
    spending: Spending
    known: frozenset[str]
    """The serials of the certificates for which the CA gave a window to renew them in."""
    _days: dict[str, SpendingRecord]
    _changed: set[str] = field(default_factory=set)

    @classmethod
    def open(cls, session: Session, issuer: str) -> "Purse":
        """Return what was spent until now."""
        state, issuers = session.journal.state, session.world.desired.issuers
        mine = {day: r for (name, day), r in state.spending.items() if name == issuer}
        records, now = spent_at(issuers, issuer, state), session.clock()
        terms, spending = terms_of(issuers.get(issuer)), Spending.of(records, now)
        return cls(session, issuer, terms, spending, advised(state, issuer), mine)

    @property
    def limited(self) -> bool:
        """Whether there is anything to keep to, and to write down."""
        return bool(self.terms.limits)

    def purchase(self, desired: DesiredCertificate, record: CertificateRecord) -> Purchase:
        """Return how an order counts."""
        issuer, now = self.session.world.desired.issuers[self.issuer], self.session.clock()
        found = purchase_of(self.known, self.spending, issuer, desired, record, now)
        patient = desired.address not in self.session.world.replace
        return found if patient else replace(found, patient=False)

    def wait(self, purchase: Purchase, *, entered: bool) -> Wait | None:
        """Return for what an order has to wait, None where it may be placed now."""
        return self.spending.wait(purchase, self.terms, self.session.clock(), entered=entered)

    def spend(self, spent: Spent) -> None:
        """Count an order, and have it written down."""
        if self.limited:
            self.spending.enter(spent, spent.at)
            record = self._day(spent.at)
            self._put(record.model_copy(update={"orders": (*record.orders, spent)}))

    def fail(self, reference: str, names: tuple[str, ...]) -> None:
        """Have it written down that an order became no certificate, and which names were not proved."""
        now = self.session.clock()
        self.spending.fail(names, now)
        self._rewrite(reference, {"failed_at": now, "failed": names})

    def delay(self, reference: str) -> bool:
        """Count an order from now on that is filled much later than it was placed; whether it is one."""
        found, now = self._find(reference), self.session.clock()
        if found is None or found[1].at > now - DELAY:
            return False
        self.forget([reference])
        self.spend(found[1].model_copy(update={"at": now}))
        return True

    def charge(self, reference: str) -> None:
        """Count an order, durably, that was to count for nothing: its CA does not let it replace another."""
        found = self._find(reference)
        if found is not None and found[1].replaces is not None:
            plain = found[1].model_copy(update={"replaces": None})
            self.spending.enter(plain, self.session.clock())
            self._rewrite(reference, {"replaces": None})
            self.settle()

    def forget(self, references: Iterable[str]) -> None:
        """Take orders back that were written down last, and never placed."""
        for reference in references:
            if found := self._find(reference):
                record, spent = found
                left = tuple(each for each in record.orders if each is not spent)
                self._put(record.model_copy(update={"orders": left}))

    def pages(self) -> tuple[tuple[SpendingRecord, ...], tuple[tuple[str, str], ...]]:
        """Return the days to write, and those to drop that no quota looks back to, each once."""
        changed = tuple(self._days[day] for day in sorted(self._changed))
        self._changed.clear()
        if not changed:
            return (), ()
        gone = frozenset(self._outdated())
        self._days = {day: record for day, record in self._days.items() if record.key not in gone}
        kept = tuple(record for record in changed if record.key not in gone)
        return kept, tuple(sorted(gone & self.session.journal.state.spending.keys()))

    def settle(self) -> None:
        """Write what no other wave has."""
        spending, gone = self.pages()
        if spending or gone:
            message = f"Settle what was spent at issuer/{self.issuer}"
            self.session.journal.write(Wave(message=message, spending=spending, gone_spending=gone))

    def _outdated(self) -> Iterator[tuple[str, str]]:
        """Yield the days that no quota looks back to, those too of Issuers that no document speaks of."""
        known, now = self.session.world.desired.issuers, self.session.clock()
        for record in (*self.session.journal.state.spending.values(), *self._days.values()):
            mine = record.issuer == self.issuer or record.issuer not in known
            if mine and record.day < _day(now - look_back(known, record)):
                yield record.key

    def _day(self, moment: datetime) -> SpendingRecord:
        """Return the page of a day that is written on: what is full is not written anew with each wave."""
        day, ca = _day(moment), self._ca
        pages = sorted(page for page in self._days if page.startswith(day))
        last = self._days[pages[-1]] if pages else None
        if last is not None and len(last.orders) < PAGE and last.ca in (None, ca):
            return last.model_copy(update={"ca": ca})
        page = f"{day}.{len(pages):03}" if pages else day
        return SpendingRecord(issuer=self.issuer, ca=ca, day=page)

    @property
    def _ca(self) -> str | None:
        """What tells the CA from others, whatever its Issuer is called and however it is asked."""
        issuer = self.session.world.desired.issuers.get(self.issuer)
        return issuer.spec.authority_identity if issuer else None

    def _put(self, record: SpendingRecord) -> None:
        self._days[record.day] = record
        self._changed.add(record.day)

    def _find(self, reference: str) -> tuple[SpendingRecord, Spent] | None:
        """Return where an order was written down last."""
        for _, record in sorted(self._days.items(), reverse=True):
            for spent in reversed(record.orders):
                if spent.reference == reference:
                    return record, spent
        return None

    def _rewrite(self, reference: str, update: dict[str, object]) -> None:
        if found := self._find(reference):
            record, spent = found
            changed = spent.model_copy(update=update)
            orders = tuple(changed if each is spent else each for each in record.orders)
            self._put(record.model_copy(update={"orders": orders}))


@dataclass
class Reception:
    """How a CA answers in this run, so that it is not asked for all when it has said no to some."""

    silent: int = 0
    throttled: list[Purchase] = field(default_factory=list)
    why: str = ""

    def note(self, purchase: Purchase, failure: ProviderError | None) -> None:
        """Take note of an answer."""
        self.silent = self.silent + 1 if isinstance(failure, _NOT_OURS) else 0
        timed = isinstance(failure, Throttled) and bool(failure.retry_after)
        if timed or isinstance(failure, QuotaExceeded):
            self.throttled.append(purchase)
        if isinstance(failure, SAYS_NOTHING):
            self.why = str(failure)

    def refuses(self, purchase: Purchase) -> str:
        """Say why an order is not worth placing in this run; empty when it is.

        A CA that is asked too often may mean one domain, or everybody: whether it does, one more order tells.
        """
        if self.silent >= SILENT or len(self.throttled) > 1:
            return f"not asked for, since its issuer takes no orders now: {self.why}"
        domains = set(purchase.domains) if self.throttled else set()
        if any(domains & set(each.domains) for each in self.throttled):
            return f"not asked for, since its issuer takes no order for its domain now: {self.why}"
        return ""


def pause(patience: tuple[timedelta, ...], failures: int, why: ProviderError) -> timedelta | None:
    """Return how long to wait after a failure, the CA's own wish if it is longer; None for not at all.

    The last pause is for what is wrong with the certificate: a CA that does not answer is asked sooner.
    """
    known = patience[:-1] or patience if isinstance(why, _NOT_OURS) else patience
    own = known[min(failures, len(known)) - 1] if known else timedelta()
    asked = why.retry_after if isinstance(why, Throttled) else None
    wish = timedelta(seconds=min(asked or 0, LONGEST.total_seconds()))
    return max(own, wish) or None


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
