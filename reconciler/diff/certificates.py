"""Leaves: what must be issued, and what must be installed where."""

from collections.abc import Iterator

from reconciler.checks import Finding, Subject, first_finding
from reconciler.description import described, ignored
from reconciler.diff.adoption import STOPS, Adoption, adoption
from reconciler.diff.changes import blocked, change, change_id, seen
from reconciler.diff.dues import is_labelled_as_before, is_lapsing, is_wanted_as_before
from reconciler.diff.labelling import relabelling, renaming
from reconciler.diff.lines import astray, signed_after
from reconciler.diff.needs import (
    FLAPPING_AFTER,
    PUT_RIGHT,
    SOUND,
    Needs,
    has_vanished,
    is_flapping,
    is_unfinished,
    keyless,
    need_of,
    resumes,
)
from reconciler.diff.prospects import Prospects
from reconciler.diff.withholding import hindrance, pausing
from reconciler.diff.world import World
from reconciler.ledger.records import CertificateRecord, Issuance
from reconciler.state import DesiredCertificate, DesiredInstall
from schemas.certificate import Custody
from schemas.plan import TIME_DRIVEN, Action, Change, Reason

_GOES_ON = frozenset(
    {Reason.RENEWING, Reason.SPEC_CHANGED, Reason.ISSUER_CHANGED, Reason.REQUESTED}
)
"""Why one is to be issued although the one before it is still of use: its places are looked after."""


def certificate_changes(
    world: World, desired: DesiredCertificate, above: Prospects, revoking: str | None
) -> Iterator[Change]:
    """Yield what one certificate needs: its rename, its issue, and each of its installs.

    `above` are the CAs as they are once this plan is done, `revoking` the Revocation that is about
    to revoke the current serial.
    """
    record = world.records.get(desired.name) or CertificateRecord(name=desired.name)
    rename = renaming(world, desired)
    yield from rename
    adopting = adoption(world, desired, record)
    yield from adopting.changes
    current = record.current
    vouching = above.vouching(current)
    needs = _needs(world, desired, record, adopting, vouched=bool(vouching))
    subject = Subject(
        desired,
        record,
        world.now,
        replace=desired.address in world.replace and not is_unfinished(record, needs),
        revoking=revoking,
        keyless=keyless(world, record, needs),
        adopted=adopting.stand_ins(desired),
        unseen=any(world.observation(install.target).assumed for install in desired.installs),
        astray=astray(world, desired, above, current),
        final=current is not None and not above.outlasts(desired.request, current),
        ignored=ignored(desired.request, world.desired.issuers),
        window=world.advice.get(current.serial) if current else None,
    )
    held = current is None and adopting.holds_back
    finding = None if held else first_finding(subject)
    first = (*vouching, *(step.id for step in rename))
    if finding and finding.reason is Reason.KEY_UNAVAILABLE and is_flapping(world, record, needs):
        message = _flaps(desired, finding)
        yield blocked(
            desired.address, Reason.FLAPPING, message, source=desired.source, outside=True
        )
    elif finding and (hindered := hindrance(world, desired, desired.address)):
        yield hindered
        if finding.reason in _GOES_ON and subject.keyless is None:
            yield from _installs(world, desired, record, needs, first)
    elif finding and (stuck := _stuck(world, desired, needs, above)):
        yield blocked(desired.address, Reason.BLOCKED_BY, stuck, source=desired.source)
    elif held:
        yield from (_blocked_install(desired, i, why) for i, why in adopting.stops.items())
    elif finding is None:
        yield from _installs(world, desired, record, needs, first)
    else:
        yield from _issue(world, desired, record, finding, needs, first, above)


def _needs(
    world: World,
    desired: DesiredCertificate,
    record: CertificateRecord,
    adopting: Adoption,
    *,
    vouched: bool,
) -> Needs:
    """Return what each install needs; `vouched` tells that its chain gets a cross-certificate."""
    needs = {
        install: adopting.need(install, record)
        if adopting.decides(install)
        else need_of(world, desired, record, install)
        for install in desired.installs
    }
    if not vouched:
        return needs
    return {install: need or _lacks_cross(world, install) for install, need in needs.items()}


def _lacks_cross(world: World, install: DesiredInstall) -> Finding | None:
    """Say that a chain gets a cross-certificate; None where nobody can tell what is there."""
    if world.observation(install.target).status != "observed":
        return None
    return Finding(Reason.CHAIN_CHANGED, "the generation before its root vouches for it, too")


def _stuck(
    world: World,
    desired: DesiredCertificate,
    needs: Needs,
    above: Prospects,
) -> str:
    """Say why a certificate cannot be issued now; empty when it can."""
    if desired.custody is Custody.TARGET:
        for install, need in needs.items():
            if world.observation(install.target).status != "observed":
                return f"its key is made in {install.target}, which cannot be looked at"
            if need is not None and need.reason in STOPS:
                return f"its key is made in {install.target}, where {need.message}"
    return _asked_to_wait(world, desired) or above.unready(desired.request)


def _asked_to_wait(world: World, desired: DesiredCertificate) -> str:
    """Say that it was tried in vain, and when again; empty when now, or when somebody asks for it by name."""
    record = world.records.get(desired.name)
    why = pausing(record.attempts if record else None, desired.digest, world.now)
    if not why or desired.address in world.replace:
        return ""
    return f"{why}; `certform apply --replace {desired.address}` asks at once"


def _issue(
    world: World,
    desired: DesiredCertificate,
    record: CertificateRecord,
    finding: Finding,
    needs: Needs,
    first: tuple[str, ...],
    above: Prospects,
) -> Iterator[Change]:
    current = record.current
    vanished = finding.reason is Reason.KEY_UNAVAILABLE and has_vanished(record, needs)
    signed = signed_after(desired, above, current)
    issue = change(
        desired.address,
        Action.ISSUE,
        finding.reason,
        signed.waits.told(finding.message),
        identity={**_issue_identity(desired, current), **signed.identity(finding)},
        requires=(*first, *signed.requires, *_adoptions(desired, current)),
        follows=signed.follows,
        source=desired.source,
        before=seen(current) if current else _adopted(world, desired),
        after={
            **described(desired.request, world.desired.issuers),
            "targets": [i.target for i in desired.installs],
        },
        fields=finding.fields,
        due=is_lapsing(world, desired, record, finding),
        outside=vanished,
    )
    yield issue
    for install, need in needs.items():
        yield from _install_after(world, desired, record, install, need, issue)


def _adoptions(desired: DesiredCertificate, current: Issuance | None) -> tuple[str, ...]:
    """What must be ours before a first certificate is issued in its place, and before a key is made in it."""
    if current is not None and desired.custody is not Custody.TARGET:
        return ()
    return tuple(change_id(Action.ADOPT, f"{desired.address}@{i.target}") for i in desired.installs)


def _flaps(desired: DesiredCertificate, finding: Finding) -> str:
    return (
        f"{finding.message}; it was put right {FLAPPING_AFTER} times within a day, so somebody else"
        f" changes it too: find out who, then apply with --replace {desired.address}"
    )


def _issue_identity(desired: DesiredCertificate, current: Issuance | None) -> dict[str, object]:
    return {
        "before": current.digest if current else None,
        "after": desired.digest,
        "custody": desired.custody,
        "rotation": desired.rotation_policy,
        "onRemove": desired.on_remove,
        "installs": [[i.target, i.name] for i in desired.installs],
        **({"keystores": told} if (told := _keystores(desired)) else {}),
    }


def _keystores(desired: DesiredCertificate) -> list[list[str]]:
    """What is wanted of keystores: a new certificate brings new ones, and that is to be reviewed."""
    return [[i.target, i.keystores_digest] for i in desired.installs if i.keystores]


def _adopted(world: World, desired: DesiredCertificate) -> dict[str, object] | None:
    """What the first certificate of ours takes the place of, where a document adopts."""
    found = (adopted for i in desired.installs for adopted in world.adoptable(i))
    return next(map(seen, found), None)


def _install_after(
    world: World,
    desired: DesiredCertificate,
    record: CertificateRecord,
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
    astray = need is not None and need.reason in PUT_RIGHT and issue.before is not None
    message = "follows the new certificate" + (f"; {need.message}" if need and astray else "")
    follows = Finding(reason, message, outside=issue.outside)
    yield from _timely(world, desired, record, install, follows, (issue.id,), due=issue.due)


def _installs(
    world: World,
    desired: DesiredCertificate,
    record: CertificateRecord,
    needs: Needs,
    first: tuple[str, ...],
) -> Iterator[Change]:
    for install, need in needs.items():
        if need is None:
            yield from relabelling(world, desired, record, install)
        elif need.reason in STOPS:
            yield _blocked_install(desired, install, need)
        elif is_flapping(world, record, {install: need}):
            flapping = Finding(Reason.FLAPPING, _flaps(desired, need), outside=True)
            yield _blocked_install(desired, install, flapping)
        else:
            due = need.reason in TIME_DRIVEN or resumes(record, install, need)
            yield from _timely(world, desired, record, install, need, first, due=due)
            if need.reason in SOUND:
                yield from relabelling(world, desired, record, install)


def _timely(
    world: World,
    desired: DesiredCertificate,
    record: CertificateRecord,
    install: DesiredInstall,
    need: Finding,
    requires: tuple[str, ...],
    *,
    due: bool,
) -> Iterator[Change]:
    """Yield an install, which is due where time asks for what was wanted before.

    Labels that an edit changes meanwhile are a change apart, which can be reviewed before anything is due.
    """
    kept = due and is_wanted_as_before(world, desired, record, install)
    edited = kept and not is_labelled_as_before(world, desired, install)
    apart = tuple(relabelling(world, desired, record, install)) if edited else ()
    yield from apart
    due = kept and not (edited and world.installed(install) is None)
    first = (*requires, *(step.id for step in apart))
    yield _install(world, desired, install, need, first, due=due)


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
            **({"keystores": told} if (told := install.keystores_digest) else {}),
            "labels": dict(desired.labels),
            **({"replaces": replaces["replaces"]} if replaces else {}),
        },
        requires=(*requires, change_id(Action.ADOPT, f"{desired.address}@{install.target}")),
        source=desired.source,
        before=seen(found) if found else None,
        after={"name": install.name, **replaces},
        due=due,
        outside=need.outside,
    )


def _blocked_install(desired: DesiredCertificate, install: DesiredInstall, why: Finding) -> Change:
    address = f"{desired.address}@{install.target}"
    return blocked(address, why.reason, why.message, source=desired.source, outside=why.outside)
