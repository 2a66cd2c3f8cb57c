"""Certificates that a place issues and renews by itself: what is asked of it, and what it waits for."""

from collections.abc import Iterator

from providers.base import SPEC, DnsRecord, Hosting, HostingState, Installed
from reconciler.checks import Finding
from reconciler.description import names_of
from reconciler.diff.changes import blocked, change, seen
from reconciler.diff.dues import is_hosted_as_before
from reconciler.diff.labelling import relabelling, renaming
from reconciler.diff.needs import SOUND, incomplete, occupied, was_seen
from reconciler.diff.world import World
from reconciler.ledger.records import CertificateRecord
from reconciler.state import DesiredCertificate, DesiredInstall, DesiredIssuer
from schemas.plan import TIME_DRIVEN, Action, Change, FieldChange, Reason

_STOPS = frozenset({Reason.OCCUPIED, Reason.PENDING, Reason.FAILED})


def hosting_changes(
    world: World, desired: DesiredCertificate, issuer: DesiredIssuer
) -> Iterator[Change]:
    """Yield what a certificate needs that its place issues: a rename, to be asked for, or patience."""
    record = world.records.get(desired.name) or CertificateRecord(name=desired.name)
    rename = renaming(world, desired)
    yield from rename
    first = tuple(step.id for step in rename)
    for install in desired.installs:
        if world.observation(install.target).status != "observed":
            continue
        need = _need(world, desired, record, install, issuer)
        if need is None:
            yield from relabelling(world, desired, record, install)
        elif need.reason in _STOPS:
            address = f"{desired.address}@{install.target}"
            yield blocked(address, need.reason, need.message, source=desired.source)
        else:
            yield _ask(world, desired, record, install, need, issuer, first)


def _need(
    world: World,
    desired: DesiredCertificate,
    record: CertificateRecord,
    install: DesiredInstall,
    issuer: DesiredIssuer,
) -> Finding | None:
    """Say why a place has to be asked, or what it waits for; None when it has what is wanted."""
    found, placement = world.installed(install), record.placement(install.target, install.name)
    if found is None:
        gone = was_seen(world, install, placement)
        return Finding(Reason.NOT_FOUND, f"{install.target} is asked to issue it", outside=gone)
    if taken := occupied(world, desired, install, found):
        return taken
    if found.hosting is None:
        return Finding(Reason.ISSUER_CHANGED, "what is there was installed, not issued there")
    if changed := _changed(desired, issuer, found):
        return changed
    if desired.address in world.replace:
        return Finding(Reason.REQUESTED, "a new one was asked for")
    if placement is None or placement.object_id != found.id or not placement.hosted:
        return Finding(Reason.UNVERIFIED, "asked for, and not yet recorded")
    if found.incomplete:
        return incomplete(world, install, found)
    return _waiting(desired, found.hosting)


def _changed(
    desired: DesiredCertificate, issuer: DesiredIssuer, found: Installed
) -> Finding | None:
    """What of an object is not what is asked for, by what it says and by what it was asked for with."""
    fields = tuple(_fields(desired, issuer, found))
    if fields:
        words = f"{', '.join(field.path for field in fields)} changed"
        return Finding(Reason.SPEC_CHANGED, words, fields)
    if found.labels.get(SPEC) != desired.digest:
        return Finding(Reason.SPEC_CHANGED, "it was asked for in another way")
    return None


def _fields(
    desired: DesiredCertificate, issuer: DesiredIssuer, found: Installed
) -> Iterator[FieldChange]:
    content, request = found.content, desired.request
    if content is None:
        return
    common = (request.common_name,) if request.common_name else ()
    has, wants = (
        sorted({name.lower() for name in names})
        for names in (content.dns_names, (*request.dns_names, *common))
    )
    if has and has != wants:
        yield FieldChange(path="dnsNames", before=has, after=wants)
    honoured = "key" in issuer.spec.capabilities.honours
    if honoured and content.key is not None and content.key != request.key:
        yield FieldChange(path="privateKey", before=str(content.key), after=str(request.key))


def _waiting(desired: DesiredCertificate, hosting: Hosting) -> Finding | None:
    if hosting.state is HostingState.ACTIVE:
        return None
    detail = hosting.detail or "the place does not say why"
    if hosting.state is HostingState.FAILED:
        hint = f"put that right, then apply with --replace {desired.address}"
        return Finding(Reason.FAILED, f"its place could not issue it: {detail}; {hint}")
    if not hosting.records:
        return Finding(Reason.PENDING, f"its place has not issued it yet: {detail}")
    records = "; ".join(map(_record, hosting.records))
    return Finding(Reason.PENDING, f"it waits for DNS records, create them: {records}")


def _record(record: DnsRecord) -> str:
    return f"{record.name} {record.type} {record.value}"


def _ask(
    world: World,
    desired: DesiredCertificate,
    record: CertificateRecord,
    install: DesiredInstall,
    need: Finding,
    issuer: DesiredIssuer,
    first: tuple[str, ...],
) -> Change:
    found = world.installed(install)
    replaces = _replaced(found, need, issuer)
    return change(
        f"{desired.address}@{install.target}",
        Action.INSTALL,
        need.reason,
        f"{need.message}; a new object beside the old one" if replaces else need.message,
        identity={
            "spec": desired.digest,
            "target": world.desired.targets[install.target].digest,
            "name": install.name,
            "labels": dict(desired.labels),
            "hosted": True,
            "onRemove": desired.on_remove,
            **replaces,
        },
        requires=first,
        source=desired.source,
        before=seen(found) if found else None,
        after={
            **names_of(desired.request),
            "name": install.name,
            **({"recorded": False} if need.reason is Reason.UNVERIFIED else {"issuedThere": True}),
            **({"anew": True} if need.reason is Reason.REQUESTED else {}),
            **replaces,
        },
        fields=need.fields,
        due=need.reason in TIME_DRIVEN
        or (_resumes(record, install, need) and is_hosted_as_before(world, desired, install)),
        outside=need.outside,
    )


def _replaced(found: Installed | None, need: Finding, issuer: DesiredIssuer) -> dict[str, object]:
    """What a new object is to stand beside, where the place changes nothing that it issued."""
    kept = issuer.spec.capabilities.in_place or need.reason in SOUND
    return {} if found is None or kept else {"replaces": found.id}


def _resumes(record: CertificateRecord, install: DesiredInstall, need: Finding) -> bool:
    """Whether it was about to be asked for by a run that died."""
    placement = record.placement(install.target, install.name)
    asked = placement is not None and placement.object_id is None and placement.serial is None
    return asked and need.reason is Reason.NOT_FOUND
