"""Reserving the numbers of the CRLs that a ceremony is asked for."""

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta

from providers.x509 import CrlEntry
from reconciler.apply.crls import Press, listed, reserved
from reconciler.apply.session import Session
from reconciler.ceremony.papers import AskedCertificate, AskedCrl, AskedRevocation
from reconciler.crl_terms import settled_terms
from reconciler.ledger.publications import CrlKey, CrlRecord
from reconciler.planning import make_plan
from reconciler.published_names import list_key
from schemas.custody import Kept
from schemas.plan import Action, Reason

Lists = dict[CrlKey, tuple[CrlRecord, AskedCrl]]
"""What is recorded of each list, and what it is to say."""


def reserve_lists(session: Session, asked: Collection[AskedCertificate]) -> Lists:
    """Return the lists that are due, and the first ones of the CAs that are asked for; nothing is written.

    What was signed before and is not published yet is published first.
    """
    if session.publisher is None:
        return {}
    press = Press(session, session.publisher.published())
    records = [*_due(session, press), *_first(session, press, asked)]
    if records:
        session.publisher.prepare()  # what the ledger knows to be published has a place that is marked
    return {record.key: (record, _asked(press, record)) for record in records}


def _due(session: Session, press: Press) -> Iterator[CrlRecord]:
    plan = make_plan(session.world).changes
    publishing = {step.address for step in plan if step.action is Action.PUBLISH}
    for step in plan:
        waits = step.reason is Reason.CEREMONY and step.address.startswith("crl/")
        if waits and step.address not in publishing:
            key = list_key(step.address)
            yield _current(press, key) or reserved(press, key)


def _current(press: Press, key: CrlKey) -> CrlRecord | None:
    """Return what is reserved for a list, if it still says all there is to say, and for long enough."""
    record, now = press.session.journal.state.crls.get(key), press.session.clock()
    if record is None or record.sha256 is not None:
        return None
    if record.this_update + (record.next_update - record.this_update) / 2 <= now:
        return None
    told = listed(press, record).entries.values()
    return record if all(entry.at <= record.this_update for entry in told) else None


def _first(
    session: Session, press: Press, asked: Collection[AskedCertificate]
) -> Iterator[CrlRecord]:
    """Yield the lists of CAs whose key is yet to be made: else each would need another ceremony at once."""
    for each in asked:
        fresh = each.request.key_ref == Kept.OFFLINE.reference and not each.issuance.spki
        if fresh and not each.crosses:
            yield from _beginning(session, press, each)


def _beginning(session: Session, press: Press, asked: AskedCertificate) -> Iterator[CrlRecord]:
    name, generation = asked.whose
    state, now = session.journal.state, session.clock()
    desired = session.world.desired.authorities[name]
    terms = settled_terms(state, name, generation, desired)
    shards = range(1, terms.shards + 1) if terms and terms.shards > 1 else ()
    life = timedelta(seconds=terms.duration) if terms else desired.crl_duration
    for shard in (None, *shards):
        key: CrlKey = (name, generation, shard)
        known = state.crls.get(key)
        yield _current(press, key) or CrlRecord(
            authority=name,
            generation=generation,
            shard=shard,
            number=max(known.number if known else 0, int(now.timestamp()) - 1) + 1,
            this_update=now,
            next_update=min(now + life, asked.issuance.not_after),
            terms=terms if shard is None else None,
        )


def _asked(press: Press, record: CrlRecord) -> AskedCrl:
    crl = listed(press, record)
    return asked_list(record, dict(sorted(crl.entries.items())), crl.urls)


def asked_list(
    record: CrlRecord, entries: Mapping[str, CrlEntry], urls: tuple[str, ...]
) -> AskedCrl:
    """Return a list with the dates and the number that are reserved, and these entries in their order."""
    return AskedCrl(
        authority=record.authority,
        generation=record.generation,
        shard=record.shard,
        number=record.number,
        this_update=record.this_update,
        next_update=record.next_update,
        entries=tuple(
            AskedRevocation(serial=serial, at=entry.at, reason=entry.reason)
            for serial, entry in entries.items()
        ),
        urls=urls,
    )
