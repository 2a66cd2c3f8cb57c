"""What every DNS solver must do, as tests: inherit `DnsSolverConformance`, provide its fixtures, run pytest.

    class TestMySolver(DnsSolverConformance):
        @pytest.fixture
        def solver(self): return MySolver.from_config(config)

        @pytest.fixture
        def values(self): return lambda name: frozenset(...)  # the TXT values that the zone holds at a name

`zone` is one that the solver may write, and that holds no TXT record yet. Needs pytest.
"""

# ruff: noqa: S101, D102  tests assert, and their names are sentences

import base64
import hashlib
from collections.abc import Callable

import pytest

from providers.solving import DnsSolver, TxtRecord

Values = Callable[[str], frozenset[str]]


def proof(of: str) -> str:
    """Return a value as a CA asks for it: base64url of a SHA-256 (RFC 8555 section 8.4)."""
    digest = hashlib.sha256(of.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


class DnsSolverConformance:
    """The tests. Each gets a solver whose zone holds no TXT record."""

    zone: str = "example.com"

    @pytest.fixture
    def solver(self) -> DnsSolver:
        """The solver under test."""
        raise NotImplementedError

    @pytest.fixture
    def values(self) -> Values:
        """Return the TXT values that the zone holds at a name."""
        raise NotImplementedError

    def record(self, of: str, name: str = "_acme-challenge.www") -> TxtRecord:
        """Return a record in the zone, with a value that is `of`'s own."""
        return TxtRecord(f"{name}.{self.zone}", proof(of))

    def test_what_is_presented_is_there_and_gone_when_it_is_cleaned_up(
        self, solver: DnsSolver, values: Values
    ) -> None:
        record = self.record("one")
        solver.present(record)
        assert values(record.name) == {record.value}
        solver.clean_up(record)
        assert values(record.name) == frozenset()

    def test_to_present_twice_is_to_present_once(self, solver: DnsSolver, values: Values) -> None:
        record = self.record("one")
        solver.present(record)
        solver.present(record)
        assert values(record.name) == {record.value}
        solver.clean_up(record)
        assert values(record.name) == frozenset()

    def test_two_values_of_one_name_stand_side_by_side(
        self, solver: DnsSolver, values: Values
    ) -> None:
        one, other = self.record("one"), self.record("other")
        solver.present(one)
        solver.present(other)
        assert values(one.name) == {one.value, other.value}
        solver.clean_up(one)
        solver.clean_up(other)

    def test_to_clean_up_one_value_leaves_the_other(
        self, solver: DnsSolver, values: Values
    ) -> None:
        one, other = self.record("one"), self.record("other")
        solver.present(one)
        solver.present(other)
        solver.clean_up(one)
        assert values(one.name) == {other.value}
        solver.clean_up(other)
        assert values(one.name) == frozenset()

    def test_to_clean_up_twice_is_no_error(self, solver: DnsSolver, values: Values) -> None:
        record = self.record("one")
        solver.present(record)
        solver.clean_up(record)
        solver.clean_up(record)
        assert values(record.name) == frozenset()

    def test_to_clean_up_what_was_never_presented_leaves_what_was(
        self, solver: DnsSolver, values: Values
    ) -> None:
        there, never = self.record("there"), self.record("never")
        solver.present(there)
        solver.clean_up(never)
        assert values(there.name) == {there.value}
        solver.clean_up(there)

    def test_names_are_kept_apart(self, solver: DnsSolver, values: Values) -> None:
        apex, deep = (
            self.record("one", "_acme-challenge"),
            self.record("one", "_acme-challenge.a.b"),
        )
        solver.present(apex)
        solver.present(deep)
        solver.clean_up(apex)
        assert values(apex.name) == frozenset()
        assert values(deep.name) == {deep.value}
        solver.clean_up(deep)

    def test_another_solver_made_the_same_way_cleans_up(
        self, solver: DnsSolver, again: DnsSolver, values: Values
    ) -> None:
        record = self.record("one")
        solver.present(record)
        again.present(record)
        again.clean_up(record)
        assert values(record.name) == frozenset()

    @pytest.fixture
    def again(self, solver: DnsSolver) -> DnsSolver:
        """Another solver of the same settings, as the next run makes it."""
        return solver
