"""A repository that certform fills and changes while tests stop, starve and watch it."""

import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest


def _load(name: str) -> ModuleType:
    """Import a module that lies beside this file."""
    known = f"certform_faults_{name}"
    if known not in sys.modules:
        spec = spec_from_file_location(known, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[known] = module
        spec.loader.exec_module(module)
    return sys.modules[known]


@pytest.fixture(scope="session")
def rig() -> ModuleType:
    return _load("rig")


@pytest.fixture(scope="session")
def judge() -> ModuleType:
    return _load("judge")


@pytest.fixture(scope="session")
def workshop(rig, tmp_path_factory, require) -> Iterator:
    for program in ("git", "openssl"):
        require(program)
    made = rig.Workshop(
        tmp_path_factory.mktemp("faults"), [rig.Runner() for _ in range(rig.WORKERS)]
    )
    yield made
    for runner in made.runners:
        runner.stop()


@pytest.fixture(scope="session")
def empty(rig, workshop):
    """A repository where nothing was issued yet: everything is to be made."""
    return rig.prepare(workshop.runner, workshop.folder / "empty")


@pytest.fixture(scope="session")
def filled(rig, workshop, empty):
    """The same after a clean apply."""
    return rig.fill(workshop.runner, empty, workshop.folder / "filled")


@pytest.fixture(scope="session")
def changed(rig, judge, workshop, filled):
    """The same with one name added to a certificate, and another certificate to be revoked."""
    return rig.change(filled, judge.ledger(filled.root), workshop.folder / "changed")


@pytest.fixture(scope="session")
def scenarios(empty, changed, judge):
    """Where to start from and how it must end, by what is done."""
    revoked = frozenset(
        judge.number(i.serial) for i in judge.ledger(changed.root).certificates["three"].issuances
    )
    return {
        "issue": (empty, judge.Wanted({"one": 1, "two": 1, "three": 1})),
        "reissue": (changed, judge.Wanted({"one": 2, "two": 1, "three": 2}, revoked)),
    }


@pytest.fixture(scope="session")
def recovered(judge):
    """Apply again, then plan: return what is still not as it must be."""

    def recover(runner, repository, wanted):
        seen = judge.look(repository.root)
        again = runner.apply(repository)
        if again.status != 0:
            return [f"the next apply ended with {again.status}: {again.err}"]
        plan = runner.run(repository, "plan", "--detailed-exitcode")
        left = [] if plan.status == 0 else [f"the plan is not empty ({plan.status}): {plan.out}"]
        left += judge.unsettled(repository.root, wanted, seen)
        return [*left, *judge.keys_in(repository.temporary)]

    return recover
