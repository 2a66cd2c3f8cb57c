"""What waits for an offline key: found by planning again and again, as if the ceremony had taken place."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from reconciler.diff.authorities import prospects_of
from reconciler.diff.prospects import Errand
from reconciler.diff.revocations import wanted_revocations
from reconciler.diff.world import World
from reconciler.ledger.records import AuthorityRecord, Issuance, Status
from schemas.plan import Reason


def waiting(world: World) -> tuple[Errand, ...]:
    """Return the CA certificates that only a ceremony can sign as things stand, parents first."""
    found = prospects_of(world, frozenset(wanted_revocations(world)))
    blocked = [step.address for step in found.changes if step.reason is Reason.CEREMONY]
    return tuple(found.errands[address] for address in blocked if address in found.errands)


def as_if_signed(
    world: World, records: Mapping[str, AuthorityRecord], signed: frozenset[str]
) -> World:
    """Return the world in which these reservations, by serial, are certificates already."""
    known = {name: _signed(record, signed) for name, record in records.items()}
    ledger = replace(world.ledger, authorities={**world.ledger.authorities, **known})
    return replace(world, ledger=ledger)


def _signed(record: AuthorityRecord, serials: frozenset[str]) -> AuthorityRecord:
    return record.model_copy(update={"issuances": tuple(_each(record.issuances, serials))})


def _each(issuances: tuple[Issuance, ...], serials: frozenset[str]) -> Iterator[Issuance]:
    for issuance in issuances:
        if issuance.serial in serials:
            yield issuance.model_copy(update={"status": Status.ISSUED, "certificate": ""})
        else:
            yield issuance
