"""Providers of DNS are called as dns-lexicon calls them, with the options that it takes."""

import argparse
from importlib import import_module

import pytest

from reconciler.importing.challenges import (
    ALIASES,
    LEXICON,
    OWN,
    by_dns,
    solvers,
    standalone,
    webroot,
)
from schemas.solver_choice import SolverChoice
from schemas.solvers import Solver

_WANTED = 50


@pytest.mark.parametrize("provider", LEXICON)
def test_dns_lexicon_has_the_provider_and_its_options(provider: str) -> None:
    module = import_module(f"lexicon._private.providers.{provider}")
    parser = argparse.ArgumentParser(add_help=False)
    module.Provider.configure_parser(parser)
    taken = {action.dest for action in parser._actions}
    assert set(LEXICON[provider]) <= taken


def test_aliases_lead_to_providers_that_there_are() -> None:
    assert set(ALIASES.values()) <= LEXICON.keys()
    assert len(LEXICON) > _WANTED


@pytest.mark.parametrize("provider", [*LEXICON, *ALIASES, *OWN, "nobody-knows-this-one"])
def test_every_proof_is_a_valid_solver(provider: str) -> None:
    Solver.model_validate(by_dns(provider).solver)


def test_the_solver_of_an_unknown_provider_says_that_it_stands_in() -> None:
    proof = by_dns("nobody-knows-this-one")
    assert (proof.faithful, bool(proof.todo)) == (False, True)


def test_one_way_for_all_names_needs_no_selector() -> None:
    assert solvers(
        [(webroot("/srv"), ["a.example.com"]), (webroot("/srv"), ["b.example.com"])]
    ) == ({"http01": {"webroot": {"path": "/srv"}}},)


def test_of_several_ways_each_name_has_its_own() -> None:
    made = solvers([(webroot("/srv"), ["a.example.com"]), (standalone(), ["b.example.com"])])
    read = tuple(map(Solver.model_validate, made))
    found = SolverChoice.of(read).solver("b.example.com")
    assert found is not None
    assert found.http01 is not None
    assert found.http01.standalone is not None
