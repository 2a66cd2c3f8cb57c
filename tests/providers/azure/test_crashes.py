"""A run that dies between two steps of a change: the next one ends where the first was to end."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from keyvault_emulator import KeyVault

from providers import x509
from providers.azure.vault import KeyVaultTarget
from providers.base import Bundle
from providers.conformance import OURS, request

Made = Callable[[], Bundle]
ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from pathlib import Path
from providers.base import Bundle, TargetConfig
from providers.conformance import request
from providers.registry import make_target
from providers.secret import Secret
from schemas.clouds import AzureKeyVault
from schemas.target import TargetSpec
folder, url, owner, verb = Path(sys.argv[1]), *sys.argv[2:]
settings = AzureKeyVault(vault=url, verify_challenge_resource=False)
target = make_target(TargetConfig("kv", TargetSpec(azure_key_vault=settings), owner, folder))
held = {each.name: each for each in target.observe()}
part = lambda name: (folder / name).read_bytes()
bundle = Bundle(part("leaf"), (part("chain"),), (part("anchor"),), Secret(part("key")))
if verb == "install":
    target.install(request("web", bundle, held.get("web")))
else:
    target.remove(held["web"])
"""


def written(folder: Path, bundle: Bundle) -> None:
    parts = {
        "leaf": bundle.certificate,
        "chain": bundle.chain[0],
        "anchor": bundle.anchors[0],
        "key": bundle.held_key.reveal(),
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
