"""Which solver is for a name, found without looking at each: an Issuer may name zones by the thousand."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Self

from schemas.solvers import Solver, is_ip


class _Asked(Enum):
    """What is to be proved: a name by any solver, a wildcard by dns01, an IP address by http01 (RFC 8738)."""

    NAME = "name"
    WILDCARD = "wildcard"
    ADDRESS = "address"

    @classmethod
    def of(cls, name: str) -> "_Asked":
        if name.startswith("*."):
            return cls.WILDCARD
        return cls.ADDRESS if is_ip(name) else cls.NAME


_ANY, _NAME, _ZONE = "", "name", "zone"
_Key = tuple[_Asked, str, str]


@dataclass(frozen=True, slots=True)
class SolverChoice:
    """The solvers of one Issuer, by what their selectors say; of equals the first counts.

    An exact name beats a zone, and a longer zone a shorter one, as with cert-manager. A wildcard is in the
    zone of the name it stands below, and takes DNS-01; an IP address takes HTTP-01 (RFC 8738).
    """

    _table: dict[_Key, Solver] = field(default_factory=dict)

    @classmethod
    def of(cls, solvers: tuple[Solver, ...]) -> Self:
        """Return the choice that an Issuer's solvers leave."""
        made = cls()
        for solver in solvers:
            for sort, value in _selected(solver):
                for asked in _able(solver):
                    made._table.setdefault((asked, sort, value), solver)
        return made

    def solver(self, name: str) -> Solver | None:
        """Return the solver that names a name most closely; None without one."""
        asked = _Asked.of(name)
        keys = ((asked, _NAME, name), *_zones(asked, name.removeprefix("*.")), (asked, _ANY, ""))
        return next((self._table[key] for key in keys if key in self._table), None)


def _able(solver: Solver) -> tuple[_Asked, _Asked]:
    return _Asked.NAME, _Asked.WILDCARD if solver.dns01 is not None else _Asked.ADDRESS


def _selected(solver: Solver) -> Iterator[tuple[str, str]]:
    chosen = solver.selector
    if chosen is None or not (chosen.dns_names or chosen.dns_zones):
        yield _ANY, ""
        return
    yield from ((_NAME, name) for name in chosen.dns_names)
    yield from ((_ZONE, zone) for zone in chosen.dns_zones)


def _zones(asked: _Asked, name: str) -> Iterator[_Key]:
    """Yield the zones that a name may be in, the longest first."""
    labels = name.split(".")
    return ((asked, _ZONE, ".".join(labels[at:])) for at in range(len(labels)))
