"""The table of a plan in Markdown: what changes, how, why and where, a row for each block."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from reconciler.description import NAMES
from reconciler.render.blocks import Block, place_of, subject_of
from reconciler.render.escape import code, flowing, prose
from reconciler.render.fields import brief
from reconciler.render.room import Part
from reconciler.render.summary import count
from reconciler.render.vocabulary import ISSUES, Kind, by_risk
from schemas.plan import Reason, Source

HEADER = "| What | Change | Why | Where |\n|--|--|--|--|\n"
_SAMPLE = 10
"""How many places of one row are named before the rest is a number."""

_EDITED = frozenset({Reason.SPEC_CHANGED, Reason.ISSUER_CHANGED})
"""Reasons that the fields tell by themselves."""


def sample(lines: Sequence[str]) -> list[str]:
    """Return the first lines, and how many there are more."""
    rest = len(lines) - _SAMPLE
    return [*lines[:_SAMPLE], f"and {rest:,} more"] if rest > 0 else list(lines)


def row(block: Block, blob_url: str) -> str:
    """Return one row of a table under `HEADER`."""
    form = block.kind.value
    verb = f"**{form.legend}**" if by_risk(block.kind) <= by_risk(Kind.BLOCKED) else form.legend
    if block.kind is Kind.BLOCKED and block.lead.proposed is False:
        verb += ", without this too"
    reason = prose(flowing(why(block))) + link(block.lead.source, blob_url)
    cells = (what(block), f"{code(form.sign)} {verb}", reason, where(block))
    return f"| {' | '.join(cells)} |"


def rows(
    told: Sequence[str], rest: str, share: float, opening: str = "", closing: str = ""
) -> Part:
    """Return rows as a table that may be shortened; `rest` says where the others are."""
    return Part(
        items=told,
        rest=lambda left: f"\n**{left:,} more** without a row here{rest}.",
        opening=f"{opening}{HEADER}",
        closing=closing,
        share=share,
    )


def what(block: Block) -> str:
    """Return in Markdown which certificate, authority or file a block is about."""
    if block.kind is Kind.PUBLISH and block.others:
        return count(len(block.changes), "file")
    if block.kind is Kind.PUBLISH:
        return code(block.lead.address)
    return code(subject_of(block.subject))


def why(block: Block) -> str:
    """Return why a block is in the plan, as text that is not escaped yet."""
    lead = block.lead
    if block.kind is Kind.REVOKE:
        reason = str((lead.after or {}).get("reason", lead.reason))
        return lead.message if reason in lead.message else f"{lead.message} ({reason})"
    if lead.fields and block.kind in ISSUES:
        said = () if lead.reason in _EDITED else (lead.message,)
        return "; ".join((*said, *(brief(field) for field in lead.fields)))
    if block.kind is Kind.NEW:
        return _new(lead.after or {}) or lead.message
    messages = list(dict.fromkeys(change.message for change in block.changes))
    return lead.message if block.kind in ISSUES else "; ".join(messages[:3])


def _new(after: Mapping[str, Any]) -> str:
    """Return what a new certificate is for: its names, the one that stands for many first, and who signs."""
    found: list[str] = []
    for path in NAMES:
        value = after.get(path)
        found += (
            map(str, value) if isinstance(value, list | tuple) else [str(value)] if value else []
        )
    if not found:
        return ""
    first, *others = sorted(found, key=lambda name: not name.startswith("*"))
    more = f" and {len(others):,} more" if others else ""
    signer = after.get("issuerRef") or after.get("parentRef")
    return f"new: {first}{more}" + (f", by {signer}" if signer else "")


def where(block: Block) -> str:
    """Return in Markdown the targets, or files, of a block."""
    if block.kind is Kind.PUBLISH:
        files = [(change.after or {}).get("file", change.address) for change in block.changes]
        return ", ".join(sample([code(str(file)) for file in files]))
    places = dict.fromkeys(place_of(change.address) for change in block.changes)
    return ", ".join(sample([code(place) for place in places if place]))


def link(source: Source | None, blob_url: str) -> str:
    """Return in Markdown where something is written, in brackets; a link if it is known where files are."""
    if source is None:
        return ""
    return f" ({place(source, blob_url)})"


def place(source: Source, blob_url: str) -> str:
    """Return in Markdown a file and line, a link if it is known where files are."""
    shown = code(str(source))
    if not blob_url:
        return shown
    return f'<a href="{blob_url}/{quote(source.file)}#L{source.line}">{shown}</a>'
