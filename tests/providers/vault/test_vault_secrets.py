"""No token, no secret id and no JWT in any log, print, error or repr, however loud everything is."""

import http.client
import logging
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from bao import Bao
from bao_line import Line
from bao_logins import AUDIENCE, BEARER, Runner, Signatory, app_role
from vault_orders import HELD, Order, issuer, revocation
from wire import Request, Response, Way

from providers import calls
from providers.errors import ProviderError
from providers.vault.issuer import VaultIssuer


class Heard:
    """All that can be heard of a run, and the errors that were raised in it."""

    def __init__(self, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
        self.caplog, self.capfd = caplog, capfd
        self.said: list[str] = []

    def during(self, call: Callable[[], object]) -> None:
        try:
            call()
        except ProviderError as why:
            self.said += [str(why), repr(why), repr(why.__cause__), repr(why.__context__)]

    @property
    def all(self) -> str:
        printed = self.capfd.readouterr()
        records = [f"{each.getMessage()} {each.__dict__!r}" for each in self.caplog.records]
        return "\n".join((printed.out, printed.err, *records, *self.said))


@pytest.fixture
def heard(
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Heard:
    caplog.set_level(1)
    for name in ("urllib3", "requests", "hvac"):
        monkeypatch.setattr(logging.getLogger(name), "level", 1)
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    return Heard(caplog, capfd)


@pytest.fixture
def runner(bao: Bao, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runner]:
    made = Runner(Signatory())
    made.signatory.set_up(bao)
    with made.wire.running():
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


def _use(made: VaultIssuer, heard: Heard) -> None:
    """Order, read back, revoke, and be refused; look at the issuer itself as well."""
    order = Order.of()
    heard.during(lambda: made.revoke(revocation(order.by(made))))
    heard.during(lambda: order.by(made, order.noted[0] if order.noted else "00"))
    heard.during(lambda: Order.of(dns_names=("www.example.org",)).by(made))
    heard.said += [repr(made), repr(made.session), str(made.session.connection)]


def test_a_token_is_never_seen(bao: Bao, heard: Heard) -> None:
    token, gone = bao.token("certform"), bao.token("certform")
    bao.write("auth/token/revoke", {"token": gone})
    for each in (token, gone):
        _use(issuer(bao.url, each), heard)
    all_of_it = heard.all
    assert "permission denied" in all_of_it
    assert token not in all_of_it
    assert gone not in all_of_it


def test_without_our_silence_it_would_be(
    bao: Bao, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls._Silence, "kept", lambda _: nullcontext())
    token = bao.token("certform")
    _use(issuer(bao.url, token), heard)
    assert token in heard.all


def test_a_secret_id_is_never_seen(bao: Bao, heard: Heard) -> None:
    role, secret = app_role(bao)
    auth = {"appRole": {"roleId": role, "secretRef": HELD}}
    with Line.to(bao) as (line, wire):
        made = issuer(wire.url, secret, auth=auth)
        _use(made, heard)
        token = made.session._client.token
        wire.fail("login", Way.REFUSED, Response(500, b'{"errors":["broken"]}'), times=None)
        _use(issuer(wire.url, secret, auth=auth, patience=0.0), heard)
        wire.heal()
        bao.write("auth/approle/role/certform/secret-id/destroy", {"secret_id": secret})
        _use(issuer(wire.url, secret, auth=auth), heard)
        assert line.bao is bao
    all_of_it = heard.all
    assert "does not log us in" in all_of_it
    assert secret not in all_of_it
    assert token not in all_of_it


def test_the_jwt_of_a_job_is_never_seen(bao: Bao, heard: Heard, runner: Runner) -> None:
    auth = {"jwt": {"role": "certform", "audience": AUDIENCE}}
    _use(issuer(bao.url, "", auth=auth), heard)
    runner.claims["sub"] = "repo:example-corp@1234/pki@5678:pull_request"
    _use(issuer(bao.url, "", auth=auth), heard)
    runner.wire.fail("token", Way.REFUSED, Response(500, b"{}"), times=None)
    _use(issuer(bao.url, "", auth=auth, patience=0.0), heard)
    all_of_it = heard.all
    assert "does not log us in" in all_of_it
    assert "GitHub gave no token (HTTP 500)" in all_of_it
    assert BEARER not in all_of_it
    assert len(runner.given) == 2
    for token in runner.given:
        assert token not in all_of_it
        assert token.rpartition(".")[2] not in all_of_it


def test_the_token_of_a_file_is_never_seen(bao: Bao, heard: Heard, tmp_path: Path) -> None:
    signatory, file = Signatory("https://ci.example.com"), tmp_path / "jwt"
    signatory.set_up(bao)
    token = signatory.token()
    for text in (token, token[:-8], f"{token} {token}"):
        file.write_text(text)
        _use(issuer(bao.url, "", auth={"jwt": {"role": "certform", "tokenFile": str(file)}}), heard)
    all_of_it = heard.all
    assert "has to be one line" in all_of_it
    assert token[:-8] not in all_of_it


def test_what_a_server_repeats_of_our_secrets_is_left_out(bao: Bao, heard: Heard) -> None:
    role, secret = app_role(bao)
    auth = {"appRole": {"roleId": role, "secretRef": HELD}}

    with Line.to(bao) as (line, wire):
        forward = line.forward

        def repeat(request: Request) -> Response:
            token = request.headers.get("x-vault-token", "none")
            said = f'{{"errors":["you sent {token} and {secret}"]}}'
            return forward(request) if token == "none" else Response(400, said.encode())

        wire.service = repeat
        made = issuer(wire.url, secret, auth=auth)
        heard.during(lambda: Order.of().by(made))
        token = made.session._client.token
        wire.service = lambda _: Response(400, f'{{"errors":["sent {secret}"]}}'.encode())
        heard.during(lambda: Order.of().by(issuer(wire.url, secret, auth=auth)))
    first, *_, last = (each for each in heard.said if "sent" in each)
    assert "(secret)" in first
    assert token not in first
    assert "(secret)" in last
    assert secret not in last
