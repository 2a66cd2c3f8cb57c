"""The real sops program: what it opens, for whom, and what it never shows."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from person import Person

from providers.errors import Conflict, Denied, ProviderError, Rejected, Transient, Unreachable
from providers.secret import Secret
from providers.sops import Sops, recipients_of
from schemas.project import Recipient

PLAINTEXT = b"\x00\xff canary 7f3a \r\n\x1a end"


def test_it_is_the_program_of_this_environment(sops: Sops) -> None:
    assert sops.version().startswith("3.")
    assert Path(sops._path()).parent == Path(sys.executable).parent


def test_what_one_encrypts_the_other_opens(
    sops: Sops, as_alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    ciphertext = sops.encrypt(Secret(PLAINTEXT), [as_alice.recipient, bob.recipient])
    assert sops.decrypt(ciphertext).reveal() == PLAINTEXT
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(bob.file))
    assert sops.decrypt(ciphertext).reveal() == PLAINTEXT


def test_a_key_in_the_usual_place_is_found(sops: Sops, alice: Person, tmp_path: Path) -> None:
    ciphertext = sops.encrypt(Secret(PLAINTEXT), [alice.recipient])
    place = tmp_path / "home/.config/sops/age/keys.txt"
    place.parent.mkdir(parents=True)
    place.write_text(alice.secret, encoding="ascii")
    assert sops.decrypt(ciphertext).reveal() == PLAINTEXT


def test_ciphertext_shows_its_recipients_and_nothing_else(
    sops: Sops, alice: Person, bob: Person
) -> None:
    ciphertext = sops.encrypt(Secret(PLAINTEXT), [alice.recipient, bob.recipient])
    assert recipients_of(ciphertext) == (alice.public, bob.public)
    assert b"canary" not in ciphertext
    assert set(json.loads(ciphertext)) == {"data", "sops"}


def test_encryption_needs_no_private_key(sops: Sops, alice: Person) -> None:
    assert recipients_of(sops.encrypt(Secret(b"x"), [alice.recipient])) == (alice.public,)


def test_whoever_is_not_named_is_denied_and_told_where_keys_are_looked_for(
    sops: Sops, as_alice: Person, bob: Person
) -> None:
    ciphertext = sops.encrypt(Secret(PLAINTEXT), [bob.recipient])
    with pytest.raises(Denied) as caught:
        sops.decrypt(ciphertext)
    assert bob.public in str(caught.value)
    assert "SOPS_AGE_KEY_FILE" in str(caught.value)
    assert "~/.config/sops/age/keys.txt" in str(caught.value)
    assert as_alice.secret not in str(caught.value)


def _edited(ciphertext: bytes, field: str) -> bytes:
    said = json.loads(ciphertext)
    holder = said if field in said else said["sops"]
    text = holder[field]
    place = text.index("data:") + 5 if "data:" in text else 3
    holder[field] = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
    return json.dumps(said).encode()


@pytest.mark.parametrize("field", ["data", "mac", "lastmodified"])
def test_tampering_is_noticed(sops: Sops, as_alice: Person, field: str) -> None:
    ciphertext = sops.encrypt(Secret(PLAINTEXT), [as_alice.recipient])
    with pytest.raises(Conflict, match="changed after it was written"):
        sops.decrypt(_edited(ciphertext, field))


def test_a_value_of_another_file_cannot_be_put_in_its_place(sops: Sops, as_alice: Person) -> None:
    files = [
        json.loads(sops.encrypt(Secret(text), [as_alice.recipient])) for text in (b"one", b"two")
    ]
    files[0]["data"] = files[1]["data"]
    with pytest.raises(Conflict):
        sops.decrypt(json.dumps(files[0]).encode())


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"garbage",
        b"{}",
        b'{"sops": 5}',
        b"[]",
        b'{"sops": {"age": [{}]}}',
        b"\xff",
        b"[" * 99999,
    ],
    ids=range(8),
)
def test_what_is_no_sops_file_is_a_conflict(sops: Sops, bad: bytes) -> None:
    with pytest.raises(Conflict, match="not a sops file"):
        sops.decrypt(bad)


def test_an_unencrypted_value_is_not_taken_for_a_secret(sops: Sops, as_alice: Person) -> None:
    said = json.loads(sops.encrypt(Secret(PLAINTEXT), [as_alice.recipient]))
    said["data"] = "plain text by a stranger"
    with pytest.raises(Conflict):
        sops.decrypt(json.dumps(said).encode())


@pytest.mark.parametrize(
    "recipient",
    [Recipient(age="age1" + "q" * 58), Recipient(pgp="--output=/tmp/x"), Recipient(pgp="0" * 40)],
    ids=str,
)
def test_a_recipient_that_cannot_be_used_is_rejected(
    sops: Sops, alice: Person, recipient: Recipient
) -> None:
    with pytest.raises(Rejected) as caught:
        sops.encrypt(Secret(PLAINTEXT), [alice.recipient, recipient])
    assert str(recipient.age or recipient.pgp) in str(caught.value)


def test_nobody_is_no_recipient(sops: Sops) -> None:
    with pytest.raises(ValueError, match="at least one"):
        sops.encrypt(Secret(PLAINTEXT), [])


def test_a_strangers_rules_do_not_apply(
    sops: Sops, alice: Person, bob: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / ".sops.yaml"
    rules.write_text(f"creation_rules:\n  - age: {bob.public}\n", encoding="ascii")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    monkeypatch.setenv("SOPS_CONFIG", str(rules))
    assert recipients_of(sops.encrypt(Secret(b"x"), [alice.recipient])) == (alice.public,)
    rules.write_text("creation_rules: 5\n", encoding="ascii")
    assert recipients_of(sops.encrypt(Secret(b"x"), [alice.recipient])) == (alice.public,)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOPS_AGE_RECIPIENTS", None),
        ("SOPS_PGP_FP", "0" * 40),
        ("SOPS_KMS_ARN", "arn:aws:kms:eu-west-1:111122223333:key/x"),
        ("SOPS_GCP_KMS_IDS", "projects/p/locations/global/keyRings/r/cryptoKeys/k"),
        ("SOPS_AZURE_KEYVAULT_URLS", "https://x.vault.azure.net/keys/k/1"),
        ("SOPS_VAULT_URIS", "https://vault.example.com/v1/transit/keys/k"),
        ("SOPS_HUAWEICLOUD_KMS_IDS", "tr-west-1:00000000-0000-0000-0000-000000000000"),
    ],
)
def test_no_recipient_comes_from_the_environment(
    sops: Sops,
    alice: Person,
    bob: Person,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str | None,
) -> None:
    monkeypatch.setenv(name, value or bob.public)
    assert recipients_of(sops.encrypt(Secret(b"x"), [alice.recipient])) == (alice.public,)


@pytest.mark.parametrize(
    "metadata",
    [
        {"kms": [{"arn": "arn:x"}], "age": [{"recipient": "age1x"}]},
        {"key_groups": [{"kms": [{"arn": "arn:x"}]}, {"age": [{"recipient": "age1x"}]}]},
    ],
    ids=["flat", "groups"],
)
def test_recipients_of_other_kinds_are_read(metadata: dict[str, object]) -> None:
    found = recipients_of(json.dumps({"data": "", "sops": metadata}).encode())
    assert set(found) == {"arn:x", "age1x"}


def test_a_missing_program_is_unreachable(
    alice: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Sops(tmp_path / "gone")
    with pytest.raises(Unreachable, match="cannot be run"):
        gone.encrypt(Secret(b"x"), [alice.recipient])
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unreachable, match="not installed"):
        Sops().version()


def _program(folder: Path, text: str) -> Path:
    path = folder / "sops"
    path.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
    path.chmod(0o700)
    return path


def test_a_program_that_hangs_is_given_up(alice: Person, tmp_path: Path) -> None:
    slow = Sops(_program(tmp_path, "import time\ntime.sleep(600)\n"), timeout=0.2)
    with pytest.raises(Transient, match=r"within 0\.2 s"):
        slow.encrypt(Secret(PLAINTEXT), [alice.recipient])


def test_the_plaintext_is_on_stdin_alone_and_what_is_gits_is_not_told(
    alice: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "AUTHORIZATION: basic canary")
    seen = tmp_path / "seen"
    spy = _program(
        tmp_path,
        "import json, os, sys\n"
        f"out = open({str(seen)!r}, 'w')\n"
        "json.dump([sys.argv, dict(os.environ), sys.stdin.buffer.read().hex()], out)\n",
    )
    Sops(spy).encrypt(Secret(PLAINTEXT), [alice.recipient])
    argv, environment, stdin = json.loads(seen.read_text(encoding="utf-8"))
    assert bytes.fromhex(stdin) == PLAINTEXT
    assert "canary" not in json.dumps([argv, environment])
    assert f"--age={alice.public}" in argv
    assert os.path.devnull in argv


@pytest.mark.parametrize("code", [1, 25, 51, 128])
def test_what_sops_says_is_never_repeated(
    as_alice: Person, sops: Sops, tmp_path: Path, code: int
) -> None:
    ciphertext = sops.encrypt(Secret(PLAINTEXT), [as_alice.recipient])
    loud = Sops(
        _program(tmp_path, f"import sys\nsys.stderr.write('canary 7f3a')\nsys.exit({code})\n")
    )
    for call in (
        lambda: loud.decrypt(ciphertext),
        lambda: loud.encrypt(Secret(b"canary"), [as_alice.recipient]),
        loud.version,
    ):
        with pytest.raises(ProviderError) as caught:
            call()
        assert "canary" not in str(caught.value)


def test_the_file_is_one_that_sops_itself_opens(
    sops: Sops, as_alice: Person, tmp_path: Path
) -> None:
    path = tmp_path / "key.json"
    path.write_bytes(sops.encrypt(Secret(PLAINTEXT), [as_alice.recipient]))
    done = subprocess.run(
        [sops._path(), "decrypt", "--output-type", "binary", "--input-type", "binary", path],
        capture_output=True,
        check=True,
    )
    assert done.stdout == PLAINTEXT
