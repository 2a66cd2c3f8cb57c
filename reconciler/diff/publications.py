"""CRLs and CA certificates: which files must be written anew."""

from collections.abc import Collection, Iterator, Mapping

from reconciler.chains import Generation
from reconciler.checks import Finding
from reconciler.diff.changes import blocked, change, change_id
from reconciler.diff.crls import Told, crl_changes, unpublished
from reconciler.diff.lists import Signing, contents, lists_of
from reconciler.diff.past import past_told, told_serials
from reconciler.diff.responses import causes_of, response_changes
from reconciler.diff.revocations import Wanted
from reconciler.diff.takeovers import is_takeover
from reconciler.diff.world import World
from reconciler.ledger.publications import CrlKey
from reconciler.ledger.records import Issuance, Status
from reconciler.published_names import file_name
from schemas.plan import Action, Change, Reason, Source
from schemas.request import AuthorityRequest


def publication_changes(
    world: World, revoking: Mapping[str, Wanted], planned: Collection[Change]
) -> Iterator[Change]:
    """Yield the files to publish, each after what it must tell of."""
    if world.desired.publish is None:
        return
    if world.observed.published is None:
        detail = world.observed.published_detail or "the directory could not be read"
        yield blocked("publish", Reason.TARGET_UNKNOWN, detail)
        return
    known, told = contents(world), _told(revoking, planned)
    causes = causes_of(world, revoking, planned)
    for signing in _generations(world, planned):
        desired = world.desired.authorities.get(signing.name)
        source = desired.source if desired else None
        yield from _certificate(world, signing, source)
        yield from crl_changes(world, signing, known, told, source)
        yield from response_changes(world, signing, causes, source)


def _told(revoking: Mapping[str, Wanted], planned: Collection[Change]) -> Told:
    """Return what is about to be revoked by the lists that have to tell of it."""
    serials: dict[CrlKey, list[str]] = {}
    changes: dict[CrlKey, list[str]] = {}
    for serial in sorted(revoking):
        item = revoking[serial]
        for key in lists_of(item.issuance):
            serials.setdefault(key, []).append(serial)
            changes.setdefault(key, []).append(change_id(Action.REVOKE, item.address))
    for key, step in past_told(planned):
        serials.setdefault(key, []).extend(told_serials(step))
        changes.setdefault(key, []).append(step.id)
    return Told(serials, changes)


def _generations(world: World, planned: Collection[Change]) -> Iterator[Signing]:
    """Yield every CA generation that has, or in this plan gets, a certificate that is not expired."""
    coming = dict(_coming(world, planned))
    for name, record in world.ledger.authorities.items():
        live = {
            issuance.request.generation
            for issuance in record.issuances
            if isinstance(issuance.request, AuthorityRequest)
            and issuance.request.issuer != name  # a cross-certificate stands for no list
            and _is_live(world, issuance)
        }
        for number in sorted(live):
            change_ = coming.pop((name, number), ())
            yield Signing(name, number, record.issued(number), change_)
    for (name, number), change_ in coming.items():
        yield Signing(name, number, None, change_)


def _is_live(world: World, issuance: Issuance) -> bool:
    live = issuance.status in (Status.ISSUED, Status.REVOKED)
    return live and issuance.not_after > world.now


def _coming(
    world: World, planned: Collection[Change]
) -> Iterator[tuple[Generation, tuple[str, ...]]]:
    """Yield the generations that a plan issues, with the change that does it."""
    for step in planned:
        kind, _, name = step.address.partition("/")
        existing = world.desired.authorities[name].existing if is_takeover(step) else None
        if existing is not None:
            yield (name, existing.generation), (step.id,)
        if step.action is not Action.ISSUE:
            continue
        if kind == "authority":
            yield (name, world.desired.authorities[name].request.generation), (step.id,)
        elif kind == "standby":
            owner, _, number = name.rpartition("-g")
            yield (owner, int(number)), (step.id,)


def _certificate(world: World, signing: Signing, source: Source | None) -> Iterator[Change]:
    """Yield the CA's own certificate where it is not published, or gets another one."""
    file = file_name(*signing.key, "crt")
    published, issuance = (world.observed.published or {}).get(file), signing.issuance
    record = world.ledger.crls.get((*signing.key, None))
    if published and issuance and not signing.coming and published.sha256 == issuance.sha256:
        return
    if published and issuance and signing.coming:
        need = Finding(Reason.SUPERSEDED, "follows the new certificate")
    elif published and issuance:
        need = Finding(Reason.DRIFTED, "the published file is not it", outside=True)
    else:
        need = unpublished(world, signing, record)
    yield change(
        f"ca/{file.removesuffix('.crt')}",
        Action.PUBLISH,
        need.reason,
        need.message,
        identity={"file": file, "adding": []},
        requires=signing.coming,
        source=source,
        after={"file": file},
        due=True,
        outside=need.outside,
    )
