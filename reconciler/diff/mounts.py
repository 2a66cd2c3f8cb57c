"""Certificates of CAs whose key Vault keeps: what has to be handed over there, and who waits for it."""

from collections.abc import Collection, Iterator

from reconciler.custody import is_mounted
from reconciler.diff.changes import change, change_id
from reconciler.diff.prospects import Prospects
from reconciler.diff.world import World
from reconciler.ledger.records import Issuance, Status
from reconciler.state import DesiredAuthority
from schemas.plan import Action, Change, Reason
from schemas.request import LeafRequest


def mount_changes(world: World, planned: Collection[Change]) -> Iterator[Change]:
    """Yield what Vault has to be handed: a certificate that `planned` issues, or one that it lacks."""
    issues = {step.address: step for step in planned if step.action is Action.ISSUE}
    for desired in world.desired.authorities.values():
        if desired.mounted is None:
            continue
        step = issues.get(desired.address)
        issued = world.authority(desired.name).issued(desired.request.generation)
        if step is not None:
            why = Reason.SUPERSEDED if issued else Reason.NOT_FOUND
            yield _handing(desired, why, "handed over to Vault once it is issued", step)
        elif issued is not None and _is_owed(world, issued):
            yield _handing(desired, Reason.NOT_FOUND, "signed, and not yet handed over to Vault")


def _is_owed(world: World, issued: Issuance) -> bool:
    kept = issued.status is Status.ISSUED and is_mounted(issued)
    return kept and issued.handed_at is None and issued.not_after > world.now


def _handing(
    desired: DesiredAuthority, why: Reason, message: str, step: Change | None = None
) -> Change:
    return change(
        _address(desired),
        Action.PUBLISH,
        why,
        message,
        identity={"authority": desired.name, "generation": desired.request.generation},
        requires=(step.id,) if step else (),
        source=desired.source,
        after={"file": desired.mounted.mount if desired.mounted else ""},
        due=step is None or step.due,
    )


def _address(desired: DesiredAuthority) -> str:
    return f"mount/{desired.name}-g{desired.request.generation}"


def handed_before(world: World, request: LeafRequest) -> tuple[str, ...]:
    """Return what Vault has to be handed before it is asked for a leaf, planned or not."""
    mounted = world.desired.mounted(request.issuer)
    return (change_id(Action.PUBLISH, _address(mounted)),) if mounted else ()


def lost(above: Prospects, request: LeafRequest, current: Issuance) -> str:
    """Say by which CA that is given up a leaf of Vault's hangs; empty while Vault signs by no other."""
    world = above.world
    hung = (world.serials[serial] for serial in sorted(world.above(current)))
    gone = next((each for each in hung if _is_gone(world, *each)), None)
    mounted = world.desired.mounted(request.issuer) if gone else None
    if gone is None or mounted is None or not _is_newer(above, mounted, current):
        return ""
    name = gone[0].partition("/")[2]
    return f"it hangs by {name} generation {gone[1].generation}, which is given up"


def _is_gone(world: World, owner: str, issued: Issuance) -> bool:
    given_up = world.is_given_up(owner.partition("/")[2], issued)
    return given_up or issued.status is Status.REVOKED


def _is_newer(above: Prospects, mounted: DesiredAuthority, current: Issuance) -> bool:
    """Whether Vault has been handed another certificate since it signed one, or is in this plan."""
    number, signed = mounted.request.generation, current.issued_at
    issued = above.world.authority(mounted.name).issued(number)
    since = issued.handed_at if issued else None
    later = since is not None and signed is not None and signed < since
    return later or above.comes(mounted.name, number)
