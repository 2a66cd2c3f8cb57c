"""Solvers of ACME issuers: whether one is for each name that a certificate asks for."""

from collections.abc import Iterator

from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.load.yaml import Step
from reconciler.resolve.catalogue import Entry
from reconciler.resolve.leaves import Leaf
from schemas.acme import Acme
from schemas.issuer import IssuerSpec
from schemas.solvers import Solver, is_ip

_Selected = tuple[frozenset[str], frozenset[str]]
"""The names and the zones that a selector names."""


def check_provable(leaf: Leaf, acme: Acme, issuer: str) -> Iterator[Diagnostic]:
    """Yield every name of a leaf that no solver of its issuer is for, and a common name that is none."""
    names, common = tuple(_names(leaf)), leaf.spec.common_name
    if common is not None and common.lower() not in {name.lower() for _, name in names}:
        yield error(
            f"the common name {common} is none of its dnsNames and ipAddresses",
            leaf.draft.at("spec", "commonName"),
            hint="an ACME CA names nobody whom it did not prove: add it there, or leave commonName out",
        )
    for path, name in names:
        if acme.choice.solver(name) is None:
            yield error(
                f"no solver of the issuer {issuer} is for {name}",
                leaf.draft.at("spec", *path),
                hint=_hint(name, acme),
            )


def _names(leaf: Leaf) -> Iterator[tuple[tuple[Step, ...], str]]:
    for index, name in enumerate(leaf.spec.dns_names):
        yield ("dnsNames", index), name
    for index, name in enumerate(leaf.spec.ip_addresses):
        yield ("ipAddresses", index), str(name)


def _hint(name: str, acme: Acme) -> str:
    if is_ip(name):
        return "an IP address is proved by http01 alone: add a solver with http01 and no selector"
    zone = name.removeprefix("*.")
    if zone != name and acme.choice.solver(zone) is not None:
        return f"a wildcard is proved by dns01 alone: add a solver with dns01 for the zone {zone}"
    return "add a solver without a selector, or name it in dnsNames or dnsZones of a selector"


def check_solvers(entry: Entry[IssuerSpec]) -> Iterator[Diagnostic]:
    """Yield a warning for each solver that nothing comes to: one before it has the same selector."""
    solvers = entry.spec.acme.solvers if entry.spec.acme else ()
    firsts: dict[tuple[_Selected, bool], int] = {}
    for index, solver in enumerate(solvers):
        own = _selected(solver)
        first = min((firsts[key] for key in _covering(own, solver) if key in firsts), default=None)
        if first is not None:
            place = entry.document.at("spec", "acme", "solvers", index)
            yield warning(
                f"solvers[{first}] has the same selector, so this one is never used",
                place,
                hint="leave one of them out, or tell their names apart",
            )
        firsts.setdefault((own, solver.http01 is not None), index)


def _covering(own: _Selected, solver: Solver) -> Iterator[tuple[_Selected, bool]]:
    """Yield what takes all that a solver takes: dns01 every name, http01 IP addresses and no wildcards."""
    if solver.http01 is not None:
        yield own, True
    if solver.dns01 is not None or any(own):
        yield own, False


def _selected(solver: Solver) -> _Selected:
    if solver.selector is None:
        return frozenset(), frozenset()
    return frozenset(solver.selector.dns_names), frozenset(solver.selector.dns_zones)
