"""Taking over a CA that existed before: its key proves itself, then all is recorded in one wave."""

import secrets
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from providers import x509
from providers.errors import Conflict, ProviderError
from providers.failpoints import reach
from providers.remote import verifies
from providers.signer import Signer
from reconciler.apply.session import Impossible, Outcome, Session, named, owner
from reconciler.diff.past import past_key
from reconciler.diff.takeovers import untold
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import AuthorityRecord, Issuance, PastRecord, Revoked, Status
from reconciler.past.history import together
from reconciler.takeover import Takeover
from schemas.custody import Kept
from schemas.plan import Change
from schemas.revocation import RevocationReason

_CHALLENGE = b"certform: proof that the key of a CA is at hand\n"


@dataclass(frozen=True, slots=True)
class Taken:
    """What is recorded of one CA."""

    change: Change
    record: AuthorityRecord
    past: PastRecord


def take_over(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Record CAs with what they issued and revoked, each after its key has proved itself."""
    taken: list[Taken] = []
    for change in changes:
        try:
            taken.append(_taken(session, change))
        except (Impossible, ProviderError) as why:
            yield Outcome(change, str(why))
    if taken:
        session.journal.write(
            Wave(
                message=f"Take over {named([item.change for item in taken])}",
                authorities=[item.record for item in taken],
                past=[item.past for item in taken],
            )
        )
    reach("takeover.recorded")
    yield from (Outcome(item.change) for item in taken)


def _taken(session: Session, change: Change) -> Taken:
    name = owner(change)
    existing = session.world.desired.authorities[name].existing
    if existing is None:
        raise Impossible("no document says what there was before")
    record = session.journal.state.authorities.get(name) or AuthorityRecord(name=name)
    if not any(issuance.sha256 == existing.sha256 for issuance in record.issuances):
        _prove(session, name, existing)
        issuance = _issuance(session, existing)
        record = record.model_copy(update={"issuances": (issuance, *record.issuances)})
    return Taken(change, record, _past(session, name, existing))


def _prove(session: Session, name: str, existing: Takeover) -> None:
    """Let the key sign what nobody knew before; raises ProviderError. One that is kept elsewhere does not."""
    if isinstance(existing.custody, Kept):
        return
    signer = session.signer(name, existing.generation)
    challenge = _CHALLENGE + secrets.token_bytes(32)
    if not _holds(signer, existing) or not verifies(
        signer.public_key(), signer.sign(challenge), challenge
    ):
        raise Conflict(
            "the key at hand is not that of the certificate: name the right one in custody"
        )


def _holds(signer: Signer, existing: Takeover) -> bool:
    return b64encode(x509.spki(signer.public_key())).decode() == existing.spki


def _issuance(session: Session, existing: Takeover) -> Issuance:
    """Return its certificate as if it had been issued here; it counts as reserved when it was taken over."""
    return Issuance(
        serial=existing.serial,
        status=Status.ISSUED,
        request=existing.request,
        digest=existing.digest,
        not_before=existing.not_before,
        not_after=existing.not_after,
        spki=existing.spki,
        reserved_at=session.clock(),
        issued_at=existing.not_before,
        certificate=x509.pem(existing.certificate).decode(),
        sha256=existing.sha256,
        signer=_signer(session, existing),
    )


def _signer(session: Session, existing: Takeover) -> str:
    """Return the serial of the certificate that signed it: its own, or its parent's; raises `Impossible`."""
    parent = existing.request.issuer
    if parent is None:
        return existing.serial
    above = session.world.desired.authorities[parent].existing
    if above is None or parent not in session.journal.state.authorities:
        raise Impossible(f"authority/{parent} is not taken over yet")
    return above.serial


def _past(session: Session, name: str, existing: Takeover) -> PastRecord:
    """Return what is known of its past with what the files add; what was revoked stays so."""
    key = (name, existing.generation)
    had = session.journal.state.past.get(key)
    known = {entry.serial: entry for entry in (had.entries if had else ())}
    for entry in untold(existing, had, session.clock()):
        known[entry.serial] = together(known.get(entry.serial), entry)
    numbers = [n for n in (had.number if had else None, existing.number) if n is not None]
    return PastRecord(
        authority=name,
        generation=existing.generation,
        number=max(numbers, default=None),
        entries=tuple(known.values()),
    )


def revoke_past(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Mark what was issued before a takeover as revoked, all in one wave."""
    records: dict[tuple[str, int], PastRecord] = {}
    for change in changes:
        key = past_key(change.address)
        record = records.get(key) or session.journal.state.past.get(key)
        if record is None:
            yield Outcome(change, f"authority/{key[0]} is not taken over yet")
            continue
        records[key] = _revoked(session, record, change)
    if records:
        numbers = sum(len(_serials(change)) for change in changes)
        message = f"Revoke {numbers} certificates of before"
        session.journal.write(Wave(message=message, past=tuple(records.values())))
    reach("past.revoked")
    yield from (Outcome(change) for change in changes if past_key(change.address) in records)


def _serials(change: Change) -> frozenset[str]:
    return frozenset((change.after or {})["serials"])


def _revoked(session: Session, record: PastRecord, change: Change) -> PastRecord:
    reason = RevocationReason((change.after or {})["reason"])
    told = Revoked(at=session.clock().replace(microsecond=0), reason=reason)
    wanted = _serials(change)
    return record.model_copy(
        update={
            "entries": tuple(
                entry.model_copy(update={"revoked": told})
                if entry.serial in wanted and entry.revoked is None
                else entry
                for entry in record.entries
            )
        }
    )
