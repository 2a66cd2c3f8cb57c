"""Recipients and identities with the real sops: who is let in, who is shut out, and what is said of it."""

import subprocess
from pathlib import Path

import pyrage
import pytest
from command_line import Repository

DEFAULT = Path(".config/sops/age/keys.txt")


def person(folder: Path, name: str) -> tuple[Path, str]:
    """Make an age identity; return its file and its public half."""
    identity = pyrage.x25519.Identity.generate()
    file = folder / name
    file.write_text(f"{identity}\n")
    file.chmod(0o600)
    return file, str(identity.to_public())


def mine(applied: Repository) -> str:
    """The public half of the identity in the usual place."""
    text = (applied.root.parent / DEFAULT).read_text()
    key = next(line for line in text.splitlines() if line.startswith("AGE-SECRET-KEY-"))
    return str(pyrage.x25519.Identity.from_str(key).to_public())


def ciphertexts(applied: Repository) -> list[str]:
    """Every sops file of the ledger as it is now."""
    git = ["git", "-C", str(applied.root)]
    tree = [*git, "ls-tree", "-r", "--name-only", "certform/ledger"]
    names = subprocess.run(tree, check=True, capture_output=True, text=True).stdout.split()
    return [
        subprocess.run(
            [*git, "show", f"certform/ledger:{name}"], check=True, capture_output=True, text=True
        ).stdout
        for name in names
        if name.endswith(".sops.json")
    ]


def test_recipients_are_changed_by_an_edit_a_plan_and_an_apply(applied: Repository) -> None:
    old, (file, new) = mine(applied), person(applied.root.parent, "new")
    applied.edit("certform.yaml", f"- age: {old}", f"- age: {new}")
    before = ciphertexts(applied)
    assert all(old in text and new not in text for text in before)
    planned = applied.run("plan").stdout
    assert "keyring will be configured" in planned
    assert f'+ "{new}"' in planned
    assert f'- "{old}"' in planned
    told = applied.run("doctor").stdout
    assert f"keyring can still be opened by {old} and cannot yet be opened by {new}" in told
    assert f"authority/root generation 1 can still be opened by {old}" in told
    applied.run("apply", "--auto-approve")
    after = ciphertexts(applied)
    assert len(after) == len(before) == 3
    assert all(new in text and old not in text for text in after)
    assert not {text.split('"data"')[1][:60] for text in before} & {
        text.split('"data"')[1][:60] for text in after
    }
    assert "No changes." in applied.run("plan").stdout
    applied.run("log", "--verify")
    (applied.root.parent / DEFAULT).unlink()
    again = ("apply", "--auto-approve", "--replace", "certificate/orders")
    applied.run(*again, SOPS_AGE_KEY_FILE=str(file))


def test_who_was_taken_out_opens_nothing_new(applied: Repository) -> None:
    old, (file, new) = mine(applied), person(applied.root.parent, "new")
    applied.edit("certform.yaml", f"- age: {old}", f"- age: {new}")
    applied.run("apply", "--auto-approve")
    refused = applied.run("apply", "--auto-approve", "--replace", "certificate/orders", code=3)
    assert "which no age identity here opens" in refused.stderr
    assert new in refused.stderr
    assert "none of the age identities here opens the keyring" in applied.run("doctor").stdout
    assert file.exists()


def test_a_key_that_is_missing_is_told_before_anybody_is_asked(applied: Repository) -> None:
    _, other = person(applied.root.parent, "other")
    applied.edit(
        "authorities/services.yaml",
        "spec:\n",
        f"spec:\n  privateKey: {{recipients: [{{age: {other}}}]}}\n",
    )
    applied.run("apply", "--auto-approve")
    replace = ("--replace", "certificate/orders")
    refused = applied.run("apply", *replace, code=3).stderr
    assert "certificate/orders needs the key of authority/services, generation 1" in refused
    assert "Do you want" not in refused
    nightly = applied.run("apply", "--auto-approve", *replace, code=4).stderr
    assert "Warning: certificate/orders needs the key of authority/services" in nightly


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "is named, and holds no age identity"), ("rubbish", "holds a line that is no age")],
)
def test_doctor_sees_a_key_file_that_is_of_no_use(
    applied: Repository, content: str | None, said: str
) -> None:
    file = applied.root.parent / "named"
    if content is not None:
        file.write_text(content)
    told = applied.run("doctor", code=1, SOPS_AGE_KEY_FILE=str(file)).stdout
    assert said in told
    assert f"age identity {mine(applied)}" in told


def test_doctor_knows_keys_from_the_environment(applied: Repository) -> None:
    file, public = person(applied.root.parent, "other")
    assert (
        f"age identity {public} in SOPS_AGE_KEY"
        in applied.run("doctor", SOPS_AGE_KEY=file.read_text()).stdout
    )
    told = applied.run("doctor", SOPS_AGE_KEY_CMD=f"cat {file}").stdout
    assert "from SOPS_AGE_KEY_CMD: only sops can look at them" in told
    broken = applied.run("doctor", code=1, SOPS_AGE_KEY="AGE-SECRET-KEY-1TYPO")
    assert "SOPS_AGE_KEY holds a line" in broken.stdout
    assert "TYPO" not in broken.stdout + broken.stderr


def test_init_takes_the_identity_sops_would(empty: Repository) -> None:
    file, public = person(empty.root.parent, "ci")
    empty.run("init", "--name", "pki", SOPS_AGE_KEY=file.read_text())
    assert public in (empty.root / "certform.yaml").read_text()
    assert not (empty.root.parent / DEFAULT).exists()


def test_init_makes_an_identity_where_it_was_told_to(empty: Repository) -> None:
    file = empty.root.parent / "new.txt"
    empty.run("init", "--name", "pki", SOPS_AGE_KEY_FILE=str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    assert not (empty.root.parent / DEFAULT).exists()


def test_init_refuses_what_it_cannot_see(empty: Repository) -> None:
    refused = empty.run("init", "--name", "pki", code=1, SOPS_AGE_KEY_CMD="cat key").stderr
    assert "SOPS_AGE_KEY_CMD does not show the public half" in refused
    refused = empty.run("init", "--name", "pki", code=1, SOPS_AGE_KEY="rubbish").stderr
    assert "SOPS_AGE_KEY holds a line that is no age identity" in refused


def test_init_adds_no_key_to_a_file_that_others_can_read(empty: Repository) -> None:
    file = empty.root.parent / "open.txt"
    file.write_text("# mine\n")
    file.chmod(0o644)
    refused = empty.run("init", "--name", "pki", code=1, SOPS_AGE_KEY_FILE=str(file)).stderr
    assert f"chmod 600 {file}" in refused
    assert file.read_text() == "# mine\n"
