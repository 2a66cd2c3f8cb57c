"""certbot's renewal files become Issuers, Certificates and Targets; what became of each setting is told."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from certbot_folders import ACCOUNT, SERVER, CertbotFolder
from command_line import Repository
from pebble import Pebble

from providers import x509
from providers.secret import Secret
from providers.sops.binary import Sops
from reconciler.cli.app import run
from reconciler.importing.certbot import import_certbot
from reconciler.importing.certbot_fields import SETTINGS
from reconciler.importing.fitting import fit
from reconciler.importing.naming import Names
from reconciler.importing.outcome import Outcome
from reconciler.importing.survey import UNKNOWN

NAMES = ("www.example.com", "example.com")


@pytest.fixture
def folder(tmp_path: Path) -> CertbotFolder:
    return CertbotFolder(tmp_path / "letsencrypt")


def read(folder: CertbotFolder) -> Outcome:
    return import_certbot(folder.root, Names())


def only(outcome: Outcome, kind: str) -> dict[str, Any]:
    (draft,) = [draft for draft in outcome.drafts if draft.kind == kind]
    fitting, notes = fit(draft)
    assert fitting is not None, notes
    return dict(fitting.spec)


def said(outcome: Outcome, field: str) -> tuple[str, str]:
    (note,) = [note for note in outcome.notes if note.field == f"renewalparams.{field}"]
    return str(note.fate), note.said


def test_names_key_and_account_come_from_where_they_are(folder: CertbotFolder) -> None:
    folder.add("www.example.com", "authenticator = standalone", NAMES, bits=2048)
    key = folder.add_account("admin@example.com")
    outcome = read(folder)
    assert only(outcome, "Certificate") == {
        "issuerRef": "letsencrypt",
        "dnsNames": NAMES,
        "privateKey": {"algorithm": "RSA", "size": 2048},
        "targets": ("certbot",),
    }
    acme = only(outcome, "Issuer")["acme"]
    assert (acme["email"], acme["solvers"]) == (
        "admin@example.com",
        ({"http01": {"standalone": {}}},),
    )
    assert [held.file for held in outcome.keys] == [key]


def test_each_name_has_the_webroot_that_it_was_proved_by(folder: CertbotFolder) -> None:
    mapped = "[[webroot_map]]\nwww.example.com = /srv/www\nexample.com = /srv/other"
    folder.add(
        "www.example.com", f"authenticator = webroot\nwebroot_path = /srv/www,\n{mapped}", NAMES
    )
    assert only(read(folder), "Issuer")["acme"]["solvers"] == (
        {
            "selector": {"dnsNames": ("www.example.com",)},
            "http01": {"webroot": {"path": "/srv/www"}},
        },
        {"selector": {"dnsNames": ("example.com",)}, "http01": {"webroot": {"path": "/srv/other"}}},
    )


@pytest.mark.parametrize(("server", "service"), [("nginx", "nginx"), ("apache", "apache2")])
def test_a_web_server_that_certbot_configured_is_proposed_as_a_target(
    folder: CertbotFolder, server: str, service: str
) -> None:
    folder.add("www.example.com", f"authenticator = {server}\ninstaller = {server}", NAMES)
    outcome = read(folder)
    assert only(outcome, "Target")["reload"] == ("systemctl", "reload", service)
    assert said(outcome, "installer")[0] == "changed"
    fate, words = said(outcome, "authenticator")
    assert fate == "left"
    assert "acme-challenge" in words


def test_dns_plug_ins_become_solvers_and_no_credential_is_read(folder: CertbotFolder) -> None:
    secret = folder.root / "cloudflare.ini"
    secret.write_text("dns_cloudflare_api_token = never-shown-in-a-test\n")
    settings = (
        f"authenticator = dns-cloudflare\ndns_cloudflare_credentials = {secret}\n"
        "dns_cloudflare_propagation_seconds = 300"
    )
    folder.add("www.example.com", settings, NAMES)
    outcome = read(folder)
    (solver,) = only(outcome, "Issuer")["acme"]["solvers"]
    assert solver["dns01"] == {
        "propagation": {"timeout": "5m"},
        "lexicon": {
            "provider": "cloudflare",
            "secretRefs": {
                "auth_token": {"name": "config/dns-cloudflare.sops.yaml", "key": "auth_token"}
            },
        },
    }
    assert said(outcome, "dns_cloudflare_credentials")[0] == "left"
    assert "never-shown" not in str(outcome)


def test_of_a_tsig_key_everything_is_carried_but_the_key(folder: CertbotFolder) -> None:
    key = folder.root / "rfc2136.ini"
    key.write_text(
        "dns_rfc2136_server = 192.0.2.53\ndns_rfc2136_port = 5353\ndns_rfc2136_name = acme.\n"
        "dns_rfc2136_secret = bmV2ZXItc2hvd24=\ndns_rfc2136_algorithm = HMAC-SHA512\n"
    )
    settings = f"authenticator = dns-rfc2136\ndns_rfc2136_credentials = {key}"
    folder.add("www.example.com", settings, NAMES)
    outcome = read(folder)
    (solver,) = only(outcome, "Issuer")["acme"]["solvers"]
    assert solver["dns01"]["rfc2136"] == {
        "nameserver": "192.0.2.53:5353",
        "tsigKeyName": "acme.",
        "tsigAlgorithm": "hmac-sha512",
        "tsigSecretRef": {"name": "config/dns-rfc2136.sops.yaml", "key": "tsigSecret"},
    }
    assert "bmV2ZXItc2hvd24" not in str(outcome)


@pytest.mark.parametrize(
    ("setting", "fate", "words"),
    [
        ("renew_hook = systemctl reload nginx", "left", "reload: [systemctl, reload, nginx]"),
        ("renew_hook = cd /srv && make", "left", "put it into a script"),
        ("post_hook = systemctl start nginx", "left", "runs nothing afterwards"),
        ("must_staple = True", "left", "must-staple"),
        ("allow_subset_of_names = True", "left", "all names or none"),
        ("reuse_key = True", "changed", "rotationPolicy Never"),
        ("preferred_profile = shortlived", "carried", "profile of issuer/letsencrypt"),
        ("preferred_chain = ISRG Root X1", "carried", "preferredChain of issuer/letsencrypt"),
        ("autorenew = False", "left", "renews it while its document is there"),
        ("something_new = 1", "left", UNKNOWN),
    ],
)
def test_every_other_setting_is_told(
    folder: CertbotFolder, setting: str, fate: str, words: str
) -> None:
    folder.add("www.example.com", f"authenticator = standalone\n{setting}", NAMES)
    found = said(read(folder), setting.partition(" ")[0])
    assert found[0] == fate
    assert words in found[1]


def test_what_certbot_writes_without_meaning_is_not_told(folder: CertbotFolder) -> None:
    quiet = [name for name, rule in SETTINGS.items() if rule.silent]
    lines = "\n".join(f"{name} = said" for name in quiet)
    folder.add("www.example.com", f"authenticator = standalone\n{lines}", NAMES)
    told = {note.field.removeprefix("renewalparams.") for note in read(folder).notes}
    assert told & set(quiet) == set()


def test_no_setting_that_says_no_is_a_thing_to_do(folder: CertbotFolder) -> None:
    off = [name for name, rule in SETTINGS.items() if rule.words and not rule.silent]
    lines = "\n".join(f"{name} = False" for name in off)
    folder.add_account()
    folder.add("www.example.com", f"authenticator = standalone\n{lines}", NAMES)
    assert [note.field for note in read(folder).notes if note.fate == "left"] == []


@pytest.mark.parametrize(
    ("early", "spec"), [("30 days", "30d"), ("2 weeks", "14d"), ("4 years", None), ("soon", None)]
)
def test_how_early_it_renews_is_carried_where_it_fits(
    folder: CertbotFolder, early: str, spec: str | None
) -> None:
    above = f"renew_before_expiry = {early}\n"
    folder.add("www.example.com", "authenticator = standalone", NAMES, above=above)
    assert only(read(folder), "Certificate").get("renewBefore") == spec


def test_without_a_certificate_the_names_come_from_the_settings(folder: CertbotFolder) -> None:
    mapped = "[[webroot_map]]\nwww.example.com = /srv/www"
    folder.add("www.example.com", f"authenticator = webroot\nkey_type = rsa\n{mapped}")
    spec = only(read(folder), "Certificate")
    assert spec["dnsNames"] == ("www.example.com",)
    assert spec["privateKey"] == {"algorithm": "RSA", "size": 2048}


def test_defaults_of_cli_ini_count_where_nothing_else_is_said(folder: CertbotFolder) -> None:
    (folder.root / "cli.ini").write_text(
        "# for all\nemail = all@example.com\neab-kid = kid-of-the-test\n"
        "eab-hmac-key = never-shown-in-a-test\nrsa-key-size = 4096\n"
    )
    folder.add("www.example.com", "authenticator = standalone", NAMES)
    outcome = read(folder)
    acme = only(outcome, "Issuer")["acme"]
    assert acme["email"] == "all@example.com"
    assert acme["externalAccountBinding"]["keyID"] == "kid-of-the-test"
    assert "never-shown" not in str(outcome)
    lines = {
        note.field: note.source.line for note in outcome.notes if "cli.ini" in note.source.file
    }
    assert lines == {"email": 2, "eab-kid": 3, "eab-hmac-key": 4, "rsa-key-size": 5}


def test_a_server_of_the_first_acme_is_the_one_of_today(folder: CertbotFolder) -> None:
    path = folder.add(
        "www", "authenticator = standalone\nelliptic_curve = secp256r1", NAMES, bits=2048
    )
    path.write_text(path.read_text().replace("acme-v02", "acme-v01"))
    outcome = read(folder)
    assert only(outcome, "Issuer")["acme"]["server"] == SERVER
    assert said(outcome, "server")[0] == "changed"
    assert not [note for note in outcome.notes if note.field.endswith("elliptic_curve")]


def test_nothing_is_made_of_a_lineage_without_names(folder: CertbotFolder) -> None:
    folder.add("www", "authenticator = nginx\ninstaller = nginx")
    outcome = read(folder)
    assert outcome.drafts == ()
    assert any("without its names there is no document" in note.said for note in outcome.notes)


def test_hooks_in_folders_are_told(folder: CertbotFolder) -> None:
    hook = folder.root / "renewal-hooks/deploy/reload.sh"
    hook.parent.mkdir(parents=True)
    hook.write_text("#!/bin/sh\n")
    folder.add("www.example.com", "authenticator = standalone", NAMES)
    (note,) = [note for note in read(folder).notes if note.field == "renewal-hooks/deploy"]
    assert f"reload: [{hook}]" in note.said


def test_what_is_written_is_valid_with_the_accounts_own_key(
    folder: CertbotFolder, repository: Repository
) -> None:
    folder.add("www.example.com", "authenticator = nginx\ninstaller = nginx", NAMES)
    key = folder.add_account()
    arguments = (
        "import",
        "certbot",
        folder.root,
        "--write",
        repository.root,
        "--with-account-keys",
    )
    done = repository.run(*arguments)
    assert "Valid:" in repository.run("validate").stdout
    sealed = repository.root / "config/letsencrypt-account.sops.yaml"
    assert sealed.stat().st_mode & 0o777 == 0o600
    private = json.loads(key.read_text())["d"]
    everything = [path for path in repository.root.rglob("*") if path.is_file()]
    assert not any(private.encode() in path.read_bytes() for path in everything)
    assert private not in done.stdout + done.stderr
    opened = opened_by(repository, sealed)
    assert private.encode() in opened.reveal()


def opened_by(repository: Repository, sealed: Path) -> Secret:
    before = dict(os.environ)
    os.environ.update(repository.environment)
    try:
        return Sops().value(sealed.read_bytes(), sealed.name, "privateKey")
    finally:
        os.environ.clear()
        os.environ.update(before)


def test_without_the_account_the_command_that_makes_a_key_is_told_and_works(
    folder: CertbotFolder, repository: Repository
) -> None:
    folder.add("www.example.com", "authenticator = standalone", NAMES)
    done = repository.run("import", "certbot", folder.root, "--write", repository.root)
    assert "`certform issuer key letsencrypt`" in done.stderr
    assert "letsencrypt-account.sops.yaml" in repository.run("validate", code=1).stderr
    repository.run("issuer", "key", "letsencrypt")
    assert "Valid:" in repository.run("validate").stdout


def certbot_runs(certbot: str, pebble: Pebble, folder: Path) -> None:
    """One certificate by certbot's own web server, with the options that people give."""
    places = [f"--{kind}-dir={folder / kind}" for kind in ("config", "work", "logs")]
    done = subprocess.run(
        [
            *(certbot, "certonly", "--standalone", f"--http-01-port={pebble.web_port}"),
            *("--http-01-address=127.0.0.1", "-d", "www.example.com", "-d", "example.com"),
            *(f"--server={pebble.url}", "-m", "admin@example.com", "--no-eff-email"),
            *("--deploy-hook", "true reload", "-n", "--agree-tos"),
            *("--key-type=rsa", "--rsa-key-size=2048", "--reuse-key"),
            *places,
        ],
        env={**os.environ, "REQUESTS_CA_BUNDLE": str(pebble.tls.authority)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_what_a_real_certbot_began_goes_on_here_with_the_same_account(
    require: Callable[[str], str], tmp_path: Path, repository: Repository
) -> None:
    """Pebble logs every account that it makes: after certbot's there is none."""
    certbot = require("certbot")
    with Pebble.running(tmp_path / "pebble") as pebble:
        certbot_runs(certbot, pebble, tmp_path)
        arguments = ("--write", repository.root, "--with-account-keys")
        told = repository.run("import", "certbot", tmp_path / "config", *arguments)
        assert UNKNOWN not in told.stderr
        assert "reload: [true, reload]" in told.stderr
        (repository.root / "config/pebble.pem").write_bytes(pebble.anchors)
        anchors = "caBundle: config/pebble.pem"
        repository.edit("config/certbot.yaml", "  acme:\n", f"  acme:\n    {anchors}\n")
        repository.edit("config/certbot.yaml", "/etc/certform/certbot", "out/certbot")
        assert "Valid:" in repository.run("validate").stdout
        before = pebble.log.count("accounts in memory")
        repository.run("apply", "--auto-approve")
        assert pebble.log.count("accounts in memory") == before == 1
    folder = repository.root / "out/certbot/www-example-com/current"
    (leaf,) = x509.split_pem((folder / "cert.pem").read_bytes())
    assert set(x509.facts(leaf).dns_names) == set(NAMES)
    assert b"BEGIN PRIVATE KEY" in (folder / "privkey.pem").read_bytes()


def test_a_folder_without_renewal_files_is_no_directory_of_certbots(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(("import", "certbot", str(tmp_path))) == 1
    assert "cannot be listed" in capsys.readouterr().err


def test_an_account_of_somebody_elses_folder_is_not_followed(
    folder: CertbotFolder, tmp_path: Path
) -> None:
    outside = CertbotFolder(tmp_path / "outside").add_account()
    accounts = folder.root / "accounts/acme-v02.api.letsencrypt.org/directory"
    accounts.mkdir(parents=True)
    (accounts / ACCOUNT).mkdir()
    (accounts / ACCOUNT / "private_key.json").symlink_to(outside)
    folder.add("www.example.com", "authenticator = standalone", NAMES)
    assert read(folder).keys == ()
