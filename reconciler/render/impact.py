"""What falls with something, as text for a terminal and as JSON: numbers first, then the tree."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from reconciler.holdings import Line
from reconciler.impact import FallenAuthority, FallenCertificate, Impact
from reconciler.render.escape import inert, visible
from reconciler.render.graph import Node, branches
from reconciler.render.summary import count, in_days
from schemas.scalars import format_instant

IN_FULL = 10
"""How many certificates of one CA have a line of their own before the rest is a number."""
_PLACES = 12
_CAS = 8


def render_text(fallen: Impact) -> str:
    """Return what falls, for a terminal."""
    heading = (
        f"What falls with {visible(fallen.title)}" if fallen.subject else visible(fallen.title)
    )
    lines = [heading, "", *(f"  {said}" for said in numbers(fallen)), "", *branches(_tree(fallen))]
    bundles = [f"{e.address} in {', '.join(e.places) or 'no place'}" for e in fallen.bundles]
    return (
        "".join(f"{inert(line)}\n" for line in (*lines, *map(visible, bundles))).rstrip("\n") + "\n"
    )


def numbers(fallen: Impact) -> Iterator[str]:
    """Yield the sentences that sum an impact up, safe for a terminal."""
    yield told_in_one(fallen)
    yield from _above_and_below(fallen)
    if fallen.past:
        many = count(fallen.past, "certificate")
        yield f"{many} issued before a takeover: nobody here knows in which places"
    yield replaceable(fallen)
    for why, number in list(fallen.obstacles.items())[:_PLACES]:
        yield f"  {number:>7,}  {visible(str(why))}"
    if fallen.places:
        yield "places:"
    for place, number in list(fallen.places.items())[:_PLACES]:
        yield f"  {number:>7,}  {visible(place)}"
    if (rest := len(fallen.places) - _PLACES) > 0:
        yield f"  and {count(rest, 'more place')}"


def replaceable(fallen: Impact) -> str:
    """Return how many of the certificates a plan alone can replace, and how many need somebody."""
    stuck = len(fallen.stuck)
    if not stuck:
        return "a plan alone can replace all of them"
    alone = len(fallen.certificates) - stuck
    verb = "needs" if stuck == 1 else "need"
    return f"a plan alone can replace {alone:,} of them; {stuck:,} {verb} somebody:"


def told_in_one(fallen: Impact) -> str:
    """Return how many certificates fall, in how many places, and when they end."""
    number = count(len(fallen.certificates), "certificate")
    where = f"{number} in {count(len(fallen.places), 'place')}"
    if not fallen.ends:
        return where
    first, last = fallen.ends[0], fallen.ends[-1]
    until = f", the last {last:%Y-%m-%d}" if last.date() != first.date() else ""
    return f"{where}; the first ends {first:%Y-%m-%d} ({in_days(first, fallen.now)}){until}"


def _above_and_below(fallen: Impact) -> Iterator[str]:
    below = [each for each in fallen.authorities if each.above is not None]
    if below and fallen.subject:
        named = ", ".join(visible(each.title) for each in below[:_CAS])
        more = f" and {len(below) - _CAS:,} more" if len(below) > _CAS else ""
        yield f"{count(len(below), 'CA')} below: {named}{more}"
    anchored = [each for each in fallen.bundles if each.roots]
    if anchored:
        verb = "holds" if len(anchored) == 1 else "hold"
        yield f"{count(len(anchored), 'bundle')} {verb} an anchor of it"


def _tree(fallen: Impact) -> tuple[Node, ...]:
    if not fallen.authorities:
        return tuple(_branch(fallen, line) for line in sorted(fallen.below))
    known = {each.line for each in fallen.authorities}
    tops = [each for each in fallen.authorities if each.above not in known]
    return tuple(_authority(fallen, each) for each in tops)


def _authority(fallen: Impact, authority: FallenAuthority) -> Node:
    below = [each for each in fallen.authorities if each.above == authority.line]
    return Node(
        f"{visible(authority.title)}{_about(authority)}",
        (*(_authority(fallen, each) for each in below), *_leaves(fallen, authority.line)),
    )


def _about(authority: FallenAuthority) -> str:
    name = f', "{visible(authority.common_name)}"' if authority.common_name else ""
    offline = ", offline" if authority.offline else ""
    if not authority.common_name:
        return ""
    past = f", {authority.past:,} of before" if authority.past else ""
    return f"{name}{offline}, {_until(authority.not_after)}{past}"


def _branch(fallen: Impact, line: Line) -> Node:
    name, generation = line
    of = f" generation {generation}" if generation else ""
    return Node(f"signed by {visible(name)}{of}", _leaves(fallen, line))


def _leaves(fallen: Impact, line: Line) -> tuple[Node, ...]:
    those = fallen.below.get(line, ())
    told = [Node(_leaf(each)) for each in those[:IN_FULL]]
    if rest := those[IN_FULL:]:
        told.append(Node(f"and {len(rest):,} more{_first_of(rest)}"))
    return tuple(told)


def _first_of(those: Sequence[FallenCertificate]) -> str:
    ends = [each.not_after for each in those if each.not_after]
    return f", the first ends {min(ends):%Y-%m-%d}" if ends else ""


def _leaf(each: FallenCertificate) -> str:
    where = f" -> {', '.join(each.places)}" if each.places else " -> nowhere"
    own = [str(why) for why in each.impediments if not why.is_of_issuer]
    why = f": {', '.join(own)}" if own else ""
    return visible(f"{each.address}, {_until(each.not_after)}{where}{why}")


def _until(end: datetime | None) -> str:
    return f"until {end:%Y-%m-%d}" if end else "not issued yet"


def render_json(fallen: Impact) -> str:
    """Return all that falls as JSON, nothing folded."""
    data = {
        "format_version": "1.0",
        "kind": "impact",
        "project": fallen.project,
        "created_at": format_instant(fallen.now),
        "subject": fallen.subject or None,
        "generation": fallen.generation,
        "places": dict(fallen.places),
        "first_end": _instant(fallen.ends[0] if fallen.ends else None),
        "last_end": _instant(fallen.ends[-1] if fallen.ends else None),
        "stuck": len(fallen.stuck),
        "authorities": [_authority_data(each) for each in fallen.authorities],
        "certificates": [_certificate_data(each) for each in fallen.certificates],
        "bundles": [
            {"name": each.name, "authorities": each.roots, "places": each.places}
            for each in fallen.bundles
        ],
    }
    return json.dumps(data, indent=2, ensure_ascii=False)


def _authority_data(each: FallenAuthority) -> dict[str, object]:
    return {
        "address": each.address,
        "generation": each.line[1],
        "common_name": each.common_name,
        "issuer": list(each.above) if each.above else None,
        "not_after": _instant(each.not_after),
        "offline": each.offline,
        "past": each.past,
    }


def _certificate_data(each: FallenCertificate) -> dict[str, object]:
    return {
        "address": each.address,
        "issuer": each.line[0],
        "issuer_generation": each.line[1],
        "not_after": _instant(each.not_after),
        "places": each.places,
        "impediments": [
            {"why": why.obstacle.name.lower(), "about": why.about} for why in each.impediments
        ],
    }


def _instant(moment: datetime | None) -> str | None:
    return format_instant(moment) if moment else None
