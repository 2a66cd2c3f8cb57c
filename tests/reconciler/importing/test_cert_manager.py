"""cert-manager's manifests become documents of ours, and what cannot is told where it stands."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command_line import Repository
from manifests import CERTIFICATES, ISSUERS

from reconciler.cli.app import run
from reconciler.importing.certmanager import import_cert_manager
from reconciler.importing.certmanager_fields import go_duration
from reconciler.importing.naming import Names
from reconciler.importing.outcome import Outcome
from reconciler.render.importing import render_markdown
from schemas.scalars import format_duration

Golden = Callable[[str, str], None]
HEADER = "apiVersion: cert-manager.io/v1\n"


def read(text: str) -> Outcome:
    return import_cert_manager(["-"], Names(), text.encode())


def spec_of(outcome: Outcome, name: str) -> dict[str, Any]:
    return next(dict(draft.spec) for draft in outcome.drafts if draft.name == name)


def said(outcome: Outcome, field: str) -> list[tuple[str, str]]:
    return [(str(note.fate), note.said) for note in outcome.notes if note.field == field]


def certificate(spec: str, name: str = "web") -> str:
    return f"{HEADER}kind: Certificate\nmetadata: {{name: {name}}}\nspec: {spec}\n"


def test_a_cluster_as_a_whole(
    golden: Golden,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("issuers.yaml").write_text(ISSUERS)
    Path("certificates.yaml").write_text(CERTIFICATES)
    assert run(("import", "cert-manager", "issuers.yaml", "certificates.yaml")) == 0
    printed = capsys.readouterr()
    golden("import/cert-manager.yaml", printed.out)
    golden("import/cert-manager.txt", printed.err)
    assert "never-shown" not in printed.out + printed.err


def test_the_report_in_markdown_and_json(
    golden: Golden,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("issuers.yaml").write_text(ISSUERS)
    assert run(("import", "cert-manager", "issuers.yaml", "--format", "markdown")) == 0
    golden("import/cert-manager.md", capsys.readouterr().err)
    assert run(("import", "cert-manager", "issuers.yaml", "--format", "json")) == 0
    data = json.loads(capsys.readouterr().err)
    assert (data["kind"], data["format_version"]) == ("import", "1.0")
    assert {note["fate"] for note in data["notes"]} == {"carried", "changed", "left"}
    assert {(d["kind"], d["name"]) for d in data["documents"]} == {
        ("Issuer", "letsencrypt"),
        ("Issuer", "vault"),
    }


def test_what_is_written_is_valid_once_the_report_was_followed(
    repository: Repository, tmp_path: Path
) -> None:
    """The secrets it names are made, and what it leaves open (issuers, targets) is chosen."""
    (tmp_path / "all.yaml").write_text(f"{ISSUERS}---\n{CERTIFICATES}")
    done = repository.run(
        "import", "cert-manager", tmp_path / "all.yaml", "--write", repository.root
    )
    assert "2 documents" not in done.stderr
    repository.run("issuer", "key", "letsencrypt")
    given = "tsigSecret=c2VjcmV0\nauth_token=a=b\nhmacKey=aG1hYw\nsecretId=a test's\n"
    repository.run("issuer", "secrets", "letsencrypt", given=given)
    repository.run("issuer", "secrets", "vault", given=given)
    repository.edit("certificates/cert-manager.yaml", "issuerRef: services\n", "issuerRef: vault\n")
    assert "Valid:" in repository.run("validate").stdout


def test_the_ca_of_an_issuer_is_found_by_its_secret() -> None:
    outcome = read(f"{ISSUERS}---\n{CERTIFICATES}")
    assert spec_of(outcome, "orders")["issuerRef"] == "mesh-ca"
    authority = spec_of(outcome, "mesh-ca")
    assert "parentRef" not in authority
    assert authority["nameConstraints"] == {"permitted": {"dnsDomains": ("svc.example.internal",)}}


def test_an_intermediate_has_its_parent() -> None:
    issuer = (
        f"{HEADER}kind: Issuer\nmetadata: {{name: root}}\nspec: {{ca: {{secretName: mesh-ca}}}}\n"
    )
    below = certificate(
        "{isCA: true, commonName: B, secretName: b, issuerRef: {name: root}}", "below"
    )
    itself = "{name: selfsigned, kind: ClusterIssuer}"
    root = certificate(f"{{isCA: true, secretName: mesh-ca, issuerRef: {itself}}}", "above")
    outcome = read(f"{ISSUERS}---\n{issuer}---\n{below}---\n{root}")
    assert spec_of(outcome, "below")["parentRef"] == "above"


def test_equal_names_in_two_namespaces_are_two_documents() -> None:
    outcome = read(CERTIFICATES)
    names = {draft.name for draft in outcome.drafts if draft.kind == "Certificate"}
    assert {"orders", "orders-staging"} <= names


def test_what_acme_does_not_obey_is_left_out_and_told() -> None:
    outcome = read(f"{ISSUERS}---\n{CERTIFICATES}")
    spec = spec_of(outcome, "shop-example-com")
    assert not spec.keys() & {"uris", "duration", "usages"}
    assert said(outcome, "spec.uris") == [("left", "issuer/letsencrypt takes no uris")]


def test_a_certificate_that_signs_itself_has_no_issuer_here() -> None:
    issuer = f"{HEADER}kind: Issuer\nmetadata: {{name: self}}\nspec: {{selfSigned: {{}}}}\n"
    leaf = certificate("{dnsNames: [a.example.com], secretName: a, issuerRef: {name: self}}")
    outcome = read(f"{issuer}---\n{leaf}")
    assert "issuerRef" not in spec_of(outcome, "web")
    ((fate, words),) = said(outcome, "spec.issuerRef.name")
    assert (fate, "signs itself" in words) == ("left", True)


@pytest.mark.parametrize(
    ("path", "mount", "issuer", "role"),
    [
        ("pki/sign/web", "pki", None, "web"),
        ("/teams/pki/sign/web/", "teams/pki", None, "web"),
        ("pki/issuer/second/sign/web", "pki", "second", "web"),
    ],
)
def test_the_path_in_vault_is_taken_apart(
    path: str, mount: str, issuer: str | None, role: str
) -> None:
    outcome = read(ISSUERS.replace("pki_int/sign/web", path))
    vault = spec_of(outcome, "vault")["vault"]
    assert (vault["path"], vault.get("issuerName"), vault["role"]) == (mount, issuer, role)


def test_a_path_in_vault_that_asks_no_role_makes_no_issuer() -> None:
    from reconciler.importing.fitting import fit  # noqa: PLC0415

    outcome = read(ISSUERS.replace("pki_int/sign/web", "pki/sign-verbatim"))
    draft = next(draft for draft in outcome.drafts if draft.name == "vault")
    fitting, notes = fit(draft)
    assert fitting is None
    assert notes[-1].fate == "left"


@pytest.mark.parametrize(
    ("text", "meant"),
    [("2160h", "90d"), ("2160h0m0s", "90d"), ("1h30m", "90m"), ("1.5h", "90m"), ("168h", "7d")],
)
def test_durations_are_those_of_go(text: str, meant: str) -> None:
    found = go_duration(text)
    assert found is not None
    assert format_duration(found) == meant


@pytest.mark.parametrize("text", ["", "90d", "h", "1h ", "-1h", "0h", "1e9h", "9" * 40 + "h", None])
def test_what_is_no_duration_of_go_is_none(text: str | None) -> None:
    assert go_duration(text) is None


def test_no_more_than_there_is_room_for_is_said_in_markdown() -> None:
    outcome = read(certificate("{dnsNames: [a.example.com], issuerRef: {name: x}, 'a|b`c': <img>}"))
    told = render_markdown(replace(outcome, broken=()))
    assert "<img>" not in told
    assert "a|b" not in told
