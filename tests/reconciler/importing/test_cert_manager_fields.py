"""No field of cert-manager's documents is lost unsaid.

The two lists beside this file are all fields of the CRDs of cert-manager 1.21 (deploy/crds), pods' own
left out.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.importing.certmanager import import_cert_manager
from reconciler.importing.certmanager_fields import CERTIFICATE, ISSUER
from reconciler.importing.fitting import fit
from reconciler.importing.naming import Names
from reconciler.importing.notes import Note, rule_for
from reconciler.importing.outcome import Outcome
from reconciler.importing.survey import UNKNOWN, UNUSED

_LISTS = frozenset(
    {
        *("dnsNames", "ipAddresses", "uris", "emailAddresses", "usages", "dnsDomains", "ipRanges"),
        *("uriDomains", "dnsZones", "nameservers", "audiences", "parentRefs", "ocspServers"),
        *("crlDistributionPoints", "issuingCertificateURLs", "organizations", "localities"),
        *("organizationalUnits", "countries", "provinces", "streetAddresses", "postalCodes"),
    }
)
_MAPPINGS = frozenset(
    {"labels", "annotations", "podTemplate", "ingressTemplate", "matchLabels", "config"}
)
_VALUES = {"isCA": "true", "create": "true", "critical": "false", "duration": "2160h"}
ISSUER_REF = {"name": "letsencrypt", "kind": "ClusterIssuer"}


def fields(kind: str) -> tuple[str, ...]:
    return tuple((Path(__file__).parent / f"{kind}_fields.txt").read_text().split())


def value(name: str) -> Any:
    if name in _LISTS:
        return ["said.example.com"]
    return {"said": "so"} if name in _MAPPINGS else _VALUES.get(name, "said")


def nest(path: str, around: dict[str, Any]) -> dict[str, Any]:
    """Put a value of its own at the end of a path through a document."""
    node: Any = around
    steps = path.split(".")
    for step, after in zip(steps, [*steps[1:], ""], strict=True):
        if step == "*":
            continue
        if after == "*":
            node = node.setdefault(step, [{}])[0]
        elif after:
            node = node.setdefault(step, {})
        else:
            node[step] = value(step)
    return around


def read(tmp_path: Path, document: dict[str, Any]) -> Outcome:
    path = tmp_path / "one.yaml"
    path.write_text(json.dumps(document))
    return import_cert_manager([str(path)], Names())


def manifest(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": kind,
        "metadata": {"name": "one"},
        "spec": spec,
    }


def spoken(path: str) -> str:
    return path.replace(".*", "[0]")


def said_of(path: str, notes: tuple[Note, ...]) -> Iterator[Note]:
    """The notes of a field, of what it is in, or of what is in it."""
    name = spoken(path)
    for note in notes:
        if note.field and (name.startswith(note.field) or note.field.startswith(name)):
            yield note


@pytest.mark.parametrize(
    ("kind", "listed", "table"),
    [("Certificate", "certificate", CERTIFICATE), ("ClusterIssuer", "issuer", ISSUER)],
)
def test_every_field_is_carried_said_or_known_to_mean_nothing(
    kind: str, listed: str, table: dict[str, Any], tmp_path: Path
) -> None:
    lost = []
    for path in fields(listed):
        spec = {"issuerRef": dict(ISSUER_REF)} if kind == "Certificate" else {}
        document = manifest(kind, spec)
        for needed in (each for start, each in NEEDED.items() if path.startswith(start)):
            nest(needed, document)
        nest(path, document)
        notes = read(tmp_path, document).notes
        mine = list(said_of(path, notes))
        rule = rule_for(path.split("."), table)
        quiet = (rule is not None and rule.silent) or path in QUIET
        if any(note.said in {UNKNOWN, UNUSED} for note in notes) or not (mine or quiet):
            lost.append(path)
    assert lost == []


NEEDED = {
    "spec.keystores.jks": "spec.keystores.jks.create",
    "spec.keystores.pkcs12": "spec.keystores.pkcs12.create",
    "spec.acme.externalAccountBinding": "spec.acme.externalAccountBinding.keyID",
    "spec.vault.auth.appRole": "spec.vault.auth.appRole.roleId",
    "spec.vault.auth.kubernetes": "spec.vault.auth.kubernetes.role",
    "spec.acme.solvers.*.selector": "spec.acme.solvers.*.dns01.cloudflare.email",
    "spec.acme.solvers.*.dns01.cnameStrategy": "spec.acme.solvers.*.dns01.cloudflare.email",
    "spec.acme.solvers.*.dns01.nameservers": "spec.acme.solvers.*.dns01.cloudflare.email",
    "spec.acme.solvers.*.dns01.webhook": "spec.acme.solvers.*.dns01.webhook.solverName",
}
"""What cert-manager wants beside a field."""


QUIET = frozenset({"spec.issuerRef.kind", "spec.issuerRef.group", "spec.renewal.policy"})
"""What is said with the issuer's name, and what says what is so in any case."""


@pytest.mark.parametrize(("kind", "listed"), [("Certificate", "certificate"), ("Issuer", "issuer")])
def test_a_document_with_every_field_at_once_is_read_and_what_is_made_is_valid(
    kind: str, listed: str, tmp_path: Path
) -> None:
    whole = manifest(kind, {"issuerRef": dict(ISSUER_REF)} if kind == "Certificate" else {})
    for path in fields(listed):
        if path != "spec.isCA":
            nest(path, whole)
    for document in [whole] if kind == "Certificate" else list(each_kind(whole)):
        outcome = read(tmp_path, document)
        assert [note for note in outcome.notes if note.said in {UNKNOWN, UNUSED}] == []
        for draft in outcome.drafts:
            fitting, notes = fit(draft)
            assert fitting is not None or notes


def each_kind(issuer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One document for each kind of Issuer, one solver for each kind of DNS: more is not allowed."""
    for kind, settings in issuer["spec"].items():
        if kind == "acme":
            (solver,) = settings["solvers"]
            dns = solver.pop("dns01")
            common = {name: dns.pop(name) for name in ("cnameStrategy", "nameservers")}
            one_each = [{"dns01": {name: said, **common}} for name, said in dns.items()]
            settings["solvers"] = [solver, *one_each]
        yield manifest("Issuer", {kind: settings})


def test_a_field_that_nobody_knows_is_told(tmp_path: Path) -> None:
    outcome = read(
        tmp_path, manifest("Certificate", {"dnsNames": ["a.example.com"], "novelty": "x"})
    )
    (note,) = [note for note in outcome.notes if note.field == "spec.novelty"]
    assert (note.fate, note.said) == ("left", UNKNOWN)
