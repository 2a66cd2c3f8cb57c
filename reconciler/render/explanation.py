"""All about one address, as text and as JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence

from reconciler.advice import told
from reconciler.explain import Explanation, Sighting
from reconciler.ledger.publications import CrlRecord
from reconciler.ledger.records import Attempts, Issuance, PastEntry, Placement
from reconciler.render.escape import flowing, inert, visible
from reconciler.render.fields import flatten, shown
from reconciler.render.inventory import window_data
from reconciler.render.summary import count
from schemas.scalars import format_instant

FORMAT_VERSION = "1.1"


def render_explanation(about: Explanation) -> str:
    """Return an address as text: what is wanted, what was issued, what was found."""
    return "".join(f"{inert(visible(line))}\n" for line in (about.address, *_lines(about)))


def render_json(about: Explanation) -> str:
    """Return an address as one JSON object; a minor `format_version` only adds fields."""
    data = {
        "format_version": FORMAT_VERSION,
        "kind": "explanation",
        "address": about.address,
        "source": str(about.source) if about.source else None,
        "wanted": about.wanted,
        "origins": {path: str(source) for path, source in about.origins.items()},
        "issued": [_issuance_data(issuance) for issuance in about.issued],
        "placements": [_model(placement) for placement in about.placements],
        "attempts": _model(about.attempts) if about.attempts else None,
        "renewed_from": format_instant(about.renewed_from) if about.renewed_from else None,
        "renewal_window": window_data(about.window),
        "openers": {str(number): list(who) for number, who in about.openers.items()},
        "crls": [_model(crl) for crl in about.crls],
        "past": {
            str(number): {"certificates": len(entries), "revoked": _revoked(entries)}
            for number, entries in about.past.items()
        },
        "found": [_sighting_data(sighting) for sighting in about.found],
    }
    return json.dumps(data, indent=2) + "\n"


def _model(record: Attempts | CrlRecord | Placement) -> dict[str, object]:
    data: dict[str, object] = record.model_dump(mode="json", by_alias=False)
    return data


def _issuance_data(issuance: Issuance) -> dict[str, object]:
    return {
        "serial": issuance.serial,
        "generation": _generation_of(issuance),
        "status": str(issuance.status),
        "not_before": format_instant(issuance.not_before),
        "not_after": format_instant(issuance.not_after),
        "sha256": issuance.sha256,
        "key_in_ledger": issuance.bundle is not None,
        "revoked": str(issuance.revoked.reason) if issuance.revoked else None,
    }


def _sighting_data(sighting: Sighting) -> dict[str, object]:
    return {
        "target": sighting.target,
        "status": sighting.status,
        "detail": sighting.detail or None,
        "id": sighting.id,
        "serial": sighting.serial,
        "problems": list(sighting.problems),
    }


def _lines(about: Explanation) -> Iterator[str]:
    if about.source is not None:
        yield f"  wanted                                     {about.source}"
        yield from _fields(about)
    else:
        yield "  no longer in the documents"
    if about.issued:
        yield "  issued"
    for issuance in about.issued:
        yield f"    {_issuance(issuance, about.address)}"
    yield from map(_placement, about.placements)
    if about.attempts:
        last, since = map(format_instant, (about.attempts.last_at, about.attempts.since))
        begun = f" since {since}" if since != last else ""
        yield f"    {count(about.attempts.failures, 'failed attempt')}{begun}, the last at {last}"
        yield f"      {about.attempts.error}"
    for number, who in about.openers.items():
        yield f"  key of generation {number}: {', '.join(who)} can open it"
    for crl in about.crls:
        dates = f"{format_instant(crl.this_update)} to {format_instant(crl.next_update)}"
        yield f"  CRL of generation {crl.generation}: number {crl.number}, {dates}"
    for number, entries in about.past.items():
        revoked = f"{_revoked(entries):,} of them revoked" if _revoked(entries) else "none revoked"
        many = count(len(entries), "certificate")
        yield f"  before generation {number} was taken over: {many} not yet expired, {revoked}"
    yield from _renewal(about)
    if about.found:
        yield "  found"
    yield from (f"    {sighting.target}: {_seen(sighting)}" for sighting in about.found)


def _renewal(about: Explanation) -> Iterator[str]:
    if about.renewed_from:
        yield f"  will be renewed from {format_instant(about.renewed_from)}"
    if about.window:
        yield f"    {told(about.window)}; asked again from {format_instant(about.window.ask_again)}"


def _revoked(entries: Sequence[PastEntry]) -> int:
    return sum(1 for entry in entries if entry.revoked)


def _fields(about: Explanation) -> Iterator[str]:
    for path, value in flatten(about.wanted):
        text = f"    {path} = {shown(path, value)}"
        place = about.origins.get(path.partition(".")[0])
        yield f"{text:<60} # {place}" if place else text


def _generation_of(issuance: Issuance) -> int | None:
    """Return which generation of a CA a certificate is of; None for a leaf."""
    request = issuance.request
    return request.generation if request.kind == "authority" else None


def _issuance(issuance: Issuance, address: str) -> str:
    dates = f"{format_instant(issuance.not_before)} to {format_instant(issuance.not_after)}"
    key = "; key in the ledger" if issuance.bundle else ""
    revoked = f" ({issuance.revoked.reason})" if issuance.revoked else ""
    number, by = _generation_of(issuance), issuance.request.issuer_generation
    crossed = f" by {by}" if address == f"authority/{issuance.request.issuer}" else ""
    which = f"generation {number}{crossed}  " if number else ""
    return f"{issuance.serial}  {which}{issuance.status}{revoked}  {dates}{key}"


def _placement(placement: Placement) -> str:
    if placement.is_adopted:
        adopted = f"adopted, {placement.object_id}"
        return f"    in {placement.target} as {placement.object_name}: {adopted}"
    seen = (
        f"serial {placement.serial} verified at {format_instant(placement.verified_at)}"
        if placement.serial and placement.verified_at
        else "not verified yet"
    )
    return f"    in {placement.target} as {placement.object_name}: {seen}"


_ABSENCE: Mapping[str, str] = {
    "not-here": "not on this host, so nobody looked",
    "unknown": "could not be checked",
}


def _seen(sighting: Sighting) -> str:
    detail = f": {flowing(sighting.detail)}" if sighting.detail else ""
    if sighting.status != "observed":
        return _ABSENCE[sighting.status] + detail
    if sighting.id is None:
        return "nothing is installed there"
    serial = f"serial {sighting.serial}" if sighting.serial else "no readable certificate"
    return "; ".join((f"{sighting.id}, {serial}", *sighting.problems))
