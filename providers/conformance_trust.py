"""What a target must do that holds bundles of trust anchors: a part of `providers.conformance`."""

# ruff: noqa: S101, D102  tests assert, and their names are sentences

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, runtime_checkable

import pytest

from providers.abilities import HeldTrust, TrustHolder, TrustRequest
from providers.anchors import by_fingerprint
from providers.base import Bundle, Target
from providers.conformance_requests import OURS, labels, request
from providers.errors import Conflict, ProviderError, Unreachable


@runtime_checkable
class _Holding(Target, TrustHolder, Protocol):
    """Can hold trust."""


def trusting(
    name: str, *anchors: bytes, predecessor: HeldTrust | None = None, **more: str
) -> TrustRequest:
    """Return a request with certform's labels."""
    return TrustRequest(name, anchors, {**labels(name), **more}, predecessor)


class TrustConformance:
    """The tests; `target`, `bundle`, `intrude` and `lose` are those of the whole suite."""

    @pytest.fixture
    def holder(self, target: Target) -> _Holding:
        """The target, if it is able to hold trust."""
        return target if isinstance(target, _Holding) else pytest.skip("it holds no trust")

    @pytest.fixture
    def anchor(self, bundle: Callable[[], Bundle]) -> Callable[[], bytes]:
        """Make a certificate: what is kept here is anybody's, whatever it says."""
        return lambda: bundle().certificate

    def test_holds_no_trust_at_first(self, holder: _Holding) -> None:
        assert list(holder.observe_trust()) == []

    def test_observes_the_anchors_it_installed_apart_from_certificates(
        self, holder: _Holding, anchor: Callable[[], bytes], bundle: Callable[[], Bundle]
    ) -> None:
        certificate = holder.install(request("web", bundle()))
        anchors = (anchor(), anchor(), anchor())
        held = holder.install_trust(trusting("corp", *anchors))
        assert list(holder.observe_trust()) == [held]
        assert list(holder.observe()) == [certificate]
        assert held.anchors == by_fingerprint(anchors)
        assert list(held.anchors) == sorted(held.anchors)
        assert (held.name, held.labels, held.drift) == ("corp", labels("corp"), ())
        assert held.owned_by(OURS)

    def test_installing_anchors_twice_changes_nothing(
        self, holder: _Holding, anchor: Callable[[], bytes]
    ) -> None:
        wanted = trusting("corp", anchor(), anchor())
        first = holder.install_trust(wanted)
        assert holder.install_trust(wanted) == first
        turned = replace(wanted, anchors=(*reversed(wanted.anchors), wanted.anchors[0]))
        assert holder.install_trust(turned) == first
        assert list(holder.observe_trust()) == [first]

    def test_other_anchors_and_labels_take_the_place_of_those_there(
        self, holder: _Holding, anchor: Callable[[], bytes]
    ) -> None:
        old, new = anchor(), anchor()
        first = holder.install_trust(trusting("corp", old))
        both = holder.install_trust(trusting("corp", old, new, predecessor=first))
        assert both.id == first.id
        last = holder.install_trust(trusting("corp", new, predecessor=both, team="web"))
        assert list(holder.observe_trust()) == [last]
        assert last.labels["team"] == "web"
        assert last.anchors == by_fingerprint([new])

    def test_anchors_that_are_not_as_observed_are_not_replaced(
        self, holder: _Holding, anchor: Callable[[], bytes]
    ) -> None:
        first = holder.install_trust(trusting("corp", anchor()))
        for before in (None, replace(first, anchors=by_fingerprint([anchor()]))):
            with pytest.raises(Conflict):
                holder.install_trust(trusting("corp", anchor(), predecessor=before))
        with pytest.raises(Conflict):
            holder.install_trust(trusting("more", anchor(), predecessor=first))
        assert list(holder.observe_trust()) == [first]

    def test_what_is_no_anchor_is_refused(
        self, holder: _Holding, anchor: Callable[[], bytes]
    ) -> None:
        for anchors in ((), (anchor(), b"not PEM"), (anchor() + anchor(),)):
            with pytest.raises(ProviderError):
                holder.install_trust(trusting("corp", *anchors))
        assert list(holder.observe_trust()) == []

    def test_certificates_and_anchors_share_their_names(
        self, holder: _Holding, anchor: Callable[[], bytes], bundle: Callable[[], Bundle]
    ) -> None:
        certificate = holder.install(request("web", bundle()))
        held = holder.install_trust(trusting("corp", anchor()))
        with pytest.raises(Conflict):
            holder.install_trust(trusting("web", anchor()))
        with pytest.raises(Conflict):
            holder.install(request("corp", bundle()))
        assert list(holder.observe()) == [certificate]
        assert list(holder.observe_trust()) == [held]

    def test_removing_anchors_twice_is_no_error(
        self, holder: _Holding, anchor: Callable[[], bytes]
    ) -> None:
        held = holder.install_trust(trusting("corp", anchor()))
        with pytest.raises(Conflict):
            holder.remove_trust(replace(held, anchors=by_fingerprint([anchor()])))
        assert list(holder.observe_trust()) == [held]
        holder.remove_trust(held)
        assert list(holder.observe_trust()) == []
        holder.remove_trust(held)

    def test_no_anchors_take_the_place_of_what_is_foreign(
        self, holder: _Holding, anchor: Callable[[], bytes], intrude: Callable[[], str]
    ) -> None:
        holder.install_trust(trusting("corp", anchor()))
        name = intrude()
        with pytest.raises(ProviderError):
            holder.install_trust(trusting(name, anchor()))
        assert name in [each.name for each in holder.observe()]

    def test_trust_in_an_unreadable_place_is_unreachable(
        self, holder: _Holding, anchor: Callable[[], bytes], lose: Callable[[], None]
    ) -> None:
        holder.install_trust(trusting("corp", anchor()))
        lose()
        with pytest.raises(Unreachable):
            holder.observe_trust()
