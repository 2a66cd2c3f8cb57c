"""Which keys a plan needs that nobody here can open, told before anything is begun."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from providers.sops.recipients import wanted_recipients
from reconciler.custody import remote_key, signs_offline
from reconciler.diff import World
from reconciler.diff.authorities import prospects_of
from reconciler.diff.connections import is_connection
from reconciler.diff.patience import patient
from reconciler.diff.prospects import Prospects
from reconciler.diff.revocations import wanted_revocations
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
    above = prospects_of(world, frozenset(wanted_revocations(world)))
    settled = patient(above)[0]
    for step in changes:
        for name in _needs(settled, above, step):
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
    """Who can open a key; one that is yet to be made, whoever is to.

    Nobody opens one at a key service, or one that is only used at a ceremony.
    """
    if name is None:
        return world.ledger.keyring or frozenset()
    known, wanted = world.ledger.authorities, world.desired.authorities
    if remote_key(*name, known, wanted) or signs_offline(*name, known, wanted):
        return frozenset()
    if name in world.ledger.ca_keys:
        return world.ledger.ca_keys[name]
    desired = wanted.get(name[0])
    return wanted_recipients(desired.recipients) if desired else frozenset()


def _needs(world: World, above: Prospects, step: Change) -> Iterator[KeyName]:
    """Yield the keys a change is made with: the ledger is written with the keyring."""
    if is_connection(step):
        return
    if step.action is not Action.RELABEL or "@" not in step.address:
        yield None
    kind, _, name = step.address.partition("/")
    if step.action is Action.ISSUE:
        yield from _issuer(world, above, step.address)
    elif step.action is Action.PUBLISH and kind == "crl":
        yield list_key(step.address)[:2]
    elif step.action is Action.PUBLISH and kind == "ocsp":
        yield tree_key(step.address)
    elif step.action is Action.CONFIGURE and kind == "authority":
        yield from (which for which in world.ledger.ca_keys if which[0] == name)


def _issuer(world: World, above: Prospects, address: str) -> Iterator[tuple[str, int]]:
    """Yield whose key signs: nobody's here where a CA of others issues."""
    if address in above.errands:
        yield above.errands[address].signer
        return
    certificate = world.desired.certificates.get(address.partition("/")[2])
    if certificate is not None and certificate.request.issuer_id is None:
        yield certificate.request.issuer, certificate.request.issuer_generation
