"""The suite that its maker runs: certform's own, over a kind of DNS that came in a wheel of its own."""

import json
from pathlib import Path

import pytest
from certform_records import RecordsSolver

from providers.registry import make_dns_solver
from providers.solver_conformance import DnsSolverConformance, Values
from reconciler.sdk import DnsSolver, Secret
from schemas.solvers import Dns01


class TestRecords(DnsSolverConformance):
    @pytest.fixture
    def solver(self, tmp_path: Path) -> DnsSolver:
        reference = {"name": "secrets/records.sops.yaml", "key": "token"}
        settings = {"path": str(tmp_path / "records.json"), "tokenSecretRef": reference}
        dns01 = Dns01.model_validate({"example.com/records": settings})
        made = make_dns_solver(dns01, lambda _: Secret(b"a-test-token"))
        assert isinstance(made, RecordsSolver)
        return made

    @pytest.fixture
    def values(self, tmp_path: Path) -> Values:
        path = tmp_path / "records.json"
        return lambda name: frozenset(json.loads(path.read_text()).get(name, ()))
