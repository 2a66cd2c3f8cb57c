"""Publishing OCSP responses: the responder is durable before it is signed, its key is never written anywhere.

A responder that a run which died had reserved is left alone: nobody has its key, and it expires.
"""

import hashlib
from base64 import b64encode
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from providers import x509
from providers.base import Publisher, Tree
from providers.failpoints import reach
from providers.signer import KeySigner
from providers.x509.ocsp import Freshness, sign_responses
from providers.x509.reservation import BACKDATE
from providers.x509.responder import (
    Responder,
    ResponderRequest,
    responder_key_type,
    sign_responder,
)
from reconciler.apply.crls import Press
from reconciler.apply.made import made
from reconciler.apply.session import Impossible, Outcome, Session
from reconciler.ledger import publications
from reconciler.ledger.contract import Wave
from reconciler.ledger.publications import OcspRecord, OcspTerms
from reconciler.response_terms import settled_terms, statuses, tree_key, tree_name, wanted_terms
from schemas.plan import Change

MARGIN = timedelta(hours=1)
"""How much longer than its responses a responder lives, for relying parties whose clock is fast."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Responses that are decided but for their signatures, and the responder that is to make them."""

    record: OcspRecord
    request: ResponderRequest
    statuses: Mapping[str, x509.CrlEntry | None]
    signer: KeySigner = field(repr=False)


def publish_responses(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Reserve the responders, sign, show each tree, then record what is published."""
    publisher, failed = session.publisher, list[Outcome]()
    if publisher is None:
        yield from (Outcome(change, "the Project publishes nowhere") for change in changes)
        return
    drafts = made(changes, lambda change: _draft(session, publisher, change), failed)
    decided = {id_: draft for id_, draft in drafts.items() if draft is not None}
    _write(session, "Reserve OCSP responder for", [draft.record for draft in decided.values()])
    reach("ocsp.reserved")
    ready = [change for change in changes if change.id in decided]
    shown = made(ready, lambda change: _show(session, publisher, decided[change.id]), failed)
    reach("ocsp.shown")
    _write(session, "Publish OCSP responses of", list(shown.values()))
    bad = {outcome.change.id for outcome in failed}
    yield from failed
    yield from (Outcome(change) for change in changes if change.id not in bad)


def settle_response_terms(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Record by which terms responses are made from now on."""
    settled = []
    for change in changes:
        key = tree_key(change.address)
        terms = wanted_terms(session.world.desired.authorities.get(key[0]))
        settled.append(session.journal.state.ocsp[key].model_copy(update={"terms": terms}))
    _write(session, "Settle how OCSP responses are made for", settled)
    yield from map(Outcome, changes)


def _draft(session: Session, publisher: Publisher, change: Change) -> Draft | None:
    """Decide everything but the signatures; None where there is nothing to tell, as nothing was issued."""
    publisher.prepare()  # what the ledger knows to be published has a place that is marked
    key, now = tree_key(change.address), session.clock().replace(microsecond=0)
    told = statuses(session.journal.state, *key, now)
    if not told:
        return None
    told = {**told, **_carried(session, publisher, key, told)}
    authority, last = session.listing(*key), session.journal.state.ocsp.get(key)
    session.signer(*key)  # opened before anything is reserved
    terms = settled_terms(last, session.world.desired.authorities.get(key[0]))
    algorithm, _ = x509.key_type(authority.public_key)
    signer = KeySigner(x509.generate_key(responder_key_type(algorithm)))
    request = _request(signer, authority, _end(now, terms, authority.not_after), now)
    return Draft(
        _reserved(key, last, request, terms, now, authority.not_after), request, told, signer
    )


def _carried(
    session: Session, publisher: Publisher, key: tuple[str, int], told: Collection[str]
) -> Mapping[str, x509.CrlEntry]:
    """Return what the published CRL revokes and the ledger does not, which may have been rolled back."""
    earlier = Press(session, publisher.published()).earlier((*key, None))
    entries = earlier.entries if earlier else {}
    return {serial: entry for serial, entry in entries.items() if serial in told}


def _end(now: datetime, terms: OcspTerms, limit: datetime) -> datetime:
    end = min(now + timedelta(seconds=terms.duration), limit)
    if end <= now:
        raise Impossible("the CA's certificate ends before a response could")
    return end


def _request(
    signer: KeySigner, authority: x509.IssuingAuthority, next_update: datetime, now: datetime
) -> ResponderRequest:
    return ResponderRequest(
        serial=x509.new_serial(),
        not_before=max(now - BACKDATE, authority.not_before),
        not_after=min(next_update + MARGIN, authority.not_after),
        spki=x509.spki(signer.public_key()),
    )


def _reserved(
    key: tuple[str, int],
    last: OcspRecord | None,
    request: ResponderRequest,
    terms: OcspTerms,
    now: datetime,
    limit: datetime,
) -> OcspRecord:
    """Return the record with the responder that is to be signed, without those that have expired."""
    earlier = [each for each in (last.responders if last else ()) if each.not_after > now]
    responder = publications.Responder(
        serial=request.serial,
        not_before=request.not_before,
        not_after=request.not_after,
        spki=b64encode(request.spki).decode(),
    )
    return OcspRecord(
        authority=key[0],
        generation=key[1],
        responders=(*earlier, responder),
        this_update=now,
        next_update=_end(now, terms, limit),
        terms=terms,
    )


def _show(session: Session, publisher: Publisher, draft: Draft) -> OcspRecord:
    """Sign the responder and with its key the responses, and show them; return what is recorded of that."""
    record = draft.record
    key = (record.authority, record.generation)
    session.stay_alive()
    authority = session.listing(*key)
    certificate = sign_responder(draft.request, authority, session.signer(*key))
    reach("ocsp.delegated")
    files = sign_responses(
        draft.statuses,
        authority,
        Responder(certificate, draft.signer),
        Freshness(record.this_update, record.next_update),
    )
    session.stay_alive()
    tree = Tree(tree_name(*key), files)
    publisher.publish_tree(tree)
    *earlier, last = record.responders
    signed = last.model_copy(update={"sha256": hashlib.sha256(certificate).hexdigest()})
    return record.model_copy(update={"responders": (*earlier, signed), "sha256": tree.digest})


def _write(session: Session, words: str, ocsp: Sequence[OcspRecord]) -> None:
    if ocsp:
        names = ", ".join(f"{record.authority} g{record.generation}" for record in ocsp)
        session.journal.write(Wave(message=f"{words} {names}", ocsp=ocsp))
