"""Targets in clouds: one Target may mean several places, and what each does not take is told at its line."""

from collections.abc import Callable

import pytest
from examining import desired, source

from reconciler.repository import Examination
from schemas.capabilities import Limits
from schemas.certificate import Custody

TARGETS = """\
kind: Target
metadata: {name: acm}
spec:
  aws-acm: {regions: [eu-west-1, us-east-1], quotas: {certificates: 7}}
  tags: {cost-centre: "4711"}
---
kind: Target
metadata: {name: vault}
spec: {azure-key-vault: {vault: kv-example}}
---
kind: Target
metadata: {name: vault-2}
spec: {azure-key-vault: {vault: kv-other}}
---
kind: Target
metadata: {name: certs}
spec: {gcp-certificate-manager: {project: example-prod}}
"""
CERTIFICATE = """\
kind: Certificate
metadata: {name: one, formerly: [uno]}
spec:
  issuerRef: open
  dnsNames: [one.example]
  targets: [acm, vault, certs, disk]
"""
Examine = Callable[..., Examination]


def test_a_target_means_a_place_for_each_of_its_regions(examined: Examine) -> None:
    wanted = desired(examined({"config/clouds.yaml": TARGETS, "one.yaml": CERTIFICATE}))
    places = ["acm/eu-west-1", "acm/us-east-1", "vault", "certs/global", "disk"]
    assert [i.target for i in wanted.certificates["one"].installs] == places
    assert [wanted.targets[place].name for place in places] == places
    acm = wanted.targets["acm/us-east-1"].spec
    assert acm.aws_acm is not None
    assert acm.aws_acm.regions == ("us-east-1",)
    assert acm.limits == Limits(7, 5_000, 1.0)


def test_a_further_region_leaves_the_first_as_it_was(examined: Examine) -> None:
    files = {"config/clouds.yaml": TARGETS, "one.yaml": CERTIFICATE}
    before = desired(examined(files)).targets["acm/us-east-1"]
    files["config/clouds.yaml"] = TARGETS.replace("[eu-west-1,", "[eu-west-1, eu-west-3,")
    assert desired(examined(files)).targets["acm/us-east-1"].digest == before.digest


def test_where_objects_have_no_names_a_former_one_is_remembered(examined: Examine) -> None:
    wanted = desired(examined({"config/clouds.yaml": TARGETS, "one.yaml": CERTIFICATE}))
    former = {i.target: i.formerly for i in wanted.certificates["one"].installs}
    assert former["acm/eu-west-1"] == ("uno",)
    assert former["vault"] == former["disk"] == ()


ED25519 = "  privateKey: {algorithm: Ed25519}\n  targets:\n"
WRONG = {
    "an Ed25519 key in ACM": (
        ED25519 + "    - acm #!\n",
        "(aws-acm) cannot hold a key of type Ed25519",
    ),
    "an Ed25519 key in Key Vault": (ED25519 + "    - vault #!\n", "(azure-key-vault) cannot hold"),
    "a curve that Google has not": (
        "  privateKey: {algorithm: ECDSA, size: 521}\n  targets:\n    - certs #!\n",
        "(gcp-certificate-manager) cannot hold a key of type ECDSA 521",
    ),
    "a name for what has none": (
        "  targets:\n    - {targetRef: acm, objectName: www} #!\n",
        "gives objects no names: leave objectName out",
    ),
    "a name that Google does not take": (
        "  targets:\n    - {targetRef: certs, objectName: 1st} #!\n",
        "cannot hold an object called 1st",
    ),
    "adopting where nothing is taken over": (
        "  targets:\n    - {targetRef: disk, adopt: x} #!\n",
        "(local-directory) takes nothing over: leave adopt out",
    ),
    "a key made where no keys are made": (
        "  targets: [certs]\n  privateKey:\n    custody: target #!\n",
        "the target certs (gcp-certificate-manager) makes no keys",
    ),
    "a key made in two places": (
        "  targets: [vault, vault-2]\n  privateKey:\n    custody: target #!\n",
        "a key that is made in its target can be in one place only",
    ),
    "a key made in no place": (
        "  privateKey:\n    custody: target #!\n",
        "a key that is made in its target can be in one place only",
    ),
    "a key that never changes and that nobody keeps": (
        "  targets: [vault]\n  privateKey:\n    custody: target\n    rotationPolicy: Never #!\n",
        "a key that never changes must be kept",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_certificate_is_refused_for(examined: Examine, case: str) -> None:
    text, summary = WRONG[case]
    document = CERTIFICATE.replace("  targets: [acm, vault, certs, disk]\n", text)
    read = examined({"config/clouds.yaml": TARGETS, "one.yaml": document})
    (found,) = read.diagnostics
    assert summary in found.summary
    assert source(found).line == 1 + document[: document.index("#!")].count("\n")


def test_a_key_may_be_made_in_the_one_vault(examined: Examine) -> None:
    document = CERTIFICATE.replace(
        "targets: [acm, vault, certs, disk]", "targets: [vault]\n  privateKey: {custody: target}"
    )
    wanted = desired(examined({"config/clouds.yaml": TARGETS, "one.yaml": document}))
    assert wanted.certificates["one"].custody is Custody.TARGET


def test_every_region_knows_what_its_target_adopts(examined: Examine) -> None:
    for written, adopted in (("arn:a", ("arn:a",)), ("[arn:a, arn:b]", ("arn:a", "arn:b"))):
        entry = f"targets: [{{targetRef: acm, adopt: {written}}}, vault]"
        document = CERTIFICATE.replace("targets: [acm, vault, certs, disk]", entry)
        wanted = desired(examined({"config/clouds.yaml": TARGETS, "one.yaml": document}))
        assert [i.adopt for i in wanted.certificates["one"].installs] == [adopted, adopted, ()]


def test_a_label_that_a_cloud_does_not_take_is_told_at_its_line(examined: Examine) -> None:
    document = CERTIFICATE.replace(
        "metadata: {name: one, formerly: [uno]}",
        "metadata:\n  name: one\n  labels:\n    owner: The Platform Team",
    )
    read = examined({"config/clouds.yaml": TARGETS, "one.yaml": document})
    (found,) = read.diagnostics
    assert (
        "the target certs (gcp-certificate-manager) does not take the label owner" in found.summary
    )
    assert source(found).line == 5


KINDS = {
    "no kind of place": ("spec: {}", "must say what kind of place it is"),
    "two kinds of place": (
        "spec: {local-directory: {path: x}, azure-key-vault: {vault: kv-example}}",
        "must say what kind of place it is, once",
    ),
    "a reload in a cloud": (
        "spec: {azure-key-vault: {vault: kv-example}, reload: [true]}",
        "`reload` means nothing in a place of kind azure-key-vault",
    ),
    "tags on a directory": (
        "spec: {local-directory: {path: x}, tags: {a: b}}",
        "`tags` means nothing in a place of kind local-directory",
    ),
    "no region": ("spec: {aws-acm: {regions: []}}", "regions"),
    "a region twice": (
        "spec: {aws-acm: {regions: [eu-west-1, eu-west-1]}}",
        "name each place once",
    ),
    "no region's name": ("spec: {aws-acm: {regions: [ireland]}}", "must be an AWS region"),
    "an alias for a role": (
        "spec: {aws-acm: {regions: [eu-west-1], role: deployer}}",
        "must be the ARN of an IAM role",
    ),
    "a vault over http": (
        "spec: {azure-key-vault: {vault: 'http://kv.example'}}",
        "must be a vault's name",
    ),
    "an endpoint in the clear": (
        "spec: {gcp-certificate-manager: {project: example-prod, endpoint: 'http://10.0.0.1'}}",
        "must be an https:// address",
    ),
}


@pytest.mark.parametrize("case", KINDS)
def test_a_target_is_refused_for(examined: Examine, case: str) -> None:
    spec, summary = KINDS[case]
    read = examined({"config/clouds.yaml": f"kind: Target\nmetadata: {{name: wrong}}\n{spec}\n"})
    assert [found.summary for found in read.diagnostics if summary in found.summary]
    assert all(source(found).file == "config/clouds.yaml" for found in read.diagnostics)


def test_nobody_writes_a_label_that_certform_itself_puts_on_objects(examined: Examine) -> None:
    labels = "metadata:\n  name: one\n  labels:\n    certform-replaces: arn:a"
    document = CERTIFICATE.replace("metadata: {name: one, formerly: [uno]}", labels)
    (found,) = examined({"config/clouds.yaml": TARGETS, "one.yaml": document}).diagnostics
    assert "must not begin with certform-" in found.summary
    assert source(found).line == 5
    targets = TARGETS.replace("cost-centre", "Certform-Owner")
    (found,) = examined({"config/clouds.yaml": targets, "one.yaml": CERTIFICATE}).diagnostics
    assert "must not begin with certform-" in found.summary
    assert source(found).line == 5
