"""How many certificates will have to be issued, week by week: what the documents and the ledger foretell.

The arithmetic is that of `reconciler.schedule`. The serial of a certificate to come is not known, so
that the fraction that spreads renewals is its name's. Nobody is asked, and nothing is written.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from reconciler.advice import renewal, windows
from reconciler.checks import Subject, first_finding
from reconciler.leads import SHORT_LIVED, Share
from reconciler.ledger.issuing import Advised
from reconciler.ledger.records import CertificateRecord, Issuance, LedgerState, Status
from reconciler.regimes import AS_WRITTEN, Regime
from reconciler.schedule import lead, life_of, renewal_time
from reconciler.state import Desired, DesiredAuthority, DesiredCertificate
from schemas.plan import Reason

WEEK = timedelta(days=7)
YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Quota:
    """The most installs within 365 days in a place that limits them, and when it becomes too many."""

    target: str
    limit: int
    most: int
    exceeded: datetime | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """What lies ahead under one regime: a number for each week, all issuers together and apart."""

    regime: Regime
    issuers: Mapping[str, tuple[int, ...]]
    quotas: tuple[Quota, ...] = ()
    weeks: tuple[int, ...] = field(default=())

    @property
    def total(self) -> int:
        """How many certificates are issued in all."""
        return sum(self.weeks)

    @property
    def peak(self) -> int:
        """The place of the first week with the most issuances."""
        return self.weeks.index(max(self.weeks))


@dataclass(frozen=True, slots=True)
class AuthorityEvent:
    """A CA that is issued, or renewed, and whether that takes a ceremony."""

    at: datetime
    address: str
    ceremony: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """The weeks from `begins` (a Monday) on, under one regime after the other; the first is what is written.

    `hosted` certificates are issued and renewed by the places that hold them, and are in no series.
    """

    project: str
    now: datetime
    begins: date
    series: tuple[Series, ...]
    certificates: int
    authorities: tuple[AuthorityEvent, ...] = ()
    hosted: int = 0

    @property
    def weeks(self) -> tuple[date, ...]:
        """The Monday of each week."""
        number = len(self.series[0].weeks)
        return tuple(self.begins + WEEK * place for place in range(number))


def forecast(
    desired: Desired,
    ledger: LedgerState,
    now: datetime,
    *,
    weeks: int = 52,
    regimes: Sequence[Regime] = (),
) -> Forecast:
    """Return what has to be issued within so many weeks, the current one included."""
    begins = now.astimezone(UTC).date() - timedelta(days=now.astimezone(UTC).weekday())
    span = _Span(now, begins, weeks)
    leaves = [c for c in desired.certificates.values() if desired.hosting(c) is None]
    authorities = sorted(_authorities(desired, ledger, span), key=lambda each: each.at)
    ways = tuple(
        _series(desired, ledger, span, regime, leaves, authorities)
        for regime in (AS_WRITTEN, *regimes)
    )
    return Forecast(
        project=desired.project,
        now=now,
        begins=begins,
        series=ways,
        certificates=len(leaves),
        authorities=tuple(authorities),
        hosted=len(desired.certificates) - len(leaves),
    )


@dataclass(frozen=True, slots=True)
class _Span:
    """The time that is looked at: from now to the end of the last week."""

    now: datetime
    begins: date
    weeks: int

    @property
    def end(self) -> datetime:
        """The moment after the last week."""
        return datetime.combine(self.begins, datetime.min.time(), UTC) + WEEK * self.weeks

    def week(self, moment: datetime) -> int:
        """Return which week a moment is in."""
        return (moment.date() - self.begins).days // 7


def _series(
    desired: Desired,
    ledger: LedgerState,
    span: _Span,
    regime: Regime,
    leaves: Sequence[DesiredCertificate],
    authorities: Sequence[AuthorityEvent],
) -> Series:
    counted: dict[str, Counter[int]] = defaultdict(Counter)
    advice = windows(desired, ledger)
    installs: dict[str, list[datetime]] = {name: [] for name in _limited(desired)}
    for certificate in leaves:
        record = ledger.certificates.get(certificate.name) or _formerly(certificate, ledger)
        moments = list(_issues(certificate, record, regime, span, advice))
        counted[certificate.request.issuer].update(map(span.week, moments))
        for install in certificate.installs:
            if install.target in installs:
                installs[install.target] += [*_past(record, span.now), *moments]
    for event in authorities:
        signer = desired.authorities[event.address.partition("/")[2]].request.issuer
        counted[signer or event.address.partition("/")[2]][span.week(event.at)] += 1
    issuers = {
        name: tuple(counts[week] for week in range(span.weeks))
        for name, counts in sorted(counted.items())
    }
    return Series(
        regime,
        issuers,
        tuple(_quotas(desired, installs)),
        tuple(map(sum, zip(*issuers.values(), strict=True))) or (0,) * span.weeks,
    )


def _formerly(certificate: DesiredCertificate, ledger: LedgerState) -> CertificateRecord:
    """Return the record under a name that a certificate had before, an empty one where there is none."""
    had = (ledger.certificates.get(name) for name in certificate.formerly)
    return next((each for each in had if each), CertificateRecord(name=certificate.name))


def _issues(
    certificate: DesiredCertificate,
    record: CertificateRecord,
    regime: Regime,
    span: _Span,
    advice: Mapping[str, Advised],
) -> Iterator[datetime]:
    """Yield when a certificate is issued: first when the plan of that day would, then over and over."""
    bounds = regime.bounds(certificate.name)
    days = [step.since for step in bounds]
    moment = max(_first(certificate, record, span.now, advice), span.now)
    life = _life(certificate, record)
    periods: dict[int, timedelta] = {}
    while moment < span.end:
        yield moment
        step = bisect_right(days, moment.date()) - 1
        if step not in periods:
            longest = bounds[step].longest if step >= 0 else None
            periods[step] = _period(certificate, life, longest)
        moment += periods[step]


def _first(
    certificate: DesiredCertificate,
    record: CertificateRecord,
    now: datetime,
    advice: Mapping[str, Advised],
) -> datetime:
    """Return when a certificate is issued next: now, where more than the clock asks for it."""
    current = record.current
    window = advice.get(current.serial) if current else None
    finding = first_finding(Subject(certificate, record, now, window=window))
    if current is None or (finding is not None and finding.reason is not Reason.RENEWING):
        return now
    return renewal(record, current, certificate.renew_before, window).at


def _life(certificate: DesiredCertificate, record: CertificateRecord) -> timedelta:
    """Return how long a certificate will live: as asked, or as its CA last decided."""
    current = record.current
    if not isinstance(certificate.renew_before, Share) or current is None:
        return timedelta(seconds=certificate.request.duration)
    same = current.request.issuer == certificate.request.issuer
    return life_of(current) if same else timedelta(seconds=certificate.request.duration)


def _period(
    certificate: DesiredCertificate, wanted: timedelta, longest: timedelta | None
) -> timedelta:
    """Return how long it is from one issue to the next; what is left then shrinks as the life does."""
    life = wanted if longest is None else min(wanted, longest)
    if isinstance(certificate.renew_before, Share):
        early = lead(life, certificate.renew_before, certificate.name)
        return max(life - early, timedelta(hours=1))
    share = certificate.renew_before / wanted
    if life < wanted and life <= SHORT_LIVED:
        share = max(share, 0.5)
    return max(life - lead(life, life * share, certificate.name), timedelta(hours=1))


def _authorities(desired: Desired, ledger: LedgerState, span: _Span) -> Iterator[AuthorityEvent]:
    for authority in desired.authorities.values():
        if authority.retired or authority.is_anchor:
            continue
        signer = desired.authorities.get(authority.request.issuer or authority.name)
        ceremony = signer is not None and signer.offline
        moment = max(_authority_due(authority, ledger), span.now)
        life = timedelta(seconds=authority.request.duration)
        period = life - lead(life, authority.renew_before, authority.name)
        while moment < span.end:
            yield AuthorityEvent(moment, authority.address, ceremony)
            moment += max(period, timedelta(days=1))


def _authority_due(authority: DesiredAuthority, ledger: LedgerState) -> datetime:
    """Return when a CA is issued next; long ago where it was never."""
    record = ledger.authorities.get(authority.name)
    issued = record.issued(authority.request.generation) if record else None
    if issued is None:
        return datetime.min.replace(tzinfo=UTC)
    return renewal_time(issued, authority.renew_before)


def _limited(desired: Desired) -> Collection[str]:
    """Return the places that limit how much is installed there in a year."""
    return [
        name
        for name, target in desired.targets.items()
        if target.spec.limits.installs_per_year is not None
    ]


def _past(record: CertificateRecord, now: datetime) -> Iterator[datetime]:
    """Yield when a certificate was issued within the last year: each time it was installed, too."""
    for issuance in record.issuances:
        moment = issuance.issued_at
        if moment is not None and _counts(issuance) and now - YEAR < moment <= now:
            yield moment


def _counts(issuance: Issuance) -> bool:
    return issuance.status in (Status.ISSUED, Status.REVOKED)


def _quotas(desired: Desired, installs: Mapping[str, list[datetime]]) -> Iterator[Quota]:
    """Yield how each place's limit compares with the fullest 365 days there."""
    for name, moments in sorted(installs.items()):
        limit = desired.targets[name].spec.limits.installs_per_year or 0
        ordered = sorted(moments)
        first, most, exceeded = 0, 0, None
        for place, moment in enumerate(ordered):
            while ordered[first] <= moment - YEAR:
                first += 1
            within = place - first + 1
            most = max(most, within)
            if within > limit and exceeded is None:
                exceeded = moment
        yield Quota(name, limit, most, exceeded)
