"""Histories in which certificates move between our CAs and one of others that is slow and fails."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from fleet_sights import issuances
from history import History, failed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.errors import ProviderError, Throttled, Transient
from reconciler.ledger.records import Status
from reconciler.planning import pending
from schemas.certificate import Custody
from schemas.issuer import AwsPrivateCa, IssuerSpec

TAIL = "6b4b5c1e-9c5d-4f3a-8a7e-2f1d0c9b8a7f"
THEIRS = IssuerSpec(
    aws_private_ca=AwsPrivateCa(
        arn=f"arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/{TAIL}"
    )
)
FAILURES: tuple[ProviderError, ...] = (Transient("broken"), Throttled("too fast", 7200.0))
Step = tuple[str, int, int]


class Moving(History):
    """A history with one more CA, which is somebody else's."""

    verbs: ClassVar[dict[str, Callable[[History, int, int], object]]] = dict(History.verbs)

    def __init__(self) -> None:
        super().__init__()
        self.fleet.issuers = {"theirs": THEIRS}

    def heal(self) -> None:
        super().heal()
        desk = self.fleet.desk("theirs")
        desk.waits, desk.lost, desk.failures = 0, 0, []


def move(history: History, one: int, _: int) -> None:
    name = history.leaf(one)
    if name is not None:
        history.put(name, replace(history.fleet.leaves[name], issuer="theirs"))


def keep_waiting(history: History, one: int, _: int) -> None:
    history.fleet.desk("theirs").waits = one % 4


def lose_answers(history: History, one: int, _: int) -> None:
    history.fleet.desk("theirs").lost = one % 3


def refuse(history: History, one: int, two: int) -> None:
    history.fleet.desk("theirs").failures = [FAILURES[two % 2]] * (one % 3)


Moving.verbs |= {f.__name__: f for f in (move, keep_waiting, lose_answers, refuse)}
OWN = ("move", "move", "keep_waiting", "lose_answers", "refuse")
VERBS = (*sorted(Moving.verbs), *OWN, *OWN)
STEP = st.tuples(st.sampled_from(VERBS), st.integers(0, 20), st.integers(0, 20))
FIRST = st.tuples(st.just("add"), st.integers(0, 4), st.integers(0, 20))
HISTORY = st.tuples(st.lists(FIRST, min_size=1, max_size=4), st.lists(STEP, max_size=16))


@settings(
    deadline=None,
    max_examples=int(os.environ.get("EXAMPLES", "100")),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(HISTORY)
def test_whatever_happened_everything_is_known_installed_and_paid_for_once(
    steps: tuple[list[Step], list[Step]],
) -> None:
    history = Moving()
    start, rest = steps
    for step in (*start, ("move", 0, 0), ("reconcile", 0, 0), *rest):
        history.step(*step)
        known = history.fleet.journal.used
        assert set(history.fleet.desk("theirs").orders) <= known, "an order nobody knows of"
    history.heal()
    assert failed(history.apply()) == []
    again = history.fleet.plan()
    assert pending(again.changes) == ()
    _judge(history, frozenset(c.address.partition("@")[0] for c in again.changes))


def _judge(history: History, stuck: frozenset[str]) -> None:
    """No key is left, what is current is installed, and what was revoked the CA was told."""
    fleet = history.fleet
    for name, leaf in fleet.leaves.items():
        if f"certificate/{name}" in stuck or leaf.issuer != "theirs":
            continue
        record = fleet.journal.state.certificates[name]
        if any(placement.is_adopted for placement in record.placements):
            continue  # what was taken over stands for it as long as it lasts
        current = fleet.current(name)
        assert current.reference is not None
        assert current.order is not None
        for target, other in leaf.targets:
            assert fleet.installed(target, other or name).sha256 == current.sha256
        kept = name in fleet.kept_keys().values()
        assert not kept or leaf.custody is Custody.LEDGER or not leaf.targets
    for issuance in issuances(fleet.journal.state):
        told = issuance.serial in fleet.desk("theirs").revoked
        assert told == (issuance.status is Status.REVOKED and issuance.reference is not None)
