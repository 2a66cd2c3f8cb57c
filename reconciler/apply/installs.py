"""Installing: a target gets all its certificates at once, and keeps the old until the new ones work."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from providers import x509
from providers.abilities import Restorer
from providers.base import Bundle, Installed, InstallRequest, Target
from providers.errors import ProviderError
from providers.secret import Secret
from reconciler.apply.install_steps import Task, activate, stands, verify, write
from reconciler.apply.predecessors import restore, settle
from reconciler.apply.session import Impossible, Outcome, Session, owner, place
from reconciler.apply.transitions import erasable, superseded, verified, without_keys
from reconciler.chains import chain_above
from reconciler.diff.needs import is_same
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import CertificateRecord, Issuance
from reconciler.state import DesiredCertificate, DesiredInstall
from schemas.certificate import Custody
from schemas.plan import Change


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
    except (Impossible, ProviderError) as why:
        return Task(change, current, error=str(why))
    return Task(change, current, request=request)


def _is_sound(
    session: Session, found: Installed, current: Issuance, wanted: DesiredInstall
) -> bool:
    """Whether the object itself is what should be: whatever it lacks takes no key."""
    same = is_same(found, current) and set(found.output_formats) == set(wanted.output_formats)
    same = same and found.keystores == wanted.keystores_digest
    return same and not found.drift and found.trust in (None, session.chain_digest(current))


def _request(
    session: Session,
    desired: DesiredCertificate,
    wanted: DesiredInstall,
    current: Issuance,
    key: Secret | None,
    found: Installed | None,
) -> InstallRequest:
    chain = chain_above(session.journal.state.authorities, current, session.world.leaving)
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
        keystores=session.passwords.keystores(wanted),
        predecessor=found,
        replace=bool(session.world.unchangeable(wanted, desired.request)),
    )


def _install_all(session: Session, target: Target, tasks: Sequence[Task]) -> list[Task]:
    """Write, show, activate and verify; whatever does not prove itself gives way to what was there."""
    session.stay_alive()
    written = write(target, tasks)
    active = activate(target, written)
    refused = [n for n, task in enumerate(written) if stands(task) and active[n].error]
    proven = verify(session, target, active)
    if not isinstance(target, Restorer):
        return proven
    if any(task.error and task.installed for task in proven):
        proven, sound = restore(target, proven)
        session.stay_alive()
        if sound and len(refused) > 1:
            return _install_halves(session, target, tasks, proven, refused)
    return settle(target, proven)


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
