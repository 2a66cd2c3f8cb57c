"""What a change of who is spoken to stands before: everything that would be asked of somebody else then."""

from collections.abc import Iterable, Iterator

from reconciler.address import owner, place
from reconciler.diff.changes import change_id
from reconciler.diff.connections import connection_changes
from reconciler.diff.world import World
from reconciler.published_names import list_key
from reconciler.response_terms import tree_key
from reconciler.state import DesiredAuthority
from schemas.plan import Action, Change


def connected(world: World, changes: Iterable[Change]) -> list[Change]:
    """Return changes with those of who is spoken to; each requires those of all whom it speaks to."""
    if world.base is None:
        return list(changes)
    configure = tuple(connection_changes(world.desired, world.base, world.ledger))
    known = {step.id for step in configure}
    if not known:
        return list(changes)
    return [*configure, *(_after(world, step, known) for step in changes)]


def _after(world: World, step: Change, known: set[str]) -> Change:
    if step.action is Action.BLOCKED:
        return step
    ids = (change_id(Action.CONFIGURE, address) for address in _spoken_to(world, step))
    requires = tuple(dict.fromkeys((*step.requires, *(id_ for id_ in ids if id_ in known))))
    return step.model_copy(update={"requires": requires})


def _spoken_to(world: World, step: Change) -> Iterator[str]:
    """Yield the addresses of all whom a change speaks to, the ledger first: everything is written there."""
    yield f"project/{world.desired.project}"
    if target := place(step.address):
        yield f"target/{target}"
    for name in _signers(world, step):
        yield f"issuer/{name}"
        yield f"custody/{name}"
    if step.action is Action.ISSUE and (
        leaf := world.desired.certificates.get(owner(step.address))
    ):
        yield from (f"target/{install.target}" for install in leaf.installs)


def _signers(world: World, step: Change) -> Iterator[str]:
    """Yield the CAs whose key, or whom, a change asks: a place that issues by itself asks one, too."""
    kind, name = step.address.partition("/")[0], owner(step.address)
    if kind == "crl":
        yield list_key(step.address)[0]
    elif kind == "ocsp":
        yield tree_key(step.address)[0]
    elif kind == "mount":
        yield list_key(step.address)[0]
    elif step.action is Action.REVOKE:
        yield str((step.after or {}).get("issuer"))
    elif ca := _authority(world, step.address):
        yield from filter(None, (ca.name, ca.request.issuer))
    elif kind == "certificate" and step.action in (Action.ISSUE, Action.INSTALL):
        yield world.desired.certificates[name].request.issuer


def _authority(world: World, address: str) -> DesiredAuthority | None:
    """Return the CA that a certificate is of: `authority/NAME`, `standby/NAME-gN` or `cross/NAME-gN`."""
    kind, name = address.partition("/")[0], owner(address)
    if kind in ("standby", "cross"):
        name = list_key(address)[0]
    elif kind != "authority":
        return None
    return world.desired.authorities.get(name)
