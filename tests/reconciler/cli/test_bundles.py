"""A root is replaced on a real machine: OpenSSL trusts every certificate by the bundle at each moment."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Repository

BUNDLE = """\
kind: Bundle
metadata: {name: corp}
spec:
  authorities: [root]
  files: [config/partner.pem]
  targets: [local]
  overlap: 1s
"""


@pytest.fixture
def verify(applied: Repository, require: Callable[[str], str]) -> Callable[[], int]:
    """Let OpenSSL judge what is installed by the bundle beside it; return how many anchors that has."""
    openssl = require("openssl")

    def judge() -> int:
        local = next(applied.root.glob("**/corp/current")).parent.parent
        anchors = local / "corp" / "current" / "ca-certificates.pem"
        for service in ("orders", "payments"):
            current = local / service / "current"
            chain, leaf = str(current / "chain.pem"), str(current / "cert.pem")
            argv = [openssl, "verify", "-CAfile", str(anchors), "-untrusted", chain, leaf]
            subprocess.run(argv, check=True, capture_output=True)
        return anchors.read_text().count("BEGIN CERTIFICATE")

    return judge


@pytest.fixture
def partner(tmp_path: Path, require: Callable[[str], str]) -> str:
    """A root of somebody else."""
    out = tmp_path / "partner.pem"
    argv = ["req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", "/dev/null", "-days", "30"]
    program = require("openssl")
    subprocess.run(
        [program, *argv, "-subj", "/CN=Partner", "-out", str(out)], check=True, capture_output=True
    )
    return out.read_text()


def test_a_root_gives_way_to_the_next_and_is_trusted_throughout(
    applied: Repository, partner: str, verify: Callable[[], int]
) -> None:
    (applied.root / "config" / "partner.pem").write_text(partner)
    (applied.root / "config" / "bundle.yaml").write_text(BUNDLE)
    applied.run("apply", "--auto-approve")
    assert verify() == 2
    applied.run("plan", "--detailed-exitcode")
    applied.run("plan", "--detailed-exitcode", "--offline")

    applied.edit("authorities/root.yaml", "spec:", "spec:\n  generation: 2")
    alone = applied.run("plan", "bundle/corp").stdout
    assert 'bundle "corp" in local' in alone
    assert 'certificate "orders"' not in alone
    shown = applied.run("plan").stdout
    assert shown.index('+ authority "root"') < shown.index('> bundle "corp" in local')
    applied.run("apply", "--auto-approve")
    assert verify() == 3

    time.sleep(1.1)  # the overlap
    planned = json.loads(applied.run("plan", "--format", "json").stdout)
    (step,) = [c for c in planned["changes"] if c["address"].startswith("bundle/")]
    assert (step["address"], step["reason"]) == ("bundle/corp@local#root-g1", "AnchorWithdrawn")
    applied.run("renew")
    assert verify() == 2
    applied.run("plan", "--detailed-exitcode")

    about = applied.run("show", "bundle/corp").stdout
    assert "root-g2" in about
    assert "CN=Partner" in about
    assert "root-g1" not in about
    data = json.loads(applied.run("show", "bundle/corp", "--format", "json").stdout)
    assert [place["state"] for place in data["places"]] == ["ok"]
    listed = json.loads(applied.run("inventory", "--format", "json").stdout)
    assert [(b["address"], b["status"]) for b in listed["bundles"]] == [("bundle/corp", "ok")]
    assert "bundle/corp" in applied.run("inventory").stdout
    assert "Install anchors of bundle/corp@local" in applied.run("log").stdout
    told = applied.run("log", "bundle/corp").stdout
    assert "read back in local: sha256 " in told
    assert " any more" in told

    file = next(applied.root.glob("**/corp/current/ca-certificates.pem"))
    file.write_text(partner)
    drift = applied.run("drift", code=2).stdout
    assert "ca-certificates.pem was changed by hand" in drift
    applied.run("apply", "--auto-approve")
    assert verify() == 2

    (applied.root / "config" / "bundle.yaml").unlink()
    applied.run("apply", "--auto-approve", code=3)
    applied.run("apply", "--auto-approve", "--allow-mass-change")
    assert not list(applied.root.glob("**/corp"))
    applied.run("plan", "--detailed-exitcode")
