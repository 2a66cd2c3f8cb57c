"""`plan --offline`: the ledger that is here, proved as always, and nobody who is asked for anything."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import rig
from rig import Repository, Runner

from reconciler.offline import Offline, Unseen
from reconciler.repository import load

NEVER = "the ledger was never fetched here: everything is taken to be new"


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    made = Runner()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def origin(
    tmp_path_factory: pytest.TempPathFactory, runner: Runner, require: Callable[[str], str]
) -> Repository:
    """A repository with everything applied, its documents committed and its ledger in it."""
    require("git")
    made = rig.prepare(runner, tmp_path_factory.mktemp("origin"))
    assert runner.apply(made).status == 0
    rig.git(made.root, "add", *rig.DOCUMENTS)
    commit(made.root)
    return made


def commit(root: Path) -> None:
    rig.git(root, "-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-qam", "x")


@pytest.fixture
def clone(origin: Repository, tmp_path: Path) -> Repository:
    """A clone as a runner has it: what it was cloned from cannot be reached any more."""
    root = tmp_path / "clone"
    rig.git(tmp_path, "clone", "--quiet", str(origin.root), str(root))
    rig.git(root, "config", "remote.origin.url", "https://127.0.0.1:9/away.git")
    (tmp_path / "tmp").mkdir()
    return Repository(root, origin.identity, tmp_path / "tmp")


def plan(runner: Runner, place: Repository, *arguments: str, code: int = 0) -> str:
    ended = runner.run(place, "plan", "--offline", *arguments)
    told = ended.out + ended.err
    assert ended.status == code, told
    return told


def test_what_was_fetched_is_enough(runner: Runner, clone: Repository) -> None:
    told = plan(runner, clone)
    assert "No changes." in told
    assert told.count("offline, not looked at") == 2
    assert runner.run(clone, "plan").status == 1  # which asks, and is not answered


def test_an_edit_is_planned_as_where_targets_are_looked_at(
    runner: Runner, clone: Repository, origin: Repository
) -> None:
    file = clone.root / "certificates.yaml"
    file.write_text(
        file.read_text().replace("[one.example.com]", "[one.example.com, a.example.com]")
    )
    commit(clone.root)
    told = plan(runner, clone, "--base", "HEAD~", "--ref", "HEAD")
    rig.git(origin.root, "fetch", "--quiet", str(clone.root), "HEAD:refs/heads/proposed")
    looked = runner.run(origin, "plan", "--base", "main", "--ref", "proposed").out
    assert digest(told) == digest(looked)
    assert "All of this is proposed here." in told


def digest(told: str) -> str:
    (line,) = [line for line in told.splitlines() if line.startswith("Plan digest: ")]
    return line


def test_what_certform_fetched_last_goes_before_what_git_did(
    runner: Runner, clone: Repository, origin: Repository
) -> None:
    rig.git(clone.root, "config", "remote.origin.url", str(origin.root))
    assert runner.run(clone, "plan").status == 0
    for ref in ("refs/remotes/origin/certform/ledger", "refs/heads/certform/ledger"):
        rig.git(clone.root, "update-ref", ref, "HEAD")
    rig.git(clone.root, "config", "remote.origin.url", "https://127.0.0.1:9/away.git")
    assert "No changes." in plan(runner, clone)


def test_without_a_ledger_everything_is_new_and_that_is_told(
    runner: Runner, clone: Repository
) -> None:
    rig.git(clone.root, "update-ref", "-d", "refs/remotes/origin/certform/ledger")
    told = plan(runner, clone)
    assert NEVER in told
    assert "hint: git fetch origin certform/ledger" in told
    assert "5 to issue" in told


def test_a_ledger_that_the_key_of_the_base_did_not_sign_is_refused(
    runner: Runner, clone: Repository
) -> None:
    rig.git(clone.root, "update-ref", "refs/remotes/origin/certform/ledger", "HEAD")
    assert "is signed by nobody" in plan(runner, clone, code=3)
    text = (clone.root / "certform.yaml").read_text()
    key = next(line for line in text.splitlines() if "publicKey" in line)
    (clone.root / "certform.yaml").write_text(text.replace(key.strip(), "remote: ."))
    commit(clone.root)
    told = plan(runner, clone, "--base", "HEAD~", "--ref", "HEAD", code=3)
    assert "is signed by nobody" in told


def test_keys_that_were_not_fetched_are_taken_to_be_kept(
    runner: Runner, origin: Repository, tmp_path: Path
) -> None:
    """Otherwise whatever is not installed yet would be planned to be issued anew."""
    kept = origin.kept(tmp_path / "kept")
    (kept.root / "kept.yaml").write_text(
        "kind: Certificate\nmetadata: {name: kept}\n"
        "spec: {issuerRef: issuing, dnsNames: [kept.example.com], targets: [edge],"
        " privateKey: {custody: ledger}}\n"
    )
    rig.git(kept.root, "add", "kept.yaml")
    commit(kept.root)
    assert runner.apply(kept).status == 0
    root = tmp_path / "clone"
    rig.git(tmp_path, "clone", "--quiet", str(kept.root), str(root))
    file = root / "kept.yaml"
    file.write_text(file.read_text().replace("[edge]", "[edge, mesh]"))
    (tmp_path / "tmp").mkdir()
    told = plan(runner, Repository(root, kept.identity, tmp_path / "tmp"))
    assert "Plan: 1 to install." in told


def test_what_a_partial_clone_lacks_is_not_fetched(
    runner: Runner, origin: Repository, tmp_path: Path
) -> None:
    rig.git(origin.root, "config", "uploadpack.allowFilter", "true")
    source = f"file://{origin.root}"
    rig.git(tmp_path, "clone", "--quiet", "--no-checkout", "--filter=blob:none", source, "clone")
    (tmp_path / "tmp").mkdir()
    part = Repository(tmp_path / "clone", origin.identity, tmp_path / "tmp")
    told = plan(runner, part, "--ref", "HEAD", code=1)
    assert "from promisor remote" in told
    rig.git(tmp_path / "clone", "checkout", "--quiet", "HEAD")  # where git is free to fetch


def test_where_targets_alone_are_not_looked_at_the_ledger_is_read_as_always(
    origin: Repository, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", origin.root, clone], check=True)
    rig.git(clone, "update-ref", "-d", "refs/remotes/origin/certform/ledger")
    settings = load(clone).ledger
    assert Offline().read(clone, settings) is None
    state = Unseen().read(clone, settings)
    assert state is not None
    assert set(state.certificates) == {"one", "two", "three"}
