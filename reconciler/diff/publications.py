"""CRLs and CA certificates: which files must be written anew."""

from collections.abc import Collection, Iterator, Mapping

from reconciler.checks import Finding
from reconciler.diff.changes import blocked, change, change_id
from reconciler.diff.revocations import Wanted
from reconciler.diff.world import World
from reconciler.ledger.records import CrlRecord, Issuance, Status
from reconciler.schedule import crl_refresh_time, is_ahead
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
    for name, generation, issuance, source in _generations(world, planned):
        yield from _certificate(world, name, generation, issuance, source)
        yield from _crl(world, name, generation, issuance, source, revoking)


def file_name(authority: str, generation: int, suffix: str) -> str:
    """Return the file name, also the last part of the URL, of a CA's `crl` or `crt`."""
    return f"{authority}-g{generation}.{suffix}"


def _generations(
    world: World, planned: Collection[Change]
) -> Iterator[tuple[str, int, Issuance | None, Source | None]]:
    """Yield every CA generation that has, or in this plan gets, a certificate that is not expired."""
    for name, record in world.ledger.authorities.items():
        for issuance in record.issuances:
            live = issuance.status in (Status.ISSUED, Status.REVOKED)
            if (
                live
                and issuance.not_after > world.now
                and isinstance(issuance.request, AuthorityRequest)
            ):
                yield name, issuance.request.generation, issuance, _source(world, name)
    for step in planned:
        if step.action is Action.ISSUE and step.address.startswith("authority/"):
            desired = world.desired.authorities[step.address.removeprefix("authority/")]
            yield desired.name, desired.request.generation, None, desired.source


def _source(world: World, name: str) -> Source | None:
    desired = world.desired.authorities.get(name)
    return desired.source if desired else None


def _certificate(
    world: World, name: str, generation: int, issuance: Issuance | None, source: Source | None
) -> Iterator[Change]:
    published = (world.observed.published or {}).get(file_name(name, generation, "crt"))
    if published and issuance and published.sha256 == issuance.sha256:
        return
    found = published is not None and issuance is not None
    yield _publish(
        "ca",
        name,
        generation,
        Finding(Reason.DRIFTED, "the published file is not it", outside=True)
        if found
        else _unpublished(world, name, generation, issuance),
        source,
        requires=() if issuance else (change_id(Action.ISSUE, f"authority/{name}"),),
    )


def _crl(
    world: World,
    name: str,
    generation: int,
    issuance: Issuance | None,
    source: Source | None,
    revoking: Mapping[str, Wanted],
) -> Iterator[Change]:
    adding = sorted(
        serial
        for serial, item in revoking.items()
        if (item.issuance.request.issuer, item.issuance.request.issuer_generation)
        == (name, generation)
    )
    upkeep = _crl_need(world, name, generation, issuance)
    need = _revoked_since(len(adding)) if adding else upkeep
    if need is None:
        return
    publish = _publish(
        "crl",
        name,
        generation,
        need,
        source,
        requires=(
            *(change_id(Action.REVOKE, f"{revoking[s].owner}#{s}") for s in adding),
            *(() if issuance else (change_id(Action.ISSUE, f"authority/{name}"),)),
        ),
        adding=adding,
    )
    yield publish.model_copy(update={"due": upkeep is not None})


def _crl_need(
    world: World, name: str, generation: int, issuance: Issuance | None
) -> Finding | None:
    """Say why a CRL must be signed anew even if nothing is revoked now."""
    record = world.ledger.crls.get((name, generation, None))
    published = (world.observed.published or {}).get(file_name(name, generation, "crl"))
    missing = _revoked(world, name, generation) - (published.revoked if published else frozenset())
    if published and missing:
        return _revoked_since(len(missing))
    if record is None or published is None or _of_another(world, record, issuance):
        return _unpublished(world, name, generation, issuance)
    if published.sha256 != record.sha256:
        words = "the published file is not the last one that was signed"
        return Finding(Reason.DRIFTED, words, outside=record.sha256 is not None)
    if is_ahead(record.this_update, world.now):
        return Finding(
            Reason.EXPIRING, f"it says that it was made at {record.this_update:%Y-%m-%d}"
        )
    if _refresh_due(world, record):
        return Finding(Reason.EXPIRING, f"next update {record.next_update:%Y-%m-%d}")
    return None


def _unpublished(world: World, name: str, generation: int, issuance: Issuance | None) -> Finding:
    """Say that a file is missing; where a CRL was signed for its directory, somebody took it away."""
    record = world.ledger.crls.get((name, generation, None))
    signed = record is not None and record.sha256 is not None
    if (
        not signed
        or record is None
        or _of_another(world, record, issuance)
        or world.publishes_elsewhere
    ):
        return Finding(Reason.NOT_FOUND, "not published yet")
    return Finding(Reason.NOT_FOUND, "no longer published", outside=True)


def _revoked_since(count: int) -> Finding:
    return Finding(Reason.REVOCATION_ADDED, f"{count} revoked since the last one")


def _of_another(world: World, record: CrlRecord, issuance: Issuance | None) -> bool:
    """Whether a CRL is older than its CA: a forgotten one of the same name signed it.

    When a CA was issued that says a moment still to come, nobody can tell.
    """
    if issuance is None:
        return True
    issued = issuance.issued_at or record.this_update
    return issued > record.this_update and not is_ahead(issued, world.now)


def _refresh_due(world: World, record: CrlRecord) -> bool:
    return crl_refresh_time(record.this_update, record.next_update) <= world.now


def _revoked(world: World, name: str, generation: int) -> frozenset[str]:
    return world.revoked.get((name, generation), frozenset())


def _publish(
    kind: str,
    name: str,
    generation: int,
    need: Finding,
    source: Source | None,
    *,
    requires: tuple[str, ...],
    adding: list[str] | None = None,
) -> Change:
    suffix = "crl" if kind == "crl" else "crt"
    return change(
        f"{kind}/{name}-g{generation}",
        Action.PUBLISH,
        need.reason,
        need.message,
        identity={"file": file_name(name, generation, suffix), "adding": adding or []},
        requires=requires,
        source=source,
        after={"file": file_name(name, generation, suffix)},
        due=True,
        outside=need.outside,
    )
