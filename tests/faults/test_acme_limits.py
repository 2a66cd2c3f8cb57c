"""A CA that is overloaded, or keeps its limits, over the wire: nothing is paid for twice."""

import os
import random
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from acme_ca_rig import pem_key
from acme_door import Door
from acme_estate import ISSUER, AcmeEstate
from acme_fleet import DUE, AcmeFleet
from acme_forge import Forge
from acme_front import problem
from acme_limits import Limits
from fleet_documents import Leaf
from key_kinds import P256
from memory_ledger import Crash
from name_server_ports import HOST
from pebble import Pebble
from rig import Workshop
from token_buckets import CONSECUTIVE, FAILURES, ORDERS, SAME_NAMES, beyond, by_key, peak
from wire import Response, Way

from reconciler.apply import apply
from reconciler.events import EventStatus
from reconciler.planning import make_plan, pending
from schemas.quotas import LETS_ENCRYPT

DAYS = int(os.environ.get("DAYS", "90"))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TRUSTING = {"PEBBLE_VA_ALWAYS_VALID": "1"}
ASKED = (
    *("directory", "newNonce", "newAccount", "newOrder", "authorization"),
    *("challenge", "order", "finalize", "certificate"),
)
SEVERAL = 6


@pytest.fixture(scope="module")
def pebble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    with Pebble.running(tmp_path_factory.mktemp("pebble"), TRUSTING) as ca:
        yield ca


@pytest.fixture
def door(pebble: Pebble, tmp_path: Path) -> Iterator[Door]:
    with Door.before(pebble, tmp_path / "door") as door:
        yield door


def _several(door: Door) -> AcmeFleet:
    """Certificates of as many domains."""
    leaves = {f"n{n}": Leaf("le", names=(f"www.n{n}.com",), key=P256) for n in range(SEVERAL)}
    return AcmeFleet.of(leaves, door)


def _converged(fleet: AcmeFleet) -> None:
    with fleet.haste.everywhere():
        fleet.converge()


_UNDONE = (EventStatus.FAILED, EventStatus.POSTPONED)


def _failures(fleet: AcmeFleet) -> list[str]:
    with fleet.haste.everywhere():
        return [e.message for e in fleet.apply() if e.status in _UNDONE]


@pytest.mark.parametrize("refused", ["50", "75", "90"])
def test_refused_nonces_cost_no_order(tmp_path: Path, refused: str) -> None:
    busy = {**TRUSTING, "PEBBLE_WFE_NONCEREJECT": refused}
    with (
        Pebble.running(tmp_path / "pebble", busy) as pebble,
        Door.before(pebble, tmp_path / "door") as door,
    ):
        _converged(_several(door))
        assert door.done["newOrder"] == door.done["finalize"] == SEVERAL
        assert door.wire.counts["newOrder"] > SEVERAL


@pytest.mark.parametrize("what", ASKED)
def test_a_ca_that_is_busy_for_a_while_is_waited_for(door: Door, what: str) -> None:
    fleet = AcmeFleet.at(door)
    door.wire.fail(what, Way.REFUSED, Response(503, b"", {"Retry-After": "20"}), times=2)
    _converged(fleet)
    assert door.done["newOrder"] == door.done["finalize"] == 1
    assert fleet.haste.slept >= 40


@pytest.mark.parametrize("what", ASKED)
def test_a_ca_that_is_busy_for_hours_is_asked_once_and_when_it_said(door: Door, what: str) -> None:
    fleet = AcmeFleet.at(door)
    door.wire.fail(what, Way.REFUSED, Response(503, b"", {"Retry-After": "7200"}), times=None)
    assert _failures(fleet) == [f"localhost:{door.wire.port}: HTTP 503"]
    assert door.wire.counts[what] == 1
    again = fleet.attempts.again_at
    assert again is not None
    assert again - fleet.now == 2 * HOUR
    door.heal()
    _converged(fleet.later())
    assert door.done["newOrder"] == door.done["finalize"] == 1


@pytest.mark.parametrize("what", ["newOrder", "finalize", "certificate"])
def test_answers_that_are_lost_for_a_whole_run_cost_no_certificate(door: Door, what: str) -> None:
    """An order may be lost, twice in a run; what is finalized never is."""
    fleet = AcmeFleet.at(door)
    door.wire.fail(what, Way.UNANSWERED, times=None)
    failed = _failures(fleet)
    assert len(failed) == (0 if what == "finalize" else 1), "what was finalized is read back"
    door.heal()
    _converged(fleet.later() if failed else fleet)
    assert door.done["finalize"] == 1
    assert door.done["newOrder"] == (3 if what == "newOrder" else 1)
    assert len(fleet.spent) == (2 if what == "newOrder" else 1)


def test_a_certificate_that_takes_longer_than_a_run_is_fetched_by_the_next(door: Door) -> None:
    fleet = AcmeFleet.at(door)
    fleet.hurried = True
    for what in ("finalize", "order"):
        door.tell(what, _unfinished)
    for _ in range(3):
        assert fleet.outcome().message == "the CA's order is processing; the next run asks again"
        fleet.now += HOUR
    assert fleet.record.attempts is None
    door.heal()
    _converged(fleet)
    assert door.done["newOrder"] == door.done["finalize"] == len(fleet.spent) == 1


def _unfinished(said: dict[str, object]) -> dict[str, object]:
    """What an order says that is being worked on."""
    return said if said["status"] != "valid" else {**said, "status": "processing"}


@pytest.mark.parametrize("wait", ["3600", None])
def test_a_ca_that_has_had_enough_is_not_asked_for_the_rest(door: Door, wait: str | None) -> None:
    fleet = _several(door)
    headers = {} if wait is None else {"Retry_After": wait}
    door.answer("newOrder", problem(429, "rateLimited", "too many new orders", **headers))
    failed = _failures(fleet)
    assert len(failed) == SEVERAL
    assert all("rateLimited: too many new orders" in message for message in failed)
    assert door.wire.counts["newOrder"] == 2, "one more order tells whether it means everybody"
    door.heal()
    fleet.now += 2 * HOUR
    _converged(fleet)
    assert door.done["newOrder"] == SEVERAL


def test_a_ca_that_is_down_for_a_whole_run_is_not_asked_for_all(door: Door) -> None:
    fleet = _several(door)
    door.wire.fail("*", Way.DROPPED, times=None)
    assert len(_failures(fleet)) == SEVERAL
    assert len(door.wire.asked) < 3 * 40, "three orders that nobody answers are enough"
    door.heal()
    fleet.now += HOUR
    _converged(fleet)
    assert door.done["newOrder"] == SEVERAL


def test_by_the_command_line_a_slow_ca_is_4_and_the_next_run_finishes(
    pebble: Pebble, door: Door, workshop: Workshop, tmp_path: Path
) -> None:
    with AcmeEstate.founded(workshop.runner, tmp_path / "estate") as estate:
        (estate.repository.root / "authorities/ca.yaml").unlink()
        estate.write("config/acme-ca.pem", door.anchors.decode())
        listen = f"{HOST}:{pebble.web_port}"
        estate.write("config/issuers.yaml", ISSUER.format(url=door.url, listen=listen))
        estate.seal("secrets/acme.sops.yaml", {"account": pem_key()})
        estate.want("web.example.com")
        for what in ("finalize", "order"):
            door.changes[what] = lambda answer: replace(
                answer,
                body=answer.body.replace(b'"valid"', b'"processing"'),
                headers={**answer.headers, "Retry-After": "86400"},
            )
        ended = estate.apply()
        assert ended.status == 4, ended.out + ended.err
        assert "the CA's order is processing; the next run asks again" in ended.err
        door.heal()
        estate.settle()
        assert door.done["newOrder"] == door.done["finalize"] == 1


LIVES = {"short": 6 * DAY, "long": 30 * DAY, "lost": 10 * DAY}
HEALTHY = ("short0", "short1", "long0", "long1")
BAD = ("never0", "never1")


def _leaves() -> dict[str, Leaf]:
    """Healthy ones, one whose name is lost after three days, and two that never can be proved."""

    def leaf(*names: str, days: int) -> Leaf:
        return Leaf("le", (), names, days=days, renew_before=days // 3, key=P256)

    well = {n: leaf(f"{n}.example.com", days=_life([n]).days) for n in (*HEALTHY, "lost")}
    bad = {n: leaf("bad.example.net", f"{n}.example.net", days=30) for n in BAD}
    return {**well, **bad}


def _life(names: Collection[str]) -> timedelta:
    """How long the CA lets a certificate live."""
    first = min(names)
    return next((life for kind, life in LIVES.items() if first.startswith(kind)), 30 * DAY)


class Quarter:
    """Ninety days of hourly runs, one of twenty of which dies."""

    def __init__(self, door: Door) -> None:
        self.random = random.Random(7)
        self.fleet = AcmeFleet.of(_leaves(), door, quotas=LETS_ENCRYPT)
        self.fleet.targets = ()
        self.start = self.fleet.now
        forge = Forge.made(self.start - DAY)
        self.limits = Limits(door, self.fleet.clock, forge, _life, self.proves)
        self.limits.guard()

    def proves(self, name: str, now: datetime) -> bool:
        lost = name.startswith("lost") and now > self.start + 3 * DAY
        return not (lost or name == "bad.example.net")

    def run(self, *, first: bool = False) -> None:
        """Apply once, or die at some wave of it, right before or after it is kept."""
        journal = self.fleet.journal
        dies = self.random.random() < 0.05
        journal.crash_at = self.random.randrange(1, 4) if dies else None
        journal.crash_after = self.random.random() < 0.5
        try:
            session = self.fleet.session()
            plan = make_plan(session.world, None if first else DUE)
            for _ in apply(session, pending(plan.changes)):
                pass
        except Crash:
            pass
        finally:
            journal.crash_at = None


def test_in_ninety_days_a_real_client_is_refused_nothing_for_a_limit(
    door: Door, tell: Callable[[str], None]
) -> None:
    quarter = Quarter(door)
    fleet, limits = quarter.fleet, quarter.limits
    with fleet.haste.everywhere():
        for _ in range(3):
            quarter.run(first=True)
        for _ in range(24 * DAYS):
            fleet.now += HOUR
            quarter.run()
            for name in HEALTHY:
                assert fleet.current(name).not_after > fleet.now, f"{name} has expired"
    assert limits.buckets.refusals == []
    assert limits.buckets.paused == set()
    assert list(beyond(limits.sold, SAME_NAMES)) == []
    assert peak((at for _, at in limits.asked), ORDERS.window) <= ORDERS.most
    never = [at for names, at in limits.asked if "bad.example.net" in names]
    assert DAYS <= len(never) <= len(BAD) * (DAYS + 8), "tried again, once a day"
    assert peak(never, HOUR) <= FAILURES.most
    assert limits.buckets.left(CONSECUTIVE, "bad.example.net", fleet.now) > CONSECUTIVE.most / 2
    for name in BAD:
        assert fleet.journal.state.certificates[name].current is None
    assert set(by_key(limits.sold)) >= {f"{name}.example.com" for name in HEALTHY}
    orders, sold = len(limits.asked), len(limits.sold)
    tell(
        f"{DAYS} days at a CA with limits: {orders} orders, {len(never)} of them in vain, {sold} sold"
    )
