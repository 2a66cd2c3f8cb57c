"""Issuers: every mistake is told at the word that is wrong, and what is not honoured is no difference."""

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.diagnostics import Severity
from reconciler.repository import Examination

Examine = Callable[..., Examination]
ARN = "arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/6b4b5c1e-9c5d-4f3a-8a7e-2f1d0c9b8a7f"
AMAZON = "issuerRef: amazon\ndnsNames: [a.example]\ntargets: [acm]"
ISSUERS = f"""\
kind: Issuer
metadata: {{name: private}}
spec: {{aws-private-ca: {{arn: {ARN}}}}}
---
kind: Issuer
metadata: {{name: amazon}}
spec: {{aws-acm: {{}}}}
---
kind: Issuer
metadata: {{name: google}}
spec: {{gcp-certificate-manager: {{}}}}
---
kind: Issuer
metadata: {{name: digicert}}
spec: {{azure-key-vault: {{issuerName: DigiCert}}}}
---
kind: Target
metadata: {{name: acm}}
spec: {{aws-acm: {{regions: [eu-west-1]}}}}
---
kind: Target
metadata: {{name: acm-all}}
spec: {{aws-acm: {{regions: [eu-west-1, us-east-1]}}}}
---
kind: Target
metadata: {{name: gcp}}
spec: {{gcp-certificate-manager: {{project: example-prod}}}}
"""


def _leaf(spec: str, name: str = "leaf") -> str:
    lines = "\n".join(f"  {line}" for line in spec.split("\n"))
    return f"kind: Certificate\nmetadata: {{name: {name}}}\nspec:\n{lines}\n"


def _examined(examined: Examine, spec: str, issuers: str = ISSUERS) -> tuple[Examination, int]:
    """Examine one certificate, and return the line that is marked in it."""
    text = _leaf(spec)
    line = next((n for n, each in enumerate(text.split("\n"), 1) if "#!" in each), 0)
    return examined({"config/issuers.yaml": issuers, "leaf.yaml": text}), line


MISTAKES = {
    "another usage than the template gives": (
        "issuerRef: private\ndnsNames: [a.example]\nusages: [code signing] #!",
        "does not give code signing; its template gives client auth, server auth",
    ),
    "an Ed25519 key for AWS": (
        "issuerRef: private\ndnsNames: [a.example]\nprivateKey:\n  algorithm: Ed25519 #!",
        "takes no key of type Ed25519",
    ),
    "an address for a public CA": (
        'issuerRef: amazon\ndnsNames: [a.example]\nipAddresses: ["192.0.2.1"] #!\ntargets: [acm]',
        "takes no ipAddresses",
    ),
    "a URI for a public CA": (
        'issuerRef: google\ndnsNames: [a.example]\nuris: ["spiffe://a"] #!\ntargets: [gcp]',
        "takes no uris",
    ),
    "no DNS name for a public CA": (
        "issuerRef: amazon\ncommonName: a.example #!\ntargets: [acm]",
        "issues for dnsNames",
    ),
    "a target of another kind": (
        "issuerRef: amazon\ndnsNames: [a.example]\ntargets:\n  - disk #!",
        "issues for targets of kind aws-acm; disk is local-directory",
    ),
    "two regions": (
        "issuerRef: amazon\ndnsNames: [a.example]\ntargets: [acm-all] #!",
        "issues in one place only",
    ),
    "two targets": (
        "issuerRef: amazon\ndnsNames: [a.example]\ntargets: [acm, disk] #!",
        "issues in one place only",
    ),
    "no target": ("issuerRef: amazon #!\ndnsNames: [a.example]", "issues in one place only"),
    "a key type that is not offered": (
        f"{AMAZON}\nprivateKey:\n  algorithm: RSA #!\n  size: 4096",
        "takes no key of type RSA 4096",
    ),
    "custody of a key nobody gets": (
        f"{AMAZON}\nprivateKey:\n  custody: ledger #!",
        "keeps the key",
    ),
    "a key that never changes": (
        f"{AMAZON}\nprivateKey:\n  custody: ledger\n  rotationPolicy: Never #!",
        "makes a key when it renews",
    ),
    "a revocation that cannot be": (
        "issuerRef: google\ndnsNames: [a.example]\ntargets: [gcp]\nonRemove: revoke #!",
        "cannot revoke",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_what_an_issuer_would_not_do_is_told_where_it_is_asked_for(
    examined: Examine, case: str
) -> None:
    spec, words = MISTAKES[case]
    examination, line = _examined(examined, spec)
    assert examination.desired is None
    places = [d.source for d in examination.diagnostics if words in d.summary and d.source]
    assert places, [d.summary for d in examination.diagnostics]
    if case not in ("no target", "no DNS name for a public CA"):  # what is not there is nowhere
        assert {(place.file, place.line) for place in places} == {("leaf.yaml", line)}
        assert all(place.column > 1 for place in places)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (f"{{aws-private-ca: {{arn: {ARN}}}, aws-acm: {{}}}}", "what kind of issuer it is, once"),
        ("{}", "what kind of issuer it is, once"),
        ("{aws-private-ca: {arn: nonsense}}", "must be the ARN of a CA"),
        (f"{{aws-private-ca: {{arn: {ARN}, template: Root/V1}}}}", "must be a template for leaves"),
        ("{azure-key-vault: {}}", "issuerName is missing"),
        ("{aws-acme: {}}", "aws-acme is not a field"),
    ],
)
def test_an_issuer_that_cannot_be_is_told(examined: Examine, spec: str, words: str) -> None:
    text = f"kind: Issuer\nmetadata: {{name: x}}\nspec: {spec}\n"
    examination = examined({"config/x.yaml": text})
    (found,) = [d for d in examination.diagnostics if words in d.summary]
    assert found.source is not None
    assert (found.source.file, found.source.line) == ("config/x.yaml", 3)


def test_an_issuer_and_an_authority_of_one_name_are_told_at_both_places(examined: Examine) -> None:
    text = "kind: Issuer\nmetadata: {name: root}\nspec: {aws-acm: {}}\n"
    found = examined({"config/x.yaml": text}).diagnostics
    places = {str(d.source) for d in found if "too, at" in d.summary}
    assert places == {"config/x.yaml:2", "authorities/cas.yaml:2"}


def test_an_issuer_stands_below_config_only(examined: Examine) -> None:
    text = "kind: Issuer\nmetadata: {name: x}\nspec: {aws-acm: {}}\n"
    found = [d.summary for d in examined({"x.yaml": text}).diagnostics]
    assert "Issuer does not belong in x.yaml" in found


def test_a_policy_speaks_of_issuers_as_of_authorities(examined: Examine) -> None:
    policy = (
        "kind: Policy\nmetadata: {name: p}\n"
        "spec: {selector: {paths: ['leaf.yaml']}, allowed: {issuers: [private]}}\n"
    )
    files = {"config/issuers.yaml": ISSUERS, "config/p.yaml": policy}
    fine = _leaf("issuerRef: private\ndnsNames: [a.example]\ntargets: [disk]")
    assert examined({**files, "leaf.yaml": fine}).desired is not None
    wrong = _leaf("issuerRef: amazon\ndnsNames: [a.example]\ntargets: [acm]")
    found = [d.summary for d in examined({**files, "leaf.yaml": wrong}).diagnostics]
    assert "the issuer amazon is not allowed: policy p" in found


def test_what_is_not_obeyed_is_a_warning_and_no_difference(examined: Examine) -> None:
    plain, _ = _examined(examined, AMAZON)
    examination, line = _examined(examined, f"{AMAZON}\nduration: 30d #!")
    (found,) = [d for d in examination.diagnostics if "does not obey duration" in d.summary]
    assert found.severity is Severity.WARNING
    assert found.source is not None
    assert found.source.line == line
    assert _digest(examination) == _digest(plain)


def test_what_is_obeyed_is_a_difference(examined: Examine) -> None:
    said = "issuerRef: private\ndnsNames: [a.example]\ntargets: [disk]"
    plain, _ = _examined(examined, said)
    longer, _ = _examined(examined, f"{said}\nduration: 30d")
    other, _ = _examined(examined, said, ISSUERS.replace("6b4b5c1e", "00000000"))
    assert len({_digest(each) for each in (plain, longer, other)}) == 3


def test_a_template_is_known_by_its_arn_as_well(examined: Examine) -> None:
    said = "issuerRef: private\ndnsNames: [a.example]\nusages: [code signing]\ntargets: [disk]"
    template = "arn:aws:acm-pca:::template/BlankEndEntityCertificate_CSRPassthrough/V1"
    issuers = ISSUERS.replace(f"{{arn: {ARN}}}", f'{{arn: "{ARN}", template: "{template}"}}')
    examination, _ = _examined(examined, said, issuers)
    assert examination.desired is not None
    spec = examination.desired.issuers["private"].spec.aws_private_ca
    assert spec is not None
    assert spec.template_arn == template
    assert spec.region == "eu-west-1"


def _digest(examination: Examination) -> Any:
    assert examination.desired is not None, [d.summary for d in examination.diagnostics]
    return examination.desired.certificates["leaf"].digest
