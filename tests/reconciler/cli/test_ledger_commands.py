"""What the ledger tells at the command line: its history, its holder, its time, and its remote."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import Repository

from providers.sops.binary import Sops
from reconciler.cli.app import Console
from reconciler.cli.console import ColourOption
from reconciler.cli.options import Choice
from reconciler.cli.running import Limits, carry_out
from reconciler.cli.survey import session
from reconciler.ledger.contract import Wave
from reconciler.ledger.journal import Access, open_journal
from reconciler.ledger.records import Attempts
from reconciler.ledger.store import open_store
from reconciler.repository import load

UNUSED = """\
kind: Authority
metadata: {name: unused}
spec: {parentRef: root, commonName: Unused, duration: 2d}
"""


def git(repository: Repository, *argv: str) -> str:
    done = subprocess.run(
        ["git", "-C", repository.root, *argv],
        env=repository.environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def live_in(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process be who owns the repository's keys."""
    monkeypatch.delenv("SOPS_AGE_KEY_FILE", raising=False)
    monkeypatch.setenv("HOME", repository.environment["HOME"])


def commit(repository: Repository) -> str:
    identity = ("-c", "user.name=Jo", "-c", "user.email=jo@example.com")
    git(repository, "add", "--all")
    git(repository, *identity, "commit", "--quiet", "--message", "documents")
    return git(repository, "rev-parse", "HEAD")


def test_an_authority_that_expired_is_forgotten_for_good(
    applied: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its key goes from the ledger with it, and nothing is left to be done about it."""
    document: Path = applied.root / "authorities/unused.yaml"
    document.write_text(UNUSED)
    applied.run("apply", "--auto-approve")
    files = git(applied, "ls-tree", "-r", "--name-only", "certform/ledger").splitlines()
    assert {"authorities/unused.json", "authorities/unused.g1.key.sops.json"} <= set(files)
    document.unlink()
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    live_in(applied, monkeypatch)
    console = Console(applied.root, ColourOption.NEVER)
    with session(console, clock=lambda: later) as held:
        told = carry_out(console, held, Choice((), None), Limits(ask=False, mass=False))
    assert told.code == 0
    files = git(applied, "ls-tree", "-r", "--name-only", "certform/ledger").splitlines()
    assert not [file for file in files if file.startswith("authorities/unused")]
    assert "No changes" in applied.run("plan", "--at", later.isoformat()).stdout
    applied.run("log", "--verify")


def test_the_log_tells_who_wrote_from_which_documents(applied: Repository) -> None:
    revision = commit(applied)
    applied.run("apply", "--auto-approve", "--replace", "certificate/orders", GITHUB_ACTOR="jo")
    newest = applied.run("log", "-n", "1").stdout
    assert f"(command certform apply, actor jo, documents {revision[:12]})" in newest
    applied.edit("services/orders.yaml", "profileRef: service", "profileRef: service  # edited")
    applied.run("apply", "--auto-approve", "--replace", "certificate/orders")
    newest = applied.run("log", "-n", "1").stdout
    assert f"documents {revision[:12]} with uncommitted changes" in newest


def test_a_time_that_was_wrong_has_a_way_out(
    applied: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_in(applied, monkeypatch)
    ahead = datetime.now(UTC) + timedelta(days=2000)
    access = Access(Sops(), lambda: ahead)
    with open_journal(applied.root, load(applied.root).ledger, access) as journal:
        journal.write(Wave("by a wrong clock"))
    again = ("apply", "--auto-approve", "--replace", "certificate/orders")
    refused = applied.run(*again, code=3).stderr
    assert "certform ledger recover --accept-time" in refused
    assert "--accept-time" in applied.run("ledger", "recover").stdout
    assert "recorded: Accept the time" in applied.run("ledger", "recover", "--accept-time").stdout
    applied.run(*again)
    assert "Accept the time" in applied.run("log", "--verify").stdout


def test_a_remote_that_is_down_is_one_sentence(applied: Repository) -> None:
    address = "https://jo:s3cret@127.0.0.1:1/pki.git"
    git(applied, "remote", "add", "origin", address)
    told = applied.run("plan", code=1).stderr
    assert "\\n" not in told
    assert "git ls-remote failed (128): unable to access" in told
    assert "hint: the ledger is at origin" in told
    assert "s3cret" not in told


def test_a_lock_names_the_command_and_not_its_options(applied: Repository) -> None:
    place = open_store(applied.root, load(applied.root).ledger)
    applied.run("apply", "--auto-approve", CERTFORM_FAILPOINT="lock.acquire.after:1:kill", code=-9)
    tip = place.tips().lock
    assert tip is not None
    (value,) = place.git.contents("commit", [tip])
    said = json.loads(value.partition(b"\n\n")[2])
    assert said["command"] == "certform apply"


def test_what_a_lock_says_obeys_no_terminal(applied: Repository) -> None:
    place = open_store(applied.root, load(applied.root).ledger)
    applied.run("apply", "--auto-approve", CERTFORM_FAILPOINT="lock.acquire.after:1:kill", code=-9)
    (value,) = place.git.contents("commit", [str(place.tips().lock)])
    header, _, message = value.partition(b"\n\n")
    said = json.loads(message)
    said["command"], said["process"]["host"] = "\x1b[2Jmine\x07", "else\nwhere"
    hostile = header + b"\n\n" + json.dumps(said).encode()
    made = place.git.run("hash-object", "-t", "commit", "-w", "--stdin", stdin=hostile)
    git(applied, "update-ref", "refs/certform/lock", made.decode().strip())
    waited = applied.run(
        "apply", "--auto-approve", "--lock-timeout", "1", "--replace", "certificate/orders", code=3
    )
    unlocked = applied.run("unlock", said["id"])
    for told in (waited.stderr, unlocked.stderr):
        assert "mine" in told
        assert not {"\x1b", "\x07"} & set(told)


def test_what_a_failed_attempt_said_obeys_no_terminal(
    applied: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_in(applied, monkeypatch)
    moment = datetime.now(UTC)
    attempts = Attempts(failures=2, last_at=moment, error="no\x1b[2Jthing", digest="0" * 32)
    with open_journal(applied.root, load(applied.root).ledger, Access(Sops(), lambda: moment)) as j:
        record = j.state.certificates["orders"].model_copy(update={"attempts": attempts})
        j.write(Wave("an attempt", certificates=[record]))
    assert "no\\x1b[2Jthing" in applied.run("show", "certificate/orders").stdout
