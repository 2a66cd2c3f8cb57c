"""Tells one block of a plan, line by line, without saying yet how a line is laid out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.description import NAMES
from reconciler.render.blocks import Block, anchor_of, place_of, subject_of
from reconciler.render.escape import flowing, visible, visible_lines
from reconciler.render.fields import LATER, Row, brief, differing, flatten, shown, stated
from reconciler.render.heading import heading
from reconciler.render.summary import count
from reconciler.render.vocabulary import Kind, kind_of
from schemas.plan import Action, Change, FieldChange

_CONTEXT = (*NAMES, "names")
"""What a renewal repeats of its certificate although it does not change: whose it is."""

TargetStates = Mapping[str, str]
"""How each target was found, by name."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a block. Depth 0 is the block's own level; a heading has no sign."""

    sign: str
    text: str
    depth: int = 0
    kind: Kind | None = None
    heading: bool = False
    source: str = ""


def tell(block: Block, targets: TargetStates) -> Iterator[Line]:
    """Yield a block: its heading, what changes field by field, and what goes with it."""
    source = visible(str(block.lead.source)) if block.lead.source else ""
    yield Line("#", heading(block), 0, block.kind, heading=True, source=source)
    yield from _causes(block)
    yield from _BODIES.get(block.kind, _issue)(block, targets)


def _causes(block: Block) -> Iterator[Line]:
    """Yield that a block comes without what is proposed, or puts right what somebody else did."""
    outside = all(change.outside for change in block.changes)
    if all(change.proposed is False for change in block.changes):
        free = outside or block.kind is Kind.BLOCKED
        asked = not free and not any(change.due for change in block.changes)
        why = "the base asks for it already" if asked else "it would be done without that, too"
        yield Line("", f"# not proposed here: {why}")
    if outside:
        yield Line("", "# because something was changed outside certform")


def in_short(block: Block) -> Line:
    """Return a block as one line, for the many that are alike."""
    after = block.lead.after or {}
    names = [name for path in _CONTEXT for name in _listed(after.get(path))]
    text = visible(block.lead.address)
    if block.lead.fields:
        text += f"  {visible('; '.join(map(brief, block.lead.fields)))}"
    elif names:
        text += f"  {visible(names[0])}" + (f" and {len(names) - 1} more" if names[1:] else "")
    elif block.lead.message:
        text += f"  {flowing(block.lead.message)}"
    places = ", ".join(visible(place_of(change.address)) for change in block.others)
    return Line(block.kind.value.sign, f"{text}  > {places}" if places else text, 0, block.kind)


def _issue(block: Block, targets: TargetStates) -> Iterator[Line]:
    kind, lead = block.kind, block.lead
    rows = _new_rows(lead) if kind is Kind.NEW else _replacing_rows(lead)
    yield Line(kind.value.sign, _entity(block.subject), 0, kind)
    yield from _laid_out(tuple(rows), kind)
    yield from _followers(block.others)
    yield from _not_reached(block, targets)


def _new_rows(change: Change) -> Iterator[Row]:
    for path, value in flatten(_without_targets(change)):
        yield from stated("+", path, value)
    for path in ("serial", "notAfter"):
        yield Row("+", LATER, path)


def _replacing_rows(change: Change) -> Iterator[Row]:
    for field in change.fields:
        yield from differing(field)
    before = dict(flatten(change.before or {}))
    before.pop("sha256", None)
    for path, value in before.items():
        yield Row("~", f"{shown(path, value)} -> {LATER}", visible(path))
    changed = {field.path for field in change.fields}
    same = {k: v for k, v in _without_targets(change).items() if k not in changed}
    for path, value in flatten({k: v for k, v in same.items() if k in _CONTEXT}):
        yield from stated("", path, value)
    if rest := [visible(path) for path in same if path not in _CONTEXT]:
        yield Row("", f"# {', '.join(rest)}: as in the documents")


def _without_targets(change: Change) -> dict[str, Any]:
    return {path: value for path, value in (change.after or {}).items() if path != "targets"}


def _followers(changes: Sequence[Change]) -> Iterator[Line]:
    width = max((len(_doing(change)) for change in changes), default=0)
    for change in changes:
        kind = kind_of(change)
        text = f"{_doing(change):<{width}}   {_remark(change)}".rstrip()
        yield Line(kind.value.sign, text, 1, kind)
        yield from _beside(change)
        if kind is Kind.CONFIGURE or (kind is Kind.RELABEL and place_of(change.address)):
            yield from _laid_out(tuple(_changed_rows(change)), kind, depth=2)


def _beside(change: Change) -> Iterator[Line]:
    """Yield which object stays beside a new one, and what has to be pointed at the new one."""
    after = change.after or {}
    if old := after.get("replaces"):
        yield Line("", f"# {visible(str(old))} stays until nothing uses it", 2)
    for user in _listed(after.get("usedBy")):
        yield Line("", f"# give the new one to {visible(user)}", 2)


def _doing(change: Change) -> str:
    place = visible(place_of(change.address))
    return f"{change.action} in {place}" if place else f"{change.action}"


def _remark(change: Change) -> str:
    """Return why, and under which name where that is not the certificate's own."""
    name = (change.after or {}).get("name")
    renamed = f" (as {visible(str(name))})" if name and name != _own_name(change) else ""
    return visible(change.message) + renamed


def _not_reached(block: Block, targets: TargetStates) -> Iterator[Line]:
    """Yield the targets that an issue is for but this apply does not install in, and why."""
    reached = {place_of(change.address) for change in block.others}
    for target in _listed((block.lead.after or {}).get("targets")):
        state = targets.get(target, "")
        if target not in reached and state in _ABSENCE:
            yield Line("", f"# not in {visible(target)} yet: {_ABSENCE[state]}", 1)


_ABSENCE = {
    "not-here": "it is not on this host, and certform has to run there",
    "unknown": "it could not be checked",
}


def _install(block: Block, targets: TargetStates) -> Iterator[Line]:  # noqa: ARG001  one signature for every kind
    for change in block.changes:
        kind = kind_of(change)
        text = _in_place(change)
        if block.others and change.message:
            text += f"   {visible(change.message)}"
        yield Line(kind.value.sign, text, 0, kind)
        found = change.action in (Action.INSTALL, Action.ADOPT)
        rows = _found_rows(change) if found else _changed_rows(change)
        yield from _laid_out(tuple(rows), kind)


def _found_rows(change: Change) -> Iterator[Row]:
    for path, value in flatten(change.before or {}):
        if path != "sha256":
            yield Row("", shown(path, value), f"found {visible(path)}")
    for path, value in _telling(change, change.after):
        yield from stated(">", path, value)


def _telling(change: Change, values: Mapping[str, Any] | None) -> Iterator[tuple[str, Any]]:
    """Yield the fields, without a name that the address has said already."""
    for path, value in flatten(values or {}):
        if path != "name" or value != _own_name(change):
            yield path, value


def _own_name(change: Change) -> str:
    return subject_of(change.address).partition("/")[2]


def _changed_rows(change: Change) -> Iterator[Row]:
    for field in change.fields or _compared(change):
        yield from differing(field)


def _compared(change: Change) -> Iterator[FieldChange]:
    before, after = dict(flatten(change.before or {})), dict(flatten(change.after or {}))
    for path in dict.fromkeys((*before, *after)):
        yield FieldChange(path=path, before=before.get(path), after=after.get(path))


def _taken_away(block: Block, targets: TargetStates) -> Iterator[Line]:  # noqa: ARG001
    for change in block.changes:
        kind = kind_of(change)
        yield Line(kind.value.sign, _in_place(change), 0, kind)
        rows = [r for path, value in _taken(change) for r in stated("", path, value)]
        yield from _laid_out(rows, kind)
        yield from _first(change)


def _taken(change: Change) -> Iterator[tuple[str, Any]]:
    """Yield what a reader knows a thing that goes by, apart from what its heading and sign say."""
    values = {**(change.before or {}), **(change.after or {})}
    values.pop("anchor" if anchor_of(change.address) else "sha256", None)
    if kind_of(change) is Kind.REVOKE:
        values = {k: v for k, v in values.items() if k not in ("serial", "reason")}
        values["because"] = change.message
    values.pop("outage", None)  # the message says it, and the end of the plan names all
    return _telling(change, values)


def _first(change: Change) -> Iterator[Line]:
    """Yield what must have happened before anything is taken away."""
    if change.requires and kind_of(change) in (Kind.REMOVE, Kind.REVOKE):
        named = [visible(required.replace(":", " ", 1)) for required in change.requires[:3]]
        more = len(change.requires) - len(named)
        rest = f" and {more} more" if more else ""
        yield Line("", f"# only after: {', '.join(named)}{rest}", 1)
    elif change.follows and kind_of(change) is Kind.REVOKE:
        number = count(len(change.follows), "change")
        yield Line(
            "", f"# immediate: after {number} that replace it, but whatever becomes of them", 1
        )


def _published(block: Block, targets: TargetStates) -> Iterator[Line]:  # noqa: ARG001
    width = max(len(_file(change)) for change in block.changes)
    for change in block.changes:
        text = f"{_file(change):<{width}}   {visible(change.message)}"
        yield Line(Kind.PUBLISH.value.sign, text, 0, Kind.PUBLISH)
        after = {k: v for k, v in (change.after or {}).items() if k != "file"}
        rows = [row for path, value in flatten(after) for row in stated("", path, value)]
        yield from _laid_out(tuple(rows), Kind.PUBLISH)


def _file(change: Change) -> str:
    return visible(str((change.after or {}).get("file", change.address)))


def _blocked(block: Block, targets: TargetStates) -> Iterator[Line]:  # noqa: ARG001
    first, *rest = visible_lines(block.lead.message) or ("",)
    yield Line(Kind.BLOCKED.value.sign, first, 0, Kind.BLOCKED)
    # stripped, since a line of somebody's text must never stand where a change would
    yield from (Line("", text.strip(), 0, Kind.BLOCKED) for text in rest)
    rows = [
        row for path, value in flatten(block.lead.before or {}) for row in stated("", path, value)
    ]
    yield from _laid_out(tuple(rows), Kind.BLOCKED)


def _laid_out(rows: Sequence[Row], kind: Kind, depth: int = 1) -> Iterator[Line]:
    width = max((len(row.label) for row in rows), default=0)
    for row in rows:
        text = f"{row.label:<{width}} = {row.text}" if row.label else row.text
        yield Line(row.sign, text, depth + row.nested, kind)


def _in_place(change: Change) -> str:
    place, anchor = visible(place_of(change.address)), anchor_of(change.address)
    single = f'anchor "{visible(anchor)}" of ' if anchor else ""
    entity = single + _entity(change.address.partition("@")[0])
    return entity + (f" in {place}" if place else "")


def _entity(address: str) -> str:
    sort, _, name = address.partition("/")
    name, _, serial = name.partition("#")
    text = f'{visible(sort)} "{visible(name)}"' if name else visible(sort)
    return f"{text} serial {visible(serial)}" if serial else text


def _listed(value: Any) -> list[str]:
    if isinstance(value, list | tuple):
        return [str(element) for element in value]
    return [str(value)] if value else []


_BODIES: Mapping[Kind, Callable[[Block, TargetStates], Iterator[Line]]] = {
    Kind.ADOPT: _install,
    Kind.INSTALL: _install,
    Kind.RELABEL: _install,
    Kind.CONFIGURE: _install,
    Kind.FORGET: _taken_away,
    Kind.REMOVE: _taken_away,
    Kind.REVOKE: _taken_away,
    Kind.PUBLISH: _published,
    Kind.BLOCKED: _blocked,
}
