"""Drift as GitHub-flavoured Markdown, for an issue or a job summary, cut to a limit if asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate, takewhile
from types import MappingProxyType
from urllib.parse import quote

from reconciler.drifting import Difference, Drift, Kind, Unchecked
from reconciler.lifetimes import Lifetime
from reconciler.render.drift import MOST_EXPIRIES, TITLES, counts
from reconciler.render.escape import code, fence, flowing, inert, prose, visible
from reconciler.render.summary import count, documents_of, in_days, matching
from schemas.plan import Source

_MOST_ADOPTIONS = 5
_LONGEST_ID = 500
_RESERVE = 200
"""Characters that a table's own heading and the sentence about the rest of it may take."""
_NEVER: Mapping[str, datetime] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Setting:
    """Where drift is told: `label` and the pages it links to.

    `since` is when each fingerprint was first seen; None where nobody remembers, as on a command line.
    `folder` is where the Project is in the repository, empty or with a slash at its end.
    """

    label: str = ""
    run_url: str = ""
    blob_url: str = ""
    folder: str = ""
    since: Mapping[str, datetime] | None = field(default=None)


def render_drift_markdown(
    drift: Drift, setting: Setting | None = None, limit: int | None = None
) -> str:
    """Return drift in at most `limit` characters, at least 20,000; rows are left out whole, and counted."""
    where = setting or Setting()
    share = None if limit is None else limit // 8
    head = [_title(drift, where), _checked(drift, where)]
    if drift.unchecked:
        head.append(_not_looked_at(drift, where, share))
    foot = [*_advice(drift), _expiries(drift, share), _elsewhere(drift, share)]
    fixed = sum(len(part) + 2 for part in (*head, *foot))
    tables = _tables(drift, where, None if limit is None else limit - fixed)
    return "\n\n".join(filter(None, (*head, *tables, *foot))) + "\n"


def _title(drift: Drift, where: Setting) -> str:
    said = counts(drift) or "no drift"
    return f"### Certificates: {said} ({prose(where.label or drift.plan.project)})"


def _checked(drift: Drift, where: Setting) -> str:
    """Say when the newest look was: whoever reads an old one has to see that it is old."""
    run = f" by [this run]({quote(where.run_url, safe=':/')})" if where.run_url else ""
    said = [f"Last checked {_moment(drift.plan.created_at)}{run}."]
    said.append(f"Documents: {code(documents_of(drift.plan))}.")
    if not drift.differences and not drift.unchecked:
        said.append(prose(matching(drift.plan)))
    if drift.due:
        said.append(f"{count(drift.due, 'change')} due, and not late: that is no drift.")
    return " ".join(said)


def _not_looked_at(drift: Drift, where: Setting, room: int | None) -> str:
    number = count(len(drift.unchecked), "place")
    first = f"> [!WARNING]\n> **{number} could not be checked.** What was found there before may still be so:"
    lines = [f"> - {_unread(each, where)}" for each in drift.unchecked]
    kept, rest = fitting(lines, room)
    return "\n".join((first, *kept, *([f"> - and {rest:,} more"] if rest else [])))


def _unread(each: Unchecked, where: Setting) -> str:
    since = _since(each, where)
    said = f"{code(each.name)}{f', since {since}' if since else ''}"
    return f"{said}: {prose(flowing(each.detail or 'no reason given'))}"


def _tables(drift: Drift, where: Setting, room: int | None) -> Iterator[str]:
    """Yield a table for each kind; the most urgent has the room first, the others leave none of it unused."""
    for kind in Kind:
        if rows := drift.of(kind):
            table = _table(kind, rows, where, room)
            room = None if room is None else room - len(table) - 2
            yield table


def _table(kind: Kind, rows: Sequence[Difference], where: Setting, room: int | None) -> str:
    remembered = where.since is not None
    header = "| | What | Where | Expected | Found |" + (" Since |" if remembered else "")
    rule = "|--|--|--|--|--|" + ("--|" if remembered else "")
    lines = [_row(row, where) for row in rows]
    kept, left = fitting(lines, None if room is None else room - _RESERVE - len(header))
    table = ("", header, rule, *kept) if kept else ()
    more = f"\n\n**{left:,} more** without a row here." if left else ""
    return "\n".join((f"**{TITLES[kind]}: {len(rows):,}**", *table)) + more


def fitting(lines: Sequence[str], room: int | None) -> tuple[Sequence[str], int]:
    """Return the lines that fit, all of them without a limit, and how many do not."""
    if room is None:
        return lines, 0
    ends = accumulate(len(line) + 1 for line in lines)
    number = sum(1 for _ in takewhile(lambda end: end <= room, ends))
    return lines[:number], len(lines) - number


def _row(row: Difference, where: Setting) -> str:
    cells = [
        code(row.reason),
        code(row.subject) + _link(row.source, where),
        code(row.target) if row.target else "",
        prose(flowing(row.expected)),
        prose(flowing(row.found)),
    ]
    if where.since is not None:
        cells.append(_since(row, where))
    return f"| {' | '.join(cells)} |"


def _since(each: Difference | Unchecked, where: Setting) -> str:
    moment = (where.since or _NEVER).get(each.fingerprint)
    return _moment(moment) if moment else ""


def _link(source: Source | None, where: Setting) -> str:
    if source is None:
        return ""
    path = f"{where.folder}{source.file}"
    shown = code(f"{path}:{source.line}")
    if not where.blob_url:
        return f" ({shown})"
    return (
        f' (<a href="{quote(where.blob_url, safe=":/")}/{quote(path)}#L{source.line}">{shown}</a>)'
    )


_ADVICE: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.OVERDUE: "**A renewal was missed.** Look at the newest run that renews, put right what it"
        " says, and start it again, or run `certform renew`.",
        Kind.OUTSIDE: "**Changed outside certform.** Find out who did it. The plan of the next pull"
        " request, whatever it is about, shows how it is put back, and merging does so; starting the"
        " workflow `certform apply` with `any` is faster. To keep what is there, write it into the"
        " documents.",
        Kind.BLOCKED: "**Blocked.** Each line says what stands in the way, and how to lift it.",
        Kind.PENDING: "**Not applied yet.** An apply failed, was refused or was never started: look at"
        " its newest run, then start it again (`workflow_dispatch`), or run `certform apply`.",
    }
)


def _advice(drift: Drift) -> Iterator[str]:
    kinds = [kind for kind in Kind if drift.of(kind)]
    if kinds:
        yield "#### What to do\n\n" + "\n".join(f"- {_ADVICE[kind]}" for kind in kinds)
    if adoptable := [row for row in drift.differences if row.adopt]:
        rest = len(adoptable) - _MOST_ADOPTIONS
        more = f"\n\nAnd {rest:,} more like these." if rest > 0 else ""
        said = "To keep what stands in its place, take it over:"
        yield f"{said}\n\n{fence(_snippets(adoptable[:_MOST_ADOPTIONS]), 'yaml')}{more}"


def _snippets(rows: Sequence[Difference]) -> str:
    return "\n".join(inert(line) for row in rows for line in _snippet(row))


def _snippet(row: Difference) -> Iterator[str]:
    source = f", {visible(str(row.source))}" if row.source else ""
    yield f"# {visible(row.subject)}{source}"[:_LONGEST_ID]
    yield "targets:"
    yield f"  - targetRef: {visible(row.target.partition('/')[0])}"
    yield f"    adopt: {_quoted(row.adopt)}"


def _quoted(text: str) -> str:
    escaped = visible(text)[:_LONGEST_ID].replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _expiries(drift: Drift, room: int | None) -> str:
    if not drift.lifetimes:
        return ""
    lines, _ = fitting([_expiry(life, drift) for life in drift.lifetimes[:MOST_EXPIRIES]], room)
    return "#### Next to expire\n\n" + "\n".join(lines)


def _expiry(life: Lifetime, drift: Drift) -> str:
    now = drift.plan.created_at
    where = f" in {code(life.target)}" if life.target else ""
    renewal = f", to be renewed from {life.renews_at:%Y-%m-%d} on" if life.renews_at else ""
    when = f"{life.not_after:%Y-%m-%d} ({in_days(life.not_after, now)})"
    return f"- {code(life.address)}{where}: {when}{renewal}"


def _elsewhere(drift: Drift, room: int | None) -> str:
    if not drift.elsewhere:
        return ""
    named, rest = fitting([code(name) for name in drift.elsewhere], room)
    more = f" and {rest:,} more" if rest else ""
    return f"Not looked at from here, since they are on other hosts: {', '.join(named)}{more}."


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
