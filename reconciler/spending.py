"""What the quotas of a CA of others have room for, and when: pure, from what was asked of it so far.

A quota is kept to in every window that ends with an order, wherever it begins. That is never more than a
CA allows whose bucket fills up again drop by drop. An order counts from the moment it was written down.
"""

import hashlib
import ipaddress
from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, cached_property

from publicsuffixlist import PublicSuffixList

from reconciler.ledger.issuing import SpendingRecord, Spent
from reconciler.schedule import is_ahead
from schemas.quotas import IssuerQuotas, Quota
from schemas.request import LeafRequest
from schemas.scalars import format_duration

ORDERS, CERTIFICATES, SAME_NAMES, FAILURES = "orders", "certificates", "same_names", "failures"
PAUSE = "pause"
"""What makes an order wait that is no quota: a name in it failed a while ago."""
PEOPLE = 10
"""One part in so many of a quota is left for people, of a smaller one that much longer is looked back."""
REMEMBERED = timedelta(days=7)
"""How long it is remembered which names failed."""

Key = tuple[str, str]
"""A quota, and what it counts for: a domain, a set of names, a name; nothing for an account's orders."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What is kept to of one quota: at most `most` within any `window`."""

    told: Quota
    most: int
    window: timedelta

    @classmethod
    def of(cls, quota: Quota) -> "Limit":
        """Return a quota less what is left for people, and for orders that are placed a little late."""
        share = quota.most // PEOPLE
        return cls(
            quota, quota.most - share, quota.window if share else quota.window * (1 + 1 / PEOPLE)
        )


@dataclass(frozen=True)
class Terms:
    """What is kept to with one CA. `patience` are the pauses after a name failed, the last for ever."""

    quotas: IssuerQuotas
    patience: tuple[timedelta, ...] = ()

    @cached_property
    def limits(self) -> dict[str, Limit]:
        """Return the quotas there are, by their name."""
        named = ((kind, getattr(self.quotas, kind)) for kind in _WORDS)
        return {kind: Limit.of(quota) for kind, quota in named if quota is not None}

    @property
    def look_back(self) -> timedelta:
        """How long what was asked still counts."""
        windows = [limit.window for limit in self.limits.values()]
        return max((*windows, REMEMBERED)) if windows else timedelta()


@dataclass(frozen=True)
class Purchase:
    """One order as quotas count it; `names` are sorted and in lower case.

    `replaces` and `renewal` are as in `Spent`. One that is not `patient` was asked for by name, and waits for
    quotas alone.
    """

    reference: str
    names: tuple[str, ...]
    replaces: str | None = None
    renewal: bool = False
    patient: bool = True

    @cached_property
    def digest(self) -> str:
        """What tells this exact set of names from others: 128 bits, in hex."""
        return hashlib.sha256("\n".join(self.names).encode()).hexdigest()[:32]

    @cached_property
    def domains(self) -> tuple[str, ...]:
        """The registered domains of the names."""
        return tuple(sorted(set(map(registered_domain, self.names))))

    def spent(self, at: datetime) -> Spent:
        """Return the order as it is written down."""
        return Spent(
            at=at,
            reference=self.reference,
            names=self.digest,
            domains=self.domains,
            replaces=self.replaces,
            renewal=self.renewal,
        )


@dataclass(frozen=True, slots=True)
class Wait:
    """Until when an order has to wait, for which quota of what, and why in words."""

    until: datetime
    key: Key
    why: str


@dataclass
class Spending:
    """What was asked of one CA until a moment, by what its quotas count; it grows as orders are placed."""

    _moments: dict[Key, list[datetime]] = field(default_factory=dict)
    _held: dict[str, tuple[datetime, frozenset[Key]]] = field(default_factory=dict)
    """The last time each reservation was ordered: it becomes one certificate, however often it is."""
    _replaced: set[str] = field(default_factory=set)
    """The serials that orders took the place of, each of which does so without counting once."""
    _full: dict[Key, tuple[datetime, datetime]] = field(default_factory=dict)
    """From when to when there is known to be no room: orders only ever take some."""

    @classmethod
    def of(cls, records: Iterable[SpendingRecord], now: datetime) -> "Spending":
        """Return what was spent by a moment; what a clock wrote that was ahead does not count."""
        spending = cls()
        for record in records:
            for spent in record.orders:
                if not is_ahead(spent.at, now):
                    spending.enter(spent, now)
        return spending

    def enter(self, spent: Spent, now: datetime) -> None:
        """Count an order that was written down before a moment."""
        at = min(spent.at, now)
        if spent.failed_at is not None:
            self.fail(spent.failed, min(spent.failed_at, now))
        if spent.replaces is not None:
            if spent.failed_at is None:
                self._replaced.add(spent.replaces)
            return
        if not spent.renewal:
            self._add((ORDERS, ""), at)
        if spent.failed_at is None:
            self._hold(spent, at)

    def fail(self, names: Iterable[str], at: datetime) -> None:
        """Count names that were not proved."""
        for name in names:
            self._add((FAILURES, proved_name(name)), at)

    def is_replaced(self, serial: str) -> bool:
        """Whether an order that took the place of a certificate was placed, and did not fail."""
        return serial in self._replaced

    def wait(
        self, purchase: Purchase, terms: Terms, now: datetime, *, entered: bool = False
    ) -> Wait | None:
        """Return for what an order has to wait, None where it may be placed now.

        One that is `entered` has its room: only names that failed since can make it wait.
        """
        wait: Wait | None = None
        moment, own = now, self._held.get(purchase.reference)
        keys = tuple((FAILURES, name) for name in _proved(purchase))
        keys = keys if entered else (*counted(purchase), *keys)
        while (later := self._latest(purchase, keys, terms, moment, own)) is not None:
            moment, wait = later.until, later
        return wait

    def used(self, key: Key, limit: Limit, now: datetime) -> int:
        """Return how many count for a quota within the window that ends at a moment."""
        moments = self._moments.get(key, [])
        return bisect_right(moments, now) - bisect_right(moments, now - limit.told.window)

    def room_at(self, key: Key, limit: Limit, now: datetime) -> datetime:
        """Return the first moment from `now` on at which a quota has room for one more."""
        return self._room(key, limit, now, None)

    def _latest(
        self,
        purchase: Purchase,
        keys: Sequence[Key],
        terms: Terms,
        moment: datetime,
        own: tuple[datetime, frozenset[Key]] | None,
    ) -> Wait | None:
        """Return the longest wait that begins at a moment, None where there is room for all."""
        waits = []
        for key in keys:
            limit = terms.limits.get(key[0])
            if limit is None:
                continue
            until = self._room(key, limit, moment, own)
            if until > moment:
                waits.append(Wait(until, key, _words(key, limit)))
        if purchase.patient and FAILURES in terms.limits:
            waits.extend(self._pauses(purchase, terms, moment))
        return max(waits, key=lambda wait: wait.until, default=None)

    def _pauses(self, purchase: Purchase, terms: Terms, moment: datetime) -> Iterator[Wait]:
        for name in _proved(purchase) if terms.patience else ():
            known = self._moments.get((FAILURES, name))
            if not known:
                continue
            failures = [at for at in known if moment - REMEMBERED < at <= moment]
            if failures:
                pause = terms.patience[min(len(failures), len(terms.patience)) - 1]
                if failures[-1] + pause > moment:
                    times = f" {len(failures)} times" if len(failures) > 1 else ""
                    why = f"{name} was not proved{times}"
                    yield Wait(failures[-1] + pause, (PAUSE, name), why)

    def _room(
        self, key: Key, limit: Limit, moment: datetime, own: tuple[datetime, frozenset[Key]] | None
    ) -> datetime:
        moments, known = self._moments.get(key), self._full.get(key)
        if not moments or len(moments) < limit.most:
            return moment
        start = moment
        if known and known[0] <= start < known[1]:
            start, moment = known
        ours = own[0] if own and key in own[1] else None
        while True:
            left = bisect_right(moments, moment - limit.window)
            count = bisect_right(moments, moment) - left
            if ours and moment - limit.window < ours <= moment:
                count -= 1
            if count < limit.most:
                break
            moment = moments[left] + limit.window
        if moment > start and ours is None:
            self._full[key] = (start, moment)
        return moment

    def _hold(self, spent: Spent, at: datetime) -> None:
        certificates = () if spent.renewal else ((CERTIFICATES, name) for name in spent.domains)
        keys = frozenset((*certificates, (SAME_NAMES, spent.names)))
        before, held = self._held.get(spent.reference, (at, frozenset[Key]()))
        for key in held:
            self._moments[key].remove(before)
            self._full.pop(key, None)
        at = max(at, before)
        for key in keys:
            self._add(key, at)
        self._held[spent.reference] = (at, keys)

    def _add(self, key: Key, at: datetime) -> None:
        insort(self._moments.setdefault(key, []), at)


_WORDS = {
    ORDERS: "{most} orders in {window}",
    CERTIFICATES: "{most} certificates of {of} in {window}",
    SAME_NAMES: "{most} certificates for the same names in {window}",
    FAILURES: "{most} failures of {of} in {window}",
}


def _words(key: Key, limit: Limit) -> str:
    """Say a quota as its CA does."""
    most, window = limit.told.most, format_duration(limit.told.window)
    words = _WORDS[key[0]] if most != 1 else _WORDS[key[0]].replace("s ", " ", 1)
    return words.format(most=most, of=key[1], window=window)


def counted(purchase: Purchase) -> Iterator[Key]:
    """Yield all that an order counts for."""
    if purchase.replaces is not None:
        return
    if not purchase.renewal:
        yield ORDERS, ""
        yield from ((CERTIFICATES, domain) for domain in purchase.domains)
    yield SAME_NAMES, purchase.digest


def _proved(purchase: Purchase) -> Iterator[str]:
    """Yield the names that a CA proves for an order, any of which may have failed too often."""
    yield from dict.fromkeys(map(proved_name, purchase.names))


def names_of(request: LeafRequest) -> tuple[str, ...]:
    """Return the names that an order is for: those a CA proves, in one spelling, each once."""
    dns = {name.lower() for name in (*request.dns_names, *filter(None, [request.common_name]))}
    addresses = {str(ipaddress.ip_address(text)) for text in request.ip_addresses}
    return tuple(sorted(dns | addresses))


def proved_name(name: str) -> str:
    """Return the name that is proved for one: a wildcard's is the name below which it stands."""
    return name.removeprefix("*.")


def registered_domain(name: str) -> str:
    """Return the domain that somebody registered, as the Public Suffix List has it; else the name itself."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        plain = proved_name(name)
        return _suffixes().privatesuffix(plain) or plain


@cache
def _suffixes() -> PublicSuffixList:
    """Read the list that came with the library, when it is first needed."""
    return PublicSuffixList()
