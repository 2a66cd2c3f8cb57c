"""Each way to log in, set up as the page says, with the policy of the page and no other right."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bao import Bao
from bao import Refused as BaoRefused
from bao_logins import (
    AUDIENCE,
    Cluster,
    Runner,
    Signatory,
    app_role,
    documented_commands,
    documented_policy,
)
from vault_orders import HELD, Order, issuer, revocation
from wire import Tls

from providers.errors import Denied, NotFound, Transient, Unreachable
from providers.vault.issuer import VaultIssuer

JWT = {"jwt": {"role": "certform", "audience": AUDIENCE}}


def _works(made: VaultIssuer, bao: Bao) -> None:
    """Issue, read back and revoke: all that the policy is for."""
    order = Order.of()
    issued = order.by(made)
    facts = order.facts(issued)
    assert order.by(made, order.noted[0]) == issued
    made.revoke(revocation(issued))
    assert facts.serial in bao.issued()


def _by_app_role(bao: Bao, **fields: object) -> VaultIssuer:
    role, secret = app_role(bao, **fields)
    return issuer(bao.url, secret, auth={"appRole": {"roleId": role, "secretRef": HELD}})


@pytest.fixture
def runner(bao: Bao, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runner]:
    made = Runner(Signatory())
    made.signatory.set_up(bao)
    with made.wire.running():
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


def test_a_token_of_a_sops_file(bao: Bao) -> None:
    _works(issuer(bao.url, bao.token("certform") + "\n"), bao)


def test_the_policy_of_the_page_with_an_issuer_of_the_mount(bao: Bao) -> None:
    bao.policy("named", documented_policy().replace("pki/sign/", "pki/issuer/default/sign/"))
    _works(issuer(bao.url, bao.token("named"), issuerName="default"), bao)
    with pytest.raises(Denied, match="pki/sign/web"):
        Order.of().by(issuer(bao.url, bao.token("named")))


@pytest.mark.parametrize("name", ["VAULT_TOKEN", "BAO_TOKEN"])
def test_a_token_of_the_environment(bao: Bao, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, bao.token("certform"))
    _works(issuer(bao.url, "", auth={}), bao)


def test_no_token_at_all_is_told(bao: Bao) -> None:
    with pytest.raises(Denied, match="set VAULT_TOKEN or BAO_TOKEN"):
        Order.of().by(issuer(bao.url, "", auth={}))


def test_app_role(bao: Bao) -> None:
    _works(_by_app_role(bao), bao)


def test_the_commands_of_the_page_set_app_role_and_a_role_up(bao: Bao) -> None:
    bao.ask("DELETE", "pki/roles/web")
    (role,) = documented_commands("What the role has to allow")
    bao.run(*role[1:])
    *before, named, made = documented_commands("AppRole")
    for command in before:
        bao.run(*command[1:])
    role_id = json.loads(bao.run(*named[1:]))["data"]["role_id"]
    secret_id = json.loads(bao.run(*made[1:]))["data"]["secret_id"]
    auth = {"appRole": {"roleId": role_id, "secretRef": HELD}}
    _works(issuer(bao.url, secret_id, auth=auth), bao)


def test_a_wrong_secret_id_is_tried_once_a_run(bao: Bao) -> None:
    role, _ = app_role(bao)
    made = issuer(bao.url, "wrong", auth={"appRole": {"roleId": role, "secretRef": HELD}})
    with pytest.raises(Denied, match="does not log us in at auth/approle/login") as first:
        Order.of().by(made)
    with pytest.raises(Denied) as second:
        Order.of().by(made)
    assert second.value is first.value, "a login that fails again and again locks the role"


def test_a_service_account_of_kubernetes(bao: Bao, tmp_path: Path) -> None:
    cluster, file = Cluster(Tls.made(tmp_path)), tmp_path / "token"
    file.write_text(cluster.token)
    with cluster.wire.running():
        cluster.set_up(bao)
        auth = {"kubernetes": {"role": "certform", "tokenFile": str(file)}}
        _works(issuer(bao.url, "", auth=auth), bao)


def test_another_service_account_of_kubernetes_is_let_nowhere(bao: Bao, tmp_path: Path) -> None:
    cluster, file = Cluster(Tls.made(tmp_path), account="somebody"), tmp_path / "token"
    file.write_text(cluster.token)
    auth = {"kubernetes": {"role": "certform", "tokenFile": str(file)}}
    with cluster.wire.running():
        cluster.set_up(bao)
        with pytest.raises(Denied, match="service account name not authorized"):
            Order.of().by(issuer(bao.url, "", auth=auth))


def test_no_file_of_a_service_account_is_told(bao: Bao) -> None:
    auth = {"kubernetes": {"role": "certform", "tokenFile": "/nowhere/token"}}
    with pytest.raises(Denied, match=r"/nowhere/token.*No such file"):
        Order.of().by(issuer(bao.url, "", auth=auth))


def test_a_job_of_github_actions(bao: Bao, runner: Runner) -> None:
    _works(issuer(bao.url, "", auth=JWT), bao)
    assert len(runner.given) == 1, "a login is made once a run"


def test_a_job_asks_for_its_audience(bao: Bao, runner: Runner) -> None:
    auth = {"jwt": {"role": "certform", "audience": "https://other.example.com/?a=b&c"}}
    with pytest.raises(Denied, match="invalid audience"):
        Order.of().by(issuer(bao.url, "", auth=auth))


@pytest.mark.parametrize(
    "subject",
    [
        "repo:example-corp@1234/pki@5678:pull_request",
        "repo:example-corp@1234/pki@9999:environment:certificates",
    ],
)
def test_a_job_of_a_pull_request_or_of_another_repository_is_let_nowhere(
    bao: Bao, runner: Runner, subject: str
) -> None:
    runner.claims["sub"] = subject
    with pytest.raises(Denied, match="does not log us in"):
        Order.of().by(issuer(bao.url, "", auth=JWT))


def test_a_job_that_may_have_no_token_is_told_how_to_get_one(bao: Bao) -> None:
    with pytest.raises(Denied, match="`id-token: write`"):
        Order.of().by(issuer(bao.url, "", auth=JWT))


@pytest.mark.parametrize(("bearer", "error"), [("wrong", Unreachable), ("bad\nheader", Transient)])
def test_a_job_that_github_does_not_know_has_no_token(
    bao: Bao, runner: Runner, monkeypatch: pytest.MonkeyPatch, bearer: str, error: type[Exception]
) -> None:
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", bearer)
    with pytest.raises(error, match="GitHub gave no token") as told:
        Order.of().by(issuer(bao.url, "", auth=JWT, patience=0.0))
    assert bearer not in str(told.value)


def test_a_jwt_of_a_file(bao: Bao, tmp_path: Path) -> None:
    signatory, file = Signatory("https://ci.example.com"), tmp_path / "jwt"
    signatory.set_up(bao)
    file.write_text(signatory.token())
    auth = {"jwt": {"role": "certform", "tokenFile": str(file)}}
    _works(issuer(bao.url, "", auth=auth), bao)


def test_an_auth_method_that_is_not_there_is_told(bao: Bao, runner: Runner) -> None:
    auth: dict[str, Any] = {"jwt": {**JWT["jwt"], "path": "github"}}
    with pytest.raises((Denied, NotFound), match="auth/github/login"):
        Order.of().by(issuer(bao.url, "", auth=auth))


@pytest.mark.parametrize("value", ["", "two words", "naïve", "two\nlines"])
def test_a_token_that_no_header_can_hold_is_told_without_it(bao: Bao, value: str) -> None:
    with pytest.raises(Denied, match=r"the token in secrets/vault.sops.yaml has to be one line"):
        Order.of().by(issuer(bao.url, value))


def test_the_policy_of_the_page_allows_nothing_else(bao: Bao) -> None:
    token = bao.token("certform")
    for method, path in (
        ("GET", "pki/roles/web"),
        ("POST", "pki/issue/web"),
        ("POST", "pki/sign-verbatim"),
        ("POST", "pki/roles/web"),
        ("GET", "sys/mounts"),
        ("POST", "pki/root/sign-intermediate"),
    ):
        with pytest.raises(BaoRefused) as told:
            bao.ask(method, path, {} if method == "POST" else None, token=token)
        assert told.value.status == 403


@pytest.mark.parametrize("left_out", ["sign", "revoke", "config"])
def test_what_the_policy_lacks_is_named(bao: Bao, left_out: str) -> None:
    paths = {"sign": "pki/sign/web", "revoke": "pki/revoke", "config": "pki/config/crl"}
    names = {"sign": "update", "revoke": "update", "config": "read"}
    text = "".join(
        f'path "{path}" {{ capabilities = ["{names[each]}"] }}\n'
        for each, path in paths.items()
        if each != left_out
    )
    bao.policy("less", text)
    made, order = issuer(bao.url, bao.token("less")), Order.of()
    with pytest.raises(Denied) as told:
        made.revoke(revocation(order.by(made)))
    assert f'path "{paths[left_out]}" {{ capabilities = ["{names[left_out]}"] }}' in str(told.value)
