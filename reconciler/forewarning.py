"""What will be refused from a day on, and which exceptions there are until when. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.baseline import Bound, bound_at, bounds_after
from reconciler.diagnostics import Diagnostic, warning
from reconciler.limits import Limit, format_days, too_long
from reconciler.state import Desired, DesiredException
from schemas.plan import Source
from schemas.scalars import format_duration

_NAMED = 5
"""How many certificates a warning names, and how many are told each at its own place."""


@dataclass(frozen=True, slots=True)
class Foresight:
    """What is to be told of one certificate, at `source`; `policy` is where the rule stands."""

    summary: str
    hint: str
    detail: str
    certificate: str
    source: Source
    policy: Source


def foretold(desired: Desired, now: datetime) -> tuple[Diagnostic, ...]:
    """Return a warning for what is refused, or will be, by the day alone, and for every exception."""
    seen = list(_foreseen(desired, now))
    return (*_gathered(seen), *(_excepted(e, desired, now) for e in desired.exceptions))


def _foreseen(desired: Desired, now: datetime) -> Iterator[Foresight]:
    for certificate in desired.certificates.values():
        life = timedelta(seconds=certificate.request.duration)
        for limit in certificate.limits.dated:
            if told := _told(limit, life, now):
                detail = (
                    f"That is what is issued then; what was issued is left alone. By {limit.where}."
                )
                yield Foresight(*told, detail, certificate.name, limit.source, limit.at)


def _told(limit: Limit, life: timedelta, now: datetime) -> tuple[str, str] | None:
    """Return what to say of a baseline, and what to do; None where nothing has to be."""
    if limit.baseline is None:
        return None  # what an exception excuses is told with it
    moment = max(now, limit.until) if limit.until else now
    if too_long(limit, life, moment):
        return _refused(limit, life, bound_at(limit.baseline, moment), now)
    later = next((b for b in bounds_after(limit.baseline, moment) if life > b.longest), None)
    if later is not None:
        return _refused(limit, life, later, now)
    advised = bound_at(limit.baseline, moment).advised
    if life <= advised:
        return None
    words = (
        f"{format_duration(life)} is all that {limit.baseline} allows, and it asks for a day less"
    )
    return words, f"write `duration: {format_days(advised)}`"


def _refused(limit: Limit, life: timedelta, bound: Bound, now: datetime) -> tuple[str, str]:
    most = format_days(bound.longest)
    since = max(bound.since, limit.until) if limit.until else bound.since
    when = f"{'since' if since <= now else 'from'} {since.date().isoformat()}"
    words = f"{when} this is too long: {format_duration(life)} ({limit.baseline} allows {most})"
    return words, f"write `duration: {most}`"


def _gathered(seen: Sequence[Foresight]) -> Iterator[Diagnostic]:
    """Yield a warning for each place; where many certificates share the words, one at the policy."""
    alike: dict[tuple[str, str, str, Source], list[Foresight]] = {}
    for each in seen:
        alike.setdefault((each.summary, each.detail, each.hint, each.policy), []).append(each)
    for (summary, detail, hint, policy), group in alike.items():
        if len(group) > _NAMED:
            about = f"{detail}\nIt concerns {named([each.certificate for each in group])}."
            yield warning(summary, policy, detail=about, hint=hint)
            continue
        places = dict.fromkeys(each.source for each in group)
        yield from (warning(summary, place, detail=detail, hint=hint) for place in places)


def _excepted(exception: DesiredException, desired: Desired, now: datetime) -> Diagnostic:
    day, who = exception.until.date().isoformat(), named(exception.names)
    excused = tuple(dict.fromkeys(_excused(exception, desired)))
    detail = "\n".join((f"The reason given: {exception.reason}.", *excused))
    if now < exception.until:
        words = f"policy {exception.policy} does not bind {who} before {day}"
        return warning(words, exception.source, detail=detail)
    words = f"the exception of policy {exception.policy} for {who} ended on {day}"
    held = "put right what it excused, which is not issued any more, or have it prolonged"
    return warning(words, exception.source, detail=detail, hint=held if excused else "take it out")


def _excused(exception: DesiredException, desired: Desired) -> Iterator[str]:
    """Yield what an exception excuses, in words."""
    for name in exception.names:
        wanted = desired.certificates.get(name) or desired.authorities.get(name)
        for limit in wanted.limits.dated if wanted else ():
            same = (limit.policy, limit.until) == (exception.policy, exception.until)
            if same and limit.problem and not limit.commit:
                yield f"{name}: {limit.problem} ({limit.source})."


def named(names: Sequence[str]) -> str:
    """Return names for a sentence, a number for those beyond a few."""
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
