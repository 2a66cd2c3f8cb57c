"""A web server of our own, which is there for as long as it has something to answer."""

import http.client
import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from wire import free_port

from providers.errors import Conflict, Denied, NotFound, Rejected
from providers.registry import make_http_solver
from providers.solving import HttpSolver, WebFile
from schemas.solvers import Http01

PREFIX = "/.well-known/acme-challenge/"


def solver_on(listen: str) -> HttpSolver:
    return make_http_solver(Http01.model_validate({"standalone": {"listen": listen}}))


def file(token: str = "token-of_a-test", host: str = "www.example.com") -> WebFile:
    return WebFile(host, token, f"{token}.thumbprint")


@pytest.fixture
def port() -> Iterator[int]:
    before = set(threading.enumerate())
    port = free_port()
    yield port
    assert set(threading.enumerate()) == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 1)


def ask(port: int, path: str, *, host: str = "127.0.0.1", verb: str = "GET") -> tuple[int, str]:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request(verb, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_it_answers_by_ipv4_and_ipv6_until_it_is_cleaned_up(port: int, host: str) -> None:
    if host == "::1" and not _has_ipv6():
        pytest.skip("this host has no IPv6")
    solver = solver_on(f"[::]:{port}")
    for _ in range(2):
        solver.present(file())
    assert ask(port, PREFIX + "token-of_a-test", host=host) == (200, "token-of_a-test.thumbprint")
    for _ in range(2):
        solver.clean_up(file())


@pytest.mark.parametrize(
    "path",
    [
        *("/", PREFIX, PREFIX + "other", PREFIX + "token-of_a-test/", PREFIX + "token-of_a-test?x"),
        *(
            "//.well-known/acme-challenge/token-of_a-test",
            PREFIX + "../acme-challenge/token-of_a-test",
        ),
        PREFIX + "token%2Dof_a-test",
    ],
)
def test_it_answers_nothing_but_the_exact_path(port: int, path: str) -> None:
    solver = solver_on(f"127.0.0.1:{port}")
    solver.present(file())
    try:
        assert ask(port, path) == (404, "")
    finally:
        solver.clean_up(file())


def test_it_takes_no_other_verb(port: int) -> None:
    solver = solver_on(f"127.0.0.1:{port}")
    solver.present(file())
    try:
        assert ask(port, PREFIX + "token-of_a-test", verb="HEAD") == (200, "")
        assert ask(port, PREFIX + "token-of_a-test", verb="POST")[0] == 501
    finally:
        solver.clean_up(file())


def test_challenges_of_several_certificates_share_a_port(port: int) -> None:
    files = [file(f"token{n}", f"www{n}.example.com") for n in range(8)]
    solvers = [solver_on(f"[::]:{port}") for _ in files]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda pair: pair[0].present(pair[1]), zip(solvers, files, strict=True)))
        found = list(pool.map(lambda each: ask(port, PREFIX + each.token)[1], files))
        assert found == [each.content for each in files]
        list(
            pool.map(lambda pair: pair[0].clean_up(pair[1]), zip(solvers, files[:-1], strict=False))
        )
        assert ask(port, PREFIX + files[0].token) == (404, "")
        assert ask(port, PREFIX + files[-1].token) == (200, files[-1].content)
    solvers[0].clean_up(files[-1])


def test_a_client_that_says_nothing_keeps_nobody_waiting(port: int) -> None:
    solver = solver_on(f"127.0.0.1:{port}")
    solver.present(file())
    with socket.create_connection(("127.0.0.1", port)) as silent:
        assert ask(port, PREFIX + "token-of_a-test")[0] == 200
        solver.clean_up(file())  # hangs up on whoever is there
        assert silent.recv(1) == b""


def test_more_clients_than_it_has_room_for_are_turned_away(port: int) -> None:
    solver = solver_on(f"127.0.0.1:{port}")
    solver.present(file())
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(70)]
    try:
        silent[-1].settimeout(5)
        assert silent[-1].recv(1) == b""
        assert sum(t.name.startswith("Thread") for t in threading.enumerate()) <= 70
    finally:
        for each in silent:
            each.close()
        solver.clean_up(file())


def test_a_port_that_is_taken_is_told(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        for listen in (f"127.0.0.1:{port}", f"[::]:{port}"):
            with pytest.raises(Conflict, match=f"something else of this host has port {port}"):
                solver_on(listen).present(file())
            solver_on(listen).clean_up(file())


def test_an_address_that_is_not_this_host_s_is_told(port: int) -> None:
    with pytest.raises(NotFound, match="has no such address"):
        solver_on(f"192.0.2.1:{port}").present(file())


def test_a_port_that_only_root_may_have_is_told() -> None:
    if os.geteuid() == 0:
        pytest.skip("root may have every port")
    with pytest.raises(Denied, match="port 80 takes root"):
        solver_on("127.0.0.1:80").present(file())


def test_a_token_that_is_not_base64url_is_refused(port: int) -> None:
    with pytest.raises(Rejected, match="not base64url"):
        solver_on(f"127.0.0.1:{port}").present(file("../token"))
