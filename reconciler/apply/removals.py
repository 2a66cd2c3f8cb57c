"""Removing and forgetting what is no longer wanted, relabelling what is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from providers.abilities import Activator, Relabeler, RelabelRequest, Sweeper, Withdrawer
from providers.base import NAME, OWNER, SPEC, Installed
from providers.errors import ProviderError
from reconciler.apply.session import Outcome, Session, named, owner, place
from reconciler.apply.transitions import (
    abandoned,
    put,
    put_authority,
    withdrawn,
    without_keys,
)
from reconciler.diff.standing import labelled_digest
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import AuthorityRecord, CertificateRecord, Status
from schemas.plan import Change

OURS = frozenset({OWNER, NAME, SPEC})


@dataclass(frozen=True, slots=True)
class Removal:
    """One object on its way out; `error` says why it stays."""

    change: Change
    installed: Installed
    error: str = ""


def remove(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Remove objects from their targets, each target's consumer asked once, and record it."""
    for name, group in groupby(sorted(changes, key=place), key=place):
        session.stay_alive()
        target = session.targets[name]
        steps = [Removal(change, _installed(session, change)) for change in group]
        if isinstance(target, Withdrawer):
            steps = _withdraw(session, target, steps)
        steps = _each(target.remove, steps)
        _record_withdrawn(session, [step.change for step in steps if not step.error])
        yield from (Outcome(step.change, step.error) for step in steps)


def _withdraw(session: Session, target: Withdrawer, steps: Sequence[Removal]) -> list[Removal]:
    """Take objects out of sight; all of them come back when the consumer cannot do without."""
    hidden = _each(target.withdraw, steps)
    session.stay_alive()
    error = _activate(target) if any(not step.error for step in hidden) else ""
    session.stay_alive()  # a check and a reload may take as long as a lock lives, and come twice
    if not error:
        return hidden
    back = [step if step.error else _reinstate(target, step, error) for step in hidden]
    again = _activate(target)
    session.stay_alive()
    if again:
        return [replace(step, error=f"{step.error}; and with it back: {again}") for step in back]
    return back


def _reinstate(target: Withdrawer, step: Removal, error: str) -> Removal:
    try:
        target.reinstate(step.installed)
    except ProviderError as why:
        return replace(step, error=f"{error}; and it could not be put back: {why}")
    return replace(step, error=f"{error} (it is back)")


def _activate(target: object) -> str:
    """Let a target's consumer check and load what there is; return why it would not."""
    if isinstance(target, Activator):
        try:
            target.activate()
        except ProviderError as why:
            return str(why)
    return ""


def _each(verb: Callable[[Installed], None], steps: Sequence[Removal]) -> list[Removal]:
    """Do something with every object that nothing went wrong with yet."""
    return [step if step.error else _attempt(verb, step) for step in steps]


def _attempt(verb: Callable[[Installed], None], step: Removal) -> Removal:
    try:
        verb(step.installed)
    except ProviderError as why:
        return replace(step, error=str(why))
    return step


def forget(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Leave objects where they are, without our labels, and drop them from the ledger."""
    done = []
    for change in changes:
        try:
            _unlabel(session, change)
            done.append(change)
        except ProviderError as why:
            yield Outcome(change, str(why))
    _record_withdrawn(session, done)
    yield from (Outcome(change) for change in done)


def forget_authorities(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Drop CAs that nothing depends on any more, their keys with them."""
    names = [owner(change) for change in changes]
    if given_up := [r for name in names if (r := _given_up(session, name)) is not None]:
        what = ", ".join(record.name for record in given_up)
        session.journal.write(Wave(message=f"Give up {what}", authorities=given_up))
    session.journal.write(Wave(message=f"Forget {', '.join(names)}", gone_authorities=names))
    yield from (Outcome(change) for change in changes)


def _given_up(session: Session, name: str) -> AuthorityRecord | None:
    """Return the record of a CA without reservations that may yet be signed; None where it has none.

    A ceremony may have been asked for them: its answer is refused from then on.
    """
    record = session.journal.state.authorities.get(name)
    reserved = [i for i in record.issuances if i.status is Status.RESERVED] if record else []
    if record is None or not reserved:
        return None
    for issuance in reserved:
        record = put_authority(record, abandoned(issuance))
    return record


def forget_keys(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Erase keys that nobody needs any more; a reservation without its key is abandoned."""
    records, spent = [], frozenset[str]()
    for change in changes:
        serials = frozenset((change.before or {})["serials"])
        record = session.record(owner(change))
        if record.pending and record.pending.serial in serials:
            record = put(record, abandoned(record.pending))
        records.append(without_keys(record, serials))
        spent |= serials
    session.journal.write(
        Wave(message=f"Erase {named(changes)}", certificates=records, erase=spent)
    )
    yield from (Outcome(change) for change in changes)


def relabel(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Give installed objects the labels they should have."""
    for change in changes:
        desired = session.desired(change)
        record = session.record(desired.name)
        target, wanted = session.targets[place(change)], session.wanted(change)
        found = session.world.installed(wanted)
        if found is None or not isinstance(target, Relabeler):
            yield Outcome(change, "this target cannot change labels alone")
            continue
        digest = labelled_digest(session.world, desired, record)
        labels = session.world.relabelled(desired, digest, wanted)
        try:
            target.relabel(RelabelRequest(found, labels))
            yield Outcome(change)
        except ProviderError as why:
            yield Outcome(change, str(why))


def rename(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Carry ledger records over to their certificates' new names."""
    records = [session.record(owner(change)) for change in changes]
    old = [session.world.renames[record.name] for record in records]
    message = f"Rename {', '.join(old)} to {', '.join(record.name for record in records)}"
    session.journal.write(Wave(message=message, certificates=records, gone=old))
    yield from (Outcome(change) for change in changes)


def note_endings(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Record what is to become of certificates when their documents go."""
    records = [
        session.record(owner(change)).model_copy(
            update={"on_remove": session.desired(change).on_remove}
        )
        for change in changes
    ]
    session.journal.write(Wave(message=f"Note onRemove of {named(changes)}", certificates=records))
    yield from (Outcome(change) for change in changes)


def _installed(session: Session, change: Change) -> Installed:
    """What the plan saw under the object name it names."""
    return session.world.observation(place(change)).installed[str((change.before or {})["name"])]


def _installed_as(session: Session, change: Change, name: str) -> Installed | None:
    return session.world.observation(place(change)).installed.get(name)


def _unlabel(session: Session, change: Change) -> None:
    name = str((change.before or {})["name"])
    found = _installed_as(session, change, name)
    target = session.targets[place(change)]
    if found is None and isinstance(target, Sweeper):
        target.sweep()
    ours = found is not None and found.owned_by(session.world.ledger.lineage.owner)
    if found is not None and ours and isinstance(target, Relabeler):
        labels = {key: value for key, value in found.labels.items() if key not in OURS}
        target.relabel(RelabelRequest(found, labels))


def _record_withdrawn(session: Session, changes: Sequence[Change]) -> None:
    """Drop the placements; a record that says nothing any more goes with its last one."""
    records: dict[str, CertificateRecord] = {}
    for change in changes:
        name = owner(change)
        record = records.get(name) or session.record(name)
        object_name = str((change.before or {})["name"])
        found = _installed_as(session, change, object_name)
        id_ = found.id if found else None
        if id_ and "supersededBy" in (change.before or {}):  # which has its name by now
            object_name = id_
        records[name] = withdrawn(record, place(change), object_name, id_)
    known = session.journal.state.certificates
    touched = [record for record in records.values() if record.name in known]
    if touched:
        session.journal.write(Wave(message=f"Withdraw {named(changes)}", certificates=touched))
