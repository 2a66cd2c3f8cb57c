# ruff: noqa: E501  (a document of a table stands on one line)
"""The generated JSON Schemas: up to date, valid, and at one with what is really accepted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.load.yaml import Tree, Value, parse
from schemas.__main__ import document_schema, plan_schema, schemas

DOCUMENTS = """\
apiVersion: certform.dev/v1
kind: Project
metadata: {name: example-corp}
spec:
  keyring:
    - age: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p
    - aws-kms: arn:aws:kms:eu-west-1:111122223333:alias/certform
  guard: {maxChange: 30%, from: 10}
  publish: {to: {directory: /srv/pki}, baseURL: http://pki.example.com}
---
kind: Authority
metadata: {name: services}
spec:
  parentRef: root
  commonName: Example Services CA
  subject: {organizations: [Example Ltd], countries: [GB]}
  duration: 3y
  generation: 1
  privateKey: {algorithm: ECDSA, size: 384, custody: ledger}
  nameConstraints: {permitted: {dnsDomains: [svc.example.internal]}}
---
kind: Profile
metadata: {name: service, labels: {env: prod}}
spec: {issuerRef: services, duration: 30d, usages: [server auth, client auth], targets: [nginx], onRemove: revoke}
---
kind: Certificate
metadata: {name: apps}
spec:
  profileRef: service
  dnsNames: ["*.apps.svc.example.internal"]
  privateKey: {algorithm: RSA, size: 2048}
  targets: [nginx, {targetRef: spare, objectName: apps-tls, adopt: "arn:aws:acm:eu-west-1:1:certificate/1"}]
---
kind: CertificateSet
metadata: {name: fleet}
spec:
  template: {spec: {profileRef: service, dnsNames: ["{name}.example"], duration: "{life}"}}
  items: [{name: a, life: 30d}]
---
kind: Target
metadata: {name: nginx}
spec:
  local-directory: {path: /etc/nginx/tls, hosts: [web-1], group: www-data, mode: "0640", keepGenerations: 2}
  reload: [systemctl, reload, nginx]
  verify: {connect: "127.0.0.1:443"}
---
kind: Policy
metadata: {name: shop-team}
spec:
  selector: {paths: [teams/shop/**]}
  allowed: {issuers: [services], wildcards: true}
  constraints: {maxDuration: 30d, privateKey: {minSize: {RSA: 2048, ECDSA: 256}}}
---
kind: Revocation
metadata: {name: inc-8812}
spec: {certificates: [orders], issuedBefore: 2026-11-23T02:41:00Z, reason: keyCompromise}
"""


def as_editor(node: Value) -> Any:
    """Return a document as an editor's YAML has it: plain numbers and booleans typed."""
    if isinstance(node, dict):
        return {key: as_editor(value) for key, value in node.items()}
    if isinstance(node, tuple):
        return [as_editor(item) for item in node]
    if node in ("true", "false"):
        return node == "true"
    return int(node) if node is not None and node.isdigit() and node[0] != "0" else node


def as_written(node: Value) -> Any:
    if isinstance(node, dict):
        return {key: as_written(value) for key, value in node.items()}
    return [as_written(item) for item in node] if isinstance(node, tuple) else node


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(document_schema())


@pytest.mark.parametrize("path", schemas(), ids=lambda path: path.name)
def test_the_committed_schema_is_the_generated_one(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == schemas()[path], "run python -m schemas"


@pytest.mark.parametrize("schema", [document_schema(), plan_schema()], ids=["document", "plan"])
def test_the_schema_is_a_schema(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("view", [as_editor, as_written])
@pytest.mark.parametrize("tree", parse(DOCUMENTS)[0], ids=lambda tree: tree.data["kind"])
def test_every_kind_of_document_passes(
    validator: jsonschema.Draft202012Validator, tree: Tree, view: Callable[[Value], Any]
) -> None:
    assert list(validator.iter_errors(view(tree.data))) == []


WRONG = [
    "kind: Certificat\nmetadata: {name: a}\nspec: {}",
    "kind: Certificate\nmetadata: {name: a}\nspec: {dnsName: [a]}",
    "kind: Certificate\nmetadata: {name: A b}\nspec: {}",
    "kind: Certificate\nmetadata: {name: a}\nspec: {duration: 90 days}",
    "kind: Certificate\nmetadata: {name: a}\nspec: {targets: [{targetRef: a, keystores: {}}]}",
    "kind: CertificateSet\nmetadata: {name: a}\nspec: {template: {spec: {dnsName: []}}}",
    "kind: Authority\nmetadata: {name: a}\nspec: {}",
    "kind: Certificate\nmetadata: {name: a}",
    "kind: Certificate\nmetadata: {name: a}\nspec: {}\nstatus: {}",
    "apiVersion: v2\nkind: Certificate\nmetadata: {name: a}\nspec: {}",
    "kind: Target\nmetadata: {name: a}\nspec: {local-directory: {path: a, mode: rw}}",
]


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_document_does_not_pass(
    validator: jsonschema.Draft202012Validator, text: str
) -> None:
    assert list(validator.iter_errors(as_editor(parse(text)[0][0].data))) != []
