"""Leaves: what must be issued, and what must be installed where."""

from collections.abc import Iterator
from datetime import timedelta

from providers.base import NAME, Installed
from reconciler.checks import Finding, Subject, first_finding
from reconciler.description import describe
from reconciler.diff.adoption import STOPS, adoption
from reconciler.diff.changes import blocked, change, change_id
from reconciler.diff.world import World
from reconciler.ledger.records import CertificateRecord, Issuance
from reconciler.schedule import is_due
from reconciler.state import DesiredCertificate, DesiredInstall
from schemas.plan import TIME_DRIVEN, Action, Change, Reason
from schemas.scalars import format_instant

FLAPPING_AFTER = 2
FLAPPING_WITHIN = timedelta(days=1)
"""What had to be put right twice within a day, and is wrong again, is being changed by somebody else."""

NEEDS_KEY = frozenset({Reason.NOT_FOUND, Reason.SUPERSEDED, Reason.DRIFTED, Reason.CHAIN_CHANGED})
PUT_RIGHT = frozenset({Reason.NOT_FOUND, Reason.DRIFTED})


def certificate_changes(
    world: World, desired: DesiredCertificate, coming: frozenset[str], revoking: str | None
) -> Iterator[Change]:
    """Yield what one certificate needs: its rename, its issue, and each of its installs.

    `coming` are the addresses of the CAs this plan issues, `revoking` the Revocation that is about
    to revoke the current serial.
    """
    record = world.records.get(desired.name) or CertificateRecord(name=desired.name)
    rename = _rename(world, desired)
    yield from rename
    adopting = adoption(world, desired, record)
    yield from adopting.changes
    needs = {
        install: adopting.need(install, record)
        if adopting.decides(install)
        else _need(world, desired, record, install)
        for install in desired.installs
    }
    subject = Subject(
        desired,
        record,
        world.now,
        replace=desired.address in world.replace and not _unfinished(record, needs),
        revoking=revoking,
        keyless=_keyless(world, record, needs),
        adopted=adopting.stand_ins(desired),
    )
    held = record.current is None and adopting.holds_back
    finding = None if held else first_finding(subject)
    first = tuple(step.id for step in rename)
    if finding and finding.reason is Reason.KEY_UNAVAILABLE and _flapping(world, record, needs):
        message = _flaps(desired, finding)
        yield blocked(desired.address, Reason.FLAPPING, message, source=desired.source)
    elif finding and (stuck := world.unready(desired.request, coming)):
        yield blocked(desired.address, Reason.BLOCKED_BY, stuck, source=desired.source)
    elif held:
        yield from (_blocked_install(desired, i, why) for i, why in adopting.stops.items())
    elif finding is None:
        yield from _installs(world, desired, record, needs, first)
    else:
        yield from _issue(world, desired, record, finding, needs, first)


def _rename(world: World, desired: DesiredCertificate) -> tuple[Change, ...]:
    old = world.renames.get(desired.name)
    if old is None:
        return ()
    return (
        change(
            desired.address,
            Action.RELABEL,
            Reason.RENAMED,
            f"was certificate/{old}",
            identity={"formerly": old},
            source=desired.source,
            before={"name": old},
            after={"name": desired.name},
        ),
    )


def _need(
    world: World, desired: DesiredCertificate, record: CertificateRecord, install: DesiredInstall
) -> Finding | None:
    """Say what keeps one install from being as it should, None when nothing does or nobody can tell."""
    current = record.current
    if world.observation(install.target).status != "observed":
        return None
    found = world.installed(install)
    if found is None:
        return Finding(Reason.NOT_FOUND, "nothing is installed there")
    if taken := _occupied(world, desired, install, found):
        return taken
    if current is None or not is_same(found, current):
        return _other(record, found)
    if found.drift:
        return Finding(Reason.DRIFTED, "; ".join(found.drift))
    if set(found.output_formats) != set(install.output_formats):
        return Finding(Reason.DRIFTED, "additionalOutputFormats are not those wanted")
    if found.trust is not None and found.trust != world.trust(current):
        return Finding(
            Reason.CHAIN_CHANGED, "its chain or trust anchors are not those of its issuer"
        )
    placement = record.placement(install.target, install.name)
    if placement is None or placement.serial != current.serial:
        return Finding(Reason.UNVERIFIED, "installed, but not yet seen working")
    return None


def _occupied(
    world: World, desired: DesiredCertificate, install: DesiredInstall, found: Installed
) -> Finding | None:
    if not found.owned_by(world.ledger.lineage.owner):
        adopts = world.desired.targets[install.target].spec.capabilities.adopts
        or_adopt = f", or take it over with `adopt: {found.id}`" if adopts else ""
        message = f"{found.id} is not certform's; move it away, or choose another objectName{or_adopt}"
        return Finding(Reason.OCCUPIED, message)
    name = found.labels.get(NAME)
    if name in (desired.name, *desired.formerly):
        return None
    return Finding(Reason.OCCUPIED, f"{found.id} holds certificate/{name}")


def is_same(found: Installed, current: Issuance) -> bool:
    """Whether an object holds a certificate; where a place tells no fingerprint, its serial does."""
    if found.sha256 is None:
        return found.serial == current.serial
    return found.sha256 == current.sha256


def _other(record: CertificateRecord, found: Installed) -> Finding:
    ours = {issuance.serial for issuance in record.issuances}
    if found.serial in ours and not found.drift:
        return Finding(Reason.SUPERSEDED, f"it still has serial {found.serial}")
    seen = f"serial {found.serial}" if found.serial else "no readable certificate"
    words = "; ".join(found.drift) or f"{seen} was found instead"
    return Finding(Reason.DRIFTED, words)


def _unfinished(record: CertificateRecord, needs: dict[DesiredInstall, Finding | None]) -> bool:
    """Whether the newest certificate is still on its way: who asks for a new one gets that one first."""
    return record.current is not None and any(
        need is not None and _resumes(record, install, need) for install, need in needs.items()
    )


def _keyless(
    world: World,
    record: CertificateRecord,
    needs: dict[DesiredInstall, Finding | None],
) -> str | None:
    """Say which install needs the key although the ledger does not hold it."""
    current = record.current
    if current is None or current.bundle in world.ledger.bundles:
        return None
    for install, need in needs.items():
        if need is not None and need.reason in NEEDS_KEY:
            return f"{install.target}: {need.message}, and the key is no longer kept"
    return None


def _issue(
    world: World,
    desired: DesiredCertificate,
    record: CertificateRecord,
    finding: Finding,
    needs: dict[DesiredInstall, Finding | None],
    first: tuple[str, ...],
) -> Iterator[Change]:
    current = record.current
    authority = change_id(Action.ISSUE, f"authority/{desired.request.issuer}")
    due = finding.reason in TIME_DRIVEN or _lapses_anyway(world, desired, record, finding)
    issue = change(
        desired.address,
        Action.ISSUE,
        finding.reason,
        finding.message,
        identity=_issue_identity(desired, current),
        requires=(*first, authority),
        source=desired.source,
        before=_before(current),
        after={**describe(desired.request), "targets": [i.target for i in desired.installs]},
        fields=finding.fields,
        due=due,
    )
    yield issue
    for install, need in needs.items():
        yield from _install_after(world, desired, install, need, issue)


def _flaps(desired: DesiredCertificate, finding: Finding) -> str:
    return (
        f"{finding.message}; it was put right {FLAPPING_AFTER} times within a day, so somebody else"
        f" changes it too: find out who, then apply with --replace {desired.address}"
    )


def _lapses_anyway(
    world: World, desired: DesiredCertificate, record: CertificateRecord, finding: Finding
) -> bool:
    """Whether the same certificate would be renewed by now, were it not to be put right as well."""
    current = record.current
    if finding.reason is not Reason.KEY_UNAVAILABLE or current is None:
        return False
    return is_due(current, desired.renew_before, world.now)


def _issue_identity(desired: DesiredCertificate, current: Issuance | None) -> dict[str, object]:
    return {
        "before": current.digest if current else None,
        "after": desired.digest,
        "custody": desired.custody,
        "rotation": desired.rotation_policy,
        "installs": [[i.target, i.name] for i in desired.installs],
    }


def _before(current: Issuance | None) -> dict[str, object] | None:
    if current is None:
        return None
    return {
        "serial": current.serial,
        "not_after": format_instant(current.not_after),
        "sha256": current.sha256,
    }


def _install_after(
    world: World,
    desired: DesiredCertificate,
    install: DesiredInstall,
    need: Finding | None,
    issue: Change,
) -> Iterator[Change]:
    """Yield the install that follows an issue; a target nobody can see now gets it later."""
    if world.observation(install.target).status != "observed":
        return
    if need is not None and need.reason in STOPS:
        yield _blocked_install(desired, install, need)
        return
    found = world.installed(install)
    reason = Reason.SUPERSEDED if found else Reason.NOT_FOUND
    message = "follows the new certificate"
    yield _install(world, desired, install, Finding(reason, message), (issue.id,), due=issue.due)


def _installs(
    world: World,
    desired: DesiredCertificate,
    record: CertificateRecord,
    needs: dict[DesiredInstall, Finding | None],
    first: tuple[str, ...],
) -> Iterator[Change]:
    for install, need in needs.items():
        if need is None:
            yield from _relabel(world, desired, record, install, first)
        elif need.reason in STOPS:
            yield _blocked_install(desired, install, need)
        elif _flapping(world, record, {install: need}):
            yield _blocked_install(
                desired, install, Finding(Reason.FLAPPING, _flaps(desired, need))
            )
        else:
            due = need.reason in TIME_DRIVEN or _resumes(record, install, need)
            yield _install(world, desired, install, need, first, due=due)
            if need.reason is Reason.UNVERIFIED:
                yield from _relabel(world, desired, record, install, first)


def _resumes(record: CertificateRecord, install: DesiredInstall, need: Finding) -> bool:
    """Whether an install only goes on with what was issued: the target was not touched by others."""
    placement = record.placement(install.target, install.name)
    first = need.reason is Reason.NOT_FOUND and (placement is None or placement.serial is None)
    return first or need.reason is Reason.SUPERSEDED


def _install(
    world: World,
    desired: DesiredCertificate,
    install: DesiredInstall,
    need: Finding,
    requires: tuple[str, ...],
    *,
    due: bool,
) -> Change:
    target = world.desired.targets[install.target]
    found = world.installed(install)
    why = world.unchangeable(install, desired.request)
    replaces = {"replaces": found.id, "usedBy": list(found.used_by)} if found and why else {}
    return change(
        f"{desired.address}@{install.target}",
        Action.INSTALL,
        need.reason,
        f"{need.message}; a new object, since {why}" if why else need.message,
        identity={
            "spec": desired.digest,
            "target": target.digest,
            "name": install.name,
            "formats": install.output_formats,
            "labels": dict(desired.labels),
            **({"replaces": replaces["replaces"]} if replaces else {}),
        },
        requires=(*requires, change_id(Action.ADOPT, f"{desired.address}@{install.target}")),
        source=desired.source,
        before=_found(found),
        after={"name": install.name, **replaces},
        due=due,
    )


def _blocked_install(desired: DesiredCertificate, install: DesiredInstall, why: Finding) -> Change:
    address = f"{desired.address}@{install.target}"
    return blocked(address, why.reason, why.message, source=desired.source)


def _found(found: Installed | None) -> dict[str, object] | None:
    if found is None:
        return None
    return {
        "serial": found.serial,
        "not_after": format_instant(found.not_after) if found.not_after else None,
        "sha256": found.sha256,
    }


def _relabel(
    world: World,
    desired: DesiredCertificate,
    record: CertificateRecord,
    install: DesiredInstall,
    first: tuple[str, ...],
) -> Iterator[Change]:
    found, current = world.installed(install), record.current
    if found is None or not found.owned_by(world.ledger.lineage.owner):
        return
    digest = current.digest if current else desired.digest
    want, have = world.relabelled(desired, digest, install), dict(found.labels)
    if want == have:
        return
    names = sorted(key for key in want.keys() | have.keys() if want.get(key) != have.get(key))
    yield change(
        f"{desired.address}@{install.target}",
        Action.RELABEL,
        Reason.LABELS_CHANGED,
        f"{', '.join(names)} changed",
        identity={"labels": want},
        requires=first,
        source=desired.source,
        before={"labels": {name: have.get(name) for name in names}},
        after={"labels": {name: want.get(name) for name in names}},
    )


def _flapping(
    world: World, record: CertificateRecord, needs: dict[DesiredInstall, Finding | None]
) -> bool:
    """Whether an object that has to be put right was put right twice within a day already."""
    since = world.now - FLAPPING_WITHIN
    wrong = {i.target for i, need in needs.items() if need is not None and need.reason in PUT_RIGHT}
    return any(
        sum(moment > since for moment in placement.changes) >= FLAPPING_AFTER
        for placement in record.placements
        if placement.target in wrong and placement.serial is not None
    )
