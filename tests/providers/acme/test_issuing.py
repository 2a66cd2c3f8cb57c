"""Certificates by ACME, proved by HTTP: names, addresses, accounts, and nonces that are refused."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import acme_ca_rig
import pytest
from acme_ca_rig import Buyer, Keyring
from acme_front import Front, purpose
from name_server_ports import HOST
from pebble import Pebble
from wire import Request, Response

from providers import x509
from providers.errors import Denied
from providers.issuing import Issuer, Pending, RenewalAdvisor, Revoker


def _listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex((HOST, port)) == 0


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _served(root: Path, port: int) -> Iterator[None]:
    """Serve a directory as a web server of this host does."""
    with ThreadingHTTPServer((HOST, port), partial(_Quiet, directory=str(root))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def test_it_is_an_issuer_that_revokes_and_advises(pebble: Pebble) -> None:
    issuer: Issuer = acme_ca_rig.issuer(pebble)
    assert isinstance(issuer, Revoker)
    assert isinstance(issuer, RenewalAdvisor)


def test_names_and_an_address_are_proved_by_http(pebble: Pebble, buyer: Buyer) -> None:
    issuer = acme_ca_rig.issuer(pebble)
    issued = buyer.buy(issuer, "a.example.com", "b.example.com", ip_addresses=("127.0.0.1",))
    facts = x509.facts(issued.certificate)
    assert set(facts.dns_names) == {"a.example.com", "b.example.com"}
    assert len(issued.chain) == 1
    assert not issued.anchors  # the CA sends none
    assert not _listens(pebble.web_port)


def test_a_common_name_that_is_a_name_is_taken(pebble: Pebble, buyer: Buyer) -> None:
    issuer = acme_ca_rig.issuer(pebble)
    issued = buyer.buy(issuer, "Named.example.com", common_name="Named.example.com")
    (name,) = x509.facts(issued.certificate).dns_names
    assert name.lower() == "named.example.com"


def test_a_file_of_a_web_server_proves_a_name_and_is_gone_afterwards(
    pebble: Pebble, buyer: Buyer, tmp_path: Path
) -> None:
    solver = {"http01": {"webroot": {"path": str(tmp_path)}}}
    with _served(tmp_path, pebble.web_port):
        buyer.buy(acme_ca_rig.issuer(pebble, solvers=(solver,)), "web.example.com")
    assert not list((tmp_path / ".well-known/acme-challenge").iterdir())


def test_what_cannot_be_taken_away_is_told_with_the_certificate(
    front: Front, buyer: Buyer, tmp_path: Path
) -> None:
    solver = {"http01": {"webroot": {"path": str(tmp_path)}}}
    there = tmp_path / ".well-known/acme-challenge"

    def spoiling(asked: Request) -> Response:
        answer = front.passed(asked)
        if purpose(asked) == "authorization" and b'"valid"' in answer.body and there.is_dir():
            there.rename(tmp_path / "elsewhere")
            there.touch()
        return answer

    front.instead = spoiling
    issuer = acme_ca_rig.issuer(front, solvers=(solver,))
    with _served(tmp_path, front.web_port):
        (told,) = buyer.buy(issuer, "left.example.com").remarks
        assert told.startswith("what proved left.example.com was not taken away: ")
        there.unlink()
        front.instead = lambda _: None
        assert not buyer.buy(issuer, "next.example.com").remarks


def test_what_the_ca_has_not_looked_at_stays_until_the_next_run(
    front: Front, buyer: Buyer, tmp_path: Path
) -> None:
    keyring = Keyring({"account": acme_ca_rig.pem_key()})
    there = tmp_path / ".well-known/acme-challenge"
    solver = {"http01": {"webroot": {"path": str(tmp_path)}}}
    request = buyer.ask("slow.example.com")
    front.instead = lambda asked: Response(200) if purpose(asked) == "challenge" else None
    slow = acme_ca_rig.issuer(front, keyring, solvers=(solver,))
    slow.patience, slow.sleep = 0, lambda _: None
    answer = slow.issue(request)
    assert isinstance(answer, Pending)
    assert len(list(there.iterdir())) == 1
    front.instead = lambda _: None
    with _served(tmp_path, front.web_port):
        quick = acme_ca_rig.issuer(front, keyring, solvers=(solver,))
        acme_ca_rig.bought(quick, replace(request, resume=answer.resume))
    assert not list(there.iterdir())


def test_the_order_is_known_before_the_ca_looks_and_before_it_is_finalized(
    pebble: Pebble, buyer: Buyer
) -> None:
    seen: list[bool] = []
    request = buyer.ask("known.example.com")
    issuer = acme_ca_rig.issuer(pebble)
    noting = replace(request, checkpoint=lambda _: seen.append(_listens(pebble.web_port)))
    acme_ca_rig.bought(issuer, noting)
    assert seen[0] is False


@pytest.mark.parametrize("refused", ["50", "90"])
def test_refused_nonces_cost_time_alone(tmp_path: Path, buyer: Buyer, refused: str) -> None:
    with Pebble.running(tmp_path / "ca", {"PEBBLE_WFE_NONCEREJECT": refused}) as ca:
        issuer = acme_ca_rig.issuer(ca)
        issuer.sleep = lambda _: None
        for number in range(3):
            buyer.buy(issuer, f"n{number}.example.com")


def test_names_that_are_proved_already_need_no_solver(tmp_path: Path, buyer: Buyer) -> None:
    with Pebble.running(tmp_path / "ca", {"PEBBLE_AUTHZREUSE": "100"}) as ca:
        keyring = Keyring({"account": acme_ca_rig.pem_key()})
        buyer.buy(acme_ca_rig.issuer(ca, keyring), "again.example.com")
        elsewhere = {"selector": {"dnsNames": ("else.example.com",)}, **acme_ca_rig.http_solver(ca)}
        idle = acme_ca_rig.issuer(ca, keyring, solvers=(elsewhere,))
        buyer.buy(idle, "again.example.com")
        with pytest.raises(Denied, match=r"no solver of the Issuer is for new\.example\.com"):
            idle.issue(buyer.ask("new.example.com"))
