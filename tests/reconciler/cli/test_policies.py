"""Policies that the day decides, and the linter, as whoever runs certform sees them."""

import json

import pytest
from command_line import Repository

POLICY = """\
kind: Policy
metadata: {name: public}
spec:
  selector: {paths: ["public/**"]}
  baseline: cabf-tls
  exceptions:
    - {certificates: [old], until: 2199-01-01, reason: it goes away}
"""
CA = """\
kind: Authority
metadata: {name: tls}
spec: {parentRef: root, commonName: Example TLS, duration: 3y}
"""
LEAVES = """\
kind: Certificate
metadata: {name: www}
spec:
  issuerRef: tls
  dnsNames: [www.shop-example.com]
  duration: 46d
  targets: [local]
---
kind: Certificate
metadata: {name: old}
spec:
  issuerRef: tls
  dnsNames: [old.corp]
  duration: 500d
  targets: [local]
---
kind: Certificate
metadata: {name: odd}
spec:
  issuerRef: tls
  duration: 46d
  targets: [local]
  dnsNames: [xn--zzzz99.shop-example.com]
"""


@pytest.fixture
def public(applied: Repository) -> Repository:
    """A repository where some certificates are for browsers."""
    for path, text in (
        ("config/policies.yaml", POLICY),
        ("authorities/tls.yaml", CA),
        ("public/www.yaml", LEAVES),
    ):
        file = applied.root / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    project = applied.root / "certform.yaml"
    if "\n  publish:" not in project.read_text():
        text = "  publish:\n    to: {directory: out/pki}\n    baseURL: http://pki.example.com\n"
        project.write_text(project.read_text() + text)
    return applied


def test_validate_lists_exceptions_with_their_end_and_what_they_excuse(public: Repository) -> None:
    shown = public.run("validate", "--format", "json").stdout
    told = {d["summary"]: d for d in json.loads(shown)["diagnostics"]}
    exception = told["policy public does not bind old before 2199-01-01"]
    assert (exception["file"], exception["line"]) == ("config/policies.yaml", 7)
    assert "the DNS name old.corp is an internal name" in exception["detail"]


def test_a_plan_blocks_what_is_unsound_at_the_line_that_asks_for_it(public: Repository) -> None:
    plan = json.loads(public.run("plan", "--format", "json").stdout)
    steps = {f"{c['action']}:{c['address']}": c for c in plan["changes"]}
    odd = steps["blocked:certificate/odd"]
    assert odd["reason"] == "Lint"
    assert "invalid_plabel_encoding" in odd["message"]
    assert (odd["source"]["file"], odd["source"]["line"]) == ("public/www.yaml", 23)
    assert {"issue:authority/tls", "issue:certificate/www", "issue:certificate/old"} <= steps.keys()
    assert "install:certificate/odd@local" not in steps


def test_apply_signs_the_rest_and_the_day_that_an_exception_ends_is_shown(
    public: Repository,
) -> None:
    done = public.run("apply", "--auto-approve", code=4)
    assert "certificate/www" in done.stderr
    assert not (public.root / "out/tls/odd").exists()
    assert (public.root / "out/tls/www/current/cert.pem").exists()
    plan = public.run("plan", "--at", "2199-01-02").stdout
    assert "which excused it until 2199-01-01 (it goes away)" in plan
