# ruff: noqa: E501  (a document of a table stands on one line)
"""Policies: which files they select, and what they refuse."""

from collections.abc import Callable

import pytest
from examining import source

from reconciler.repository import Examination
from reconciler.resolve.globs import globs

HEAD = "kind: Policy\nmetadata: {name: shop}\nspec:\n  selector: {paths: [teams/shop/**]}\n"
LEAF = """\
kind: Certificate
metadata: {name: one}
spec:
  issuerRef: open
  dnsNames:
    - "*.apps.example"
  ipAddresses: [10.0.0.1]
  uris: [spiffe://example/one]
  emailAddresses: [me@example]
  duration: 30d
  targets:
    - disk
  privateKey:
    algorithm: RSA
    size: 2048
"""
REFUSED = {
    "allowed: {issuers: [services]}": (4, "the issuer open is not allowed"),
    "allowed: {targets: []}": (12, "the target disk is not allowed"),
    "allowed: {dnsDomains: [svc.internal]}": (6, "*.apps.example is not allowed"),
    "allowed: {ipRanges: [192.0.2.0/24]}": (7, "10.0.0.1 is not allowed"),
    "allowed: {uriDomains: []}": (8, "spiffe://example/one is not allowed"),
    "allowed: {emailDomains: [other]}": (9, "me@example is not allowed"),
    "allowed: {wildcards: false}": (6, "*.apps.example is a wildcard"),
    "constraints: {maxDuration: 29d}": (10, "30d is longer than 29d"),
    "constraints: {minDuration: 31d}": (10, "30d is shorter than 31d"),
    "constraints: {privateKey: {algorithms: [ECDSA]}}": (14, "RSA keys are not allowed"),
    "constraints: {privateKey: {minSize: {RSA: 3072}}}": (15, "smaller than 3072 bits"),
}


@pytest.mark.parametrize("rule", REFUSED)
def test_a_policy_refuses_at_the_offending_line(
    examined: Callable[..., Examination], rule: str
) -> None:
    line, summary = REFUSED[rule]
    files = {"config/p.yaml": f"{HEAD}  {rule}\n", "teams/shop/one.yaml": LEAF}
    (found,) = examined(files).diagnostics
    assert summary in found.summary
    assert "policy shop" in found.summary
    assert str(found.source) == f"teams/shop/one.yaml:{line}"


def test_a_policy_that_allows_everything_asked_says_nothing(
    examined: Callable[..., Examination],
) -> None:
    allowed = (
        "  allowed: {issuers: [open], targets: [disk], dnsDomains: [apps.example],"
        " ipRanges: [10.0.0.0/8], uriDomains: [example], emailDomains: [example]}\n"
    )
    files = {"config/p.yaml": HEAD + allowed, "teams/shop/one.yaml": LEAF}
    assert examined(files).diagnostics == ()


VAULT = "kind: Target\nmetadata: {name: kv}\nspec: {azure-key-vault: {vault: kv-example}}\n"
ADOPTS = """\
kind: Certificate
metadata: {name: one}
spec:
  issuerRef: open
  dnsNames: [a.example]
  targets:
    - targetRef: kv
      adopt: https://kv-example.vault.azure.net/certificates/one
"""


@pytest.mark.parametrize(
    ("policy", "refused"),
    [(None, False), ("allowed: {adopt: true}", False), ("allowed: {}", True), ("{}", True)],
)
def test_adopting_takes_a_word_of_each_policy_that_selects_the_file(
    examined: Callable[..., Examination], policy: str | None, *, refused: bool
) -> None:
    rules = {"config/p.yaml": f"{HEAD}  {policy}\n".replace("  {}\n", "")} if policy else {}
    files = {**rules, "config/kv.yaml": VAULT, "teams/shop/one.yaml": ADOPTS}
    found = examined(files).diagnostics
    assert [(str(d.source), d.summary) for d in found] == [
        (
            "teams/shop/one.yaml:8",
            "adopting is not allowed without `allowed.adopt: true`: policy shop",
        )
    ] * refused


def test_a_policy_does_not_look_at_other_paths(examined: Callable[..., Examination]) -> None:
    files = {"config/p.yaml": HEAD + "  allowed: {issuers: []}\n", "teams/shop2/one.yaml": LEAF}
    assert examined(files).diagnostics == ()


def test_every_policy_that_selects_a_file_must_be_satisfied(
    examined: Callable[..., Examination],
) -> None:
    second = HEAD.replace("name: shop", "name: all").replace("teams/shop/**", "'**'")
    files = {
        "config/p.yaml": f"{HEAD}  allowed: {{issuers: [open]}}\n---\n{second}  constraints: {{maxDuration: 1d}}\n",
        "teams/shop/one.yaml": LEAF,
    }
    assert all("policy all" in found.summary for found in examined(files).diagnostics)
    assert {source(found).file for found in examined(files).diagnostics} >= {"teams/shop/one.yaml"}


def test_a_set_answers_to_the_policies_of_its_csv_too(examined: Callable[..., Examination]) -> None:
    files = {
        "config/p.yaml": HEAD + "  allowed: {issuers: []}\n",
        "fleet.yaml": (
            "kind: CertificateSet\nmetadata: {name: f}\nspec:\n  csv: teams/shop/f.csv\n"
            "  template: {spec: {issuerRef: open, dnsNames: ['{name}.example']}}\n"
        ),
        "teams/shop/f.csv": "name\na\n",
    }
    (found,) = examined(files).diagnostics
    assert str(found.source) == "fleet.yaml:5"


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    [
        ("teams/shop/**", "teams/shop/a/b.yaml", True),
        ("teams/shop/**", "teams/shopping/a.yaml", False),
        ("teams/*/a.yaml", "teams/x/a.yaml", True),
        ("teams/*/a.yaml", "teams/x/y/a.yaml", False),
        ("**/a.yaml", "a.yaml", True),
        ("**/a.yaml", "x/y/a.yaml", True),
        ("a.yaml", "aXyaml", False),
        ("[ab].yaml", "a.yaml", False),
        ("*.yaml", "x/a.yaml", False),
    ],
)
def test_a_star_stays_in_its_folder_and_two_cross_folders(
    glob: str, path: str, matches: bool
) -> None:
    assert globs([glob]).match(path) is matches
