"""Which solver a name comes to, and how a kind of DNS of another package is written."""

import random
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.secrets import SecretReference, references
from schemas.solver_choice import SolverChoice
from schemas.solvers import Dns01, Solver, is_ip

WEB: dict[str, Any] = {"http01": {"standalone": {}}}
DNS = {"dns01": {"cloudDNS": {"project": "some-project"}}}
PLUGIN = {"example.com/dns": {"server": "x", "tokenSecretRef": {"name": "a.sops.yaml", "key": "t"}}}


def solver(
    way: dict[str, Any], *, names: tuple[str, ...] = (), zones: tuple[str, ...] = ()
) -> Solver:
    return Solver.model_validate({**way, "selector": {"dnsNames": names, "dnsZones": zones}})


SOLVERS = (
    solver(WEB),
    solver(DNS),
    solver(DNS, zones=("example.com",)),
    solver(WEB, zones=("deep.example.com",)),
    solver(DNS, names=("one.deep.example.com",)),
)


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("example.org", 0),
        ("*.example.org", 1),
        ("example.com", 2),
        ("www.example.com", 2),
        ("notexample.com", 0),
        ("*.example.com", 2),
        ("deep.example.com", 3),
        ("two.deep.example.com", 3),
        ("*.deep.example.com", 2),
        ("one.deep.example.com", 4),
        ("192.0.2.1", 0),
        ("2001:db8::1", 0),
    ],
)
def test_a_name_comes_to_the_solver_that_names_it_most_closely(name: str, index: int) -> None:
    assert SolverChoice.of(SOLVERS).solver(name) is SOLVERS[index]


@pytest.mark.parametrize(
    ("name", "solvers"),
    [
        ("*.example.com", (solver(WEB),)),
        ("192.0.2.1", (solver(DNS),)),
        ("a.example.org", SOLVERS[2:]),
    ],
)
def test_a_name_comes_to_none(name: str, solvers: tuple[Solver, ...]) -> None:
    assert SolverChoice.of(solvers).solver(name) is None


def test_a_plug_in_is_written_under_its_kind_and_all_of_it_counts_as_connection() -> None:
    written = Dns01.model_validate(PLUGIN)
    assert written.kind == "example.com/dns"
    assert dict(written.settings.connection("x.")) == {
        "x.server": "x",
        "x.tokenSecretRef": {"name": "a.sops.yaml", "key": "t"},
    }
    assert list(references(written)) == [SecretReference(name="a.sops.yaml", key="t")]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"plugin": {"kind": "x", "settings": {}}}, "is not a field"),
        ({"EXAMPLE/dns": {}}, "must be a kind of DNS such as"),
        ({"example.com/dns": "text"}, "must be a mapping"),
        ({**PLUGIN, **DNS["dns01"]}, "must name one kind of DNS"),
        ({"example.com/dns": {"tokenSecretRef": {"name": "a.sops.yaml"}}}, "key"),
    ],
)
def test_a_plug_in_that_is_written_wrongly_is_told(written: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Dns01.model_validate(written)


def rank(name: str, solver: Solver) -> int | None:
    """How closely a solver's selector names a name; None where it is not for it."""
    base, chosen = name.removeprefix("*."), solver.selector
    if (base != name and solver.dns01 is None) or (is_ip(name) and solver.http01 is None):
        return None
    if chosen is None or not (chosen.dns_names or chosen.dns_zones):
        return 0
    if name in chosen.dns_names:
        return 1000
    zones = (zone for zone in chosen.dns_zones if f".{base}".endswith(f".{zone}"))
    return max((1 + zone.count(".") for zone in zones), default=None)


def looked_for(name: str, solvers: tuple[Solver, ...]) -> Solver | None:
    """Return the solver for a name by looking at each."""
    ranked = [(found, solver) for solver in solvers if (found := rank(name, solver)) is not None]
    return max(ranked, key=lambda each: each[0])[1] if ranked else None


def test_the_choice_finds_what_looking_at_each_solver_finds() -> None:
    dice = random.Random(11)
    names = ["a.example.com", "b.a.example.com", "example.com", "example.org", "10.0.0.1", "::1"]
    names += [f"*.{name}" for name in names[:4]]
    zones = ["example.com", "a.example.com", "com", "org", "b.a.example.com"]
    found = 0
    for _ in range(300):
        solvers = tuple(
            Solver.model_validate(
                {
                    **dice.choice((WEB, DNS)),
                    "selector": {
                        "dnsNames": tuple(dice.sample(names[:4], dice.randrange(3))),
                        "dnsZones": tuple(dice.sample(zones, dice.randrange(3))),
                    },
                }
            )
            for _ in range(dice.randrange(1, 6))
        )
        choice = SolverChoice.of(solvers)
        for name in names:
            assert choice.solver(name) is looked_for(name, solvers)
            found += choice.solver(name) is not None
    assert found > 1000
