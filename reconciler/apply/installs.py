"""Installing: a target gets all its certificates at once, and keeps the old until the new ones work."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeVar

from providers import x509
from providers.abilities import Activator, Restorer, Staged, Stager, Verifier
from providers.base import Bundle, Installed, InstallRequest, Target
from providers.errors import ProviderError
from providers.secret import Secret
from reconciler.apply.session import Impossible, Outcome, Session, owner, place
from reconciler.apply.transitions import erasable, superseded, verified, without_keys
from reconciler.chains import chain_above
from reconciler.diff.needs import is_same
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import CertificateRecord, Issuance
from reconciler.state import DesiredCertificate, DesiredInstall
from schemas.certificate import Custody
from schemas.plan import Change

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Task:
    """One install: `request` is what to write, None when the right thing is there and only unproven."""

    change: Change
    issuance: Issuance
    request: InstallRequest | None = None
    installed: Installed | None = None
    error: str = ""


def install(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Install certificates, one batch a target; record what was verified and erase spent keys."""
    _place(session, changes)
    keys = _kept_keys(session, changes)
    for name, group in groupby(sorted(changes, key=place), key=place):
        tasks = [_task(session, change, keys) for change in group]
        tasks = _install_all(session, session.targets[name], tasks)
        _record(session, name, [task for task in tasks if not task.error])
        yield from (Outcome(task.change, _told(task)) for task in tasks)


def _told(task: Task) -> str:
    """Return what went wrong, and the way out where only the target could have the key."""
    if not task.error or task.request is None or task.issuance.custody is not Custody.TARGET:
        return task.error
    address = task.change.address.partition("@")[0]
    return f"{task.error}; if its key is gone there: certform apply --replace {address}"


def _place(session: Session, changes: Sequence[Change]) -> None:
    """Make it durable that these certificates are about to be where no record has them yet."""
    widened: dict[str, CertificateRecord] = {}
    for change in changes:
        record = session.record(owner(change))
        wider = session.planned_placements(record, f"certificate/{record.name}")
        if wider != record:
            widened[record.name] = wider
    if widened:
        session.journal.write(
            Wave(
                message=f"Place {len(widened)} certificates",
                certificates=tuple(widened.values()),
            )
        )


def _kept_keys(session: Session, changes: Sequence[Change]) -> Mapping[str, Secret]:
    """Return the keys to install: those of this run, and those an earlier one left in the ledger."""
    serials = {
        current.serial
        for change in changes
        if (current := session.record(owner(change)).current) and current.bundle
    }
    earlier = serials - session.keys.keys()
    kept = session.journal.leaf_keys(sorted(earlier)) if earlier else {}
    return {**kept, **session.keys}


def _task(session: Session, change: Change, keys: Mapping[str, Secret]) -> Task:
    """Decide what one install takes. Every certificate here is issued: its install requires that."""
    desired, record = session.desired(change), session.record(owner(change))
    current = record.current
    if current is None:
        raise LookupError(change.address)
    wanted = session.wanted(change)
    found = session.installed(wanted)
    sound = found is not None and _is_sound(session, found, current, wanted)
    if found is not None and sound and not found.incomplete:
        return Task(change, current, installed=found)
    key = keys.get(current.serial)
    if key is None and current.custody is not Custody.TARGET and not sound:
        return Task(change, current, error="its key is no longer kept; plan again")
    try:
        request = _request(session, desired, wanted, current, key, found)
    except Impossible as why:
        return Task(change, current, error=str(why))
    return Task(change, current, request=request)


def _is_sound(
    session: Session, found: Installed, current: Issuance, wanted: DesiredInstall
) -> bool:
    """Whether the object itself is what should be: whatever it lacks takes no key."""
    same = is_same(found, current) and set(found.output_formats) == set(wanted.output_formats)
    return same and not found.drift and found.trust in (None, session.world.trust(current))


def _request(
    session: Session,
    desired: DesiredCertificate,
    wanted: DesiredInstall,
    current: Issuance,
    key: Secret | None,
    found: Installed | None,
) -> InstallRequest:
    chain = chain_above(session.journal.state.authorities, current)
    if chain is None or current.certificate is None:
        raise Impossible(f"certificate/{desired.name} has no complete chain")
    return InstallRequest(
        name=wanted.name,
        bundle=Bundle(
            certificate=current.certificate.encode(),
            chain=chain.chain,
            anchors=chain.anchors,
            private_key=x509.key_pem(key) if key else None,
        ),
        labels=session.world.labels(desired, current.digest, wanted.target),
        output_formats=wanted.output_formats,
        predecessor=found,
        replace=bool(session.world.unchangeable(wanted, desired.request)),
    )


def _install_all(session: Session, target: Target, tasks: Sequence[Task]) -> list[Task]:
    """Write, show, activate and verify; whatever does not prove itself gives way to what was there."""
    session.stay_alive()
    written = _write(target, tasks)
    active = _activate(target, written)
    refused = [n for n, task in enumerate(written) if _standing(task) and active[n].error]
    proven = _verify(session, target, active)
    if not isinstance(target, Restorer):
        return proven
    if any(task.error and task.installed for task in proven):
        proven, sound = _restore(target, proven)
        session.stay_alive()
        if sound and len(refused) > 1:
            return _install_halves(session, target, tasks, proven, refused)
    return _settle(target, proven)


def _install_halves(
    session: Session, target: Target, tasks: Sequence[Task], done: list[Task], refused: list[int]
) -> list[Task]:
    """Install again, in smaller and smaller parts, what was refused together: one bad part stops no other.

    The consumer took what was there before, so it is something among these that it does not take.
    """
    again = [n for n in refused if tasks[n].request is not None]
    middle = (len(again) + 1) // 2
    for part in filter(None, (again[:middle], again[middle:])):
        results = _install_all(session, target, [tasks[n] for n in part])
        for n, result in zip(part, results, strict=True):
            done[n] = result
    return done


def _settle(target: Restorer, tasks: list[Task]) -> list[Task]:
    """Drop the predecessors; while their keys lie about, nothing counts as done."""
    try:
        target.settle([t.installed for t in tasks if t.installed and not t.error])
    except ProviderError as why:
        words = f"it works, but its predecessor could not be deleted: {why}"
        return [replace(t, error=words) if _standing(t) else t for t in tasks]
    return tasks


def _write(target: Target, tasks: Sequence[Task]) -> list[Task]:
    if isinstance(target, Stager):
        return _stage(target, tasks)
    return [_write_one(target, task) for task in tasks]


def _write_one(target: Target, task: Task) -> Task:
    if task.request is None or task.error:
        return task
    try:
        return replace(task, installed=target.install(task.request))
    except ProviderError as why:
        return replace(task, error=str(why))


def _stage(target: Stager, tasks: Sequence[Task]) -> list[Task]:
    pending = [n for n, task in enumerate(tasks) if task.request is not None]
    done = list(tasks)
    staged: list[tuple[int, Staged]] = []
    requests = [task.request for task in tasks if task.request is not None]
    for n, result in zip(pending, _each(target.stage, requests), strict=True):
        if isinstance(result, ProviderError):
            done[n] = replace(done[n], error=str(result))
        else:
            staged.append((n, result))
    shown = _each(target.switch, [item for _, item in staged])
    for (n, _), shown_one in zip(staged, shown, strict=True):
        done[n] = _with(done[n], shown_one)
    return done


def _each(
    verb: Callable[[Sequence[Item]], Sequence[Result | ProviderError]], items: Sequence[Item]
) -> Sequence[Result | ProviderError]:
    """Return what a verb makes of its items; one that fails as a whole fails for each of them."""
    try:
        return verb(items)
    except ProviderError as why:
        return [why] * len(items)


def _with(task: Task, result: Installed | ProviderError) -> Task:
    if isinstance(result, ProviderError):
        return replace(task, error=str(result))
    return replace(task, installed=result)


def _activate(target: Target, tasks: list[Task]) -> list[Task]:
    if not isinstance(target, Activator) or not any(_standing(task) for task in tasks):
        return tasks
    try:
        target.activate()
    except ProviderError as why:
        return [replace(t, error=str(why)) if _standing(t) else t for t in tasks]
    return tasks


def _verify(session: Session, target: Target, tasks: list[Task]) -> list[Task]:
    standing = [n for n, task in enumerate(tasks) if _standing(task)]
    if not isinstance(target, Verifier) or not standing:
        return tasks
    results = _proofs(target, [i for n in standing if (i := tasks[n].installed)])
    done = list(tasks)
    for n, result in zip(standing, results, strict=True):
        session.stay_alive()
        if isinstance(result, ProviderError):
            done[n] = replace(done[n], error=str(result))
    return done


def _proofs(
    target: Verifier, installed: Sequence[Installed]
) -> Iterator[Installed | ProviderError]:
    """Yield what becomes of each; what fails as a whole fails for all that are left."""
    left = len(installed)
    try:
        for result in target.verify(installed):
            left -= 1
            yield result
    except ProviderError as why:
        yield from [why] * left


def _standing(task: Task) -> bool:
    return task.installed is not None and not task.error


def _restore(target: Restorer, tasks: list[Task]) -> tuple[list[Task], bool]:
    """Undo each failed install, and let the consumer read again; whether all of that worked."""
    outcomes = [_restore_one(target, t) for t in tasks]
    done, sound = [task for task, _ in outcomes], all(fine for _, fine in outcomes)
    if isinstance(target, Activator):
        try:
            target.activate()
        except ProviderError as why:
            words = f"; and with that undone: {why}"
            return [replace(t, error=t.error + words) if t.error else t for t in done], False
    return done, sound


def _restore_one(target: Restorer, task: Task) -> tuple[Task, bool]:
    """Undo an install if it failed; whether nothing of it is left."""
    if task.installed is None or not task.error:
        return task, True
    try:
        before = target.restore(task.installed)
    except ProviderError as why:
        return replace(task, error=f"{task.error}; and it could not be put back: {why}"), False
    if before is None:
        words = "it is taken away again: nothing was there before"
    elif before.sha256 != task.installed.sha256:
        words = "the previous certificate is back"
    else:
        words = "it stays: there is no other to put back"
    return replace(task, error=f"{task.error} ({words})"), True


def _record(session: Session, target: str, tasks: Sequence[Task]) -> None:
    """Record what was verified, and erase each key whose certificate now works everywhere."""
    if not tasks:
        return
    records, spent = [], set[str]()
    for task in tasks:
        record = session.record(owner(task.change))
        wanted = session.wanted(task.change)
        object_id = task.installed.id if task.installed else None
        if task.request is not None and task.request.replace:
            record = superseded(record, target, wanted.name, object_id)
        record = verified(
            record,
            target,
            wanted.name,
            task.issuance.serial,
            session.clock(),
            found=session.world.installed(wanted),
            object_id=object_id,
        )
        erased = _spent(session.desired(task.change), record, task.issuance)
        records.append(without_keys(record, erased))
        spent |= erased
    session.journal.write(
        Wave(
            message=f"Install {_count(len(tasks))} in {target}",
            certificates=records,
            erase=frozenset(spent),
        )
    )


def _spent(
    desired: DesiredCertificate, record: CertificateRecord, current: Issuance
) -> frozenset[str]:
    """The keys nobody needs any more: all of them once every target was verified."""
    if desired.custody is not Custody.UNTIL_INSTALLED:
        return frozenset()
    for install_ in desired.installs:
        placement = record.placement(install_.target, install_.name)
        if placement is None or placement.serial != current.serial:
            return frozenset()
    return erasable(record, None)


def _count(n: int) -> str:
    return "1 certificate" if n == 1 else f"{n} certificates"
