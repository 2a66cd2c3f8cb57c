"""Getting at a vault: tokens, the challenge, the network, and what is said when one is missing."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from azure.core.exceptions import ServiceRequestError
from keyvault_emulator import CHALLENGE, KeyVault, RateLimit
from keyvault_tokens import RESOURCE
from wire import Response, Way

from providers.azure.credentials import Credentials, InTenant
from providers.azure.errors import explain
from providers.azure.vault import KeyVaultTarget
from providers.base import Bundle, TargetConfig
from providers.calls import Calls
from providers.conformance import request
from providers.errors import Denied, Unreachable
from providers.registry import make_target
from schemas.target import TargetSpec

Made = Callable[[], Bundle]
ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from pathlib import Path
from providers.base import TargetConfig
from providers.registry import make_target
from schemas.clouds import AzureKeyVault
from schemas.target import TargetSpec
settings = AzureKeyVault(vault=sys.argv[1], verify_challenge_resource=False)
config = TargetConfig("kv", TargetSpec(azure_key_vault=settings), "owner", Path())
print([each.name for each in make_target(config).observe()])
"""


def with_settings(config: TargetConfig, **settings: object) -> TargetConfig:
    assert config.spec.azure_key_vault is not None
    changed = config.spec.azure_key_vault.model_copy(update=settings)
    return replace(config, spec=TargetSpec(azure_key_vault=changed))


def at(config: TargetConfig, patience: float = 0.0) -> KeyVaultTarget:
    calls = Calls(explain, patience=patience, sleep=lambda _: None)
    return KeyVaultTarget(config, Credentials(), calls)


def run(url: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, url],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_process_gets_there_by_its_environment_alone(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    target.install(request("web", bundle()))
    done = run(vault.url, vault.environment())
    assert (done.stdout, done.stderr) == ("['web']\n", "")


def test_one_token_serves_every_vault_of_a_process(
    vault: KeyVault, config: TargetConfig, known: Credentials
) -> None:
    for _ in range(3):
        KeyVaultTarget(config, known, Calls(explain)).observe()
    assert vault.tokens.given
    assert vault.identity.counts["GetToken"] == 1


def test_nothing_is_asked_before_the_first_verb(vault: KeyVault, config: TargetConfig) -> None:
    make_target(config)
    assert (vault.wire.asked, vault.identity.asked) == ([], [])


def test_an_expired_token_is_told(vault: KeyVault, config: TargetConfig) -> None:
    target = at(config)
    assert list(target.observe()) == []
    vault.tokens.expire()
    with pytest.raises(Unreachable, match="does not take our token"):
        target.observe()


def test_an_expired_token_ends_a_change(
    vault: KeyVault, config: TargetConfig, bundle: Made
) -> None:
    target = at(config)
    target.observe()
    vault.tokens.expire()
    with pytest.raises(Denied, match="TokenExpired"):
        target.install(request("web", bundle()))
    assert not vault.store.entries


def test_a_token_for_another_audience_is_refused(vault: KeyVault, config: TargetConfig) -> None:
    token, _ = vault.tokens.issue("https://management.azure.com")
    assert "audience" in (vault.tokens.fault(f"Bearer {token}") or "")
    assert "audience" in (vault.tokens.fault("Bearer e30.mac") or "")
    good, _ = vault.tokens.issue(RESOURCE)
    assert vault.tokens.fault(f"Bearer {good}") is None


def test_no_credential_at_all_is_told_with_what_to_do(
    vault: KeyVault, config: TargetConfig
) -> None:
    vault.tokens.available = False
    with pytest.raises(Unreachable, match="az login"):
        at(config).observe()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AZURE_TOKEN_CREDENTIALS", "none", "Invalid value for AZURE_TOKEN_CREDENTIALS"),
        ("AZURE_AUTHORITY_HOST", "http://login.example.com", "https"),
    ],
)
def test_an_environment_that_makes_no_sense_is_told(
    vault: KeyVault,
    config: TargetConfig,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    said: str,
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Unreachable, match=said):
        at(config).observe()
    assert vault.wire.asked == []


def test_who_has_no_token_is_not_looked_for_twice(vault: KeyVault, config: TargetConfig) -> None:
    vault.tokens.available = False
    with pytest.raises(Unreachable):
        at(config).observe()
    assert vault.wire.asked == [CHALLENGE]


def test_the_challenge_must_be_of_the_vaults_own_domain(
    vault: KeyVault, config: TargetConfig
) -> None:
    strict = with_settings(config, verify_challenge_resource=True)
    with pytest.raises(Unreachable, match="verifyChallengeResource"):
        at(strict).observe()
    assert set(vault.wire.asked) == {CHALLENGE}


def test_a_tenant_is_asked_for_whatever_the_challenge_names(
    vault: KeyVault, config: TargetConfig
) -> None:
    known = Credentials()
    assert isinstance(known.of("contoso.com"), InTenant)
    assert known.of("contoso.com") is known.of("contoso.com")
    assert known.of(None) is not known.of("contoso.com")
    assert list(at(with_settings(config, tenant="contoso.com")).observe()) == []


def test_an_unknown_authority_is_told_and_not_tried_again(
    vault: KeyVault, config: TargetConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(Unreachable, match="TLS certificate is not trusted"):
        at(config, patience=60).observe()
    assert vault.wire.asked == []


def test_a_vault_that_is_not_there_is_unreachable(config: TargetConfig) -> None:
    gone = with_settings(config, vault="https://localhost:1")
    with pytest.raises(Unreachable, match="localhost:1: no connection"):
        at(gone).observe()


@pytest.mark.parametrize("code", ["ForbiddenByFirewall", "ForbiddenByConnection"])
def test_a_firewall_is_named(vault: KeyVault, config: TargetConfig, code: str) -> None:
    body = b'{"error": {"code": "Forbidden", "innererror": {"code": "%s"}}}' % code.encode()
    vault.wire.fail("*", Way.REFUSED, Response(403, body), times=None)
    with pytest.raises(Unreachable, match="firewall"):
        at(config).observe()


def test_a_storm_of_refusals_ends_with_the_patience(vault: KeyVault, config: TargetConfig) -> None:
    body = b'{"error": {"code": "Throttled", "message": "too many requests"}}'
    vault.wire.fail("*", Way.REFUSED, Response(429, body, {"Retry-After": "1"}), times=None)
    with pytest.raises(Unreachable, match="asked too often"):
        at(config).observe()


def test_rate_limits_are_waited_out(
    vault: KeyVault, config: TargetConfig, known: Credentials, bundle: Made
) -> None:
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    vault.rate_limit = RateLimit(3, clock=lambda: clock[0])
    target = KeyVaultTarget(config, known, Calls(explain, sleep=sleep))
    made = bundle()
    for number in range(8):
        target.install(request(f"web-{number}", made))
    assert len(vault.store.entries) == 8
    assert clock[0] >= 20.0


def test_what_is_not_the_sdks_is_not_explained() -> None:
    def raised() -> NoReturn:
        raise ValueError("something else")

    with pytest.raises(ValueError, match="something else"):
        Calls(explain).read(raised)
    assert explain(ServiceRequestError("no")) is not None
