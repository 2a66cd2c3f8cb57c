"""One value of a sops file, such as a token's PIN: opened by the real program, and told by nobody."""

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
from person import Person

from providers.errors import Conflict, Denied
from providers.sops import Sops


def sealed(person: Person, content: str, kind: str = "yaml") -> bytes:
    program = shutil.which("sops", path=sysconfig.get_path("scripts")) or "sops"
    kinds = ("--input-type", kind, "--output-type", kind, "--filename-override", f"x.{kind}")
    argv = [program, "encrypt", "--age", person.public, *kinds]
    done = subprocess.run(argv, input=content.encode(), capture_output=True, check=True)
    return done.stdout


def test_a_value_is_found_by_its_key(sops: Sops, as_alice: Person) -> None:
    content = "other: x\npin: '0123'\n"
    assert sops.value(sealed(as_alice, content), "a.sops.yaml", "pin").reveal() == b"0123"
    json = sealed(as_alice, '{"pin": "0123"}', "json")
    assert sops.value(json, "a.sops.json", "pin").reveal() == b"0123"


@pytest.mark.parametrize("content", ["pin: 1234\n", "other: x\n", "pin: ''\n", "pin: {a: b}\n"])
def test_what_is_no_text_is_refused(sops: Sops, as_alice: Person, content: str) -> None:
    with pytest.raises(Conflict, match="holds no text under pin: a number has to be in quotes"):
        sops.value(sealed(as_alice, content), "hsm.sops.yaml", "pin")


def test_who_is_not_named_is_denied(sops: Sops, as_alice: Person, bob: Person) -> None:
    with pytest.raises(Denied, match=r"no key at hand opens hsm\.sops\.yaml"):
        sops.value(sealed(bob, "pin: '1'\n"), "hsm.sops.yaml", "pin")


def test_what_was_changed_or_never_sealed_is_refused(sops: Sops, as_alice: Person) -> None:
    cut = sealed(as_alice, "pin: '1'\n").replace(b"data:", b"data:AAAA")
    for content in (cut, b"pin: '0123'\n", b"\x00"):
        with pytest.raises(Conflict) as caught:
            sops.value(content, "hsm.sops.yaml", "pin")
        assert "0123" not in str(caught.value)


def test_a_pin_of_the_environment_is_no_business_of_sops(
    as_alice: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "sops"
    program.write_text(f"#!/bin/sh\nenv > {tmp_path}/told\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("CERTFORM_PKCS11_PIN", "271828")
    with pytest.raises(Conflict):
        Sops(program).value(b"x", "hsm.sops.yaml", "pin")
    told = (tmp_path / "told").read_text()
    assert "SOPS_AGE_KEY_FILE" in told
    assert "271828" not in told
