"""A session: who is asked, by what token, and what becomes of it when Vault is not there."""

from pathlib import Path

import pytest
from bao import Bao
from bao_line import Line
from bao_logins import app_role
from tunnel import Tunnel
from vault_orders import HELD, Order, as_root, issuer
from wire import Response, Tls, Way, Wire

from providers.errors import (
    Ambiguous,
    Denied,
    NotFound,
    ProviderError,
    Rejected,
    Throttled,
    Transient,
    Unreachable,
)
from providers.vault.session import VaultSession
from schemas.vault import VaultConnection


def _session(
    server: str, token: str, *, patience: float = 5.0, bundle: bytes | None = None
) -> VaultSession:
    return issuer(server, token, patience=patience, bundle=bundle).session


def test_a_token_that_was_taken_from_us_is_replaced_once(bao: Bao) -> None:
    role, secret = app_role(bao)
    auth = {"appRole": {"roleId": role, "secretRef": HELD}}
    with Line.to(bao) as (_, wire):
        made = issuer(wire.url, secret, auth=auth)
        Order.of().by(made)
        for _ in range(2):
            bao.write("sys/leases/revoke-prefix/auth/approle", {"sync": True})
            Order.of().by(made)
        assert wire.counts["login"] == 3


def test_what_the_policy_lacks_brings_one_more_login_a_run(bao: Bao) -> None:
    role, secret = app_role(bao, token_policies="")
    auth = {"appRole": {"roleId": role, "secretRef": HELD}}
    with Line.to(bao) as (_, wire):
        made = issuer(wire.url, secret, auth=auth)
        for _ in range(3):
            with pytest.raises(Denied, match="pki/sign/web"):
                Order.of().by(made)
        assert wire.counts["login"] == 2
        assert wire.counts["sign"] == 4


def test_a_token_of_the_documents_that_has_expired_is_told(bao: Bao) -> None:
    token = bao.token("certform")
    bao.write("auth/token/revoke", {"token": token})
    with pytest.raises(Denied, match="either our token has expired, or its policy lacks") as told:
        Order.of().by(issuer(bao.url, token))
    assert token not in str(told.value)


def test_a_sealed_server_is_told_at_once_and_not_asked_again(bao: Bao) -> None:
    bao.seal()
    with Line.to(bao) as (_, wire):
        made = issuer(wire.url, bao.root)
        for _ in range(3):
            with pytest.raises(Unreachable, match="is sealed: unseal it"):
                Order.of().by(made)
        assert wire.counts["sign"] == 1


def test_a_server_that_restarts_is_waited_for(tmp_path: Path) -> None:
    with Bao.running(tmp_path / "bao", durable=True) as bao:

        def come_back(_: float) -> None:
            if bao.process is None:
                bao.start()
                bao.unseal()

        bao.mount_pki()
        made = as_root(bao, patience=30.0, sleep=come_back)
        first = Order.of()
        issued = first.by(made)
        bao.stop()
        assert first.by(made, first.noted[0]) == issued
        bao.stop()
        Order.of().by(made)


def test_nobody_at_the_address_is_told_and_not_asked_again(bao: Bao) -> None:
    bao.stop()
    slept: list[float] = []
    made = as_root(bao, patience=0.2, sleep=slept.append)
    with pytest.raises(Transient, match=r"no connection to http://127\.0\.0\.1"):
        Order.of().by(made)
    count = len(slept)
    with pytest.raises(Transient):
        Order.of().by(made)
    assert count == len(slept)


def test_its_certificate_is_verified_by_the_bundle_of_the_documents(tmp_path: Path) -> None:
    tls, other = Tls.made(tmp_path / "tls"), Tls.made(tmp_path / "other")
    with Bao.running(tmp_path / "bao", tls=tls) as bao:
        bundle = tls.authority.read_bytes()
        assert _session(bao.url, bao.root, bundle=bundle).read("sys/mounts")
        for wrong in (None, other.authority.read_bytes()):
            with pytest.raises(Unreachable, match=r"is not trusted here.*`caBundle`"):
                _session(bao.url, bao.root, bundle=wrong).read("sys/mounts")
        with pytest.raises(Unreachable, match="holds no certificates in PEM"):
            _session(bao.url, bao.root, bundle=b"not PEM").read("sys/mounts")


def test_a_name_that_is_not_the_servers_is_not_trusted(tmp_path: Path) -> None:
    tls = Tls.made(tmp_path / "tls")
    with Bao.running(tmp_path / "bao", tls=tls) as bao:
        address = bao.url.replace("localhost", "127.0.0.2")
        session = _session(address, bao.root, bundle=tls.authority.read_bytes(), patience=0.0)
        with pytest.raises(ProviderError) as told:
            session.read("sys/mounts")
        assert isinstance(told.value, Unreachable | Transient)


def test_the_environment_changes_neither_the_server_nor_the_trust(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = Tls.made(tmp_path / "tls")
    for name in ("VAULT_ADDR", "BAO_ADDR", "http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "localhost")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "VAULT_CACERT"):
        monkeypatch.setenv(name, str(tls.authority))
    monkeypatch.setenv("VAULT_SKIP_VERIFY", "true")
    monkeypatch.setenv("VAULT_NAMESPACE", "nowhere")
    with Bao.running(tmp_path / "plain") as bao:
        assert _session(bao.url, bao.root).read("sys/mounts")
    with (
        Bao.running(tmp_path / "bao", tls=tls) as bao,
        pytest.raises(Unreachable, match="is not trusted here"),
    ):
        _session(bao.url, bao.root).read("sys/mounts")


def test_a_proxy_of_the_environment_that_leads_nowhere_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(Unreachable, match="the proxy of this environment"):
        _session("https://vault.example.com", "x").read("sys/mounts")


def test_through_a_proxy_of_the_environment_the_server_is_verified_as_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, other = Tls.made(tmp_path / "tls"), Tls.made(tmp_path / "other")
    with Bao.running(tmp_path / "bao", tls=tls) as bao, Tunnel.running() as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        session = _session(bao.url, bao.root, bundle=tls.authority.read_bytes())
        assert session.read("sys/mounts")
        session._client.adapter.close()
        assert proxy.seen[0].startswith(b"CONNECT localhost:")
        assert bao.root.encode() not in b"".join(proxy.seen)
        for wrong in (None, other.authority.read_bytes()):
            with pytest.raises(Unreachable, match="is not trusted here"):
                _session(bao.url, bao.root, bundle=wrong).read("sys/mounts")


def test_a_namespace(bao: Bao) -> None:
    bao.write("sys/namespaces/team", {})
    root = bao.mount_pki("own", "team")
    made = as_root(bao, path="own", namespace="team")
    order = Order.of()
    order.facts(order.by(made))
    assert root
    with pytest.raises(NotFound, match="own/sign/web"):
        Order.of().by(as_root(bao, path="own"))


def test_no_token_goes_where_the_server_sends_us(bao: Bao) -> None:
    with Line.to(bao) as (_, elsewhere), Line.to(bao) as (_, wire):
        to = {"Location": f"{elsewhere.url}/v1/pki/sign/web"}
        wire.fail("sign", Way.REFUSED, Response(307, b"", to))
        with pytest.raises(Unreachable, match="sends us elsewhere"):
            Order.of().by(issuer(wire.url, bao.root))
        assert elsewhere.asked == []


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (200, Ambiguous, "is no Vault"),
        (403, Unreachable, "is no Vault"),
        (404, Unreachable, "is no Vault"),
        (502, Ambiguous, "is no Vault"),
    ],
)
def test_a_page_of_a_proxy_is_no_answer(
    bao: Bao, status: int, error: type[ProviderError], words: str
) -> None:
    with Line.to(bao) as (_, wire):
        wire.fail("sign", Way.REFUSED, Response(status, b"<html>Sign in to go on</html>"))
        with pytest.raises(error, match=words) as told:
            Order.of().by(issuer(wire.url, bao.root))
        assert "html" not in str(told.value)


@pytest.mark.parametrize(
    ("status", "error", "tries"),
    [(500, Ambiguous, 1), (503, Transient, 2), (412, Transient, 2), (429, Throttled, 2)],
)
def test_what_certainly_did_not_happen_is_tried_again_and_nothing_else(
    bao: Bao, status: int, error: type[ProviderError], tries: int
) -> None:
    refusal = Response(status, b'{"errors":["for a reason"]}')
    with Line.to(bao) as (_, wire):
        wire.fail("sign", Way.REFUSED, refusal)
        made = issuer(wire.url, bao.root)
        if tries == 1:
            with pytest.raises(error, match="for a reason"):
                Order.of().by(made)
        else:
            Order.of().by(made)
        assert wire.counts["sign"] == tries
        wire.fail("sign", Way.REFUSED, refusal, times=None)
        with pytest.raises(error, match="for a reason"):
            Order.of().by(issuer(wire.url, bao.root, patience=0.0))


def test_words_of_vault_that_cannot_be_shown_are_made_fit_to_be(bao: Bao) -> None:
    loud = b'{"errors":["for\\ud800a\\u001b[31m\\u202ereason","and \\u0000 another"]}'
    with Line.to(bao) as (_, wire):
        wire.fail("sign", Way.REFUSED, Response(400, loud))
        with pytest.raises(Rejected, match=r"for a \[31m reason; and another") as told:
            Order.of().by(issuer(wire.url, bao.root))
    assert str(told.value).isprintable()


def test_what_a_quota_leaves_no_room_for_is_throttled(bao: Bao) -> None:
    bao.write("sys/quotas/rate-limit/pki", {"rate": 1, "interval": "60s", "path": "pki"})
    Order.of().by(as_root(bao))
    with pytest.raises(Throttled, match="is asked too often"):
        Order.of().by(as_root(bao, patience=0.0))


def test_how_long_it_asks_us_to_wait_is_told(bao: Bao) -> None:
    answer = Response(429, b'{"errors":["slow down"]}', {"Retry-After": "1800"})
    with Line.to(bao) as (_, wire):
        wire.fail("sign", Way.REFUSED, answer)
        with pytest.raises(Throttled) as told:
            Order.of().by(issuer(wire.url, bao.root))
    assert told.value.retry_after == 1800


def test_an_answer_of_more_than_a_mebibyte_is_not_read(bao: Bao) -> None:
    with Line.to(bao) as (line, wire):
        line.changes["sign"] = lambda told, _: told.update(more="x" * (1 << 20))
        order = Order.of()
        with pytest.raises(Rejected, match="answers with more than is read"):
            order.by(issuer(wire.url, bao.root))
        assert wire.counts["sign"] == 1


def test_a_bundle_that_is_not_there_is_told() -> None:
    connection = VaultConnection(server="https://vault.example.com", ca_bundle="ca.pem")
    with pytest.raises(NotFound, match=r"ca.pem, the caBundle of a Vault"):
        VaultSession.to(connection, lambda _: pytest.fail("no secret is needed"), {})


def test_a_wire_that_goes_dead_is_unanswered(bao: Bao) -> None:
    with Wire(Line(bao).forward, lambda _: "any").running() as wire:
        wire.fail("any", Way.DROPPED)
        assert _session(wire.url, bao.root).read("sys/mounts"), "to read again does no harm"
        assert len(wire.asked) == 2
