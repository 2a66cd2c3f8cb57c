"""Keystores from the document to Java's own reader: a real sops keeps the password, and changes it."""

import re
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

from command_line import Repository
from cryptography.hazmat.primitives.serialization import pkcs12

FIRST, SECOND = b"first-test-password", b"second-test-password"
ENTRY = """\
  targets:
    - targetRef: local
      keystores:
        pkcs12: {create: true, passwordSecretRef: {name: secrets/java.sops.yaml, key: orders}}
        jks: {create: true, passwordSecretRef: {name: secrets/java.sops.yaml, key: orders}}
"""


def sops() -> Path:
    return Path(sysconfig.get_path("scripts")) / "sops"


def seal(place: Repository, password: bytes) -> None:
    """Encrypt a password to who can open the keyring, as a person does."""
    (recipient,) = set(re.findall(r"age1[0-9a-z]{58}", (place.root / "certform.yaml").read_text()))
    done = subprocess.run(
        (sops(), "encrypt", "--age", recipient, "--filename-override", "java.sops.yaml"),
        input=b"orders: " + password + b"\n",
        capture_output=True,
        env=place.environment,
        cwd=place.root,
        check=True,
    )
    (place.root / "secrets").mkdir(exist_ok=True)
    (place.root / "secrets" / "java.sops.yaml").write_bytes(done.stdout)


def keystore(place: Repository) -> Path:
    (found,) = place.root.rglob("orders/current/keystore.p12")
    return found


def serial(content: bytes, password: bytes) -> int:
    _, certificate, _ = pkcs12.load_key_and_certificates(content, password)
    assert certificate is not None
    return certificate.serial_number


def test_a_keystore_is_planned_without_its_password_written_with_it_and_renewed_with_another(
    applied: Repository, require: Callable[[str], str]
) -> None:
    seal(applied, FIRST)
    (document,) = [f for f in applied.root.rglob("*.yaml") if "name: orders" in f.read_text()]
    document.write_text(document.read_text().rstrip("\n") + "\n" + ENTRY)
    told = applied.run("plan", SOPS_AGE_KEY_FILE="/nonexistent", HOME="/nonexistent").stdout
    assert "keystores are not those wanted" in told

    ended = applied.run("apply", "--auto-approve")
    assert serial(keystore(applied).read_bytes(), FIRST)
    assert "No changes." in applied.run("plan").stdout
    listing = subprocess.run(
        (require("keytool"), "-list", "-keystore", keystore(applied).with_suffix(".jks")),
        input=FIRST + b"\n",
        capture_output=True,
        check=True,
    )
    assert b"PrivateKeyEntry" in listing.stdout

    before = serial(keystore(applied).read_bytes(), FIRST)
    seal(applied, SECOND)
    assert "KeyUnavailable" in applied.run("plan", "--format", "json").stdout
    again = applied.run("apply", "--auto-approve")
    assert serial(keystore(applied).read_bytes(), SECOND) != before
    assert "No changes." in applied.run("plan").stdout
    for said in (ended, again):
        assert FIRST.decode() not in said.stdout + said.stderr
        assert SECOND.decode() not in said.stdout + said.stderr
    for file in applied.root.rglob("*"):
        if file.is_file():
            assert FIRST not in file.read_bytes(), file
            assert SECOND not in file.read_bytes(), file


def test_who_cannot_open_the_password_is_told_which_file_it_is(applied: Repository) -> None:
    stranger = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
    seal(applied, FIRST)
    project = applied.root / "certform.yaml"
    kept = project.read_text()
    project.write_text(re.sub(r"age1[0-9a-z]{58}", stranger, kept))
    seal(applied, FIRST)
    project.write_text(kept)
    (document,) = [f for f in applied.root.rglob("*.yaml") if "name: orders" in f.read_text()]
    document.write_text(document.read_text().rstrip("\n") + "\n" + ENTRY)
    ended = applied.run("apply", "--auto-approve", code=4)
    assert "no key at hand opens secrets/java.sops.yaml" in ended.stdout + ended.stderr
    assert not list(applied.root.rglob("keystore.p12"))
