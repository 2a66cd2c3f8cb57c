"""CAs whose keys are in a token, from YAML to what OpenSSL takes: the real program, sops and SoftHSM."""

import re
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Repository, environment
from offline_machine import OfflineMachine
from softhsm import MODULE, PIN, SoftHsm

SECRET = "secrets/hsm.sops.yaml"


@pytest.fixture(scope="module")
def hsm(require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> SoftHsm:
    """A token with the key of a root."""
    require("softhsm2-util")
    made = SoftHsm(tmp_path_factory.mktemp("hsm") / "hsm")
    made.token("ca")
    made_outside(made, "root")
    return made


@pytest.fixture(scope="module")
def _made(hsm: SoftHsm, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository with a root in a token, whose PIN a sops file holds; nothing is applied."""
    base = tmp_path_factory.mktemp("tokens")
    (base / "pki").mkdir()
    pki = Repository(base / "pki", {**environment(base), **hsm.environment})
    pki.run("init", "--template", "mtls", "orders", "payments")
    seal(pki, f"pin: '{PIN}'\n")
    key = f'key: "pkcs11:object=root;token=ca", module: {MODULE}'
    custody = f"custody: {{pkcs11: {{{key}, pinSecretRef: {{name: {SECRET}, key: pin}}}}}}"
    pki.edit("authorities/root.yaml", "size: 384}", f"size: 256, {custody}}}")
    return pki


def made_outside(hsm: SoftHsm, label: str) -> None:
    """Make a key and bring it into the token by softhsm2-util, as an operator may."""
    file = hsm.folder / "key.pem"
    curve = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    subprocess.run(["openssl", "genpkey", *curve, "-out", file], check=True, capture_output=True)
    hsm.run(
        *("--import", str(file), "--token", "ca", "--pin", PIN),
        *("--label", label, "--id", "a1"),
    )


def seal(pki: Repository, content: str) -> None:
    """Encrypt the PIN's file to the keyring, as people do."""
    recipient = re.search(r"age1[0-9a-z]+", (pki.root / "certform.yaml").read_text())
    assert recipient is not None
    file = pki.root / SECRET
    file.parent.mkdir(exist_ok=True)
    sops = shutil.which("sops", path=sysconfig.get_path("scripts")) or "sops"
    argv = [sops, "encrypt", "--age", recipient[0], "--input-type", "yaml", "--output-type", "yaml"]
    done = subprocess.run(
        [*argv, "--filename-override", "x.yaml"],
        input=content,
        capture_output=True,
        text=True,
        check=True,
    )
    file.write_text(done.stdout)


@pytest.fixture
def pki(_made: Repository, tmp_path: Path) -> Repository:
    """The same, for one test to change."""
    shutil.copytree(_made.root, tmp_path / "pki", symlinks=True)
    return Repository(tmp_path / "pki", _made.environment)


def verified(pki: Repository, name: str) -> str:
    folder = pki.root / "out/tls" / name / "current"
    argv = ["openssl", "verify", "-CAfile", "trust.pem", "-untrusted", "chain.pem", "cert.pem"]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_a_root_in_a_token_signs_and_what_hangs_by_it_is_installed(
    pki: Repository,
) -> None:
    planned = pki.run("plan", SOFTHSM2_CONF="/nowhere").stdout
    assert "pkcs11:pkcs11:token=ca;object=root" in planned
    pki.run("apply", "--auto-approve")
    assert verified(pki, "orders") == verified(pki, "payments") == "cert.pem: OK\n"
    assert "No changes." in pki.run("plan").stdout
    pki.edit("authorities/root.yaml", "object=root;token=ca", "token=ca;type=private;object=root")
    assert "No changes." in pki.run("plan").stdout


def test_a_wrong_pin_is_told_once_and_never_shown(pki: Repository) -> None:
    seal(pki, "pin: '999999'\n")
    told = pki.run("apply", "--auto-approve", code=4)
    assert "a token locks itself" in told.stderr
    assert "999999" not in told.stdout + told.stderr
    assert PIN not in told.stdout + told.stderr


def test_an_offline_root_may_have_its_key_in_a_token(
    pki: Repository, hsm: SoftHsm, tmp_path: Path
) -> None:
    text = (pki.root / "authorities/root.yaml").read_text()
    (pki.root / "authorities/root.yaml").write_text(
        re.sub(r"custody: \{pkcs11.*\}\}\}", "custody: offline}", text)
    )
    request = tmp_path / "request.json"
    told = pki.run("ceremony", "export", "-o", request).stdout
    (tmp_path / "offline").mkdir()
    machine = OfflineMachine(tmp_path / "offline")
    heard = " ".join(told.partition("read aloud:\n")[2].split()[:4])
    uri = "pkcs11:token=ca;object=root"
    sign = ("ceremony", "sign", request, "--pkcs11", uri, "--module", MODULE)
    where = hsm.environment["SOFTHSM2_CONF"]
    machine.run(*sign, typed=f"{heard}\n", SOFTHSM2_CONF=where, CERTFORM_PKCS11_PIN=PIN)
    pki.run("ceremony", "import", machine.folder / "answer.json")
    pki.run("apply", "--auto-approve")
    assert verified(pki, "orders") == "cert.pem: OK\n"
