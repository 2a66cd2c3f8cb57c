"""What lies ahead in words: the sentences that every form of a forecast has, and its JSON."""

import json
from collections.abc import Iterator
from datetime import timedelta

from reconciler.forecast import Forecast, Quota, Series
from reconciler.render.escape import visible
from reconciler.render.summary import count
from schemas.scalars import format_instant

MANY_WEEKS = 60
"""A table of more weeks than these has a row for every four."""
_NAMED = 8
"""How many CAs, or places, are told of one by one."""


def span(ahead: Forecast) -> str:
    """Return which weeks a forecast is of."""
    last = ahead.weeks[-1] + timedelta(days=6)
    return f"{count(len(ahead.weeks), 'week')} from {ahead.begins} to {last}"


def heading(ahead: Forecast) -> str:
    """Return whose certificates a forecast is of."""
    named = count(ahead.certificates, "certificate")
    hosted = f"; {ahead.hosted:,} that their places renew are left out" if ahead.hosted else ""
    return f"{visible(ahead.project)}: {named}, {span(ahead)}{hosted}"


def sums(ahead: Forecast, series: Series) -> str:
    """Return how much a series comes to, and its peak."""
    if not series.total:
        return "nothing to issue"
    peak = series.weeks[series.peak]
    most = f"the most {peak:,} in the week of {ahead.weeks[series.peak]}"
    return f"{count(series.total, 'issuance')}, {most}"


def warnings(ahead: Forecast) -> Iterator[str]:
    """Yield what somebody has to do something about before it comes: quotas, and ceremonies."""
    told: set[str] = set()
    for series in ahead.series:
        for quota in series.quotas:
            said = exceeded(quota)
            if said and said not in told:
                told.add(said)
                where = (
                    ""
                    if series is ahead.series[0]
                    else f" ({series.regime.label.partition(':')[0]})"
                )
                yield said + where
    ceremonies = [event for event in ahead.authorities if event.ceremony]
    for event in ceremonies[:_NAMED]:
        yield f"{visible(event.address)} takes a ceremony by {event.at.date()}"
    if len(ceremonies) > _NAMED:
        yield f"and {len(ceremonies) - _NAMED:,} more ceremonies"


def exceeded(quota: Quota) -> str:
    """Return from when on a place's quota does not suffice; empty where it does."""
    if quota.exceeded is None:
        return ""
    month = f"{quota.exceeded:%Y-%m}"
    return (
        f"{visible(quota.target)}: {quota.limit:,} imports a year will be exceeded from {month};"
        f" the most are {quota.most:,}"
    )


def rows(ahead: Forecast) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the rows of a table, by what each begins with: a week, or four where there are many."""
    size = _rows_of(ahead)
    for place in range(0, len(ahead.weeks), size):
        numbers = tuple(sum(series.weeks[place : place + size]) for series in ahead.series)
        yield ahead.weeks[place].isoformat(), numbers


def unit(ahead: Forecast) -> str:
    """Return what a row of the table is."""
    size = _rows_of(ahead)
    return "week of" if size == 1 else f"{size} weeks from"


def _rows_of(ahead: Forecast) -> int:
    return 1 if len(ahead.weeks) <= MANY_WEEKS else 4


def render_json(ahead: Forecast) -> str:
    """Return a forecast as JSON: every series by issuer, a number for each week."""
    data = {
        "format_version": "1.0",
        "kind": "forecast",
        "project": ahead.project,
        "created_at": format_instant(ahead.now),
        "certificates": ahead.certificates,
        "hosted": ahead.hosted,
        "weeks": [week.isoformat() for week in ahead.weeks],
        "series": [_series(series) for series in ahead.series],
        "authorities": [
            {"address": e.address, "at": format_instant(e.at), "ceremony": e.ceremony}
            for e in ahead.authorities
        ],
    }
    return json.dumps(data, indent=2, ensure_ascii=False)


def _series(series: Series) -> dict[str, object]:
    return {
        "label": series.regime.label,
        "total": series.total,
        "peak": max(series.weeks),
        "numbers": series.weeks,
        "issuers": dict(series.issuers),
        "quotas": [
            {
                "target": quota.target,
                "limit": quota.limit,
                "most": quota.most,
                "exceeded_at": format_instant(quota.exceeded) if quota.exceeded else None,
            }
            for quota in series.quotas
        ],
    }
