# ruff: noqa: E501  (a document of a table stands on one line)
"""Every mistake that can be told without asking anybody, found at its line.

In the texts below `#!` marks the line a finding must point at.
"""

from collections.abc import Callable, Mapping, Sequence

import pytest
from examining import source

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.repository import Examination

CERTIFICATE = "kind: Certificate\nmetadata: {name: one}\nspec:\n  issuerRef: open\n"
NAMED = CERTIFICATE + "  dnsNames: [one.example]\n"
SERVICE = "kind: Certificate\nmetadata: {name: one}\nspec:\n  issuerRef: services\n"
AUTHORITY = "kind: Authority\nmetadata: {name: sub}\nspec:\n  commonName: Sub\n"
SET = "kind: CertificateSet\nmetadata: {name: fleet}\nspec:\n"
NAMES = ", ".join(f"n{i}.example" for i in range(1001))

LEAVES = {
    "an unknown issuer": (
        "issuerRef: servces #!\n  dnsNames: [a.example]",
        'no Authority or Issuer called "servces"',
        "services",
    ),
    "no issuer": ("dnsNames: [a.example]", "spec.issuerRef is missing", ""),
    "an unknown profile": ("profileRef: servic #!", 'no Profile called "servic"', "service"),
    "an unknown target": (
        "issuerRef: open\n  dnsNames: [a.example]\n  targets:\n    - disc #!",
        'no Target called "disc"',
        "disk",
    ),
    "a misspelt field": (
        "issuerRef: open\n  dnsName: [a.example] #!",
        "spec.dnsName is not a field",
        "dnsNames",
    ),
    "keystores of no form": (
        "issuerRef: open\n  dnsNames: [a.example]\n  targets:\n    - targetRef: disk\n      keystores: {} #!",
        "must have `pkcs12` or `jks`",
        "",
    ),
    "a text where a list belongs": (
        "issuerRef: open\n  dnsNames: a.example #!",
        '"a.example" must be a list',
        "",
    ),
    "a bad duration": (
        "issuerRef: open\n  dnsNames: [a.example]\n  duration: 90 days #!",
        "must be a duration such as",
        "",
    ),
    "a bad DNS name": (
        "issuerRef: open\n  dnsNames:\n    - fine.example\n    - bad..example #!",
        "is not a DNS name",
        "",
    ),
    "a wildcard inside": (
        'issuerRef: open\n  dnsNames: ["a.*.example"] #!',
        "is not a DNS name",
        "",
    ),
    "a wildcard of a top-level domain": (
        'issuerRef: open\n  dnsNames: ["*.example"] #!',
        "whole top-level domain",
        "",
    ),
    "an unknown usage": (
        "issuerRef: open\n  dnsNames: [a.example]\n  usages: [serverauth] #!",
        "must be one of",
        "server auth",
    ),
    "no name at all": ("issuerRef: open", "has no name", ""),
    "a key size there is none of": (
        "issuerRef: open\n  dnsNames: [a.example]\n  privateKey:\n    size: 1024 #!",
        "no ECDSA key of 1024 bits",
        "256, 384, 521",
    ),
    "two ways to say when to renew": (
        "issuerRef: open\n  dnsNames: [a.example]\n  renewBefore: 1d #!\n  renewBeforePercentage: 10%",
        "both renewBefore and",
        "",
    ),
    "a renewal before the start": (
        "issuerRef: open\n  dnsNames: [a.example]\n  renewBefore: 90d #!",
        "does not fit a life of 90d",
        "",
    ),
    "a renewal never": (
        "issuerRef: open\n  dnsNames: [a.example]\n  renewBeforePercentage: 0% #!",
        "does not fit",
        "",
    ),
    "a kept key without custody": (
        "issuerRef: open\n  dnsNames: [a.example]\n  privateKey:\n    rotationPolicy: Never #!",
        "must be kept",
        "custody: ledger",
    ),
    "a life longer than the issuer's": (
        "issuerRef: services\n  dnsNames: [a.svc.internal]\n  duration: 366d #!",
        "longer than its issuer services (1y)",
        "",
    ),
    "a name outside the constraints": (
        "issuerRef: services\n  dnsNames:\n    - web.svc.internal\n    - web.example #!",
        "web.example is outside what is permitted by authority services",
        "",
    ),
    "an excluded name": (
        "issuerRef: services\n  dnsNames: [a.secret.svc.internal] #!",
        "is in what is excluded",
        "",
    ),
    "a kind of name that is shut": (
        "issuerRef: services\n  dnsNames: [a.svc.internal]\n  ipAddresses: [10.0.0.1] #!",
        "IP address 10.0.0.1 is outside",
        "",
    ),
    "a URI outside": (
        "issuerRef: services\n  uris: [spiffe://elsewhere.internal/x] #!",
        "URI spiffe://elsewhere.internal/x is outside",
        "",
    ),
    "a common name that is a host outside": (
        "issuerRef: services\n  commonName: web.example #!\n  dnsNames: [a.svc.internal]",
        "web.example is outside",
        "",
    ),
    "a target twice": (
        "issuerRef: open\n  dnsNames: [a.example]\n  targets:\n    - disk\n    - disk #!",
        "listed twice",
        "",
    ),
    "an object name that is taken": (
        "issuerRef: open\n  dnsNames: [a.example]\n  targets:\n    - targetRef: disk\n      objectName: web #!",
        'called "web" in target disk',
        "",
    ),
    "too many names": (
        f"issuerRef: open\n  dnsNames: [{NAMES}]",
        "1,001 names are more than 1,000",
        "",
    ),
    "an output format there is none of": (
        "issuerRef: open\n  dnsNames: [a.example]\n  targets:\n    - targetRef: disk\n      additionalOutputFormats: [JKS] #!",
        "must be one of CombinedPEM",
        "",
    ),
}


@pytest.mark.parametrize("case", LEAVES)
def test_a_certificate_is_refused_for(examined: Callable[..., Examination], case: str) -> None:
    spec, summary, hint = LEAVES[case]
    text = f"kind: Certificate\nmetadata: {{name: one}}\nspec:{' #!' if '#!' not in spec else ''}\n  {spec}\n"
    found = errors(examined({"team/one.yaml": text}))
    assert_marked(found, {"team/one.yaml": text}, summary, hint)


FILES = {
    "a parent there is none of": (
        {"authorities/s.yaml": AUTHORITY + "  parentRef: rot #!\n"},
        'no Authority called "rot"',
        "root",
    ),
    "a circle of authorities": (
        {
            "authorities/s.yaml": AUTHORITY + "  parentRef: bus #!\n",
            "authorities/b.yaml": "kind: Authority\nmetadata: {name: bus}\nspec: {commonName: Bus, parentRef: sub}\n",
        },
        "in a circle: sub -> bus -> sub",
        "",
    ),
    "an authority that outlives its parent": (
        {"authorities/s.yaml": AUTHORITY + "  parentRef: open\n  duration: 6y #!\n"},
        "longer than its parent open",
        "",
    ),
    "a path length that is too small": (
        {
            "authorities/s.yaml": AUTHORITY + "  parentRef: root\n  pathLength: 0 #!\n",
            "authorities/b.yaml": "kind: Authority\nmetadata: {name: below}\nspec: {commonName: B, parentRef: sub}\n",
        },
        "pathLength 0 is too small: 1 needed",
        "",
    ),
    "constraints wider than the parent's": (
        {
            "authorities/s.yaml": AUTHORITY
            + "  parentRef: services\n  duration: 30d\n  nameConstraints:\n    permitted: {dnsDomains: [example]} #!\n"
        },
        "the DNS name constraint example is outside what the parent permits",
        "",
    ),
    "a common name too long with its generation": (
        {
            "authorities/s.yaml": f"kind: Authority\nmetadata: {{name: sub}}\nspec:\n  commonName: {'x' * 62} #!\n"
        },
        "longer than 64",
        "",
    ),
    "a key size there is none of": (
        {
            "authorities/s.yaml": AUTHORITY
            + "  privateKey:\n    algorithm: Ed25519\n    size: 384 #!\n"
        },
        "no Ed25519 key of 384 bits",
        "",
    ),
    "an authority's custody of tomorrow": (
        {"authorities/s.yaml": AUTHORITY + "  privateKey: {custody: memory} #!\n"},
        '"memory" must be `ledger`, `offline`, `none`, or name a key',
        "",
    ),
    "a retired issuer": (
        {
            "authorities/s.yaml": AUTHORITY + "  retired: true\n",
            "one.yaml": "kind: Certificate\nmetadata: {name: one}\nspec: {issuerRef: sub, dnsNames: [a.example]} #!\n",
        },
        "the authority sub is retired",
        "",
    ),
    "a retired parent": (
        {
            "authorities/s.yaml": AUTHORITY + "  retired: true\n",
            "authorities/b.yaml": "kind: Authority\nmetadata: {name: below}\nspec: {commonName: B, parentRef: sub, duration: 1y} #!\n",
        },
        "the parent sub is retired",
        "",
    ),
    "a renamed authority": (
        {"authorities/s.yaml": AUTHORITY.replace("name: sub}", "name: sub, formerly: [old]} #!")},
        "cannot be renamed",
        "",
    ),
    "two certificates of one name": (
        {"zone.yaml": NAMED.replace("one}", "web} #!")},
        'another Certificate called "web", at web.yaml:2',
        "",
    ),
    "two profiles of one name": (
        {"config/two.yaml": "kind: Profile\nmetadata: {name: base} #!\nspec: {}\n"},
        'another Profile called "base"',
        "",
    ),
    "two projects": (
        {
            "certform.yaml": "apiVersion: certform.dev/v1\nkind: Project\nmetadata: {name: a}\nspec: {keyring: []}\n---\nkind: Project #!\nmetadata: {name: b}\nspec: {keyring: []}\n"
        },
        "the Project has no apiVersion",
        "",
    ),
    "a circle of profiles": (
        {
            "config/p.yaml": "kind: Profile\nmetadata: {name: p}\nspec: {profileRef: q} #!\n---\nkind: Profile\nmetadata: {name: q}\nspec: {profileRef: p}\n"
        },
        "in a circle or too deep: p -> q -> p",
        "",
    ),
    "a former name that lives": (
        {"one.yaml": NAMED.replace("one}", "one, formerly: [web]} #!")},
        'still is a Certificate called "web"',
        "",
    ),
    "a former name claimed twice": (
        {
            "one.yaml": NAMED.replace("one}", "one, formerly: [old]}"),
            "two.yaml": NAMED.replace("one}", "two, formerly: [old]} #!"),
        },
        'one was formerly called "old" too',
        "",
    ),
    "a mistake inherited from a profile, at the profile": (
        {
            "config/p.yaml": "kind: Profile\nmetadata: {name: p}\nspec:\n  issuerRef: open\n  privateKey:\n    size: 1024 #!\n",
            "one.yaml": "kind: Certificate\nmetadata: {name: one}\nspec: {profileRef: p, dnsNames: [a.example]}\n",
        },
        "no ECDSA key of 1024 bits",
        "",
    ),
    "a target in a place of no kind": (
        {"config/t.yaml": "kind: Target\nmetadata: {name: t}\nspec: {} #!\n"},
        "must say what kind of place",
        "",
    ),
    "a path that climbs": (
        {
            "config/t.yaml": "kind: Target\nmetadata: {name: t}\nspec: {local-directory: {path: a/../../b}} #!\n"
        },
        "must not climb",
        "",
    ),
    "a key everybody can read": (
        {
            "config/t.yaml": 'kind: Target\nmetadata: {name: t}\nspec:\n  local-directory:\n    path: x\n    mode: "0644" #!\n'
        },
        "nobody but owner and group",
        "",
    ),
    "a command as one text": (
        {
            "config/t.yaml": "kind: Target\nmetadata: {name: t}\nspec:\n  local-directory: {path: x}\n  reload: nginx -s reload #!\n"
        },
        "must be a list",
        "",
    ),
    "a policy about nobody": (
        {
            "config/p.yaml": "kind: Policy\nmetadata: {name: p}\nspec:\n  selector: {paths: [a/**]}\n  allowed:\n    issuers:\n      - servces #!\n"
        },
        'no Authority or Issuer called "servces"',
        "services",
    ),
    "a policy with a list left empty": (
        {
            "config/p.yaml": "kind: Policy\nmetadata: {name: p}\nspec:\n  selector: {paths: [a/**]}\n  allowed:\n    issuers: #!\n"
        },
        "spec.allowed.issuers has no value",
        "[]",
    ),
    "a revocation without a moment": (
        {"r.yaml": "kind: Revocation\nmetadata: {name: r}\nspec: #!\n  certificates: [web]\n"},
        "`certificates` and `issuedBefore` together",
        "",
    ),
    "a set without placeholder in its name": (
        {
            "s.yaml": SET
            + "  template:\n    metadata: {name: same} #!\n    spec: {issuerRef: open}\n  items: [{name: a}]\n"
        },
        "has no placeholder",
        "",
    ),
    "a set with an unknown placeholder": (
        {
            "s.yaml": SET
            + "  template:\n    spec:\n      issuerRef: open\n      dnsNames:\n        - '{hots}.example' #!\n  items: [{name: a, host: b}]\n"
        },
        "nothing fills {hots}",
        "host",
    ),
    "a set with strange braces": (
        {
            "s.yaml": SET
            + "  template:\n    spec:\n      issuerRef: open\n      dnsNames:\n        - '{name.upper}.example' #!\n  items: [{name: a}]\n"
        },
        "is not a template",
        "",
    ),
    "a set with items and csv": (
        {
            "s.yaml": SET.replace("spec:", "spec: #!")
            + "  template: {spec: {issuerRef: open}}\n  items: []\n  csv: a.csv\n"
        },
        "either items or csv",
        "",
    ),
    "a set without its csv": (
        {"s.yaml": SET + "  template: {spec: {issuerRef: open}}\n  csv: a.csv #!\n"},
        "no CSV file a.csv",
        "",
    ),
    "a csv outside the repository": (
        {"s.yaml": SET + "  template: {spec: {issuerRef: open}}\n  csv: ../a.csv #!\n"},
        "must not climb",
        "",
    ),
    "a csv row of another length": (
        {
            "s.yaml": SET
            + "  template: {spec: {issuerRef: open, dnsNames: ['{name}.example']}}\n  csv: a.csv\n",
            "a.csv": "name,x\na,b\nc#!\n",
        },
        "1 fields, the header 2",
        "",
    ),
    "a csv without header": (
        {
            "s.yaml": SET
            + "  template: {spec: {issuerRef: open, dnsNames: ['{name}.example']}}\n  csv: a.csv\n",
            "a.csv": "name,name#!\na,b\n",
        },
        "not a header",
        "",
    ),
    "a csv with an open quote": (
        {
            "s.yaml": SET
            + "  template: {spec: {issuerRef: open, dnsNames: ['{name}.example']}}\n  csv: a.csv\n",
            "a.csv": 'name\n"#!',
        },
        "not CSV",
        "",
    ),
    "two items of one set in one place": (
        {
            "s.yaml": SET
            + "  template:\n    spec:\n      issuerRef: open\n      dnsNames: ['{name}.example']\n      targets: [{targetRef: disk, objectName: same}] #!\n  items: [{name: a}, {name: b}]\n"
        },
        'called "same" in target disk',
        "",
    ),
    "a set item whose name is taken": (
        {
            "s.yaml": SET
            + "  template: {spec: {issuerRef: open, dnsNames: ['{name}.example']}}\n  items:\n    - {name: a}\n    - {name: a} #!\n"
        },
        'another Certificate called "a"',
        "",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_a_repository_is_refused_for(examined: Callable[..., Examination], case: str) -> None:
    files, summary, hint = FILES[case]
    assert_marked(errors(examined(files)), files, summary, hint)


def errors(examination: Examination) -> list[Diagnostic]:
    assert examination.desired is None
    return [found for found in examination.diagnostics if found.severity is Severity.ERROR]


def assert_marked(
    found: Sequence[Diagnostic], files: Mapping[str, str], summary: str, hint: str
) -> None:
    places = {
        (name, number)
        for name, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if "#!" in line
    }
    said = [d for d in found if summary in d.summary and hint in d.hint]
    assert said, found
    assert {(source(d).file, source(d).line) for d in said} <= places, (said, places)


WARNINGS = {
    "a revocation of an unknown certificate": (
        "kind: Revocation\nmetadata: {name: r}\nspec:\n  issuedBefore: 2026-01-01T00:00:00Z\n  certificates:\n    - wep #!\n",
        'no Certificate called "wep"',
    ),
    "a server with only a common name": (
        "kind: Certificate\nmetadata: {name: one}\nspec: {issuerRef: open, commonName: One} #!\n",
        "more than a common name",
    ),
    "more than a hundred names": (
        f"kind: Certificate\nmetadata: {{name: one}}\nspec: #!\n  issuerRef: open\n  dnsNames: [{', '.join(f'n{i}.example' for i in range(101))}]\n",
        "101 names",
    ),
}


@pytest.mark.parametrize("case", WARNINGS)
def test_only_a_warning_is_given_for(examined: Callable[..., Examination], case: str) -> None:
    text, summary = WARNINGS[case]
    examination = examined({"one.yaml": text})
    assert examination.desired is not None
    (found,) = examination.diagnostics
    assert found.severity is Severity.WARNING
    assert_marked([found], {"one.yaml": text}, summary, "")


def test_a_broken_profile_is_told_once_not_for_every_certificate(
    examined: Callable[..., Examination],
) -> None:
    files = {
        "config/p.yaml": "kind: Profile\nmetadata: {name: p}\nspec: {issuerRef: open, duration: x}\n"
    }
    for name in "abc":
        files[f"{name}.yaml"] = (
            f"kind: Certificate\nmetadata: {{name: {name}}}\nspec: {{profileRef: p, dnsNames: [a.example]}}\n"
        )
    (found,) = errors(examined(files))
    assert source(found).file == "config/p.yaml"


def test_a_broken_authority_is_told_once_not_for_every_certificate(
    examined: Callable[..., Examination],
) -> None:
    files = {
        "authorities/s.yaml": AUTHORITY + "  lifetime: 3y\n",
        "one.yaml": NAMED.replace("open", "sub"),
    }
    (found,) = errors(examined(files))
    assert source(found).file == "authorities/s.yaml"
