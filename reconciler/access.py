"""Which keys a plan needs that nobody here can open, told before anything is begun."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from providers.sops.recipients import wanted_recipients
from reconciler.custody import remote_key
from reconciler.diff import World
from reconciler.diff.connections import is_connection
from reconciler.published_names import list_key
from reconciler.response_terms import tree_key
from schemas.plan import Action, Change

KeyName = tuple[str, int] | None
"""A CA key by authority and generation, or the keyring."""


@dataclass(frozen=True, slots=True)
class Shut:
    """A key that nobody here can open, with the changes that need it. `name` is None for the keyring."""

    name: KeyName
    recipients: tuple[str, ...]
    addresses: tuple[str, ...]

    def __str__(self) -> str:
        first, *more = self.addresses
        needed = f"{first} and {len(more)} more" if more else first
        verb = "need" if more else "needs"
        key = f"the key of authority/{self.name[0]}, generation {self.name[1]}" if self.name else ""
        return f"{needed} {verb} {key or 'the keyring'}, which no age identity here opens"


def shut_keys(
    world: World, changes: Sequence[Change], held: Collection[str] | None
) -> tuple[Shut, ...]:
    """Return the keys that `changes` need and no identity opens, the keyring first.

    `held` are the public halves of the identities here, None when nobody can tell. Of a key that
    others than age recipients can open, nobody can tell either.
    """
    needed: dict[KeyName, list[str]] = {None: []}
    for step in changes:
        for name in _needs(world, step):
            needed.setdefault(name, []).append(step.address)
    return tuple(
        Shut(name, tuple(sorted(those)), tuple(addresses))
        for name, addresses in needed.items()
        if addresses and (those := _recipients(world, name)) and is_shut(those, held)
    )


def is_shut(recipients: Collection[str], held: Collection[str] | None) -> bool:
    """Whether no identity held here opens what is meant for these; no when nobody can tell."""
    if held is None:
        return False
    return all(name.startswith("age1") and name not in held for name in recipients)


def _recipients(world: World, name: KeyName) -> frozenset[str]:
    """Who can open a key; one that is yet to be made, whoever is to; nobody opens one at a key service."""
    if name is None:
        return world.ledger.keyring or frozenset()
    if remote_key(*name, world.ledger.authorities, world.desired.authorities):
        return frozenset()
    if name in world.ledger.ca_keys:
        return world.ledger.ca_keys[name]
    desired = world.desired.authorities.get(name[0])
    return wanted_recipients(desired.recipients) if desired else frozenset()


def _needs(world: World, step: Change) -> Iterator[KeyName]:
    """Yield the keys a change is made with: the ledger is written with the keyring."""
    if is_connection(step):
        return
    if step.action is not Action.RELABEL or "@" not in step.address:
        yield None
    kind, _, name = step.address.partition("/")
    if step.action is Action.ISSUE:
        yield from _issuer(world, kind, name)
    elif step.action is Action.PUBLISH and kind == "crl":
        yield list_key(step.address)[:2]
    elif step.action is Action.PUBLISH and kind == "ocsp":
        yield tree_key(step.address)
    elif step.action is Action.CONFIGURE and kind == "authority":
        yield from (which for which in world.ledger.ca_keys if which[0] == name)


def _issuer(world: World, kind: str, name: str) -> Iterator[tuple[str, int]]:
    """Yield whose key signs: nobody's here where a CA of others issues."""
    if kind == "certificate":
        leaf = world.desired.certificates[name].request
        if leaf.issuer_id is None:
            yield leaf.issuer, leaf.issuer_generation
        return
    request = world.desired.authorities[name].request
    if request.issuer is None:
        yield name, request.generation
    else:
        yield request.issuer, request.issuer_generation or 0
