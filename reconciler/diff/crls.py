"""CRLs: which must be signed anew, which edits of their terms wait for a review, and who has to sign."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from reconciler.checks import Finding
from reconciler.crl_terms import first_issued, refresh_time, refreshed_at
from reconciler.diff.changes import blocked, change
from reconciler.diff.lists import (
    Contents,
    Signing,
    kept_where,
    lists_for,
    settled,
    urls_for,
    wanted,
)
from reconciler.diff.world import World
from reconciler.ledger.publications import CrlKey, CrlRecord, CrlTerms
from reconciler.published_names import file_name, list_address
from reconciler.schedule import is_ahead, late_time
from reconciler.state import PublishedFile
from schemas.custody import MOUNTED, Kept
from schemas.plan import Action, Change, FieldChange, Reason, Source
from schemas.scalars import format_duration

BY_CEREMONY = "its key is offline: certform ceremony export"


@dataclass(frozen=True, slots=True)
class Told:
    """What is about to be revoked, by list: the serials, and the ids of the changes that revoke them."""

    serials: Mapping[CrlKey, Sequence[str]]
    changes: Mapping[CrlKey, Sequence[str]]


def crl_changes(
    world: World, signing: Signing, known: Contents, told: Told, source: Source | None
) -> Iterator[Change]:
    """Yield what the lists of a CA's generation need.

    Nobody signs one for a CA that is only trusted; of one whose key Vault keeps, Vault does.
    """
    kept = kept_where(world, signing)
    if kept in (Kept.NONE.reference, MOUNTED):
        return
    edit = _edited(world, signing, source)
    yield from edit
    settling = tuple(step.id for step in edit)
    for key in lists_for(world, signing, known):
        if kept == Kept.OFFLINE.reference:
            yield from _carried(world, signing, key, known, told, source)
        else:
            yield from _signed(world, signing, key, known, told, source, settling)


def _edited(world: World, signing: Signing, source: Source | None) -> tuple[Change, ...]:
    """Return the change that settles other terms; what time asks for meanwhile is made by the old ones."""
    had, want = settled(world, signing), wanted(world, signing)
    if had is None or want is None or had == want:
        return ()
    fields = tuple(_differing(had, want))
    whole: CrlKey = (*signing.key, None)
    return (
        change(
            list_address(whole),
            Action.CONFIGURE,
            Reason.SPEC_CHANGED,
            f"{', '.join(field.path for field in fields)} changed",
            identity={"after": want.to_json()},
            source=source,
            fields=fields,
        ),
    )


def _differing(had: CrlTerms, want: CrlTerms) -> Iterator[FieldChange]:
    before, after = _worded(had), _worded(want)
    for path in before:
        if before[path] != after[path]:
            yield FieldChange(path=path, before=before[path], after=after[path])


def _worded(terms: CrlTerms) -> Mapping[str, object]:
    return {
        "crl.duration": _span(terms.duration),
        "crl.refreshBefore": "half"
        if terms.refresh_before is None
        else _span(terms.refresh_before),
        "crl.shards": terms.shards,
    }


def _span(seconds: int) -> str:
    return format_duration(timedelta(seconds=seconds))


def _signed(
    world: World,
    signing: Signing,
    key: CrlKey,
    known: Contents,
    told: Told,
    source: Source | None,
    settling: tuple[str, ...],
) -> Iterator[Change]:
    """Yield a list that has to be signed anew.

    What time asks for, or a revocation, waits for no edit; what only an edit asks for waits for its review.
    """
    adding = tuple(told.changes.get(key, ()))
    upkeep = _upkeep(world, signing, key, known)
    need = _revoked_since(len(adding)) if adding else upkeep
    if need is None and (settling or _lacks_url(world, key, known)):
        words = "made by other terms" if settling else "published at another URL"
        need = Finding(Reason.SPEC_CHANGED, words)
    if need is None:
        return
    new = key[2] is not None and key not in world.ledger.crls and bool(settling)
    edited = new or (upkeep is None and not adding)
    first = () if signing.issuance else signing.coming  # a renewal has the key of what it renews
    waits = (
        () if upkeep else adding
    )  # what time asks for is not held back by what is to be reviewed
    yield _publish(
        key,
        need,
        source,
        requires=(*waits, *first, *(settling if edited else ())),
        follows=(*adding, *(() if edited else settling)),
        adding=told.serials.get(key, ()),
        due=upkeep is not None and not new,
    )


def _carried(
    world: World,
    signing: Signing,
    key: CrlKey,
    known: Contents,
    told: Told,
    source: Source | None,
) -> Iterator[Change]:
    """Yield what becomes of a list that only a ceremony signs: what came from one is published from there."""
    record, published = world.ledger.crls.get(key), _published(world, key)
    if record is not None and record.der and (published is None or _differs(record, published)):
        words = "signed at a ceremony, not published yet"
        yield _publish(key, Finding(Reason.NOT_FOUND, words), source, due=True)
        published = None
    adding = told.changes.get(key, ())
    upkeep = _asked(world, signing, key, known, published)
    need = _revoked_since(len(adding)) if adding else upkeep
    if need is not None:
        yield blocked(
            list_address(key),
            Reason.CEREMONY,
            f"{need.message}; {BY_CEREMONY}",
            source=source,
            requires=tuple(adding),
            due=not adding
            and need.reason is Reason.EXPIRING
            and _is_early(world, signing, key, known),
        )


def _asked(
    world: World, signing: Signing, key: CrlKey, known: Contents, published: PublishedFile | None
) -> Finding | None:
    """Say why the next ceremony is asked for a list; `published` is None where one is on its way there."""
    record = world.ledger.crls.get(key)
    if record is not None and record.der and published is None:
        return _dated(world, signing, record)
    if record is None or record.sha256 is not None:
        return _upkeep(world, signing, key, known)
    told = published.revoked if published else frozenset()
    if missing := known.revoked.get(key, frozenset()) - told:
        return _revoked_since(len(missing))
    return Finding(Reason.EXPIRING, "asked for at a ceremony that brought nothing back yet")


def _is_early(world: World, signing: Signing, key: CrlKey, known: Contents) -> bool:
    """Whether the published list is what certificates look for, and more than half of the notice is left."""
    published = _published(world, key)
    if published is None or published.dates is None or _lacks_url(world, key, known):
        return False
    due = refreshed_at(*published.dates, settled(world, signing))
    return world.now < late_time(due, published.dates[1])


def _upkeep(world: World, signing: Signing, key: CrlKey, known: Contents) -> Finding | None:
    """Say why a list must be signed anew even if nothing is revoked now."""
    record, published = world.ledger.crls.get(key), _published(world, key)
    revoked = known.revoked.get(key, frozenset())
    missing = revoked - (published.revoked if published else frozenset())
    if published and missing:
        return _revoked_since(len(missing))
    if record is None or published is None or _is_of_another(world, signing, record):
        return unpublished(world, signing, record)
    if _differs(record, published):
        words = "the published file is not the last one that was signed"
        return Finding(Reason.DRIFTED, words, outside=record.sha256 is not None)
    if published.urls is not None and known.urls.get(key, frozenset()) - published.urls:
        return Finding(Reason.EXPIRING, "certificates look for it at another URL, too")
    return _dated(world, signing, record)


def _dated(world: World, signing: Signing, record: CrlRecord | None) -> Finding | None:
    """Say that the dates of a list ask for another one."""
    if record is None:
        return None
    if is_ahead(record.this_update, world.now):
        made = f"it says that it was made at {record.this_update:%Y-%m-%d}"
        return Finding(Reason.EXPIRING, made)
    if refresh_time(record, settled(world, signing)) <= world.now:
        return Finding(Reason.EXPIRING, f"next update {record.next_update:%Y-%m-%d}")
    return None


def unpublished(world: World, signing: Signing, record: CrlRecord | None) -> Finding:
    """Say that a file is missing; where a CRL was signed for its directory, somebody took it away."""
    signed = record is not None and record.sha256 is not None
    if (
        record is None
        or not signed
        or _is_of_another(world, signing, record)
        or world.publishes_elsewhere
    ):
        return Finding(Reason.NOT_FOUND, "not published yet")
    return Finding(Reason.NOT_FOUND, "no longer published", outside=True)


def _is_of_another(world: World, signing: Signing, record: CrlRecord) -> bool:
    """Whether a CRL is older than its CA: a forgotten one of the same name signed it.

    When a CA was issued that says a moment still to come, nobody can tell.
    """
    if signing.issuance is None:
        return True
    issued = first_issued(world.ledger.authorities.get(signing.name), signing.generation)
    return issued is not None and issued > record.this_update and not is_ahead(issued, world.now)


def _lacks_url(world: World, key: CrlKey, known: Contents) -> bool:
    """Whether a shard does not say that it is the list of the URL that documents publish it at now."""
    published = _published(world, key)
    if published is None or published.urls is None:
        return False
    return bool(urls_for(world, key, known) - published.urls)


def _differs(record: CrlRecord, published: PublishedFile) -> bool:
    return published.sha256 != record.sha256


def _published(world: World, key: CrlKey) -> PublishedFile | None:
    name, generation, shard = key
    return (world.observed.published or {}).get(file_name(name, generation, "crl", shard))


def _revoked_since(count: int) -> Finding:
    return Finding(Reason.REVOCATION_ADDED, f"{count} revoked since the last one")


def _publish(
    key: CrlKey,
    need: Finding,
    source: Source | None,
    *,
    requires: tuple[str, ...] = (),
    follows: tuple[str, ...] = (),
    adding: Sequence[str] = (),
    due: bool,
) -> Change:
    name, generation, shard = key
    file = file_name(name, generation, "crl", shard)
    return change(
        list_address(key),
        Action.PUBLISH,
        need.reason,
        need.message,
        identity={"file": file, "adding": list(adding)},
        requires=requires,
        follows=follows,
        source=source,
        after={"file": file},
        due=due,
        outside=need.outside,
    )
