"""Which fields say who is spoken to, and which place is meant, for every kind there is."""

from typing import Any

import pytest

from schemas.acme import Acme, ExternalAccountBinding
from schemas.clouds import AwsAcm, AzureKeyVault, GcpCertificateManager
from schemas.connection import Connected
from schemas.custody import AwsKmsKey, AzureKey, GcpKmsKey, Pkcs11Key, RemoteKey
from schemas.issuer import (
    AmazonIssuer,
    AwsPrivateCa,
    GoogleManagedIssuer,
    IssuerSpec,
    VaultIssuer,
)
from schemas.project import LedgerSettings, PublishSettings, PublishTo
from schemas.solvers import (
    AzureDns,
    CloudDns,
    Lexicon,
    Rfc2136,
    Route53,
    SolverPlugin,
    Standalone,
    Webroot,
)
from schemas.target import LocalDirectory, Plugin, TargetSpec, Verify
from schemas.vault import AppRole, Jwt, Kubernetes, VaultAuth, VaultConnection

ROLE = "arn:aws:iam::111122223333:role/certform"
OTHER_ROLE = "arn:aws:iam::111122223333:role/other"
OTHER_ACCOUNT = "arn:aws:iam::444455556666:role/certform"
CA = "arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/6b4b5c1e-9c5d-4f3a-8a7e-2f1d0c9b8a7f"
KMS = "arn:aws:kms:eu-west-1:111122223333:key/1234"
VAULT_KEY = f"https://kv.vault.azure.net/keys/ca/{'0' * 32}"
GCP_KEY = "projects/some-project/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"
SETTLED: dict[type[Connected], set[str]] = {
    AwsAcm: {"quotas"},
    AzureKeyVault: set(),
    GcpCertificateManager: {"scope", "certificate_map", "trust_config"},
    LocalDirectory: {"owner", "group", "mode", "keep_generations"},
    Verify: {"timeout"},
    Plugin: {"capabilities"},
    AwsPrivateCa: {"template"},
    AmazonIssuer: {"exportable"},
    GoogleManagedIssuer: set(),
    VaultIssuer: {"certificate_type"},
    Acme: {"profile", "preferred_chain", "renewal_information_source", "quotas"},
    ExternalAccountBinding: set(),
    Webroot: set(),
    Standalone: set(),
    Rfc2136: set(),
    Route53: set(),
    AzureDns: set(),
    CloudDns: set(),
    Lexicon: set(),
    SolverPlugin: set(),
    VaultConnection: set(),
    VaultAuth: set(),
    AppRole: set(),
    Kubernetes: set(),
    Jwt: set(),
    AwsKmsKey: set(),
    AzureKey: set(),
    GcpKmsKey: set(),
    Pkcs11Key: set(),
    LedgerSettings: set(),
    PublishTo: set(),
    PublishSettings: {"to"},
}
"""The fields of each kind that say what is wanted, and nothing of who is spoken to."""


@pytest.mark.parametrize("kind", SETTLED, ids=lambda kind: kind.__name__)
def test_of_every_field_it_is_settled_whether_it_says_who_is_spoken_to(
    kind: type[Connected],
) -> None:
    said = set(kind.CONNECTION)
    assert said | SETTLED[kind] == set(kind.model_fields)
    assert said.isdisjoint(SETTLED[kind])


def test_no_kind_of_settings_is_left_out() -> None:
    assert set(Connected.__subclasses__()) - {TargetSpec} == SETTLED.keys()


TARGETS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "local-directory": (
        {
            "local-directory": {"path": "/tls", "hosts": ("web-1",), "owner": "nginx"},
            "check": ("nginx", "-t"),
            "reload": ("systemctl", "reload", "nginx"),
            "verify": {"connect": "localhost:443", "timeout": "5s"},
        },
        {
            "kind": "local-directory",
            "local-directory.path": "/tls",
            "local-directory.hosts": ["web-1"],
            "check": ["nginx", "-t"],
            "reload": ["systemctl", "reload", "nginx"],
            "verify.connect": "localhost:443",
        },
    ),
    "aws-acm": (
        {
            "aws-acm": {"regions": ("eu-west-1",), "role": ROLE, "externalId": "x"},
            "tags": {"a": "b"},
        },
        {
            "kind": "aws-acm",
            "aws-acm.regions": ["eu-west-1"],
            "aws-acm.role": ROLE,
            "aws-acm.externalId": "x",
        },
    ),
    "azure-key-vault": (
        {"azure-key-vault": {"vault": "kv-prod", "tenant": "example.com"}},
        {
            "kind": "azure-key-vault",
            "azure-key-vault.vault": "kv-prod",
            "azure-key-vault.tenant": "example.com",
            "azure-key-vault.verifyChallengeResource": True,
        },
    ),
    "gcp-certificate-manager": (
        {
            "gcp-certificate-manager": {
                "project": "some-project",
                "certificateMap": "edge",
                "endpoint": "https://private.example",
            }
        },
        {
            "kind": "gcp-certificate-manager",
            "gcp-certificate-manager.project": "some-project",
            "gcp-certificate-manager.locations": ["global"],
            "gcp-certificate-manager.endpoint": "https://private.example",
        },
    ),
    "example.com/box": (
        {"example.com/box": {"path": "box.json", "depth": 2}},
        {"kind": "example.com/box", "example.com/box.path": "box.json", "example.com/box.depth": 2},
    ),
}


def target(**said: Any) -> TargetSpec:
    return TargetSpec.model_validate(
        {name.replace("_", "-"): value for name, value in said.items()}
    )


@pytest.mark.parametrize("kind", TARGETS)
def test_the_connection_of_a_target_is_written_as_in_its_document(kind: str) -> None:
    written, said = TARGETS[kind]
    assert TargetSpec.model_validate(written).connection() == said


@pytest.mark.parametrize("kind", TARGETS)
def test_a_target_is_reached_as_another_one_and_wanted_as_it_was(kind: str) -> None:
    written, said = TARGETS[kind]
    known, wanted = TargetSpec.model_validate(written), TargetSpec.model_validate(WANTED[kind])
    reached = wanted.reached_as(known)
    assert reached.connection() == said != wanted.connection()
    assert reached.reached_as(wanted) == wanted


WANTED: dict[str, dict[str, Any]] = {
    "local-directory": {"local-directory": {"path": "/other", "group": "tls"}, "check": ("true",)},
    "aws-acm": {
        "aws-acm": {"regions": ("us-east-1",), "quotas": {"certificates": 3}},
        "tags": {"c": "d"},
    },
    "azure-key-vault": {"azure-key-vault": {"vault": "kv-other", "verifyChallengeResource": False}},
    "gcp-certificate-manager": {
        "gcp-certificate-manager": {"project": "other-project", "trustConfig": "trust"}
    },
    "example.com/box": {"example.com/box": {"path": "other.json"}},
}


def test_a_target_is_not_reached_as_one_of_another_kind() -> None:
    acm, vault = (TargetSpec.model_validate(TARGETS[k][0]) for k in ("aws-acm", "azure-key-vault"))
    with pytest.raises(ValueError, match="kind aws-acm cannot be reached as"):
        acm.reached_as(vault)


def acm(region: str = "eu-west-1", **more: Any) -> TargetSpec:
    return target(aws_acm={"regions": (region,), **more})


def google(**more: Any) -> TargetSpec:
    return target(gcp_certificate_manager={"project": "some-project", **more})


def vault(name: str, **more: Any) -> TargetSpec:
    return target(azure_key_vault={"vault": name, **more})


def directory(path: str = "/tls", hosts: tuple[str, ...] = (), **more: Any) -> TargetSpec:
    return target(local_directory={"path": path, "hosts": hosts}, **more)


def box(**settings: Any) -> TargetSpec:
    return TargetSpec.model_validate({"example.com/box": settings})


SAME = {
    "another role of the account": (acm(role=ROLE), acm(role=OTHER_ROLE)),
    "another external id": (acm(role=ROLE), acm(role=ROLE, externalId="x")),
    "the address of a vault": (vault("kv-prod"), vault("https://KV-PROD.vault.azure.net/")),
    "another tenant": (vault("kv-prod"), vault("kv-prod", tenant="example.com")),
    "another endpoint": (google(), google(endpoint="https://private.example")),
    "another map": (google(), google(certificateMap="edge")),
    "other commands": (directory(), directory(check=("true",), verify={"connect": "a:1"})),
    "hosts in another order": (directory(hosts=("a", "b")), directory(hosts=("b", "a"))),
}
OTHERS = {
    "another region": (acm(), acm("us-east-1")),
    "another account": (acm(role=ROLE), acm(role=OTHER_ACCOUNT)),
    "the account of a role": (acm(), acm(role=ROLE)),
    "another vault": (vault("kv-prod"), vault("https://kv-prod.vault.azure.cn")),
    "another project": (google(), google(project="other-project")),
    "another location": (google(), google(locations=("europe-west1",))),
    "another path": (directory(), directory("/other")),
    "another host": (directory(hosts=("a",)), directory(hosts=("a", "b"))),
    "any setting of a plug-in": (box(path="a"), box(path="a", depth=2)),
    "another kind": (vault("kv-prod"), google()),
}


@pytest.mark.parametrize("what", SAME)
def test_a_place_stays_the_same_place_with(what: str) -> None:
    one, other = SAME[what]
    assert one != other
    assert one.whereabouts == other.whereabouts


@pytest.mark.parametrize("what", OTHERS)
def test_it_is_another_place_with(what: str) -> None:
    one, other = OTHERS[what]
    assert one.whereabouts != other.whereabouts


ISSUERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "aws-private-ca": (
        {"arn": CA, "role": ROLE, "template": "EndEntityServerAuthCertificate/V1"},
        {"aws-private-ca.arn": CA, "aws-private-ca.role": ROLE},
    ),
    "aws-acm": ({"exportable": True}, {}),
    "gcp-certificate-manager": ({}, {}),
    "azure-key-vault": (
        {"issuerName": "digicert", "certificateType": "OV"},
        {"azure-key-vault.issuerName": "digicert"},
    ),
}


@pytest.mark.parametrize("kind", ISSUERS)
def test_the_connection_of_an_issuer_says_who_is_asked(kind: str) -> None:
    written, said = ISSUERS[kind]
    assert IssuerSpec.model_validate({kind: written}).connection() == {"kind": kind, **said}


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("aws-kms", {"key": KMS, "role": ROLE, "externalId": "x"}),
        ("azure-key-vault", {"key": VAULT_KEY, "verifyChallengeResource": False}),
        ("gcp-kms", {"key": GCP_KEY, "endpoint": "https://private.example"}),
        (
            "pkcs11",
            {
                "key": "pkcs11:token=ca;object=root",
                "module": "/usr/lib/softhsm/libsofthsm2.so",
                "pinSecretRef": {"name": "secrets/hsm.sops.yaml", "key": "pin"},
            },
        ),
    ],
)
def test_the_connection_of_a_ca_key_is_all_that_is_said_of_it(
    kind: str, written: dict[str, Any]
) -> None:
    said = {f"{kind}.{name}": value for name, value in written.items()}
    assert RemoteKey.model_validate({kind: written}).connection() == {"kind": kind, **said}
