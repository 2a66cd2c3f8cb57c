"""Rules for lifetimes that change by the day, and whom they bind: those of documents, or of others.

A forecast is made under one after the other.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from reconciler.baseline import SCHEDULE
from reconciler.state import Desired
from schemas.policy import Baseline
from schemas.scalars import format_duration


@dataclass(frozen=True, slots=True)
class Step:
    """From a day on no certificate may live longer."""

    since: date
    longest: timedelta


@dataclass(frozen=True, slots=True)
class Regime:
    """A rule for lifetimes, and whom it binds: the certificates in `names`, all of them where it is None."""

    label: str
    steps: tuple[Step, ...] = ()
    names: frozenset[str] | None = None

    def bounds(self, name: str) -> tuple[Step, ...]:
        """Return the steps that bind a certificate, the earliest first."""
        bound = self.names is None or name in self.names
        return tuple(sorted(self.steps, key=lambda step: step.since)) if bound else ()


AS_WRITTEN = Regime("as the documents say")


def steps_of(baseline: Baseline) -> tuple[Step, ...]:
    """Return how long certificates may live by the rules of others, and from when on."""
    return tuple(Step(bound.since.date(), bound.longest) for bound in SCHEDULE[baseline])


def told(steps: Sequence[Step], now: datetime) -> str:
    """Return in words the steps that are still to come, or else the one that holds."""
    ahead = [step for step in steps if step.since > now.date()]
    shown = ahead or sorted(steps, key=lambda step: step.since)[-1:]
    return " and ".join(
        f"{format_duration(step.longest)} from {step.since}"
        if ahead
        else format_duration(step.longest)
        for step in shown
    )


def required(desired: Desired, now: datetime) -> Iterator[Regime]:
    """Yield what policies make of the lives of the certificates that a baseline binds."""
    bound: dict[Baseline, set[str]] = defaultdict(set)
    for certificate in desired.certificates.values():
        for limit in certificate.limits.dated:
            if limit.baseline is not None:
                bound[limit.baseline].add(certificate.name)
    for baseline, names in sorted(bound.items()):
        steps = steps_of(baseline)
        yield Regime(f"as {baseline} has it: {told(steps, now)}", steps, frozenset(names))
