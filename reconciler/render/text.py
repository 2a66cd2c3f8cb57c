"""A plan as text for a terminal, in the manner of Terraform's. The JSON form is the stable one."""

from collections import Counter
from collections.abc import Iterator

import click

from reconciler.render.blocks import Block, blocks
from reconciler.render.escape import flowing, inert, visible
from reconciler.render.impact_plan import in_text
from reconciler.render.moves import moves_in_text
from reconciler.render.outage import outage_of, worded
from reconciler.render.spending import spending
from reconciler.render.story import Line, in_short, tell
from reconciler.render.summary import (
    against,
    count,
    documents_of,
    next_expiry,
    proposed_share,
    summary,
    what_if,
)
from reconciler.render.vocabulary import Kind, legend, verb_of
from schemas.plan import Action, Budget, Plan, Reason, TargetReport

IN_FULL = 50
"""How many blocks of one kind and reason are told in full; the others get a line each."""
_WIDTH = 80
_LONG = 60
"""Seconds of waiting that are worth a word before it begins."""
_DOWN = 10
"""How many places that are taken down are named before the rest is a number."""
_NEARLY = 0.8
"""The share of a quota from which on it is told how much of it is used."""

Shape = tuple[Kind, Reason]


def render_text(plan: Plan, *, colour: bool) -> str:
    """Return a plan for people: what was looked at, every change, and the sum of it."""
    sections = [_header(plan, colour=colour)]
    if plan.changes:
        sections.append([f"Changes are marked:   {legend(plan.changes)}"])
        sections.extend(_told(plan, colour=colour))
        sections.extend(filter(None, [list(moves_in_text(plan)), list(in_text(plan))]))
    sections.append(_footer(plan, colour=colour))
    return "\n\n".join("\n".join(map(inert, lines)) for lines in sections) + "\n"


def layout(line: Line) -> str:
    """Return a line with its sign in the gutter of its level and its source at the right."""
    if line.heading:
        text = f"  # {line.text}"
        gap = max(2, _WIDTH - len(text) - len(line.source))
        return f"{text}{' ' * gap}{line.source}" if line.source else text
    return f"{'    ' * line.depth}{line.sign:>3} {line.text}"


def shortened(told: tuple[Block, ...]) -> tuple[tuple[Block, ...], dict[Shape, list[Block]]]:
    """Split blocks into those told in full and, by kind and reason, those that get a line each."""
    seen: Counter[Shape] = Counter()
    full: list[Block] = []
    short: dict[Shape, list[Block]] = {}
    for block in told:
        shape = (block.kind, block.lead.reason)
        seen[shape] += 1
        if seen[shape] <= IN_FULL:
            full.append(block)
        else:
            short.setdefault(shape, []).append(block)
    return tuple(full), short


def _told(plan: Plan, *, colour: bool) -> Iterator[list[str]]:
    states = {target.name: str(target.status) for target in plan.targets}
    told = blocks(plan.changes)
    full, short = shortened(told)
    for kind in dict.fromkeys(block.kind for block in told):
        for block in full:
            if block.kind is kind:
                yield [_painted(line, colour=colour) for line in tell(block, states)]
        for (of, _), rest in short.items():
            if of is kind:
                yield _in_short(kind, rest, colour=colour)


def _in_short(kind: Kind, rest: list[Block], *, colour: bool) -> list[str]:
    text = f"{len(rest):,} more {verb_of(kind)}, a line each"
    first = Line("#", text, 0, kind, heading=True)
    return [_painted(line, colour=colour) for line in (first, *map(in_short, rest))]


def _painted(line: Line, *, colour: bool) -> str:
    text = layout(line)
    if not colour:
        return text
    grave = line.kind in (Kind.REVOKE, Kind.REMOVE, Kind.BLOCKED)
    if line.heading:
        return click.style(
            text, bold=True, fg=line.kind.value.colour if grave and line.kind else None
        )
    if not line.sign or line.kind is None:
        return text
    own = _SIGN_COLOURS.get(line.sign, line.kind.value.colour)
    gutter = text.index(line.sign) + len(line.sign)
    return click.style(text[:gutter], fg=own) + text[gutter:]


_SIGN_COLOURS = {"+": "green", "-": "red", "~": "yellow", ">": "cyan"}


def _header(plan: Plan, *, colour: bool) -> list[str]:
    version, project = visible(plan.certform_version), visible(plan.project)
    moment = f"{plan.created_at:%Y-%m-%d %H:%M} UTC"
    lines = [f"certform {version}, project {project}, {documents_of(plan)}, {moment}"]
    lines.extend(filter(None, (against(plan), what_if(plan))))
    if plan.selection:
        lines.append(f"Only: {', '.join(map(visible, plan.selection))}")
    told = [issuer for issuer in plan.issuers if issuer.quotas]
    names = (*(target.name for target in plan.targets), *(issuer.name for issuer in told))
    width = max((len(visible(name)) for name in names), default=0)
    blocked = {change.address for change in plan.changes if change.action is Action.BLOCKED}
    for target in plan.targets:
        below = f"target/{target.name}" in blocked
        said = found(target.model_copy(update={"detail": "see below"}) if below else target)
        text = f"  {visible(target.name):<{width}}   {said}"
        bad = colour and target.status == "unknown"
        lines.append(click.style(text, fg=Kind.BLOCKED.value.colour) if bad else text)
    lines.extend(f"  {visible(each.name):<{width}}   {'; '.join(spending(each))}" for each in told)
    return lines


def found(target: TargetReport) -> str:
    """Return in words how a target was found."""
    detail = f": {flowing(target.detail)}" if target.detail else ""
    if target.status == "not-here":
        return f"not on this host{detail}"
    if target.status == "unknown":
        return f"COULD NOT CHECK{detail}"
    if target.status == "assumed":
        held = count(target.certificates, "certificate") if target.certificates else "nothing"
        return f"taken to hold {held}{detail}"
    foreign = f", and {target.foreign:,} of others, left alone" if target.foreign else ""
    cost = "".join(f"; {part}" for part in costs(target.budget)) if target.budget else ""
    return f"observed, {count(target.certificates, 'certificate')}{foreign}{cost}"


def costs(budget: Budget) -> Iterator[str]:
    """Yield in words what a plan costs in a target that has limits, where somebody has to think of it."""
    if budget.seconds >= _LONG:
        yield f"{count(budget.installs, 'install')} take at least {budget.seconds:,} s"
    if budget.objects_limit is not None and budget.objects >= _NEARLY * budget.objects_limit:
        yield f"then {budget.objects:,} of {budget.objects_limit:,} certificates"
    if budget.year_limit is not None and budget.year >= _NEARLY * budget.year_limit:
        yield f"at least {budget.year:,} of {budget.year_limit:,} imports within a year"


def _outage(plan: Plan, *, colour: bool) -> list[str]:
    """Return whom a revocation takes down that waits for nothing, or an anchor that goes, one a line."""
    places = outage_of(plan.changes)
    if not places:
        return []
    first = (
        f"{worded(len(places))}: revoked, or trusted no more, and nothing takes the place yet of"
    )
    more = [f"  ! and {len(places) - _DOWN:,} more"] if len(places) > _DOWN else []
    lines = [first, *(f"  ! {visible(place)}" for place in places[:_DOWN]), *more]
    red = Kind.REVOKE.value.colour
    return [*(click.style(line, fg=red, bold=True) if colour else line for line in lines), ""]


def _footer(plan: Plan, *, colour: bool) -> list[str]:
    said = summary(plan)
    lines = [*_outage(plan, colour=colour), click.style(said, bold=True) if colour else said]
    if share := proposed_share(plan):
        lines.append(share)
    if expiry := next_expiry(plan):
        lines.append(f"Next expiry: {expiry}.")
    if plan.changes and plan.digest:
        lines.append(f"Plan digest: {visible(plan.digest)}")
    return lines
