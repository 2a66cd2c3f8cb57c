"""What a target must do that takes over what others installed: a part of `providers.conformance`."""

# ruff: noqa: S101, D102  tests assert, and their names are sentences

from collections.abc import Callable
from dataclasses import replace

import pytest

from providers.abilities import Adopter, AdoptRequest, Relabeler, RelabelRequest
from providers.base import Target
from providers.conformance_requests import labels
from providers.errors import Conflict


class AdoptionConformance:
    """The tests; `target`, `intrude` and `relabeler` are those of the whole suite."""

    @pytest.fixture
    def adopter(self, target: Target) -> Adopter:
        """The target, if it is able to adopt."""
        return target if isinstance(target, Adopter) else pytest.skip("it cannot adopt")

    def test_adopting_labels_and_changes_nothing_else(
        self, target: Target, adopter: Adopter, intrude: Callable[[], str]
    ) -> None:
        name = intrude()
        (foreign,) = [each for each in target.observe() if each.name == name]
        called = "web" if foreign.name == foreign.id else foreign.name
        taken = adopter.adopt(AdoptRequest(foreign.id, called, labels(called)))
        assert (taken.id, taken.name, taken.not_after) == (foreign.id, called, foreign.not_after)
        assert labels(called).items() <= taken.labels.items()
        assert foreign.labels.items() <= taken.labels.items()
        (found,) = [each for each in target.observe() if each.id == foreign.id]
        assert (found.name, found.labels) == (taken.name, taken.labels)
        again = adopter.adopt(AdoptRequest(foreign.id, called, labels(called)))
        assert again.labels == taken.labels

    def test_another_than_was_reviewed_is_not_adopted(
        self, target: Target, adopter: Adopter, intrude: Callable[[], str]
    ) -> None:
        name = intrude()
        (foreign,) = [each for each in target.observe() if each.name == name]
        called = "web" if foreign.name == foreign.id else foreign.name
        request = AdoptRequest(foreign.id, called, labels(called), foreign.serial, foreign.sha256)
        for other in (replace(request, serial="1" * 38), replace(request, sha256="1" * 64)):
            with pytest.raises(Conflict):
                adopter.adopt(other)
        assert [each for each in target.observe() if each.id == foreign.id] == [foreign]
        assert adopter.adopt(request).id == foreign.id

    def test_what_was_adopted_can_be_given_back(
        self,
        target: Target,
        adopter: Adopter,
        relabeler: Relabeler,
        intrude: Callable[[], str],
    ) -> None:
        name = intrude()
        (foreign,) = [each for each in target.observe() if each.name == name]
        called = "web" if foreign.name == foreign.id else foreign.name
        adopter.adopt(AdoptRequest(foreign.id, called, labels(called)))
        (taken,) = [each for each in target.observe() if each.id == foreign.id]
        kept = {key: value for key, value in taken.labels.items() if key not in labels(called)}
        relabeler.relabel(RelabelRequest(taken, kept))
        (back,) = [each for each in target.observe() if each.id == foreign.id]
        assert back.labels == foreign.labels
