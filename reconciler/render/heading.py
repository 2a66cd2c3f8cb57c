"""The sentence that a block of a plan opens with."""

from reconciler.render.blocks import Block, place_of, subject_of
from reconciler.render.escape import visible
from reconciler.render.summary import count
from reconciler.render.vocabulary import ISSUES, Kind, verb_of
from schemas.plan import Reason


def heading(block: Block) -> str:
    """Return the sentence a block opens with."""
    verb = verb_of(block.kind)
    if block.kind is Kind.PUBLISH:
        return f"{count(len(block.changes), 'file')} {verb}"
    if block.kind is Kind.REVOKE:
        reason = visible(str((block.lead.after or {}).get("reason", block.lead.reason)))
        return f"{visible(subject_of(block.subject))} {verb} ({reason}). This cannot be undone."
    if block.kind is Kind.BLOCKED:
        return f"{visible(block.subject)} {verb}"
    if block.lead.reason is Reason.RENAMED:
        verb = "will be renamed"
    said = {block.lead.message} if block.kind in ISSUES else {c.message for c in block.changes}
    why = f": {visible(block.lead.message)}" if len(said) == 1 and block.lead.message else ""
    return f"{visible(block.subject)} {verb}{_where(block)}{why}"


def _where(block: Block) -> str:
    # a place may be told twice: what is installed there can be labelled by a change apart
    places = list(dict.fromkeys(filter(None, (place_of(c.address) for c in block.changes))))
    if not places or block.kind in ISSUES or block.lead.reason is Reason.RENAMED:
        return ""
    preposition = "from" if block.kind is Kind.REMOVE else "in"
    named = visible(places[0]) if len(places) == 1 else count(len(places), "target")
    return f" {preposition} {named}"
