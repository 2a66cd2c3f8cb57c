"""Adopting: what somebody else installed gets our labels, and is accounted for before it has them."""

from collections.abc import Iterator, Sequence

from providers.abilities import Adopter, AdoptRequest
from providers.errors import Conflict, ProviderError
from providers.failpoints import reach
from reconciler.apply.session import Outcome, Session, named, owner
from reconciler.apply.transitions import adopted
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import CertificateRecord
from schemas.plan import Change


def adopt(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Record what is about to be taken over, then label it, and nothing else."""
    records: dict[str, CertificateRecord] = {}
    for change in changes:
        wanted, name = session.wanted(change), owner(change)
        record = records.get(name) or _record(session, change)
        records[name] = adopted(record, wanted.target, wanted.name, _identity(change))
    changed = [record for record in records.values() if record != session.record(record.name)]
    if changed:
        session.journal.write(Wave(message=f"Adopt {named(changes)}", certificates=changed))
    reach("adopt.recorded")
    for change in changes:
        session.stay_alive()
        try:
            _label(session, change)
            yield Outcome(change)
        except ProviderError as why:
            yield Outcome(change, str(why))
        reach("adopt.labelled")


def _record(session: Session, change: Change) -> CertificateRecord:
    """The record as it is; the first one says what is to become of the certificate when its document goes."""
    desired, record = session.desired(change), session.record(owner(change))
    if record.issuances or record.placements:
        return record
    return record.model_copy(update={"on_remove": desired.on_remove})


def _label(session: Session, change: Change) -> None:
    wanted, desired = session.wanted(change), session.desired(change)
    target, current = session.targets[wanted.target], session.record(desired.name).current
    if not isinstance(target, Adopter):
        raise Conflict("what others installed in this target cannot be taken over")
    digest = current.digest if current else desired.digest
    labels = session.world.labels(desired, digest, wanted.target)
    (seen,) = session.world.adoptable(wanted)
    request = AdoptRequest(seen.id, wanted.name, labels, seen.serial, seen.sha256)
    session.adopted[wanted.target, wanted.name] = target.adopt(request)


def _identity(change: Change) -> str:
    return str((change.after or {})["id"])
