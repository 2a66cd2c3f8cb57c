"""What others put on the keys ref never costs the user an object."""

import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import ledger_kit as kit
import pytest
from ledger_kit import Site

from providers.secret import Secret
from reconciler.errors import LedgerRefused
from reconciler.git import Git
from reconciler.ledger import bundles
from reconciler.ledger.contract import Wave
from reconciler.ledger.keyring import generate
from reconciler.ledger.objects import Commit, object_format, signed

KEYS = "refs/certform/keys"
BRANCH = "refs/heads/certform/ledger"
AGE_FILE = b"age-encryption.org/v1\n-> of the user's own\n"


@dataclass(frozen=True)
class Attack:
    """A clone whose user works, and the remote to which somebody else may push."""

    victim: Site
    remote: Path

    def put(self, tree: str, *parents: str) -> str:
        """Put an unsigned commit on the keys ref."""
        identity = ("-c", "user.name=x", "-c", "user.email=x@localhost")
        options = [word for parent in parents for word in ("-p", parent)]
        made = kit.run_git(self.remote, *identity, "commit-tree", tree, *options, "-m", "Leaf keys")
        kit.run_git(self.remote, "update-ref", KEYS, made)
        return made

    def put_signed(self, tree: str) -> str:
        """Put a commit there that is signed with a key of the attacker's own; return that key."""
        ring = generate()
        made = signed(
            object_format(Git(self.remote)),
            Commit(tree, None, "Leaf keys", kit.NOW),
            ring.signing_key,
        )
        Git(self.remote).run("hash-object", "-t", "commit", "-w", "--stdin", stdin=made.content)
        kit.run_git(self.remote, "update-ref", KEYS, made.id)
        return ring.public_key

    def withdraw(self) -> None:
        kit.run_git(self.remote, "update-ref", "-d", KEYS)

    def plan(self, site: Site | None = None) -> None:
        """Read the ledger as every command does, whether it is refused or not."""
        with suppress(LedgerRefused):
            (site or self.victim).read()


@pytest.fixture
def attack(make_site: Callable[..., Site], tmp_path: Path) -> Attack:
    """The user has an age file of their own in a folder that looks like ours; all of it is loose."""
    site = make_site(remote=True)
    victim = site.clone(tmp_path / "victim")
    (victim.path / "work.txt").write_text("my work\n")
    (victim.path / "mine/bundles").mkdir(parents=True)
    (victim.path / "mine/bundles/secret.age").write_bytes(AGE_FILE)
    kit.run_git(victim.path, "add", ".")
    identity = ("-c", "user.name=v", "-c", "user.email=v@localhost")
    kit.run_git(victim.path, *identity, "commit", "--quiet", "-m", "work")
    kit.run_git(victim.path, "push", "--quiet", "origin", "main")
    return Attack(victim, site.home)


def tree_of(directory: Path, blob: str, name: str = "b1.age") -> str:
    """Return the tree of a keys commit with one blob."""

    def made(entry: str) -> str:
        done = subprocess.run(
            ["git", "mktree"], cwd=directory, input=entry.encode(), capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    folder = made(f"100644 blob {blob}\t{name}")
    return made(f"040000 tree {folder}\tbundles")


def assert_nothing_lost(attack: Attack) -> None:
    done = subprocess.run(
        ["git", "fsck", "--full"], cwd=attack.victim.path, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")


def test_an_unsigned_keys_commit_is_refused(attack: Attack) -> None:
    blob = kit.run_git(attack.remote, "rev-parse", "main:work.txt")
    attack.put(tree_of(attack.remote, blob))
    with pytest.raises(LedgerRefused, match="not signed with the ledger's key") as refusal:
        attack.victim.read()
    assert "certform ledger recover" in refusal.value.hint


@pytest.mark.parametrize("tree", ["main^{tree}", "main:mine", "bundle"])
def test_reading_deletes_nothing_that_an_unsigned_commit_names(attack: Attack, tree: str) -> None:
    head = kit.run_git(attack.remote, "rev-parse", "main")
    if tree == "bundle":
        blob = kit.run_git(attack.remote, "rev-parse", "main:work.txt")
        attack.put(tree_of(attack.remote, blob), head)
    else:
        attack.put(kit.run_git(attack.remote, "rev-parse", tree), head)
    attack.plan()
    attack.withdraw()
    attack.plan()
    assert_nothing_lost(attack)
    assert attack.victim.read().bundles == frozenset()


def test_writing_deletes_nothing_that_an_unsigned_commit_names(attack: Attack) -> None:
    head = kit.run_git(attack.remote, "rev-parse", "main")
    attack.put(kit.run_git(attack.remote, "rev-parse", "main:mine"), head)
    attack.plan()
    attack.withdraw()
    with attack.victim.journal() as journal:
        record = kit.certificate("api", kit.issuance("aa", bundle="b1"))
        key = {"aa": Secret(kit.der("aa"))}
        journal.write(Wave("reserve", certificates=[record], bundle="b1", new_keys=key))
        journal.write(Wave("drop", gone=["api"]))
        assert journal.unerased == ()
    assert_nothing_lost(attack)


@pytest.mark.parametrize("what", ["tree", "work", "age"])
def test_a_proposal_that_names_its_own_key_and_remote_deletes_nothing(
    attack: Attack, tmp_path: Path, what: str
) -> None:
    evil = tmp_path / "evil.git"
    kit.run_git(tmp_path, "clone", "--quiet", "--bare", str(attack.remote), str(evil))
    proposal = Attack(attack.victim, evil)
    tree = {
        "tree": kit.run_git(evil, "rev-parse", "main^{tree}"),
        "work": tree_of(evil, kit.run_git(evil, "rev-parse", "main:work.txt")),
        "age": kit.run_git(evil, "rev-parse", "main:mine"),
    }[what]
    key = proposal.put_signed(tree)
    kit.run_git(evil, "update-ref", "-d", BRANCH)
    settings = attack.victim.settings.model_copy(update={"remote": str(evil), "public_key": key})
    proposed = replace(attack.victim, settings=settings)
    attack.plan(proposed)
    proposal.withdraw()
    attack.plan(proposed)
    attack.plan()
    assert attack.victim.read().certificates == {}
    assert_nothing_lost(attack)


def test_a_file_that_is_in_no_commit_of_the_user_survives_unless_it_is_an_age_file(
    attack: Attack,
) -> None:
    """What only a keys commit of a known key could name is deleted, if it is what lies in one."""
    (attack.victim.path / "lost").write_text("not yet added anywhere")
    lost = kit.run_git(attack.victim.path, "hash-object", "-w", "lost")
    kit.run_git(attack.remote, "hash-object", "-w", str(attack.victim.path / "lost"))
    key = attack.put_signed(tree_of(attack.remote, lost))
    settings = attack.victim.settings.model_copy(update={"public_key": key})
    attack.plan(replace(attack.victim, settings=settings))
    attack.withdraw()
    attack.plan(replace(attack.victim, settings=settings))
    assert kit.run_git(attack.victim.path, "cat-file", "-p", lost) == "not yet added anywhere"


def test_what_an_unsigned_commit_still_names_is_not_deleted(attack: Attack) -> None:
    """Else this clone could not fetch any more: git takes what its refs name for granted."""
    with attack.victim.journal() as journal:
        record = kit.certificate("api", kit.issuance("aa", bundle="b1"))
        key = {"aa": Secret(kit.der("aa"))}
        journal.write(Wave("reserve", certificates=[record], bundle="b1", new_keys=key))
    honest = kit.run_git(attack.remote, "rev-parse", KEYS)
    attack.put(kit.run_git(attack.remote, "rev-parse", f"{KEYS}^{{tree}}"))
    attack.plan()
    attack.plan()
    kit.run_git(attack.remote, "update-ref", KEYS, honest)
    assert attack.victim.read().bundles == {"b1"}
    assert_nothing_lost(attack)


@pytest.mark.parametrize("value", ["main:work.txt", "main^{tree}", BRANCH])
def test_a_keys_ref_that_names_no_keys_commit_is_refused(attack: Attack, value: str) -> None:
    named = kit.run_git(attack.remote, "rev-parse", value)
    kit.run_git(attack.remote, "update-ref", KEYS, named)
    with pytest.raises(LedgerRefused):
        attack.victim.read()
    attack.withdraw()
    assert attack.victim.read().certificates == {}
    assert_nothing_lost(attack)


def test_a_keys_commit_consists_of_itself_its_two_trees_and_its_bundles(site: Site) -> None:
    with site.journal() as journal:
        record = kit.certificate("api", kit.issuance("aa", bundle="b1"))
        key = {"aa": Secret(kit.der("aa"))}
        journal.write(Wave("reserve", certificates=[record], bundle="b1", new_keys=key))
    tip = kit.run_git(site.home, "rev-parse", KEYS)
    revisions = (tip, f"{tip}^{{tree}}", f"{tip}:bundles", f"{tip}:bundles/b1.age")
    expected = {kit.run_git(site.home, "rev-parse", each) for each in revisions}
    git = Git(site.home)
    assert bundles.key_objects(git, tip, site.settings.public_key) == expected
    assert bundles.key_objects(git, tip, generate().public_key) == frozenset()
    assert bundles.key_objects(git, tip, None) == frozenset()
