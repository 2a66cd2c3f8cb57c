"""lego's folder and its configuration become documents of ours; what they do not say is told."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from certbot_folders import account_pem, leaf
from command_line import Repository
from pebble import Pebble

from reconciler.importing.fitting import fit
from reconciler.importing.lego import import_lego
from reconciler.importing.naming import Names
from reconciler.importing.outcome import Outcome
from reconciler.importing.survey import UNKNOWN, UNUSED

CONFIGURATION = """\
storage: .lego
userAgent: somebody
servers:
  internal: {url: https://acme.example.com/directory, tlsSkipVerify: true}
accounts:
  public: {server: letsencrypt, email: admin@example.com, keyType: RSA2048, acceptsTermsOfService: true}
  bound:
    server: internal
    eab: {kid: kid-of-the-test, hmacKey: never-shown-in-a-test}
challenges:
  web: {http: {address: ":5002", delay: 1s, webroot: /srv/www}}
  listening: {http: {address: ":5002"}}
  cloud: {dns: {provider: hetzner, resolvers: [":8853"], envFile: .env, propagation: {wait: 5s}}}
  tls: {tls: {address: ":443"}}
certificates:
  www:
    challenge: web
    account: public
    domains: [www.example.com]
    preferredChain: ISRG Root X1
    renew: {days: 20, reuseKey: true, disableRandomSleep: true}
    mustStaple: true
  wild:
    challenge: cloud
    account: bound
    keyType: EC384
    profile: tlsserver
    domains: ["*.example.com"]
    renew: {ari: {disable: true}}
  alpn: {challenge: tls, account: public, domains: [alpn.example.com], pfx: {password: never-shown-in-a-test}}
hooks:
  deploy: {command: systemctl reload nginx, timeout: 3s}
  pre: {command: ./before.sh}
log: {level: debug}
"""


def stored(
    root: Path, host: str = "acme-v02.api.letsencrypt.org", name: str = "www.example.com"
) -> Path:
    """What v4 keeps of one certificate and its account."""
    storage = root / ".lego"
    (storage / "certificates").mkdir(parents=True, exist_ok=True)
    said = {
        "domain": name,
        "certUrl": f"https://{host}/cert/1",
        "certStableUrl": f"https://{host}/cert/1",
    }
    (storage / "certificates" / f"{name}.json").write_text(json.dumps(said, indent="\t"))
    (storage / "certificates" / f"{name}.crt").write_bytes(leaf((name, "example.com")))
    account = storage / "accounts" / host.replace(":", "_") / "admin@example.com"
    (account / "keys").mkdir(parents=True, exist_ok=True)
    registration = {"body": {"status": "valid"}, "uri": f"https://{host}/acct/1"}
    kept = {"email": "admin@example.com", "registration": registration}
    (account / "account.json").write_text(json.dumps(kept, indent="\t"))
    (account / "keys" / "admin@example.com.key").write_bytes(account_pem())
    return storage


def specs(outcome: Outcome, kind: str) -> dict[str, dict[str, Any]]:
    found = {}
    for draft in outcome.drafts:
        if draft.kind == kind:
            fitting, notes = fit(draft)
            assert fitting is not None, notes
            found[draft.name] = dict(fitting.spec)
    return found


def said(outcome: Outcome, field: str) -> tuple[str, str]:
    (note,) = [note for note in outcome.notes if note.field == field]
    return str(note.fate), note.said


def test_a_folder_of_version_4(tmp_path: Path) -> None:
    outcome = import_lego(stored(tmp_path), Names())
    assert specs(outcome, "Certificate") == {
        "www-example-com": {
            "issuerRef": "letsencrypt",
            "dnsNames": ("www.example.com", "example.com"),
            "privateKey": {"algorithm": "ECDSA", "size": 256},
            "targets": ("lego",),
        }
    }
    acme = specs(outcome, "Issuer")["letsencrypt"]["acme"]
    assert (acme["server"], acme["email"]) == (
        "https://acme-v02.api.letsencrypt.org/directory",
        "admin@example.com",
    )
    assert any("no record of how names were proved" in note.said for note in outcome.notes)
    assert [held.file.name for held in outcome.keys] == ["admin@example.com.key"]


def test_the_directory_of_a_server_that_nobody_knows_is_a_guess_unless_it_is_named(
    tmp_path: Path,
) -> None:
    storage = stored(tmp_path, "acme.example.com:14000")
    outcome = import_lego(storage, Names())
    (issuer,) = specs(outcome, "Issuer").values()
    assert issuer["acme"]["server"] == "https://acme.example.com:14000/directory"
    assert said(outcome, "certUrl")[0] == "left"
    named = import_lego(storage, Names(), "https://acme.example.com:14000/dir")
    (issuer,) = specs(named, "Issuer").values()
    assert issuer["acme"]["server"] == "https://acme.example.com:14000/dir"


def test_the_configuration_of_version_5(tmp_path: Path) -> None:
    (tmp_path / ".lego.yml").write_text(CONFIGURATION)
    outcome = import_lego(tmp_path / ".lego.yml", Names())
    certificates, issuers = specs(outcome, "Certificate"), specs(outcome, "Issuer")
    assert certificates["www"] == {
        "issuerRef": "letsencrypt",
        "dnsNames": ("www.example.com",),
        "renewBefore": "20d",
        "privateKey": {
            "algorithm": "RSA",
            "size": 2048,
            "rotationPolicy": "Never",
            "custody": "ledger",
        },
        "targets": ("lego",),
    }
    acme = issuers[certificates["wild"]["issuerRef"]]["acme"]
    assert acme["server"] == "https://acme.example.com/directory"
    assert acme["profile"] == "tlsserver"
    assert acme["renewalInformationSource"] == "None"
    assert acme["externalAccountBinding"]["keyID"] == "kid-of-the-test"
    (solver,) = acme["solvers"]
    assert solver["dns01"]["propagation"] == {"nameservers": ("127.0.0.1:8853",)}
    assert "never-shown" not in str(outcome)


@pytest.mark.parametrize(
    ("field", "fate", "words"),
    [
        ("servers.internal.tlsSkipVerify", "left", "always verified"),
        ("accounts.bound.eab.hmacKey", "left", "not copied"),
        ("challenges.cloud.dns.envFile", "left", "credentials are not copied"),
        ("challenges.cloud.dns.propagation", "left", "no pause"),
        ("challenges.tls.tls", "left", "not proved by tls"),
        ("certificates.www.mustStaple", "left", "must-staple"),
        ("certificates.www.renew.reuseKey", "changed", "rotationPolicy Never"),
        ("certificates.alpn.pfx", "left", "keystores.pkcs12"),
        ("hooks.deploy.command", "left", "reload: [systemctl, reload, nginx]"),
        ("hooks.pre", "left", "runs nothing around"),
        ("challenges.cloud.dns.provider", "carried", "provider hetzner"),
    ],
)
def test_every_field_of_the_configuration_is_told(
    tmp_path: Path, field: str, fate: str, words: str
) -> None:
    (tmp_path / ".lego.yml").write_text(CONFIGURATION)
    found = said(import_lego(tmp_path / ".lego.yml", Names()), field)
    assert found[0] == fate
    assert words in found[1]


def test_no_field_of_the_configuration_is_unknown_but_one_that_is(tmp_path: Path) -> None:
    (tmp_path / ".lego.yml").write_text(f"{CONFIGURATION}novelty: 1\n")
    outcome = import_lego(tmp_path / ".lego.yml", Names())
    unknown = {note.field for note in outcome.notes if note.said == UNKNOWN}
    assert unknown == {"novelty"}
    assert said(outcome, "challenges.listening.http.address") == ("left", UNUSED)


def test_what_the_configuration_does_not_name_comes_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / ".lego.yml").write_text(CONFIGURATION)
    outcome = import_lego(stored(tmp_path), Names())
    assert specs(outcome, "Certificate").keys() == {"www", "wild", "alpn", "www-example-com"}


def test_a_real_lego_is_read_and_its_account_goes_on(
    require: Callable[[str], str], tmp_path: Path, repository: Repository
) -> None:
    lego = require("lego")
    storage = tmp_path / ".lego"
    with Pebble.running(tmp_path / "pebble") as pebble:
        done = subprocess.run(
            [
                *(lego, "--path", storage, "--server", pebble.url, "--accept-tos"),
                *("--email", "admin@example.com", "--domains", "www.example.com"),
                *("--http", "--http.port", f"127.0.0.1:{pebble.web_port}", "run"),
            ],
            env={**os.environ, "LEGO_CA_CERTIFICATES": str(pebble.tls.authority)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
    arguments = ("--server", pebble.url, "--write", repository.root, "--with-account-keys")
    told = repository.run("import", "lego", storage, *arguments)
    assert UNKNOWN not in told.stderr
    assert "Valid:" in repository.run("validate").stdout
    assert f"server: {pebble.url}" in (repository.root / "config/lego.yaml").read_text()
