"""TXT records by dynamic update, at a real Knot DNS."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.opcode
import pytest
from knot import KEY, KEY_NAME, Knot, knot_running
from name_server_ports import HOST
from wire import free_port

from providers.calls import Calls
from providers.errors import Conflict, Denied, NotFound, ProviderError, Rejected
from providers.registry import dns_solver_class, make_dns_solver
from providers.secret import Secret
from providers.solver_conformance import DnsSolverConformance, Values, proof
from providers.solvers.nameservers import explain
from providers.solvers.rfc2136 import Rfc2136Solver
from providers.solving import DnsSolver, TxtRecord
from schemas.solvers import Dns01

RECORDS = """\
_acme-challenge.cname CNAME elsewhere.example.org.
below NS ns.example.net.
_acme-challenge.full TXT "somebody else's"
"""
RECORD = TxtRecord("_acme-challenge.www.example.com", proof("one"))


@pytest.fixture(scope="module")
def knot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Knot]:
    zones = {"example.com": RECORDS, "deep.example.com": ""}
    with knot_running(tmp_path_factory.mktemp("knot"), zones) as running:
        yield running


class TestKnot(DnsSolverConformance):
    @pytest.fixture
    def solver(self, knot: Knot) -> DnsSolver:
        return dns_solver_class("rfc2136").from_config(knot.config())

    @pytest.fixture
    def again(self, knot: Knot) -> DnsSolver:
        dns01 = Dns01(rfc2136=knot.settings())
        return make_dns_solver(dns01, lambda _: Secret(KEY.encode()))

    @pytest.fixture
    def values(self, knot: Knot) -> Values:
        return knot.values


def test_a_value_goes_into_the_closest_zone_that_the_server_keeps(knot: Knot) -> None:
    record = TxtRecord("_acme-challenge.www.deep.example.com", proof("one"))
    solver = Rfc2136Solver.from_config(knot.config())
    solver.present(record)
    assert knot.values(record.name) == {record.value}
    solver.clean_up(record)


def test_values_of_others_stay(knot: Knot) -> None:
    record = TxtRecord("_acme-challenge.full.example.com", proof("one"))
    solver = Rfc2136Solver.from_config(knot.config())
    solver.present(record)
    assert knot.values(record.name) == {record.value, "somebody else's"}
    solver.clean_up(record)
    assert knot.values(record.name) == {"somebody else's"}


def test_a_name_that_is_a_cname_is_refused_with_what_to_write(knot: Knot) -> None:
    solver = Rfc2136Solver.from_config(knot.config())
    with pytest.raises(Conflict, match="cnameStrategy: Follow"):
        solver.present(TxtRecord("_acme-challenge.cname.example.com", proof("one")))


OTHER = "b3RoZXIgdGVzdCBrZXksIHRvbywgZ3VhcmRzIG5vdGg="


@pytest.mark.parametrize(
    ("secret", "changed", "name", "error", "words"),
    [
        (OTHER, {}, "www.example.com", Denied, "another secret"),
        (
            KEY,
            {"tsig_key_name": "unknown"},
            "www.example.com",
            Denied,
            "does not know the TSIG key",
        ),
        (KEY, {"tsig_algorithm": "hmac-sha512"}, "www.example.com", Denied, "does not know"),
        (
            KEY,
            {"tsig_key_name": "a-test-key-without-rights"},
            "www.example.com",
            Denied,
            "no right",
        ),
        (KEY, {}, "www.example.org", NotFound, "keeps no zone that .*example.org is in"),
        (KEY, {}, "www.below.example.com", NotFound, "leaves below.example.com to other"),
        ("not base64!", {}, "www.example.com", Rejected, "is not base64"),
        ("", {}, "www.example.com", Rejected, "is not base64"),
        (KEY, {"tsig_key_name": "a..b"}, "www.example.com", Rejected, "no name of a TSIG key"),
    ],
)
def test_what_a_server_does_not_take_is_told(
    knot: Knot,
    secret: str,
    changed: dict[str, str],
    name: str,
    error: type[ProviderError],
    words: str,
) -> None:
    solver = Rfc2136Solver.from_config(knot.config(secret, **changed))
    with pytest.raises(error, match=words) as raised:
        solver.present(TxtRecord(f"_acme-challenge.{name}", proof("one")))
    told = f"{raised.value!r} {raised.value.__context__} {solver!r}"
    assert not secret or secret not in told
    assert knot.values(f"_acme-challenge.{name}") == frozenset()


def test_a_server_that_is_not_there_is_told_after_a_while() -> None:
    solver = Rfc2136Solver.from_config(Knot(free_port()).config())
    solver.timeout = 0.1
    solver.calls = Calls(lambda error: explain(error, "it"), patience=0.1)
    with pytest.raises(ProviderError, match="gave no answer in time"):
        solver.present(RECORD)


@dataclass
class Lossy:
    """Passes datagrams on to a name server; of updates, every answer or the datagram itself is lost."""

    port: int
    knot: Knot
    delivers: bool

    def run(self, udp: socket.socket, ended: threading.Event) -> None:
        while not ended.is_set():
            try:
                wire, client = udp.recvfrom(4096)
            except TimeoutError:
                continue
            is_update = wire[2] >> 3 & 15 == dns.opcode.UPDATE
            if is_update and not self.delivers:
                continue
            with socket.socket(type=socket.SOCK_DGRAM) as beyond:
                beyond.settimeout(5)
                beyond.sendto(wire, (HOST, self.knot.port))
                answer = beyond.recv(4096)
            if not is_update:
                udp.sendto(answer, client)


@contextmanager
def lossy(knot: Knot, *, delivers: bool) -> Iterator[int]:
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind((HOST, 0))
        udp.settimeout(0.05)
        port: int = udp.getsockname()[1]
        ended = threading.Event()
        thread = threading.Thread(target=Lossy(port, knot, delivers).run, args=(udp, ended))
        thread.start()
        try:
            yield port
        finally:
            ended.set()
            thread.join()


def test_an_update_whose_answer_is_lost_is_read_back(knot: Knot) -> None:
    with lossy(knot, delivers=True) as port:
        solver = Rfc2136Solver.from_config(Knot(port).config())
        solver.timeout = 0.3
        solver.present(RECORD)
        assert knot.values(RECORD.name) == {RECORD.value}
        solver.clean_up(RECORD)
    assert knot.values(RECORD.name) == frozenset()


def test_an_update_that_is_lost_is_sent_once_more_and_told_if_that_is_lost_too(knot: Knot) -> None:
    with lossy(knot, delivers=False) as port:
        solver = Rfc2136Solver.from_config(Knot(port).config())
        solver.timeout = 0.1
        solver.calls = Calls(lambda error: explain(error, "it"), patience=0.1)
        with pytest.raises(ProviderError, match="nothing answers"):  # nothing listens there by TCP
            solver.present(RECORD)
    assert knot.values(RECORD.name) == frozenset()


def test_the_rights_that_the_page_gives_in_knot_are_enough_and_no_more(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "solvers.md").read_text()
    acl = page.partition("In Knot:\n\n```yaml\n")[2].partition("```")[0]
    acl = acl.replace(": certform\n", f": {KEY_NAME}\n")
    with knot_running(tmp_path, {"example.com": ""}, acl) as knot:
        solver = Rfc2136Solver.from_config(knot.config())
        solver.present(RECORD)
        assert knot.values(RECORD.name) == {RECORD.value}
        solver.clean_up(RECORD)
        assert knot.values(RECORD.name) == frozenset()
        with pytest.raises(Denied):
            solver.present(TxtRecord("_acme-challenge.mail.example.com", proof("one")))
