"""Signatures that ssh-keygen makes and judges as we do."""

import base64
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from reconciler.ledger import sshsig

MESSAGES = [b"", b"tree 0\n\nmessage\n", b"\x00\xff" * 5000]


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def keygen(program: str, *argv: str | Path, stdin: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([program, "-Y", *argv], input=stdin, capture_output=True, check=False)


@pytest.mark.parametrize("message", MESSAGES)
def test_ssh_keygen_accepts_our_signature(
    key: Ed25519PrivateKey, message: bytes, tmp_path: Path, require: Callable[[str], str]
) -> None:
    signers, signature = tmp_path / "signers", tmp_path / "signature"
    signers.write_text(f"me@localhost {sshsig.public_line(key.public_key())}\n")
    signature.write_text(sshsig.sign(key, message))
    judge = ("verify", "-n", "git", "-I", "me@localhost", "-f", signers, "-s", signature)
    assert keygen(require("ssh-keygen"), *judge, stdin=message).returncode == 0
    assert keygen(require("ssh-keygen"), *judge, stdin=message + b"x").returncode != 0


@pytest.mark.parametrize("message", MESSAGES)
def test_we_accept_the_signature_of_ssh_keygen_byte_for_byte(
    key: Ed25519PrivateKey, message: bytes, tmp_path: Path, require: Callable[[str], str]
) -> None:
    private = tmp_path / "key"
    openssh = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    private.write_bytes(openssh)
    private.chmod(0o600)
    made = keygen(require("ssh-keygen"), "sign", "-n", "git", "-f", private, stdin=message)
    assert made.stdout.decode() == sshsig.sign(key, message)


@pytest.mark.parametrize("namespace", ["file", "gi", "gitt"])
def test_a_signature_made_for_another_purpose_is_refused(
    key: Ed25519PrivateKey, namespace: str, tmp_path: Path, require: Callable[[str], str]
) -> None:
    private = tmp_path / "key"
    openssh = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    private.write_bytes(openssh)
    private.chmod(0o600)
    made = keygen(require("ssh-keygen"), "sign", "-n", namespace, "-f", private, stdin=b"m")
    assert made.returncode == 0
    assert not sshsig.verify(sshsig.public_line(key.public_key()), b"m", made.stdout.decode())


def test_any_changed_byte_is_refused(key: Ed25519PrivateKey) -> None:
    public, message = sshsig.public_line(key.public_key()), b"message"
    armored = sshsig.sign(key, message)
    assert sshsig.verify(public, message, armored)
    lines = armored.rstrip().split("\n")
    raw = sshsig._unarmored(armored)
    for index in range(len(raw)):
        changed = bytearray(raw)
        changed[index] ^= 1
        text = base64.b64encode(changed).decode()
        assert not sshsig.verify(public, message, f"{lines[0]}\n{text}\n{lines[-1]}\n")


@pytest.mark.parametrize("armored", ["", "x", "-----BEGIN SSH SIGNATURE-----", "é", "=" * 8])
def test_what_is_no_signature_is_refused(key: Ed25519PrivateKey, armored: str) -> None:
    assert not sshsig.verify(sshsig.public_line(key.public_key()), b"m", armored)


def test_the_signature_of_another_key_is_refused(key: Ed25519PrivateKey) -> None:
    other = Ed25519PrivateKey.generate()
    assert not sshsig.verify(sshsig.public_line(other.public_key()), b"m", sshsig.sign(key, b"m"))
