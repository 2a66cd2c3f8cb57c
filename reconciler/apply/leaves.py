"""Issuing leaves: reserve key, serial and dates durably, then sign, then record durably."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from providers import x509
from providers.errors import ProviderError
from providers.failpoints import reach
from providers.processes import spread
from providers.secret import Secret
from providers.signer import KeyHolder
from reconciler.apply.leaf_reservations import (
    kept_keys,
    key_for,
    reserve,
    with_reservation,
)
from reconciler.apply.reservation import (
    answers,
    issuer_urls,
    shard_for,
    validity,
)
from reconciler.apply.session import Impossible, Outcome, Session, owner
from reconciler.apply.target_keys import made_key
from reconciler.apply.transitions import (
    abandoned,
    attempted,
    erasable,
    issued,
    put,
    without_keys,
)
from reconciler.certificate_terms import to_be_signed
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import CertificateRecord, Issuance, Status
from reconciler.schedule import is_resumable
from reconciler.state import DesiredCertificate
from schemas.certificate import Custody
from schemas.plan import Change

BATCH = 10_000
"""Certificates reserved, signed and recorded together: a crash loses no more work than this."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A certificate whose every signed byte is decided; `record` holds its reservation.

    `key` is None where it was made in the target.
    """

    change: Change
    record: CertificateRecord
    issuance: Issuance
    key: Secret | None = field(repr=False)
    resumed: bool = False


def issue_leaves(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Issue certificates in batches, each batch two durable steps."""
    for start in range(0, len(changes), BATCH):
        yield from _issue_batch(session, changes[start : start + BATCH])


def _issue_batch(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    kept = kept_keys(session, changes)
    bundle = secrets.token_hex(8)
    decided: list[Decided] = []
    failed: list[Outcome] = []
    for change in changes:
        session.stay_alive()  # ten thousand RSA keys take longer than a lock lives
        try:
            decided.append(_decide(session, change, kept, bundle))
        except (Impossible, ProviderError) as why:
            failed.append(Outcome(change, str(why)))
    _reserve(session, [item for item in decided if not item.resumed], bundle)
    signed: list[Decided] = []
    for item, answer in zip(decided, _sign_all(session, decided), strict=True):
        if isinstance(answer, bytes):
            signed.append(_signed(session, item, answer))
        else:
            failed.append(Outcome(item.change, answer))
    _record(session, signed, failed)
    yield from failed
    for item in signed:
        if item.key is not None:
            session.keys[item.issuance.serial] = item.key
        yield Outcome(item.change)


def _decide(session: Session, change: Change, kept: Mapping[str, Secret], bundle: str) -> Decided:
    desired, record = session.desired(change), session.record(owner(change))
    now, pending = session.clock(), record.pending
    there = made_key(session, desired) if desired.custody is Custody.TARGET else None
    if pending and is_resumable(pending, desired.digest, now) and _is_signed_by(session, pending):
        if there is None and pending.serial in kept:
            return Decided(change, record, pending, kept[pending.serial], resumed=True)
        if there == pending.spki:
            return Decided(change, record, pending, None, resumed=True)
    if pending:
        record = put(record, abandoned(pending))
    key, spki = (None, there) if there else key_for(session, desired, record, kept)
    issuance = _reservation(session, desired, spki, bundle if key else None, now)
    record = with_reservation(session, desired, record, issuance)
    return Decided(change, record, issuance, key)


def _is_signed_by(session: Session, pending: Issuance) -> bool:
    """Whether what was to sign a reservation is what its CA signs under still."""
    request = pending.request
    newest = session.signing(str(request.issuer), request.issuer_generation or 0)
    return pending.signer in (None, newest.serial)


def _reservation(
    session: Session, desired: DesiredCertificate, spki: str, bundle: str | None, now: datetime
) -> Issuance:
    """Decide everything a signature will cover; raises `Impossible` where it must not be signed."""
    request = desired.request
    authority = session.authority(request.issuer, request.issuer_generation)
    session.signer(request.issuer, request.issuer_generation)  # opened before anything is reserved
    not_before, not_after = validity(now, request.duration, authority)
    serial = x509.new_serial()
    issuance = Issuance(
        serial=serial,
        status=Status.RESERVED,
        request=request,
        digest=desired.digest,
        not_before=not_before,
        not_after=not_after,
        spki=spki,
        urls=issuer_urls(
            session.world.desired.publish,
            request.issuer,
            request.issuer_generation,
            shard=shard_for(session, request.issuer, request.issuer_generation, serial),
            ocsp=answers(session, request.issuer),
        ),
        custody=desired.custody,
        bundle=bundle,
        reserved_at=now,
        signer=session.signing(request.issuer, request.issuer_generation).serial,
    )
    if why := x509.refusals(to_be_signed(issuance), authority):
        raise Impossible("; ".join(why))
    return issuance


def _reserve(session: Session, fresh: Sequence[Decided], bundle: str) -> None:
    if fresh:
        reserve(session, _message("Reserve", fresh), fresh, bundle)
        reach("leaf.reserved")


def _sign_all(session: Session, decided: Sequence[Decided]) -> list[bytes | str]:
    """Return each certificate in DER, or why there is none; many are signed by several processes."""

    def sign(part: Sequence[Decided]) -> list[bytes | str]:
        return [_sign(session, item) for item in part]

    if _in_memory(session, decided):
        return spread(sign, decided)
    answers: list[bytes | str] = []
    for item in decided:
        session.stay_alive()
        answers.append(_sign(session, item))
    return answers


def _in_memory(session: Session, decided: Sequence[Decided]) -> bool:
    """Open the keys that sign; whether all of them are in this process, so that a fork has them too."""
    try:
        signers = [session.signer(*issuer) for issuer in set(map(_issuer, decided))]
        return all(isinstance(s, KeyHolder) and s.private_key() is not None for s in signers)
    except ProviderError:
        return False


def _sign(session: Session, item: Decided) -> bytes | str:
    issuer = _issuer(item)
    try:
        authority, signer = session.authority(*issuer), session.signer(*issuer)
        return x509.sign(to_be_signed(item.issuance), authority, signer)
    except (Impossible, ProviderError) as why:
        return str(why)


def _issuer(item: Decided) -> tuple[str, int]:
    request = item.issuance.request
    return str(request.issuer), request.issuer_generation or 0


def _signed(session: Session, item: Decided, der: bytes) -> Decided:
    issuance = issued(item.issuance, der, session.clock(), session.signing(*_issuer(item)).serial)
    record = session.planned_placements(put(item.record, issuance), item.change.address)
    return replace(item, record=record, issuance=issuance)


def _record(session: Session, signed: Sequence[Decided], failed: Sequence[Outcome]) -> None:
    """Make certificates and failures durable; keys of what was replaced are of no more use."""
    if not signed and not failed:
        return
    stale = {item.issuance.serial: erasable(item.record, item.issuance.serial) for item in signed}
    session.journal.write(
        Wave(
            message=_message("Issue", signed) if signed else f"{len(failed)} not issued",
            certificates=[
                *(without_keys(item.record, stale[item.issuance.serial]) for item in signed),
                *(_attempted(session, outcome) for outcome in failed),
            ],
            erase=frozenset().union(*stale.values()),
        )
    )
    reach("leaf.issued")


def _attempted(session: Session, outcome: Outcome) -> CertificateRecord:
    desired = session.desired(outcome.change)
    return attempted(session.record(desired.name), desired.digest, outcome.error, session.clock())


def _message(verb: str, items: Sequence[Decided]) -> str:
    if len(items) == 1:
        return f"{verb} certificate/{items[0].record.name}"
    return f"{verb} {len(items)} certificates"
