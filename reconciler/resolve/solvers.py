"""Solvers of ACME issuers: whether one is for each name that a certificate asks for."""

from collections.abc import Iterator

from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.load.yaml import Step
from reconciler.resolve.catalogue import Entry
from reconciler.resolve.leaves import Leaf
from schemas.acme import Acme
from schemas.issuer import IssuerSpec
from schemas.solvers import Solver, is_ip, solver_for


def check_provable(leaf: Leaf, acme: Acme, issuer: str) -> Iterator[Diagnostic]:
    """Yield every name of a leaf that no solver of its issuer is for."""
    for path, name in _names(leaf):
        if solver_for(name, acme.solvers) is None:
            yield error(
                f"no solver of the issuer {issuer} is for {name}",
                leaf.draft.at("spec", *path),
                hint=_hint(name, acme.solvers),
            )


def _names(leaf: Leaf) -> Iterator[tuple[tuple[Step, ...], str]]:
    for index, name in enumerate(leaf.spec.dns_names):
        yield ("dnsNames", index), name
    for index, name in enumerate(leaf.spec.ip_addresses):
        yield ("ipAddresses", index), str(name)


def _hint(name: str, solvers: tuple[Solver, ...]) -> str:
    if is_ip(name):
        return "an IP address is proved by http01 alone: add a solver with http01 and no selector"
    zone = name.removeprefix("*.")
    if zone != name and solver_for(zone, solvers) is not None:
        return f"a wildcard is proved by dns01 alone: add a solver with dns01 for the zone {zone}"
    return "add a solver without a selector, or name it in dnsNames or dnsZones of a selector"


def check_solvers(entry: Entry[IssuerSpec]) -> Iterator[Diagnostic]:
    """Yield a warning for each solver that nothing comes to: one before it has the same selector."""
    solvers = entry.spec.acme.solvers if entry.spec.acme else ()
    for index, solver in enumerate(solvers):
        first = next((n for n, other in enumerate(solvers[:index]) if _covers(other, solver)), None)
        if first is not None:
            place = entry.document.at("spec", "acme", "solvers", index)
            yield warning(
                f"solvers[{first}] has the same selector, so this one is never used",
                place,
                hint="leave one of them out, or tell their names apart",
            )


def _covers(one: Solver, other: Solver) -> bool:
    """Whether one takes all that another takes: dns01 every name, http01 IP addresses and no wildcards."""
    if _selected(one) != _selected(other):
        return False
    if one.http01 is not None:
        return other.http01 is not None
    return other.dns01 is not None or any(_selected(other))


def _selected(solver: Solver) -> tuple[frozenset[str], frozenset[str]]:
    if solver.selector is None:
        return frozenset(), frozenset()
    return frozenset(solver.selector.dns_names), frozenset(solver.selector.dns_zones)
