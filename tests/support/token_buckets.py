"""The limits of a public CA as it keeps them: buckets that fill up again drop by drop, names that are paused.

https://letsencrypt.org/docs/rate-limits/ as of 2026-08-05. `Buckets` knows no wire and no certificate, so
that any door can be put before it; every limit is counted by itself, apart from what certform counts.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from publicsuffixlist import PublicSuffixList


@dataclass(frozen=True)
class Bucket:
    """Holds `most`, and fills up from empty within a `window`."""

    most: int
    window: timedelta


ORDERS = Bucket(300, timedelta(hours=3))
DOMAIN = Bucket(50, timedelta(days=7))
SAME_NAMES = Bucket(5, timedelta(days=7))
FAILURES = Bucket(5, timedelta(hours=1))
CONSECUTIVE = Bucket(1_152, timedelta(days=1_152))


@dataclass(frozen=True)
class Refusal:
    """An order that is not taken: why, and in how many seconds it would be; None for a paused name."""

    why: str
    retry_after: float | None


@dataclass
class Buckets:
    """What one account has left at the CA. Nothing is certform's: certificates of others count, too."""

    levels: dict[tuple[Bucket, str], tuple[float, datetime]] = field(default_factory=dict)
    issued: dict[tuple[str, ...], datetime] = field(default_factory=dict)
    """When each exact set of names was last issued: another one for it is a renewal."""
    paused: set[str] = field(default_factory=set)
    refusals: list[Refusal] = field(default_factory=list)
    renewals_exempt: bool = True

    def order(
        self, names: Collection[str], now: datetime, *, exempt: bool = False
    ) -> Refusal | None:
        """Take an order, or say why not; one that replaces a certificate by ARI is `exempt`."""
        refusal = self._refused(tuple(sorted(names)), now, exempt=exempt)
        if refusal is not None:
            self.refusals.append(refusal)
        elif not exempt and not self._is_renewal(names):
            self._drain(ORDERS, "", now)
        return refusal

    def issue(self, names: Collection[str], now: datetime, *, exempt: bool = False) -> None:
        """Count a certificate."""
        if not exempt:
            for bucket, key in self._certificates(names):
                self._drain(bucket, key, now)
        for name in names:
            self.levels.pop((CONSECUTIVE, name), None)
        self.issued[tuple(sorted(names))] = now

    def fail(self, name: str, now: datetime) -> None:
        """Count a name that was not proved; one that never is any more gets paused."""
        self._drain(FAILURES, name, now)
        self._drain(CONSECUTIVE, name, now)
        if self._level(CONSECUTIVE, name, now) < 1:
            self.paused.add(name)

    def left(self, bucket: Bucket, key: str, now: datetime) -> float:
        """Return what a bucket holds."""
        return self._level(bucket, key, now)

    def _refused(self, names: tuple[str, ...], now: datetime, *, exempt: bool) -> Refusal | None:
        if held := self.paused.intersection(names):
            return Refusal(f"paused: {', '.join(sorted(held))}", None)
        needed = [(FAILURES, name) for name in names] if not exempt else []
        if not exempt:
            needed += self._certificates(names)
        if not exempt and not self._is_renewal(names):
            needed.append((ORDERS, ""))
        for bucket, key in needed:
            level = self._level(bucket, key, now)
            if level < 1:
                seconds = (1 - level) * bucket.window.total_seconds() / bucket.most
                return Refusal(f"too many for {key or 'this account'}", seconds)
        return None

    def _certificates(self, names: Collection[str]) -> list[tuple[Bucket, str]]:
        domains = {_suffixes().privatesuffix(name) or name for name in names}
        per_domain = [(DOMAIN, domain) for domain in sorted(domains)]
        same = (SAME_NAMES, " ".join(sorted(names)))
        return [same] if self._is_renewal(names) else [*per_domain, same]

    def _is_renewal(self, names: Collection[str]) -> bool:
        return self.renewals_exempt and tuple(sorted(names)) in self.issued

    def _level(self, bucket: Bucket, key: str, now: datetime) -> float:
        level, since = self.levels.get((bucket, key), (float(bucket.most), now))
        return min(bucket.most, level + bucket.most * ((now - since) / bucket.window))

    def _drain(self, bucket: Bucket, key: str, now: datetime) -> None:
        self.levels[bucket, key] = (self._level(bucket, key, now) - 1, now)


def peak(moments: Iterable[datetime], window: timedelta) -> int:
    """Return how many of some moments there are in the fullest window."""
    ordered, start, most = sorted(moments), 0, 0
    for end, moment in enumerate(ordered):
        while ordered[start] <= moment - window:
            start += 1
        most = max(most, end - start + 1)
    return most


def by_key(log: Iterable[tuple[str, datetime]]) -> Mapping[str, list[datetime]]:
    """Return moments by what they belong to."""
    found: dict[str, list[datetime]] = defaultdict(list)
    for key, moment in log:
        found[key].append(moment)
    return found


def beyond(log: Iterable[tuple[str, datetime]], bucket: Bucket) -> Iterator[str]:
    """Yield what a bucket's limit was passed for, were it a window that slides."""
    for key, moments in by_key(log).items():
        if (number := peak(moments, bucket.window)) > bucket.most:
            yield f"{key}: {number} of {bucket.most}"


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
