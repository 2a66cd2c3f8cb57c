"""Bundles of trust anchors: installed where they are wanted, freed of anchors that may go, and removed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from providers.abilities import HeldTrust, Sweeper, TrustHolder, TrustRequest
from providers.errors import ProviderError
from providers.failpoints import reach
from reconciler.apply.session import Outcome, Session, named, owner, place
from reconciler.diff import World
from reconciler.diff.anchors import Anchors, standing, stock_of
from reconciler.diff.withdrawals import noted
from reconciler.ledger.contract import Wave
from reconciler.ledger.trust import TrustPlacement, TrustRecord
from reconciler.state import DesiredBundle, DesiredInstall
from schemas.plan import Change


@dataclass(frozen=True, slots=True)
class _Deed:
    """What became of one bundle in one place, for the changes that asked; `held` is None when it is gone."""

    changes: tuple[Change, ...]
    install: DesiredInstall
    held: HeldTrust | None = None
    error: str = ""


def install_bundles(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Install bundles with all that they may hold by now, and record what was read back."""
    _place(session, changes)
    deeds = [_install(session, change) for change in changes]
    yield from _done(session, "Install anchors of", deeds)


def remove_trust(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Withdraw single anchors, all that leave one place together, and remove whole bundles."""
    leaving: dict[str, list[Change]] = {}
    whole = [change for change in changes if "#" not in change.address]
    for change in changes:
        here, single, _ = change.address.partition("#")
        if single:
            leaving.setdefault(here, []).append(change)
    deeds = [_withdraw(session, steps) for steps in leaving.values()]
    yield from _done(session, "Withdraw anchors of", deeds)
    yield from _done(session, "Remove", [_remove(session, step) for step in whole])


def forget_bundles(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Drop what the ledger says of bundles that are gone."""
    done = []
    for change in changes:
        target = session.targets[place(change)]
        try:
            if isinstance(target, Sweeper):
                target.sweep()
            done.append(_Deed((change,), _spot(change)))
        except ProviderError as why:
            done.append(_Deed((change,), _spot(change), error=str(why)))
    yield from _done(session, "Forget", done)


def note_anchors(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Record since when nothing hangs by anchors: of a run that died, and those that an edit gives up."""
    names = {owner(change) for change in changes}
    _note(session, [r for r in noted(_after(session, session.clock())) if r.name in names])
    yield from map(Outcome, changes)


def note_idle(session: Session) -> None:
    """Record since when nothing hangs by anchors that are still held, as far as the ledger tells."""
    if session.journal.state.trust:
        _note(session, tuple(noted(_after(session, session.clock()), due=True)))


def _note(session: Session, records: Sequence[TrustRecord]) -> None:
    if records:
        names = ", ".join(record.name for record in records)
        message = f"Note which anchors of {names} nothing hangs by"
        session.journal.write(Wave(message=message, trust=records))


def _after(session: Session, now: datetime) -> World:
    return replace(session.world, ledger=session.journal.state, now=now)


def _place(session: Session, changes: Sequence[Change]) -> None:
    """Make it durable that these bundles are about to be where no record has them yet."""
    records: dict[str, TrustRecord] = {}
    for change in changes:
        install, name = _wanted(session, change), owner(change)
        record = records.get(name) or _record(session, name)
        if record.placement(install.target, install.name) is None:
            placement = TrustPlacement(target=install.target, object_name=install.name)
            records[name] = _put(record, placement)
    if records:
        message = f"Place the trust of {', '.join(records)}"
        session.journal.write(Wave(message=message, trust=tuple(records.values())))
    reach("bundles.placed")


def _install(session: Session, change: Change) -> _Deed:
    bundle, install = _bundle(session, change), _wanted(session, change)
    after = _after(session, session.world.now)
    there = standing(session.world, bundle, install)
    anchors = _pems(stock_of(after, bundle).at(there))
    labels = session.world.bundle_labels(bundle, install.target)
    return _hold(session, (change,), install, anchors, labels)


def _withdraw(session: Session, steps: Sequence[Change]) -> _Deed:
    """Install what a place holds without the anchors that leave it, labels as they are: nothing else."""
    install = _wanted(session, steps[0])
    held = _held(session, install)
    gone = {str((step.before or {})["sha256"]) for step in steps}
    kept = {key: pem for key, pem in held.anchors.items() if key not in gone} if held else {}
    return _hold(session, tuple(steps), install, kept, held.labels if held else {})


def _pems(anchors: Anchors) -> Mapping[str, bytes]:
    return {key: anchor.pem for key, anchor in anchors.items()}


def _hold(
    session: Session,
    steps: tuple[Change, ...],
    install: DesiredInstall,
    anchors: Mapping[str, bytes],
    labels: Mapping[str, str],
) -> _Deed:
    target = session.targets[install.target]
    if not isinstance(target, TrustHolder):
        return _Deed(steps, install, error="this target cannot hold trust anchors")
    if not anchors:
        return _Deed(steps, install, error="no anchor would be left; plan again")
    session.stay_alive()
    before = _held(session, install)
    try:
        held = target.install_trust(
            TrustRequest(install.name, tuple(anchors.values()), labels, before)
        )
    except ProviderError as why:
        return _Deed(steps, install, error=str(why))
    if held.anchors.keys() != anchors.keys():
        return _Deed(steps, install, error=f"{held.id} holds other anchors than were installed")
    session.held[install.target, install.name] = held
    return _Deed(steps, install, held)


def _remove(session: Session, change: Change) -> _Deed:
    spot, target = _spot(change), session.targets[place(change)]
    held = _held(session, spot)
    if held is None or not isinstance(target, TrustHolder):
        return _Deed((change,), spot, error="this target cannot hold trust anchors")
    session.stay_alive()
    try:
        target.remove_trust(held)
    except ProviderError as why:
        return _Deed((change,), spot, error=str(why))
    return _Deed((change,), spot)


def _done(session: Session, verb: str, deeds: Sequence[_Deed]) -> Iterator[Outcome]:
    """Record what was done, in one wave, and tell how each change ended."""
    reach("bundles.done")
    records: dict[str, TrustRecord] = {}
    for deed in deeds:
        if not deed.error:
            name = owner(deed.changes[0])
            record = records.get(name) or _record(session, name)
            records[name] = _recorded(record, deed, session.clock())
    _write(session, f"{verb} {named([c for d in deeds for c in d.changes])}", records.values())
    yield from (Outcome(change, deed.error) for deed in deeds for change in deed.changes)


def _recorded(record: TrustRecord, deed: _Deed, now: datetime) -> TrustRecord:
    target, name = deed.install.target, deed.install.name
    if deed.held is None:
        kept = (p for p in record.placements if (p.target, p.object_name) != (target, name))
        return record.model_copy(update={"placements": tuple(kept)})
    anchors = tuple(sorted(deed.held.anchors))
    seen = TrustPlacement(target=target, object_name=name, anchors=anchors, verified_at=now)
    return _put(record, seen)


def _write(session: Session, message: str, records: Collection[TrustRecord]) -> None:
    """Write records; one that says nothing any more goes with its last place."""
    told = tuple(record for record in records if record.placements)
    gone = tuple(record.name for record in records if not record.placements)
    if told or gone:
        session.journal.write(Wave(message=message, trust=told, gone_trust=gone))


def _record(session: Session, name: str) -> TrustRecord:
    return session.journal.state.trust.get(name) or TrustRecord(name=name)


def _put(record: TrustRecord, placement: TrustPlacement) -> TrustRecord:
    spot = (placement.target, placement.object_name)
    kept = (p for p in record.placements if (p.target, p.object_name) != spot)
    placements = sorted((*kept, placement), key=lambda p: (p.target, p.object_name))
    return record.model_copy(update={"placements": tuple(placements)})


def _bundle(session: Session, change: Change) -> DesiredBundle:
    return session.world.desired.bundles[owner(change)]


def _wanted(session: Session, change: Change) -> DesiredInstall:
    return next(i for i in _bundle(session, change).installs if i.target == place(change))


def _spot(change: Change) -> DesiredInstall:
    """Where a change is of which no document may speak any more."""
    return DesiredInstall(place(change), str((change.before or {})["name"]))


def _held(session: Session, install: DesiredInstall) -> HeldTrust | None:
    """What stands in a place, as the plan saw it or this run left it."""
    return session.held.get((install.target, install.name)) or session.world.held(install)
