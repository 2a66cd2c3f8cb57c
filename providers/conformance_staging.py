"""What a target must do that stages, and takes back what it staged: a part of `providers.conformance`."""

# ruff: noqa: S101, D102  tests assert, and their names are sentences

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeVar, runtime_checkable

import pytest

from providers.abilities import Restorer, Staged, Stager
from providers.base import Bundle, Installed, InstallRequest, Target
from providers.conformance_requests import request
from providers.errors import ProviderError

Item = TypeVar("Item")


@runtime_checkable
class _Reversible(Stager, Restorer, Protocol):
    """Can stage, and can take back."""


class StagingConformance:
    """The tests; `target` and `bundle` are those of the whole suite."""

    @pytest.fixture
    def stager(self, target: Target) -> Stager:
        """The target, if it is able to stage."""
        return target if isinstance(target, Stager) else pytest.skip("the target is no Stager")

    @pytest.fixture
    def reversible(self, target: Target) -> _Reversible:
        """The target, if it is able to restore what it staged."""
        return target if isinstance(target, _Reversible) else pytest.skip("it cannot restore")

    def test_what_is_staged_is_invisible_until_the_switch(
        self, target: Target, stager: Stager, bundle: Callable[[], Bundle]
    ) -> None:
        before = target.install(request("old", bundle()))
        requests = [request("old", bundle(), before), request("new", bundle())]
        staged = [sound(each, Staged) for each in stager.stage(requests)]
        assert list(target.observe()) == [before]
        shown = [sound(each, Installed) for each in stager.switch(staged)]
        assert sorted(target.observe(), key=lambda each: each.name, reverse=True) == shown

    def test_a_bad_request_has_its_error_in_its_place(
        self, stager: Stager, bundle: Callable[[], Bundle]
    ) -> None:
        mixed = replace(bundle(), private_key=bundle().private_key)
        results = stager.stage([request("bad", mixed), request("good", bundle())])
        assert isinstance(results[0], ProviderError)
        assert isinstance(results[1], Staged)

    def test_restoring_brings_the_predecessor_back(
        self, target: Target, reversible: _Reversible, bundle: Callable[[], Bundle]
    ) -> None:
        before = target.install(request("web", bundle()))
        after = switched(reversible, request("web", bundle(), before))
        assert reversible.restore(after) == before
        assert list(target.observe()) == [before]
        assert reversible.restore(before) == before

    def test_a_first_install_has_nothing_to_go_back_to_and_is_taken_away(
        self, target: Target, reversible: _Reversible, bundle: Callable[[], Bundle]
    ) -> None:
        first = switched(reversible, request("web", bundle()))
        assert reversible.restore(first) is None
        assert list(target.observe()) == []
        assert target.install(request("web", bundle())) in target.observe()

    def test_what_is_settled_stays(
        self, target: Target, reversible: _Reversible, bundle: Callable[[], Bundle]
    ) -> None:
        before = target.install(request("web", bundle()))
        after = switched(reversible, request("web", bundle(), before))
        reversible.settle([after])
        assert reversible.restore(after) == after
        assert list(target.observe()) == [after]


def sound(result: Item | ProviderError, kind: type[Item]) -> Item:
    """Return a result that must be no error."""
    assert isinstance(result, kind), result
    return result


def switched(target: _Reversible, wanted: InstallRequest) -> Installed:
    """Stage and show one object without settling it."""
    staged = [sound(each, Staged) for each in target.stage([wanted])]
    return sound(target.switch(staged)[0], Installed)
