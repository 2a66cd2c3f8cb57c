"""Publishing CRLs and CA certificates: the CRL's number is durable before anything carries it."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from providers import x509
from providers.base import Publication
from providers.errors import ProviderError
from reconciler.apply.session import Impossible, Outcome, Session
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import CrlRecord, Issuance
from schemas.plan import Change

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Crl:
    """One CRL on its way out."""

    record: CrlRecord
    der: bytes


def publish(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Publish files together: reserve the CRL numbers, sign, record, then write."""
    publisher, failed = session.publisher, list[Outcome]()
    if publisher is None:
        yield from (Outcome(change, "the Project publishes nowhere") for change in changes)
        return
    try:
        publisher.prepare()  # what the ledger knows to be published has a place that is marked
        files = {**_certificates(session, changes, failed), **_crls(session, changes, failed)}
        ready = [change for change in changes if change.id in files]
        if ready:
            publisher.publish([Publication(_file(change), files[change.id]) for change in ready])
    except ProviderError as why:
        failed = [Outcome(change, str(why)) for change in changes]
    bad = {outcome.change.id for outcome in failed}
    yield from failed
    yield from (Outcome(change) for change in changes if change.id not in bad)


def _certificates(
    session: Session, changes: Sequence[Change], failed: list[Outcome]
) -> dict[str, bytes]:
    wanted = [change for change in changes if not change.address.startswith("crl/")]
    return _made(wanted, lambda change: _certificate(session, change), failed)


def _crls(session: Session, changes: Sequence[Change], failed: list[Outcome]) -> dict[str, bytes]:
    """Return the CRLs by change, each number durable before it is signed under."""
    wanted = [change for change in changes if change.address.startswith("crl/")]
    published = session.publisher.published() if session.publisher and wanted else {}
    records = _made(wanted, lambda change: _reserve(session, change, published), failed)
    _write(session, "Reserve", list(records.values()))
    reserved = [change for change in wanted if change.id in records]
    signed = _made(
        reserved, lambda change: _sign(session, change, records[change.id], published), failed
    )
    _write(session, "Sign", [crl.record for crl in signed.values()])
    return {id_: crl.der for id_, crl in signed.items()}


def _made(
    changes: Sequence[Change], make: Callable[[Change], Made], failed: list[Outcome]
) -> dict[str, Made]:
    """Make something for each change, by its id; `failed` gains those for which that fails."""
    made: dict[str, Made] = {}
    for change in changes:
        try:
            made[change.id] = make(change)
        except (Impossible, ProviderError) as why:
            failed.append(Outcome(change, str(why)))
    return made


def _file(change: Change) -> str:
    return str((change.after or {})["file"])


def _generation(change: Change) -> tuple[str, int]:
    """The CA and generation in `crl/services-g1`."""
    name, _, number = change.address.partition("/")[2].rpartition("-g")
    return name, int(number)


def _reserve(session: Session, change: Change, published: Mapping[str, bytes]) -> CrlRecord:
    """Choose a number above every number this CA can have used, whatever was rolled back."""
    name, generation = _generation(change)
    now = session.clock()
    last = session.journal.state.crls.get((name, generation, None))
    earlier = _published_crl(session, change, published)
    floor = int(now.timestamp()) - 1
    seen = earlier.number if earlier else 0
    return CrlRecord(
        authority=name,
        generation=generation,
        number=max(last.number if last else 0, seen, floor) + 1,
        this_update=now,
        next_update=_next_update(session, name, generation, now),
    )


def _published_crl(
    session: Session, change: Change, published: Mapping[str, bytes]
) -> x509.Crl | None:
    """Read the CRL that is published, None where there is none; raises `Impossible` for a stranger's."""
    found, name = published.get(_file(change)), _file(change)
    if found is None:
        return None
    try:
        if not x509.crl_is_by(found, _certificate(session, change)):
            raise Impossible(
                f"{name} was not signed by this CA: find out who put it there, and move it"
            )
        return x509.read_crl(found)
    except ValueError as why:
        raise Impossible(f"{name} cannot be read ({why}): move it away") from None


def _next_update(session: Session, name: str, generation: int, now: datetime) -> datetime:
    desired = session.world.desired.authorities.get(name)
    end = _issuance(session, name, generation).not_after
    return min(now + desired.crl_duration, end) if desired else end


def _issuance(session: Session, name: str, generation: int) -> Issuance:
    record = session.journal.state.authorities.get(name)
    issuance = record.generation(generation) if record else None
    if issuance is None or issuance.certificate is None:
        raise Impossible(f"authority/{name} generation {generation} is not issued")
    return issuance


def _sign(
    session: Session, change: Change, record: CrlRecord, published: Mapping[str, bytes]
) -> Crl:
    key = (record.authority, record.generation)
    crl = x509.Crl(
        number=record.number,
        this_update=record.this_update,
        next_update=record.next_update,
        entries=_entries(session, change, record, published),
    )
    der = x509.sign_crl(crl, session.authority(*key), session.signer(*key))
    digest = hashlib.sha256(der).hexdigest()
    return Crl(record.model_copy(update={"sha256": digest}), der)


def _entries(
    session: Session, change: Change, record: CrlRecord, published: Mapping[str, bytes]
) -> Mapping[str, x509.CrlEntry]:
    """Every revocation of the ledger, and every published one, but what a CRL has told beyond its end.

    An entry is on one CRL that was signed after it expired (RFC 5280 section 3.3), then it goes; a
    CRL that a clock ahead has dated tells of nothing beyond now. What was published stays revoked,
    also where the ledger does not say so: it may have been rolled back.
    """
    issuances = _issued_by(session, record.authority, record.generation)
    earlier = _published_crl(session, change, published)
    told = min(earlier.this_update, record.this_update) if earlier else record.this_update
    over = {i.serial for i in issuances.values() if i.not_after <= told}
    carried = earlier.entries if earlier else {}
    recorded = {
        i.serial: x509.CrlEntry(i.revoked.at, i.revoked.reason)
        for i in issuances.values()
        if i.revoked
    }
    return {s: entry for s, entry in {**carried, **recorded}.items() if s not in over}


def _issued_by(session: Session, name: str, generation: int) -> Mapping[str, Issuance]:
    state = session.journal.state
    every = [i for record in state.certificates.values() for i in record.issuances]
    every += [i for record in state.authorities.values() for i in record.issuances]
    return {
        i.serial: i
        for i in every
        if (i.request.issuer, i.request.issuer_generation) == (name, generation)
    }


def _certificate(session: Session, change: Change) -> bytes:
    issuance = _issuance(session, *_generation(change))
    return x509.to_der((issuance.certificate or "").encode())


def _write(session: Session, verb: str, records: Sequence[CrlRecord]) -> None:
    if records:
        names = ", ".join(f"{r.authority} {r.number}" for r in records)
        session.journal.write(Wave(message=f"{verb} CRL {names}", crls=records))
