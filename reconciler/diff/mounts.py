"""Certificates of CAs whose key Vault keeps: what has to be handed over there, and who waits for it."""

from collections.abc import Collection, Iterator

from reconciler.custody import is_mounted
from reconciler.diff.changes import change, change_id
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
        after={"file": _called(desired)},
        due=step is None or step.due,
    )


def _called(desired: DesiredAuthority) -> str:
    """Return what a mount is called where people read."""
    return "/".join(filter(None, desired.mounted.mount)) if desired.mounted else ""


def _address(desired: DesiredAuthority) -> str:
    return f"mount/{desired.name}-g{desired.request.generation}"


def handed_before(world: World, request: LeafRequest) -> tuple[str, ...]:
    """Return what Vault has to be handed before it is asked for a leaf, planned or not."""
    issuer = world.desired.issuers.get(request.issuer)
    vault = issuer.spec.vault if issuer else None
    if vault is None:
        return ()
    return tuple(
        change_id(Action.PUBLISH, _address(ca))
        for ca in world.desired.authorities.values()
        if ca.mounted is not None and ca.mounted.mount == vault.mount
    )
