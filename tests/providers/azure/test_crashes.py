"""A run that dies between two steps of a change: the next one ends where the first was to end."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from azure.keyvault.certificates import CertificateClient, CertificatePolicy
from keyvault_emulator import KeyVault

from providers import x509
from providers.abilities import AdoptRequest, HostRequest, KeyRequest, RelabelRequest
from providers.azure.vault import KeyVaultTarget
from providers.base import Bundle, HostingState
from providers.conformance import OURS, labels, request
from providers.specimens import P256
from schemas.certificate import Usage
from schemas.issuer import VaultIssuer
from schemas.request import LeafRequest

Made = Callable[[], Bundle]
ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from pathlib import Path
from providers.abilities import AdoptRequest, HostRequest, KeyRequest, RelabelRequest
from providers.base import Bundle, TargetConfig
from providers.conformance import labels, request
from providers.registry import make_target
from providers.secret import Secret
from schemas.clouds import AzureKeyVault
from schemas.issuer import VaultIssuer
from schemas.request import LeafRequest
from schemas.target import TargetSpec
folder, url, owner, verb = Path(sys.argv[1]), *sys.argv[2:]
settings = AzureKeyVault(vault=url, verify_challenge_resource=False)
target = make_target(TargetConfig("kv", TargetSpec(azure_key_vault=settings), owner, folder))
held = {each.name: each for each in target.observe()}
part = lambda name: (folder / name).read_bytes()
bundle = Bundle(part("leaf"), (part("chain"),), (part("anchor"),), Secret(part("key")))
leaf = LeafRequest.model_validate_json(part("leaf-request"))
match verb:
    case "install":
        target.install(request("web", bundle, held.get("web")))
    case "remove":
        target.remove(held["web"])
    case "relabel":
        target.relabel(RelabelRequest(held["web"], {**labels("web"), "team": "blue"}))
    case "adopt":
        target.adopt(AdoptRequest(held["web"].id, "web", labels("web")))
    case "make_key":
        target.make_key(KeyRequest("web", leaf, labels("web")))
    case "host":
        settings = VaultIssuer(issuer_name="DigiCert")
        target.host(HostRequest("web", leaf, labels("web"), settings, held.get("web")))
"""


LEAF = LeafRequest(
    issuer="specimen",
    issuer_generation=1,
    common_name="www.example.com",
    dns_names=("www.example.com",),
    usages=(Usage.SERVER_AUTH,),
    key=P256,
    duration=7 * 86_400,
)
KEY = KeyRequest("web", LEAF, labels("web"))
ORDER = HostRequest("web", LEAF, labels("web"), VaultIssuer(issuer_name="DigiCert"))


def written(folder: Path, bundle: Bundle) -> None:
    parts = {
        "leaf": bundle.certificate,
        "chain": bundle.chain[0],
        "anchor": bundle.anchors[0],
        "key": bundle.held_key.reveal(),
        "leaf-request": LEAF.model_dump_json().encode(),
    }
    for name, content in parts.items():
        (folder / name).write_bytes(content)


def killed(vault: KeyVault, folder: Path, verb: str, point: str) -> None:
    """Run a verb in a process that is killed at a point."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, folder, vault.url, OURS, verb],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "CERTFORM_FAILPOINT": f"{point}:1:kill",
            **vault.environment(),
        },
        check=False,
    )
    assert done.returncode == -9, f"{point} was not reached"


def test_killed_after_the_import(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made, tmp_path: Path
) -> None:
    made = bundle()
    written(tmp_path, made)
    killed(vault, tmp_path, "install", "azure.installed")
    (found,) = target.observe()
    assert found.sha256 == x509.facts(made.certificate).sha256
    assert target.install(request("web", made)) == found
    assert len(vault.entry("web").versions) == 1


def test_killed_after_the_recovery(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made, tmp_path: Path
) -> None:
    target.remove(target.install(request("web", bundle())))
    made = bundle()
    written(tmp_path, made)
    killed(vault, tmp_path, "install", "azure.recovered")
    (found,) = target.observe()
    after = target.install(request("web", made, found))
    assert list(target.observe()) == [after]
    assert len(vault.entry("web").versions) == 2


@pytest.mark.parametrize("again", [False, True])
def test_killed_after_the_deletion(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made, tmp_path: Path, again: bool
) -> None:
    installed = target.install(request("web", bundle()))
    written(tmp_path, bundle())
    killed(vault, tmp_path, "remove", "azure.deleted")
    assert list(target.observe()) == []
    if again:
        target.install(request("web", bundle()))
    else:
        target.remove(installed)


def test_killed_after_a_key_was_made(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made, tmp_path: Path
) -> None:
    written(tmp_path, bundle())
    killed(vault, tmp_path, "make_key", "azure.key-made")
    (waiting,) = target.observe()
    assert waiting.owned_by(OURS)
    assert waiting_request(vault) == target.make_key(KEY)
    assert vault.wire.counts["CreateCertificate"] == 1


def waiting_request(vault: KeyVault) -> bytes:
    """Return the signing request of what waits in the vault."""
    pending = vault.entry("web").pending
    assert pending is not None
    return pending.csr


@pytest.mark.parametrize("there", [False, True])
def test_killed_after_an_order(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made, tmp_path: Path, there: bool
) -> None:
    vault.store.issuers.add("DigiCert")
    written(tmp_path, bundle())
    before = target.install(request("web", bundle())) if there else None
    killed(vault, tmp_path, "host", "azure.ordered")
    assert len(target.observe()) == 1
    ordered = target.host(replace(ORDER, predecessor=before))
    assert ordered.hosting is not None
    assert ordered.hosting.state is HostingState.PENDING
    assert vault.wire.counts["CreateCertificate"] == 1
    assert vault.wire.counts["DeletePending"] == 0


@pytest.mark.parametrize("verb", ["install", "remove"])
def test_killed_after_a_key_nobody_waits_for_was_dropped(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made, tmp_path: Path, verb: str
) -> None:
    written(tmp_path, bundle())
    target.make_key(KEY)
    killed(vault, tmp_path, verb, "azure.creation-discarded")
    assert list(target.observe()) == []
    made = bundle()
    assert target.install(request("web", made)) in target.observe()
    assert [each.der for each in vault.entry("web").versions] == [x509.to_der(made.certificate)]


def test_killed_after_labelling(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made, tmp_path: Path
) -> None:
    before = target.install(request("web", bundle()))
    written(tmp_path, bundle())
    killed(vault, tmp_path, "relabel", "azure.labelled")
    (after,) = target.observe()
    assert after.labels == {**labels("web"), "team": "blue"}
    assert target.relabel(RelabelRequest(before, after.labels)) == after


def test_killed_after_adopting(
    vault: KeyVault,
    target: KeyVaultTarget,
    client: CertificateClient,
    bundle: Made,
    tmp_path: Path,
) -> None:
    client.begin_create_certificate("web", CertificatePolicy.get_default()).result()
    written(tmp_path, bundle())
    killed(vault, tmp_path, "adopt", "azure.adopted")
    (adopted,) = target.observe()
    assert adopted.owned_by(OURS)
    assert target.adopt(AdoptRequest(adopted.id, "web", labels("web"))) == adopted
    assert len(vault.entry("web").versions) == 1
