"""certform import and certform issuer key, as they are called."""

import io
import json
import sys
from pathlib import Path

import pytest
from certbot_folders import account_pem
from command_line import Repository

from reconciler.cli.app import run

MANIFEST = """\
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: orders}
spec: {secretName: x, issuerRef: {name: services}, dnsNames: [orders.example.com]}
"""
ISSUER = """\
kind: Issuer
metadata: {name: public}
spec:
  acme:
    server: https://acme.example.com/directory
    privateKeySecretRef: {name: config/keys/public.sops.yaml, key: account}
    externalAccountBinding: {keyID: kid, keySecretRef: {name: config/binding.sops.yaml, key: hmac}}
    solvers: [{http01: {standalone: {}}}]
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "orders.yaml"
    path.write_text(MANIFEST)
    return path


def test_without_write_the_documents_are_printed_and_nothing_is_made(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(("-C", str(tmp_path), "import", "cert-manager", str(manifest))) == 0
    printed = capsys.readouterr()
    assert "kind: Certificate" in printed.out
    assert "1 document of cert-manager" in printed.err
    assert list(tmp_path.iterdir()) == [manifest]


def test_standard_input_is_a_file_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(MANIFEST.encode())))
    assert run(("import", "cert-manager", "-")) == 0
    assert "standard input:3 metadata.name: certificate/orders" in capsys.readouterr().err


def test_a_name_that_the_repository_has_is_not_taken_again(
    repository: Repository, manifest: Path
) -> None:
    (repository.root / "mine.yaml").write_text(
        "kind: Certificate\nmetadata: {name: orders}\n"
        "spec: {issuerRef: services, dnsNames: [a.example.com]}\n"
    )
    assert "name: orders-2" in repository.run("import", "cert-manager", manifest).stdout


def test_a_file_that_is_there_is_never_written_over(manifest: Path, tmp_path: Path) -> None:
    there = tmp_path / "out/certificates/cert-manager.yaml"
    there.parent.mkdir(parents=True)
    there.write_text("mine\n")
    assert run(("import", "cert-manager", str(manifest), "--write", str(tmp_path / "out"))) == 1
    assert there.read_text() == "mine\n"


@pytest.mark.parametrize("link", ["out", "out/certificates", "out/certificates/cert-manager.yaml"])
def test_nothing_is_written_through_a_link(manifest: Path, tmp_path: Path, link: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = tmp_path / link
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(elsewhere if path.suffix != ".yaml" else elsewhere / "new.yaml")
    assert run(("import", "cert-manager", str(manifest), "--write", str(tmp_path / "out"))) == 1
    assert list(elsewhere.iterdir()) == []


def test_exit_1_is_for_where_nothing_could_be_read(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("a: [")
    assert run(("import", "cert-manager", str(bad), str(manifest))) == 0
    assert f"on {bad}:1:" in capsys.readouterr().err
    assert run(("import", "cert-manager", str(bad))) == 1


def test_a_report_for_machines_stands_alone_on_stdout_where_files_are_written(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out")
    assert run(("import", "cert-manager", str(manifest), "--write", out, "--format", "json")) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["documents"] == [{"kind": "Certificate", "name": "orders"}]
    assert printed.err == f"Wrote {out}/certificates/cert-manager.yaml.\n"


def test_a_line_that_cannot_be_read_is_not_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("data: {password: never-shown-in-a-test, [\n")
    assert run(("import", "cert-manager", str(bad))) == 1
    assert "never-shown" not in capsys.readouterr().err


def test_sealed_keys_need_a_folder_to_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "renewal").mkdir()
    assert run(("import", "certbot", str(tmp_path), "--with-account-keys")) == 1


def test_an_issuer_gets_its_key_once(repository: Repository) -> None:
    (repository.root / "config/public.yaml").write_text(ISSUER)
    lacking = repository.run("validate", code=1).stderr
    assert "`certform issuer key public` makes it" in lacking
    assert "`certform issuer secrets public` makes it" in lacking
    told = repository.run("issuer", "key", "public")
    path = repository.root / "config/keys/public.sops.yaml"
    sealed = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert sealed.startswith("account: ENC[")
    assert "PRIVATE KEY" not in sealed
    assert "certform issuer secrets public" in told.stderr
    assert "git add config/keys/public.sops.yaml" in told.stderr
    again = repository.run("issuer", "key", "public", code=1)
    assert "is there already\n  hint: `sops edit` changes what is in it" in again.stderr
    assert path.read_text() == sealed


def test_a_key_that_is_given_is_sealed_and_anything_else_refused(repository: Repository) -> None:
    (repository.root / "config/public.yaml").write_text(ISSUER)
    refused = repository.run("issuer", "key", "public", "--stdin", code=1, given="never-shown")
    assert "never-shown" not in refused.stderr
    repository.run("issuer", "key", "public", "--stdin", given=account_pem().decode())
    assert "EC PRIVATE" not in (repository.root / "config/keys/public.sops.yaml").read_text()


def test_secrets_are_asked_for_once_and_all_of_them(repository: Repository) -> None:
    (repository.root / "config/public.yaml").write_text(ISSUER)
    missing = repository.run("issuer", "secrets", "public", code=1, given="other=never-shown\n")
    assert "hmac was not given" in missing.stderr
    assert "never-shown" not in missing.stderr
    told = repository.run(
        "issuer", "secrets", "public", given="hmac = never-shown\nhmac=a=secret\n"
    )
    assert "Wrote config/binding.sops.yaml: hmac." in told.stderr
    path = repository.root / "config/binding.sops.yaml"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "secret" not in path.read_text().partition("sops:")[0]
    assert "Nothing to do" in repository.run("issuer", "secrets", "public", given="").stderr
    repository.run("issuer", "key", "public")
    assert "Valid:" in repository.run("validate").stdout
    (repository.root / "theirs.yaml").write_text(
        "kind: Certificate\nmetadata: {name: theirs}\n"
        "spec: {issuerRef: public, dnsNames: [a.example.com]}\n"
    )
    assert (
        "issuer public: everything that acme needs is installed" in repository.run("doctor").stdout
    )


def test_secrets_of_one_name_in_several_files_are_told_apart(repository: Repository) -> None:
    solvers = ", ".join(
        f"{{selector: {{dnsZones: [{zone}.example.com]}}, dns01: {{lexicon: {{provider: gandi, secretRefs:"
        f" {{auth_token: {{name: config/{zone}.sops.yaml, key: token}}}}}}}}}}"
        for zone in ("a", "b")
    )
    server = "https://acme.example.com/directory"
    key = "{name: config/key.sops.yaml, key: k}"
    (repository.root / "config/public.yaml").write_text(
        "kind: Issuer\nmetadata: {name: public}\n"
        f"spec: {{acme: {{server: '{server}', privateKeySecretRef: {key}, solvers: [{solvers}]}}}}\n"
    )
    told = repository.run("issuer", "secrets", "public", code=1, given="token=one\n").stderr
    assert "config/b.sops.yaml:token was not given" in told
    given = "config/a.sops.yaml:token=one\nconfig/b.sops.yaml:token=two\n"
    told = repository.run("issuer", "secrets", "public", given=given).stderr
    assert "Wrote config/b.sops.yaml: token." in told


def test_an_issuer_that_is_not_there_or_has_no_account_gets_none(repository: Repository) -> None:
    (repository.root / "config/public.yaml").write_text(ISSUER)
    assert "did you mean public?" in repository.run("issuer", "key", "publik", code=1).stderr
    (repository.root / "config/vault.yaml").write_text(
        "kind: Issuer\nmetadata: {name: vault}\n"
        "spec: {vault: {server: 'https://vault.example.com', role: web}}\n"
    )
    assert "of kind vault" in repository.run("issuer", "key", "vault", code=1).stderr


@pytest.mark.parametrize("path", [".git/hooks/x", "/tmp/x.sops.yaml"])
def test_a_key_is_written_into_the_repository_only(repository: Repository, path: str) -> None:
    (repository.root / "config/public.yaml").write_text(
        ISSUER.replace("config/keys/public.sops.yaml", path)
    )
    assert "no file of the repository" in repository.run("issuer", "key", "public", code=1).stderr
