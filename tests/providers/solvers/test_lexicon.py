"""TXT records by dns-lexicon, at a real PowerDNS."""

import logging
import socket
import threading
from collections.abc import Iterator

import pytest
from powerdns import API_KEY, PowerDns, powerdns_running
from wire import free_port

from providers.errors import Ambiguous, Denied, NotFound, ProviderError, Rejected
from providers.registry import dns_solver_class
from providers.secret import Secret
from providers.solver_conformance import DnsSolverConformance, Values, proof
from providers.solvers.lexicon import LexiconSolver
from providers.solving import DnsSolver, SolverConfig, TxtRecord
from schemas.secrets import SecretReference
from schemas.solvers import Lexicon

RECORD = TxtRecord("_acme-challenge.www.example.com", proof("one"))
REFERENCE = SecretReference(name="powerdns.sops.yaml", key="key")


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Lexicon would fetch the list of public suffixes; without it, it takes the one it brings along."""
    monkeypatch.setenv("TLDEXTRACT_CACHE_PATH", str(tmp_path_factory.getbasetemp() / "suffixes"))
    monkeypatch.setenv("TLDEXTRACT_CACHE_TIMEOUT", "0.01")


@pytest.fixture(scope="module")
def powerdns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PowerDns]:
    folder = tmp_path_factory.mktemp("powerdns")
    with powerdns_running(folder, "example.com", "acme.example.net") as running:
        yield running


def config(
    api: str, key: str = API_KEY, provider: str = "powerdns", **options: str
) -> SolverConfig:
    settings = Lexicon(
        provider=provider,
        options={"pdns_server": api, **options},
        secret_refs={"auth_token": REFERENCE},
    )
    return SolverConfig(settings, lambda _: Secret(f"{key}\n".encode()))


class TestPowerDns(DnsSolverConformance):
    @pytest.fixture
    def solver(self, powerdns: PowerDns) -> DnsSolver:
        return dns_solver_class("lexicon").from_config(config(powerdns.api))

    @pytest.fixture
    def values(self, powerdns: PowerDns) -> Values:
        return powerdns.values


def test_a_zone_below_the_registered_domain_is_named_by_an_option(powerdns: PowerDns) -> None:
    solver = LexiconSolver.from_config(config(powerdns.api, delegated="acme.example.net"))
    record = TxtRecord("www.acme.example.net", proof("one"))
    solver.present(record)
    assert powerdns.values(record.name) == {record.value}
    solver.clean_up(record)
    assert powerdns.values(record.name) == frozenset()


@pytest.mark.parametrize(
    ("changed", "name", "error", "words"),
    [
        ({"key": "a-wrong-test-key"}, "www.example.com", Denied, "answers 401"),
        ({}, "www.example.org", ProviderError, "powerdns .dns-lexicon. answers 4"),
        ({"provider": "nobody"}, "www.example.com", NotFound, "has no provider nobody"),
        ({"ttl": "soon"}, "www.example.com", Rejected, "no number of seconds: soon"),
        ({"provider": "cloudflare"}, "www.example.com", ProviderError, "cloudflare .dns-lexicon."),
    ],
)
def test_what_it_does_not_take_is_told_without_a_secret(
    powerdns: PowerDns,
    changed: dict[str, str],
    name: str,
    error: type[ProviderError],
    words: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    solver = LexiconSolver.from_config(config(powerdns.api, **changed))
    solver.longest = 5
    with pytest.raises(error, match=words) as raised:
        solver.present(TxtRecord(f"_acme-challenge.{name}", proof("one")))
    key = changed.get("key", API_KEY)
    assert key not in f"{raised.value!r} {raised.value.__context__!r} {solver!r} {caplog.text}"


def test_a_service_that_is_not_there_is_told() -> None:
    solver = LexiconSolver.from_config(config(f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(Ambiguous, match="gave no answer"):
        solver.present(RECORD)


def test_a_service_that_never_answers_is_not_waited_for_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        solver = LexiconSolver.from_config(config(f"http://127.0.0.1:{port}"))
        solver.longest = 0.2
        with pytest.raises(Ambiguous, match="did not answer"):
            solver.present(RECORD)
    for thread in threading.enumerate():
        if thread.name == "lexicon powerdns":
            thread.join(5)  # the socket is closed, so it ends


def test_a_secret_that_is_no_text_is_told() -> None:
    settings = Lexicon(provider="powerdns", secret_refs={"auth_token": REFERENCE})
    solver = LexiconSolver.from_config(SolverConfig(settings, lambda _: Secret(b"\xff\xfe")))
    with pytest.raises(Rejected, match="is not text"):
        solver.present(RECORD)
