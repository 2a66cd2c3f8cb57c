"""What every target must do, as tests: inherit `TargetConformance`, provide its fixtures, run pytest.

    class TestMyTarget(TargetConformance):
        @pytest.fixture
        def target(self, config): return MyTarget.from_config(config)

`config`, `intrude` and `lose` are to be replaced where the defaults do not suit: `intrude` puts an
object there that is not certform's and returns its name, `lose` makes the place unreadable. Where
one cannot be done, its fixture calls `pytest.skip`. Needs pytest, which certform itself does not.
"""

# ruff: noqa: S101, D102  tests assert, and their names are sentences

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from providers.abilities import Inspector, Relabeler, RelabelRequest, Withdrawer
from providers.base import SPEC, Bundle, Keystore, Keystores, Target, TargetConfig
from providers.conformance_adoption import AdoptionConformance
from providers.conformance_requests import OURS, labels, request
from providers.conformance_staging import StagingConformance, sound
from providers.conformance_trust import TrustConformance
from providers.disclosure import discloses
from providers.errors import Conflict, ProviderError, Unreachable
from providers.secret import Secret
from providers.specimens import P256, Specimens
from schemas.capabilities import Capabilities
from schemas.certificate import Algorithm
from schemas.request import KeyType
from schemas.target import LocalDirectory, TargetSpec

__all__ = ["OURS", "TargetConformance", "declared", "labels", "request", "shows", "sound"]

LONGEST = "n" + "a" * 61 + "e"
"""As long as `schemas.scalars.Name` allows."""


class TargetConformance(StagingConformance, AdoptionConformance, TrustConformance):
    """The tests. Each gets a target whose place is empty."""

    @pytest.fixture
    def config(self, tmp_path: Path) -> TargetConfig:
        """The target's configuration; the default is that of a local directory."""
        spec = TargetSpec(local_directory=LocalDirectory(path="tls"))
        return TargetConfig("conformance", spec, OURS, tmp_path)

    @pytest.fixture
    def target(self, config: TargetConfig) -> Target:
        """The target under test."""
        raise NotImplementedError

    @pytest.fixture
    def intrude(self) -> Callable[[], str]:
        """Put something there that is not certform's, and return its name."""
        pytest.skip("nothing foreign can be in such a place")

    @pytest.fixture
    def lose(self) -> Callable[[], None]:
        """Make the place unreadable."""
        pytest.skip("such a place can always be read")

    @pytest.fixture
    def specimens(self) -> Specimens:
        """Certificates to install."""
        return Specimens.make(datetime.now(UTC))

    @pytest.fixture
    def bundle(self, specimens: Specimens) -> Callable[[], Bundle]:
        """Make a new certificate with a new key."""
        return lambda: specimens.bundle("www.example.com", datetime.now(UTC))

    @pytest.fixture
    def relabeler(self, target: Target) -> Relabeler:
        """The target, if it is able to relabel."""
        return target if isinstance(target, Relabeler) else pytest.skip("it cannot relabel")

    @pytest.fixture
    def withdrawer(self, target: Target) -> Withdrawer:
        """The target, if it is able to withdraw."""
        return target if isinstance(target, Withdrawer) else pytest.skip("it cannot withdraw")

    def test_starts_empty(self, target: Target) -> None:
        assert list(target.observe()) == []

    def test_observes_what_it_installed(self, target: Target, bundle: Callable[[], Bundle]) -> None:
        installed = target.install(request("web", bundle()))
        assert list(target.observe()) == [installed]
        assert installed.name == "web"
        assert installed.owned_by(OURS)
        assert installed.labels == labels("web")
        assert installed.drift == ()
        assert None not in (installed.serial, installed.sha256, installed.not_after)

    def test_installing_twice_changes_nothing(
        self, target: Target, bundle: Callable[[], Bundle]
    ) -> None:
        wanted = request("web", bundle())
        first = target.install(wanted)
        assert target.install(wanted) == first
        assert list(target.observe()) == [first]

    def test_an_update_keeps_the_identity(
        self, target: Target, bundle: Callable[[], Bundle]
    ) -> None:
        if not target.capabilities.keeps_identity:
            pytest.skip("the target says that it does not")
        before = target.install(request("web", bundle()))
        after = target.install(request("web", bundle(), before))
        assert after.id == before.id
        assert after.sha256 != before.sha256
        assert list(target.observe()) == [after]

    def test_removing_twice_is_no_error(self, target: Target, bundle: Callable[[], Bundle]) -> None:
        installed = target.install(request("web", bundle()))
        target.remove(installed)
        assert list(target.observe()) == []
        target.remove(installed)

    def test_removing_another_certificate_than_observed_is_refused(
        self, target: Target, bundle: Callable[[], Bundle]
    ) -> None:
        before = target.install(request("web", bundle()))
        after = target.install(request("web", bundle(), before))
        if before.id != after.id:
            pytest.skip("every certificate has an identity of its own")
        with pytest.raises(Conflict):
            target.remove(before)
        assert list(target.observe()) == [after]

    def test_what_is_foreign_is_reported_and_neither_claimed_nor_removed(
        self, target: Target, bundle: Callable[[], Bundle], intrude: Callable[[], str]
    ) -> None:
        target.install(request("web", bundle()))
        name = intrude()
        (foreign,) = [each for each in target.observe() if each.name == name]
        assert not foreign.owned_by(OURS)
        for attempt in (
            lambda: target.remove(foreign),
            lambda: target.remove(replace(foreign, labels=labels(name))),
            lambda: target.install(request(name, bundle())),
            lambda: target.install(request(name, bundle(), foreign)),
        ):
            with pytest.raises(ProviderError):
                attempt()
        assert foreign in target.observe()

    def test_a_predecessor_that_is_not_there_is_a_conflict(
        self, target: Target, bundle: Callable[[], Bundle]
    ) -> None:
        first = target.install(request("web", bundle()))
        for predecessor in (None, replace(first, sha256="0" * 64, serial="1")):
            with pytest.raises(Conflict):
                target.install(request("web", bundle(), predecessor))
        with pytest.raises(Conflict):
            target.install(request("other", bundle(), replace(first, name="other")))
        assert list(target.observe()) == [first]

    def test_a_key_of_another_certificate_is_refused(
        self, target: Target, bundle: Callable[[], Bundle]
    ) -> None:
        mixed = replace(bundle(), private_key=bundle().private_key)
        with pytest.raises(ProviderError) as refusal:
            target.install(request("web", mixed))
        assert not shows(mixed, str(refusal.value))
        assert list(target.observe()) == []

    def test_no_key_is_shown(self, target: Target, bundle: Callable[[], Bundle]) -> None:
        wanted = request("web", bundle())
        installed = target.install(wanted)
        for value in (wanted, installed, target, target.observe()):
            assert not shows(wanted.bundle, repr(value))

    def test_every_declared_key_algorithm_can_be_installed(
        self, target: Target, specimens: Specimens
    ) -> None:
        kinds = declared(target.capabilities)
        for number, kind in enumerate(kinds):
            made = specimens.bundle("www.example.com", datetime.now(UTC), kind)
            target.install(request(f"key-{number}", made))
        assert len(target.observe()) == len(kinds)

    def test_the_longest_name_can_be_installed(
        self, target: Target, bundle: Callable[[], Bundle]
    ) -> None:
        assert target.install(request(LONGEST, bundle())).name == LONGEST

    def test_relabelling_changes_the_labels_alone(
        self, target: Target, relabeler: Relabeler, bundle: Callable[[], Bundle]
    ) -> None:
        before = target.install(request("web", bundle()))
        other = {**labels("web"), SPEC: "f" * 32}
        after = relabeler.relabel(RelabelRequest(before, other))
        # a place that tells one date of change alone moves it for labels, too
        assert after == replace(before, labels=other, installed_at=after.installed_at)
        assert list(target.observe()) == [after]

    def test_relabelling_takes_off_the_labels_that_are_left_out(
        self, target: Target, relabeler: Relabeler, bundle: Callable[[], Bundle]
    ) -> None:
        before = target.install(request("web", bundle()))
        kept = {SPEC: before.labels[SPEC]}
        assert dict(relabeler.relabel(RelabelRequest(before, kept)).labels) == kept
        (after,) = target.observe()
        assert dict(after.labels) == kept
        assert not after.owned_by(OURS)
        told = target.inspect(after) if isinstance(target, Inspector) else after
        assert (told.id, told.serial) == (before.id, before.serial)

    def test_what_is_withdrawn_is_still_there_until_it_is_removed(
        self, target: Target, withdrawer: Withdrawer, bundle: Callable[[], Bundle]
    ) -> None:
        before = target.install(request("web", bundle()))
        withdrawer.withdraw(before)
        (hidden,) = target.observe()
        assert replace(hidden, drift=()) == before
        assert hidden.drift
        withdrawer.reinstate(before)
        assert list(target.observe()) == [before]
        withdrawer.withdraw(before)
        target.remove(before)
        assert list(target.observe()) == []

    def test_what_is_wanted_of_keystores_is_told_again(
        self, target: Target, bundle: Callable[[], Bundle]
    ) -> None:
        if not target.capabilities.keystores:
            pytest.skip("it writes no keystores")
        store = Keystore("pkcs12", "certificate", Secret(b"test-password"))
        wanted = Keystores("ab" * 16, (store,))
        installed = target.install(replace(request("web", bundle()), keystores=wanted))
        assert installed.keystores == wanted.digest
        assert list(target.observe()) == [installed]

    def test_what_is_not_as_observed_is_not_withdrawn(
        self, target: Target, withdrawer: Withdrawer, bundle: Callable[[], Bundle]
    ) -> None:
        before = target.install(request("web", bundle()))
        with pytest.raises(Conflict):
            withdrawer.withdraw(replace(before, sha256="0" * 64, serial="1"))
        assert list(target.observe()) == [before]

    def test_an_unreadable_place_is_unreachable(
        self, target: Target, bundle: Callable[[], Bundle], lose: Callable[[], None]
    ) -> None:
        target.install(request("web", bundle()))
        lose()
        with pytest.raises(Unreachable):
            target.observe()


def declared(capabilities: Capabilities) -> list[KeyType]:
    """Return every kind of key that a target says it can hold."""
    return [
        *(KeyType(algorithm=Algorithm.RSA, size=size) for size in capabilities.rsa_sizes),
        *(KeyType(algorithm=Algorithm.ECDSA, size=size) for size in capabilities.ecdsa_sizes),
        *([KeyType(algorithm=Algorithm.ED25519, size=P256.size)] if capabilities.ed25519 else []),
        *(KeyType(algorithm=Algorithm.ML_DSA, size=size) for size in capabilities.mldsa_sizes),
    ]


def shows(bundle: Bundle, text: str) -> bool:
    """Whether a text holds any part of a bundle's private key, however it is written."""
    return discloses(bundle.held_key, text)
