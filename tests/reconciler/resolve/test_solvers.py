"""Solvers: a name that none is for is told where it stands, and what to do about it."""

from collections.abc import Callable

import pytest

from reconciler.diagnostics import Severity
from reconciler.repository import Examination

Examine = Callable[..., Examination]
ISSUER = """\
kind: Issuer
metadata: {name: public}
spec:
  acme:
    server: https://ca.example.com/directory
    privateKeySecretRef: {name: secrets/acme.sops.yaml, key: account}
    solvers:
"""
WEB = "    - http01: {standalone: {}}\n"
DNS = "    - dns01: {cloudDNS: {project: some-project}}\n"
ZONE = DNS + "      selector: {dnsZones: [example.com]}\n"
SECRET = "account: ENC[AES256_GCM,data:dGVzdA==,iv:dGVzdA==,tag:dGVzdA==,type:str]\nsops: {}\n"


def _examined(examined: Examine, solvers: str, names: str) -> Examination:
    leaf = f"""\
kind: Certificate
metadata: {{name: leaf}}
spec:
  issuerRef: public
  targets: [disk]
{names}
"""
    return examined(
        {
            "config/issuer.yaml": ISSUER + solvers,
            "leaf.yaml": leaf,
            "secrets/acme.sops.yaml": SECRET,
        }
    )


@pytest.mark.parametrize(
    ("solvers", "names", "name", "hint"),
    [
        (
            ZONE,
            "  dnsNames: [a.example.com,\n    b.example.org]",
            "b.example.org",
            "without a selector",
        ),
        (
            WEB,
            "  dnsNames: [a.example.com,\n    '*.b.example.org']",
            "*.b.example.org",
            "dns01 alone",
        ),
        (
            DNS,
            "  dnsNames: [a.example.com]\n  ipAddresses: [192.0.2.1]",
            "192.0.2.1",
            "http01 alone",
        ),
    ],
)
def test_a_name_that_no_solver_is_for_is_told(
    examined: Examine, solvers: str, names: str, name: str, hint: str
) -> None:
    found = _examined(examined, solvers, names).diagnostics
    (told,) = [each for each in found if each.severity is Severity.ERROR]
    assert told.summary == f"no solver of the issuer public is for {name}"
    assert hint in told.hint
    assert told.source is not None
    assert (told.source.file, told.source.line) == ("leaf.yaml", 7)


def test_names_that_solvers_are_for_are_sound(examined: Examine) -> None:
    names = "  dnsNames: [a.example.com, '*.example.org']\n  ipAddresses: [192.0.2.1]"
    assert _examined(examined, WEB + DNS + ZONE, names).diagnostics == ()


@pytest.mark.parametrize(
    ("common", "named"),
    [("A.example.com", True), ("192.0.2.1", True), ("b.example.com", False), ("Shop", False)],
)
def test_a_common_name_is_one_of_the_names(examined: Examine, common: str, *, named: bool) -> None:
    names = f"  commonName: {common}\n  dnsNames: [a.example.com]\n  ipAddresses: [192.0.2.1]"
    found = _examined(examined, WEB, names).diagnostics
    assert [(d.summary, d.source and d.source.line) for d in found] == (
        [] if named else [(f"the common name {common} is none of its dnsNames and ipAddresses", 6)]
    )


@pytest.mark.parametrize(
    ("solvers", "line", "first"),
    [
        (WEB + WEB, 9, 0),
        (WEB + DNS + DNS, 10, 1),
        (ZONE + WEB + WEB, 11, 1),
        (ZONE + WEB + ZONE, 11, 0),
    ],
)
def test_a_solver_that_nothing_comes_to_is_warned_of(
    examined: Examine, solvers: str, line: int, first: int
) -> None:
    found = _examined(examined, solvers, "  dnsNames: [a.example.com]").diagnostics
    (told,) = found
    assert told.severity is Severity.WARNING
    assert told.summary == f"solvers[{first}] has the same selector, so this one is never used"
    assert told.source is not None
    assert (told.source.file, told.source.line) == ("config/issuer.yaml", line)


def test_a_kind_of_dns_that_nobody_installed_is_told_at_its_line(examined: Examine) -> None:
    solver = "    - dns01:\n        example.com/nobody: {server: x}\n"
    (told,) = _examined(examined, solver, "  dnsNames: [a.example.com]").diagnostics
    assert "no installed package has a solver of kind example.com/nobody" in told.summary
    assert told.source is not None
    assert (told.source.file, told.source.line) == ("config/issuer.yaml", 9)


def test_a_secret_of_a_plug_in_is_looked_for_in_the_repository(examined: Examine) -> None:
    solver = (
        "    - dns01:\n        example.com/nobody:\n"
        "          tokenSecretRef: {name: secrets/gone.sops.yaml, key: token}\n"
    )
    found = _examined(examined, solver, "  dnsNames: [a.example.com]").diagnostics
    assert any('"secrets/gone.sops.yaml" cannot be read' in each.summary for each in found)


def test_a_kind_of_dns_that_there_is_not_is_told_alone(examined: Examine) -> None:
    solver = "    - dns01: {cloudflare: {email: a@example.com}}\n"
    (told,) = _examined(examined, solver, "  dnsNames: [a.example.com]").diagnostics
    assert told.summary == "spec.acme.solvers[0].dns01.cloudflare is not a field"
    kinds = "azureDNS, cloudDNS, cnameStrategy, lexicon, propagation, rfc2136, route53"
    assert told.hint == f"there are: {kinds}"
