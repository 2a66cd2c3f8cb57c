"""Rules for lifetimes that change by the day, and whom they bind: those of documents, or of others.

A forecast is made under one after the other.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
    """A rule for lifetimes, and whom it binds: the certificates in `names`, all of them where it is None.

    Those in `excused` it does not bind before a day.
    """

    label: str
    steps: tuple[Step, ...] = ()
    names: frozenset[str] | None = None
    excused: Mapping[str, date] = field(default_factory=dict)

    def bounds(self, name: str) -> tuple[Step, ...]:
        """Return the steps that bind a certificate, the earliest first."""
        if self.names is not None and name not in self.names:
            return ()
        first = self.excused.get(name, date.min)
        steps = {max(s.since, first): s.longest for s in sorted(self.steps, key=_since)}
        return tuple(Step(since, longest) for since, longest in steps.items())


def _since(step: Step) -> date:
    return step.since


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
    bound: dict[Baseline, dict[str, date]] = defaultdict(dict)
    for certificate in desired.certificates.values():
        for limit in certificate.limits.dated:
            if limit.baseline is not None:  # of two policies the one that binds first does
                names, until = (
                    bound[limit.baseline],
                    limit.until.date() if limit.until else date.min,
                )
                names[certificate.name] = min(until, names.get(certificate.name, date.max))
    for baseline, since in sorted(bound.items()):
        steps, excused = steps_of(baseline), {n: day for n, day in since.items() if day > date.min}
        label = f"as {baseline} has it: {told(steps, now)}"
        yield Regime(label, steps, frozenset(since), excused)
