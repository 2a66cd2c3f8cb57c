"""Handshakes with servers that are slow, dead or wrong, on a clock of the test's own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from providers.base import Installed
from providers.errors import Conflict, Rejected
from providers.local import handshake
from schemas.target import Verify

SETTINGS = Verify(connect="127.0.0.1:443", timeout=timedelta(seconds=10))
Answer = Callable[[str, float], str]


@dataclass
class Rig:
    """A clock that only waiting moves, and a server that answers as it is told."""

    answer: Answer = lambda name, _now: name
    now: float = 1000.0
    asked: list[str] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def served(self, _connect: str, dns_name: str, timeout: float) -> str:
        self.asked.append(dns_name)
        try:
            return self.answer(dns_name, self.now)
        except TimeoutError:
            self.now += timeout
            raise


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    made = Rig()
    monkeypatch.setattr(handshake, "time", made)
    monkeypatch.setattr(handshake, "served", made.served)
    return made


def certificates(count: int) -> list[Installed]:
    """Return certificates whose digests are their names."""
    names = [f"web-{number}" for number in range(count)]
    return [Installed(name, name, {}, "1", name, None, dns_name=name) for name in names]


def verified(installed: list[Installed]) -> Iterator[Installed | Exception]:
    return iter(handshake.verify(SETTINGS, installed))


def silent(_name: str, _now: float) -> str:
    raise TimeoutError("timed out")


def refused(_name: str, _now: float) -> str:
    raise ConnectionRefusedError("refused")


def test_all_are_served(rig: Rig) -> None:
    wanted = certificates(100)
    assert list(verified(wanted)) == wanted


def test_a_dead_server_is_waited_for_once_however_many_certificates_it_should_serve(
    rig: Rig,
) -> None:
    rig.answer = silent
    begun = rig.now
    results = list(verified(certificates(1_000)))
    assert all(isinstance(each, Rejected) for each in results)
    assert len(results) == 1_000
    assert rig.now - begun < 2 * 10
    assert len(rig.asked) < 10


def test_a_server_that_refuses_is_asked_for_each_once_more_and_not_waited_for_again(
    rig: Rig,
) -> None:
    rig.answer = refused
    begun = rig.now
    assert len(list(verified(certificates(1_000)))) == 1_000
    assert rig.now - begun <= 10


def test_one_wrong_certificate_takes_nobody_elses_chance(rig: Rig) -> None:
    rig.answer = lambda name, _now: "another" if name == "web-0" else name
    wanted = certificates(5)
    first, *others = verified(wanted)
    assert isinstance(first, Rejected)
    assert "but serves another" in str(first)
    assert others == wanted[1:]


def test_a_reload_in_the_background_is_waited_for(rig: Rig) -> None:
    loaded = rig.now + 5
    rig.answer = lambda name, now: name if now >= loaded else "old"
    wanted = certificates(3)
    assert list(verified(wanted)) == wanted


def test_an_old_worker_that_answers_after_a_new_one_is_waited_for(rig: Rig) -> None:
    begun = rig.now

    def both(name: str, now: float) -> str:
        return "old" if len(rig.asked) % 2 == 0 and now < begun + 1 else name

    rig.answer = both
    wanted = certificates(1)
    assert list(verified(wanted)) == wanted
    assert rig.now >= begun + handshake.OVERLAP


def test_results_come_one_by_one_so_that_a_caller_can_keep_its_lock(rig: Rig) -> None:
    results = verified(certificates(3))
    next(results)
    assert set(rig.asked) == {"web-0"}


def test_what_failed_before_stays_as_it_is(rig: Rig) -> None:
    failed = Conflict("not what was installed")
    (wanted,) = certificates(1)
    assert list(handshake.verify(SETTINGS, [failed, wanted])) == [failed, wanted]


@pytest.mark.parametrize("connect", ["a..b:443", "127.0.0.1:99999", f"{'a' * 64}.example.com:443"])
@pytest.mark.parametrize("dns_name", ["www.example.com", ".example.com", "a..b", "x" * 300])
def test_what_no_socket_takes_is_told(connect: str, dns_name: str) -> None:
    settings = Verify.model_construct(connect=connect, timeout=timedelta(milliseconds=1))
    wanted = Installed("web", "web", {}, "1", "0" * 64, None, dns_name=dns_name)
    (result,) = handshake.verify(settings, [wanted])
    assert isinstance(result, Rejected)
    assert "the handshake fails" in str(result)
