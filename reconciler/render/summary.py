"""The sentences that sum a plan up: what it would do, what expires next, which plan it is."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from reconciler.render.escape import inert, visible
from reconciler.render.outage import outage_of, worded
from reconciler.render.vocabulary import COUNTED, Kind, kind_of
from schemas.plan import Change, Plan
from schemas.scalars import format_instant

_NAMED = 10
"""How many skipped places are named before the rest is a number."""


def count(number: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun, thousands separated."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def skipped(places: Sequence[str]) -> str:
    """Return which YAML was passed over: a certificate in it would be missed."""
    named = ", ".join(map(visible, places[:_NAMED]))
    more = f" and {len(places) - _NAMED:,} more" if len(places) > _NAMED else ""
    number = count(len(places), "YAML file or document", "YAML files or documents")
    return inert(f"Skipped as not certform's, {number}: {named}{more}.")


def documents_of(plan: Plan) -> str:
    """Return which commit the documents were read from, in short."""
    if plan.revision is None:
        return "no commit yet"
    return visible(plan.revision)[:12] + (" + uncommitted changes" if plan.uncommitted else "")


def against(plan: Plan) -> str:
    """Return which commit a plan is proposed against; empty when it is against none."""
    if plan.base is None:
        return ""
    return f"Proposed against {visible(plan.base)[:12]}; only who is named there was spoken to."


def proposed_share(plan: Plan) -> str:
    """Return how many changes are proposed and how many come without that; empty without a base."""
    if plan.base is None or not plan.changes:
        return ""
    number = sum(bool(change.proposed) for change in plan.changes)
    others = len(plan.changes) - number
    if not others:
        return "All of this is proposed here."
    if not number:
        return "Nothing of this is proposed here: it would be done without it, too."
    verb = "is" if number == 1 else "are"
    return f"{number:,} of these {verb} proposed here; {others:,} would be done without that, too."


def what_if(plan: Plan) -> str:
    """Return that a plan shows a day to come; empty when it shows today."""
    if not plan.looks_ahead:
        return ""
    moment = format_instant(plan.created_at)
    return f"What if: as of {moment}, nothing being applied before. It cannot be applied."


def counts(plan: Plan) -> str:
    """Return how many changes of each kind a plan has, kinds without any left out."""
    return counted(plan.changes)


def counted(changes: Sequence[Change]) -> str:
    """Return how many changes of each kind there are, kinds without any left out."""
    kinds = Counter(kind_of(change) for change in changes)
    parts = [
        f"{kinds[kind]:,} to {kind.value.legend}"
        for kind in COUNTED
        if kinds[kind] and kind is not Kind.PUBLISH
    ]
    authorities = _new_authorities(changes)
    if authorities:
        parts[0] += f" ({count(authorities, 'CA')})"
    parts.extend(_published(changes))
    blocked = f"{kinds[Kind.BLOCKED]:,} blocked" if kinds[Kind.BLOCKED] else ""
    outage = worded(len(outage_of(changes)))
    return "; ".join(filter(None, (outage, ", ".join(parts) or "nothing to apply", blocked)))


def summary(plan: Plan) -> str:
    """Return the one sentence that says what apply would do."""
    if plan.changes:
        return f"Plan: {counts(plan)}."
    return f"No changes. {matching(plan)}"


def matching(plan: Plan) -> str:
    """Return what was found to be as it should, as far as it was asked for and could be seen."""
    if "due" in plan.selection:
        return "Nothing is due."
    if plan.selection:
        return "Nothing to do in the selection."
    number = count(plan.certificates, "certificate")
    verb = "matches" if plan.certificates == 1 else "match"
    elsewhere = [t for t in plan.targets if t.status == "not-here"]
    limits = f" {count(len(elsewhere), 'target')} not on this host." if elsewhere else ""
    if assumed := [t for t in plan.targets if t.status == "assumed"]:
        unseen = f"nobody looked at {count(len(assumed), 'target')}"
        return f"{number} {verb} the documents and the ledger; {unseen}.{limits}"
    return f"{number} {verb} the documents, the ledger and the targets.{limits}"


def next_expiry(plan: Plan) -> str:
    """Return which certificate expires first and in how many days; empty when there is none."""
    if plan.next_expiry is None:
        return ""
    first = plan.next_expiry
    left = in_days(first.not_after, plan.created_at)
    return f"{visible(first.address)} on {first.not_after:%Y-%m-%d} ({left})"


def in_days(moment: datetime, now: datetime) -> str:
    """Return how far a moment is away, in whole days."""
    days = (moment - now).days
    if days < 0:
        return f"{count(-days, 'day')} ago"
    return f"in {count(days, 'day')}" if days else "within a day"


def _new_authorities(changes: Sequence[Change]) -> int:
    cas = ("authority/", "standby/", "cross/")
    return sum(kind_of(c) is Kind.NEW and c.address.startswith(cas) for c in changes)


def _published(changes: Sequence[Change]) -> list[str]:
    published = [c for c in changes if kind_of(c) is Kind.PUBLISH]
    kinds = Counter(change.address.partition("/")[0] for change in published)
    told = (
        (kinds["crl"], count(kinds["crl"], "CRL")),
        (kinds["ocsp"], f"OCSP responses of {count(kinds['ocsp'], 'CA')}"),
        (kinds["ca"], count(kinds["ca"], "CA certificate")),
    )
    handed = count(kinds["mount"], "CA")
    more = [f"{handed} to hand over to Vault"] if kinds["mount"] else []
    return [*(f"{words} to publish" for number, words in told if number), *more]
