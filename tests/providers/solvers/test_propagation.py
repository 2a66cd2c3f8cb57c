"""Waiting until real name servers answer a record."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from knot import Knot, knot_running
from name_server_ports import HOST
from wire import free_port

from providers.errors import NotFound, Transient
from providers.solver_conformance import proof
from providers.solvers.lookups import Lookups, Server
from providers.solvers.nameservers import Address
from providers.solvers.propagation import PropagationWait
from providers.solvers.rfc2136 import Rfc2136Solver
from providers.solving import TxtRecord
from schemas.solvers import Propagation

ZONES = {
    "example.com": "_acme-challenge.alias CNAME elsewhere.example.org.",
    "half.example.net": "@ NS nowhere",
    "twice.example.net": f'ns1 AAAA ::1\n_acme-challenge.www TXT "{proof("one")}"',
}
TWICE = TxtRecord("_acme-challenge.www.twice.example.net", proof("one"))
RECORD = TxtRecord("_acme-challenge.www.example.com", proof("one"))


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Knot, Knot]]:
    folder = tmp_path_factory.mktemp
    with knot_running(folder("one"), ZONES) as one, knot_running(folder("two"), ZONES) as other:
        yield one, other


@dataclass
class Time:
    """A clock that goes on while somebody sleeps; `then` is done in the `turn`th sleep."""

    then: Callable[[], None] = lambda: None
    turn: int = 3
    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        self.now += seconds
        if len(self.slept) == self.turn:
            self.then()

    def waiting(self, settings: Propagation, lookups: Lookups | None = None) -> PropagationWait:
        wait = PropagationWait(settings, self.sleep, lambda: self.now)
        return replace(wait, lookups=lookups) if lookups else wait


def settings(*servers: Knot, seconds: int = 120) -> Propagation:
    return Propagation(
        timeout=timedelta(seconds=seconds), nameservers=tuple(each.nameserver for each in servers)
    )


@pytest.fixture
def presented(servers: tuple[Knot, Knot]) -> Iterator[Knot]:
    """The server that has the record, while the other lacks it."""
    solvers = [Rfc2136Solver.from_config(each.config()) for each in servers]
    solvers[0].present(RECORD)
    yield servers[0]
    for solver in solvers:
        solver.clean_up(RECORD)


def test_what_is_answered_everywhere_is_not_waited_for(presented: Knot) -> None:
    clock = Time()
    clock.waiting(settings(presented)).until_answered([RECORD])
    assert clock.slept == []
    PropagationWait(settings(presented)).until_answered([RECORD])


def test_the_last_server_is_waited_for(servers: tuple[Knot, Knot], presented: Knot) -> None:
    other = Rfc2136Solver.from_config(servers[1].config())
    clock = Time(lambda: other.present(RECORD))
    clock.waiting(settings(*servers)).until_answered([RECORD])
    assert clock.slept == [0.5, 1, 2]


def test_the_server_that_lacks_it_is_named_after_the_time_out(
    servers: tuple[Knot, Knot], presented: Knot
) -> None:
    clock = Time()
    with pytest.raises(Transient) as raised:
        clock.waiting(settings(*servers, seconds=60)).until_answered([RECORD])
    assert f"after 1m: {servers[1].nameserver} does not have it" in str(raised.value)
    assert presented.nameserver not in str(raised.value)
    assert sum(clock.slept) == 60
    assert len(clock.slept) < 15


def test_another_value_is_not_enough(presented: Knot) -> None:
    other = TxtRecord(RECORD.name, proof("other"))
    with pytest.raises(Transient, match=r"does not have it at _acme-challenge\.www"):
        Time().waiting(settings(presented, seconds=1)).until_answered([RECORD, other])


def test_a_cname_in_its_place_is_told(servers: tuple[Knot, Knot]) -> None:
    record = TxtRecord("_acme-challenge.alias.example.com", proof("one"))
    with pytest.raises(Transient, match="cnameStrategy: Follow"):
        Time().waiting(settings(servers[0], seconds=1)).until_answered([record])


def test_a_server_that_does_not_answer_is_told(
    monkeypatch: pytest.MonkeyPatch, presented: Knot
) -> None:
    monkeypatch.setattr("providers.solvers.propagation._TIMEOUT", 0.1)
    silent = Knot(free_port())
    with pytest.raises(Transient, match=f"{silent.nameserver} gives no answer"):
        Time().waiting(settings(presented, silent, seconds=1)).until_answered([RECORD])


def test_without_name_servers_those_of_the_zone_are_asked(presented: Knot) -> None:
    """NS records name ns1.example.com, whose address is this host's; the rig's server has another port."""
    lookups = Lookups((presented.nameserver,), presented.port)
    found = lookups.authoritative(RECORD.name)
    assert found == (Server("ns1.example.com", (Address(HOST, presented.port),)),)
    clock = Time()
    clock.waiting(Propagation(), lookups).until_answered([RECORD])
    assert clock.slept == []
    missing = TxtRecord("_acme-challenge.other.example.com", proof("one"))
    with pytest.raises(Transient, match=r"ns1\.example\.com does not have it"):
        Time().waiting(Propagation(), lookups).until_answered([missing])


def test_an_address_that_nobody_answers_at_does_not_count_where_another_does(
    monkeypatch: pytest.MonkeyPatch, presented: Knot
) -> None:
    monkeypatch.setattr("providers.solvers.propagation._TIMEOUT", 0.1)
    lookups = Lookups((presented.nameserver,), presented.port)
    (server,) = lookups.authoritative("_acme-challenge.www.twice.example.net")
    assert [address.host for address in server.addresses] == [HOST, "::1"]
    clock = Time()
    clock.waiting(Propagation(timeout=timedelta(0)), lookups).until_answered([TWICE])
    assert clock.slept == []


def test_a_name_server_without_an_address_does_not_count_where_another_has_one(
    servers: tuple[Knot, Knot],
) -> None:
    lookups = Lookups((servers[0].nameserver,))
    found = lookups.authoritative("_acme-challenge.www.half.example.net")
    assert [server.name for server in found] == ["ns1.half.example.net"]
    with pytest.raises(NotFound, match=r"no name server has an address: .*nowhere\.half"):
        lookups._servers(["nowhere.half.example.net"])
