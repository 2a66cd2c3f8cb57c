"""What policies allow from a day on, or until one: data of the documents, judged when something is issued.

Resolving knows no clock. So what depends on the day is kept beside what is wanted: the diff looks at it
when it would issue, and whoever has a clock can tell ahead of what will be refused.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.baseline import bound_at, days
from schemas.plan import Source
from schemas.policy import Baseline
from schemas.scalars import format_duration


@dataclass(frozen=True, slots=True)
class Limit:
    """What one policy has against issuing something: a `problem`, or the lives that a `baseline` allows.

    `source` is what asks for it, `at` where the policy says so, of `commit` if it is not among the
    documents at hand. Before `until`, an exception of the policy excuses it for a `reason`.
    """

    policy: str
    at: Source
    source: Source
    problem: str = ""
    baseline: Baseline | None = None
    until: datetime | None = None
    reason: str = ""
    commit: str = ""

    def excused(self, moment: datetime) -> bool:
        """Whether an exception holds at a moment."""
        return self.until is not None and moment < self.until

    @property
    def where(self) -> str:
        """The policy, and where it stands."""
        commit = f" of commit {self.commit[:12]}" if self.commit else ""
        return f"policy {self.policy} ({self.at}{commit})"


@dataclass(frozen=True, slots=True)
class Judgement:
    """Which rules of others a certificate is linted by, and not before an exception of it ends."""

    baseline: Baseline
    policy: str
    at: Source
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """All that policies say of one certificate or CA and that the day, or a linter, decides.

    `accepted` are the codes of findings that a linter need not tell.
    """

    dated: tuple[Limit, ...] = ()
    baselines: tuple[Judgement, ...] = ()
    accepted: frozenset[str] = frozenset()

    def judged(self, moment: datetime) -> tuple[Judgement, ...]:
        """The baselines that what is issued at a moment has to meet."""
        return tuple(j for j in self.baselines if j.until is None or moment >= j.until)


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something must not be issued, and the words that ask for it."""

    message: str
    source: Source | None = None


def refusal(limits: Limits, duration: int, moment: datetime) -> Refusal | None:
    """Return why what lives for `duration` seconds must not be issued at a moment; None where it may."""
    for limit in limits.dated:
        if limit.excused(moment):
            continue
        if limit.problem:
            return Refusal(_unexcused(limit), limit.source)
        if message := too_long(limit, timedelta(seconds=duration), moment):
            return Refusal(message, limit.source)
    return None


def too_long(limit: Limit, life: timedelta, moment: datetime) -> str:
    """Say that a life is longer than a baseline allows at a moment; empty where it is not."""
    if limit.baseline is None:
        return ""
    bound = bound_at(limit.baseline, moment)
    if life <= bound.longest:
        return ""
    most, since = format_days(bound.longest), bound.since.date().isoformat()
    return (
        f"{format_duration(life)} is longer than the {most} that {limit.baseline} allows"
        f" since {since}: {limit.where}; write `duration: {most}`"
    )


def _unexcused(limit: Limit) -> str:
    ended = limit.until.date().isoformat() if limit.until else ""
    return f"{limit.problem}: {limit.where}, which excused it until {ended} ({limit.reason})"


def format_days(life: timedelta) -> str:
    """Return a life in days: years are no unit of a schedule."""
    return f"{days(life)}d"
