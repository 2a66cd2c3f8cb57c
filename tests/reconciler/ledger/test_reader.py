"""Refusals: whatever is not plainly this project's ledger, whole and current, is not read."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import ledger_kit as kit
import pytest
from ledger_kit import Site

from providers.sops.binary import Sops
from reconciler.errors import LedgerRefused
from reconciler.git import Git, GitError
from reconciler.ledger.contract import Wave
from reconciler.ledger.creation import create_ledger, existing_lineage
from reconciler.ledger.objects import Commit, Format, object_format, parse_commit, signed, store
from reconciler.ledger.reader import present
from reconciler.ledger.records import LedgerState
from reconciler.ledger.refs import Tips
from reconciler.ledger.store import open_store
from schemas.project import LedgerSettings, Recipient

BRANCH = "refs/heads/certform/ledger"


def write(site: Site, name: str) -> str:
    with site.journal() as journal:
        journal.write(Wave(f"issue {name}", certificates=[kit.certificate(name)]))
        return journal.state.tip


def test_a_new_ledger_is_empty_and_its_own(site: Site) -> None:
    state = site.read()
    assert isinstance(state, LedgerState)
    assert (state.certificates, state.authorities, state.crls) == ({}, {}, {})
    assert state.lineage.public_key == site.settings.public_key
    assert state.lineage.owner.startswith("example_")


def test_reading_decrypts_nothing_and_takes_no_lock(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(site, "web")
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", "/nonexistent")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert set(site.read().certificates) == {"web"}
    refs = kit.run_git(site.home, "for-each-ref", "--format=%(refname)")
    assert "refs/certform/lock" not in refs


def test_reading_changes_nothing_in_a_repository_that_has_the_ledger(
    make_site: Callable[..., Site],
) -> None:
    site = make_site(remote=False)
    before = kit.run_git(site.path, "for-each-ref"), kit.every_object(site.path)
    site.read()
    assert before == (kit.run_git(site.path, "for-each-ref"), kit.every_object(site.path))


def test_a_project_without_a_key_is_told_to_init(site: Site) -> None:
    keyless = replace(site, settings=LedgerSettings())
    with pytest.raises(LedgerRefused, match="names no ledger") as refusal:
        keyless.read()
    assert refusal.value.hint == "certform init"


def test_a_missing_ledger_is_never_a_first_run(site: Site) -> None:
    kit.run_git(site.home, "update-ref", "-d", BRANCH)
    with pytest.raises(LedgerRefused, match="is missing") as refusal:
        site.read()
    assert "certform ledger recover" in refusal.value.hint
    assert refusal.value.exit_code == 3


def test_a_fresh_clone_reads_the_ledger(make_site: Callable[..., Site], tmp_path: Path) -> None:
    site = make_site(remote=True)
    tip = write(site, "web")
    assert site.clone(tmp_path / "fresh").read().tip == tip


def test_a_shallow_clone_reads_and_writes_the_ledger(
    make_site: Callable[..., Site], tmp_path: Path
) -> None:
    site = make_site(remote=True)
    write(site, "web")
    shallow = site.clone(tmp_path / "shallow", "--depth=1")
    assert kit.run_git(shallow.path, "rev-parse", "--is-shallow-repository") == "true"
    assert set(shallow.read().certificates) == {"web"}
    write(shallow, "api")
    assert set(site.read().certificates) == {"web", "api"}


def test_a_ledger_of_another_key_is_foreign(
    site: Site, tmp_path: Path, recipients: tuple[Recipient, ...]
) -> None:
    other = kit.make_repository(tmp_path / "other")
    key = create_ledger(other, "other", LedgerSettings(), recipients, Sops(), kit.NOW).public_key
    stranger = replace(site, settings=LedgerSettings(public_key=key))
    with pytest.raises(LedgerRefused, match="signed by another key"):
        stranger.read()


def commit_on_top(site: Site, *, key: bool, change: dict[str, bytes] | None = None) -> str:
    """Put a commit on the ledger as an outsider would, or as somebody with its key would."""
    place = site.home
    git = Git(place)
    parent = kit.run_git(place, "rev-parse", BRANCH)
    naming: Format = object_format(git)
    for path, content in (change or {}).items():
        blob = git.run("hash-object", "-w", "--stdin", stdin=content).decode().strip()
        listing = git.run("ls-tree", parent) + f"100644 blob {blob}\t{path}\n".encode()
        tree = git.run("mktree", stdin=_last_by_name(listing)).decode().strip()
    if not change:
        tree = kit.run_git(place, "rev-parse", f"{parent}^{{tree}}")
    draft = Commit(tree, parent, "by an outsider", kit.NOW)
    made = naming.object("commit", draft.payload())
    if key:
        with site.journal() as journal:
            made = signed(naming, draft, journal._open().keyring.signing_key)
    store(git, naming, [made])
    kit.run_git(place, "update-ref", BRANCH, made.id)
    return made.id


def _last_by_name(listing: bytes) -> bytes:
    entries = {line.partition(b"\t")[2]: line for line in listing.splitlines()}
    return b"\n".join(entries.values()) + b"\n"


def test_an_unsigned_tip_is_refused(site: Site) -> None:
    tip = commit_on_top(site, key=False)
    with pytest.raises(LedgerRefused, match=f"{tip} is signed by nobody"):
        site.read()
    with pytest.raises(LedgerRefused, match="signed by nobody"), site.journal():
        pytest.fail("the journal opened")


def test_a_signature_moved_to_another_commit_is_refused(site: Site) -> None:
    place = site.home
    tip = kit.run_git(place, "rev-parse", BRANCH)
    (content,) = Git(place).contents("commit", [tip])
    forged = content.replace(b"Begin the ledger", b"Begin the forgery")
    assert forged != content
    assert parse_commit(forged).signature == parse_commit(content).signature
    oid = Git(place).run("hash-object", "-t", "commit", "-w", "--stdin", stdin=forged)
    kit.run_git(place, "update-ref", BRANCH, oid.decode().strip())
    with pytest.raises(LedgerRefused, match="signed by another key"):
        site.read()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lineage.json": b"{}"}, "lineage.json is not a Lineage"),
        ({"lineage.json": b'{"format": 2}'}, "newer|not a Lineage"),
    ],
)
def test_a_damaged_file_is_named(site: Site, change: dict[str, bytes], said: str) -> None:
    commit_on_top(site, key=True, change=change)
    with pytest.raises(LedgerRefused, match=said):
        site.read()


def test_a_rolled_back_ledger_is_refused_by_who_saw_the_later_one(site: Site) -> None:
    first = write(site, "web")
    write(site, "api")
    site.read()
    kit.run_git(site.home, "update-ref", BRANCH, first)
    with pytest.raises(LedgerRefused, match="rolled back"):
        site.read()
    with pytest.raises(LedgerRefused, match="rolled back"), site.journal():
        pytest.fail("the journal opened")


def test_a_ledger_that_is_only_here_is_to_be_published(
    make_site: Callable[..., Site], tmp_path: Path
) -> None:
    site = make_site(remote=False)
    kit.run_git(tmp_path, "init", "--quiet", "--bare", "origin.git")
    kit.run_git(site.path, "remote", "add", "origin", str(tmp_path / "origin.git"))
    with pytest.raises(LedgerRefused, match="not at origin"):
        site.read()
    here = site.settings.model_copy(update={"remote": "."})
    assert replace(site, settings=here).read().certificates == {}


def test_a_ledger_missing_at_an_address_does_not_show_its_password(
    make_site: Callable[..., Site],
) -> None:
    site = make_site(remote=False)
    address = "https://bot:hunter2@example.invalid/ledger.git"
    place = open_store(site.path, site.settings.model_copy(update={"remote": address}))
    with pytest.raises(LedgerRefused, match="it is in this repository") as refusal:
        present(place, site.settings, Tips())
    assert "not at https://example.invalid/ledger.git" in str(refusal.value)
    assert "hunter2" not in str(refusal.value) + refusal.value.hint


def test_a_remote_out_of_reach_is_an_error_and_not_an_absence(
    make_site: Callable[..., Site],
) -> None:
    site = make_site(remote=True)
    (site.path.parent / "origin.git").rename(site.path.parent / "elsewhere.git")
    with pytest.raises(GitError, match="does not appear to be a git repository"):
        site.read()


@pytest.mark.parametrize("remote", ["--upload-pack=touch /tmp/pwned", "-x"])
def test_a_remote_cannot_be_an_option(site: Site, remote: str) -> None:
    settings = site.settings.model_copy(update={"remote": remote})
    with pytest.raises(LedgerRefused, match="no remote's name"):
        replace(site, settings=settings).read()


def test_a_remote_cannot_be_a_command(site: Site, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    settings = site.settings.model_copy(update={"remote": f"ext::touch {marker}"})
    with pytest.raises(GitError, match="'ext' not allowed"):
        replace(site, settings=settings).read()
    assert not marker.exists()


def test_a_ledger_is_not_made_twice(site: Site, recipients: tuple[Recipient, ...]) -> None:
    for settings in (site.settings, LedgerSettings()):
        with pytest.raises(LedgerRefused, match="there is, or was, a ledger"):
            create_ledger(site.path, "example", settings, recipients, Sops(), kit.NOW)


def test_a_ledger_that_vanished_is_not_made_anew(
    site: Site, recipients: tuple[Recipient, ...]
) -> None:
    kit.run_git(site.home, "update-ref", "-d", BRANCH)
    with pytest.raises(LedgerRefused, match="there is, or was, a ledger"):
        create_ledger(site.path, "example", site.settings, recipients, Sops(), kit.NOW)


def test_an_init_that_was_cut_short_finds_the_ledger_it_made(site: Site, tmp_path: Path) -> None:
    found = existing_lineage(site.path, LedgerSettings())
    assert found is not None
    assert found.public_key == site.settings.public_key
    assert existing_lineage(kit.make_repository(tmp_path / "new"), LedgerSettings()) is None


def test_a_sha256_repository_keeps_a_ledger_too(
    tmp_path: Path, recipients: tuple[Recipient, ...]
) -> None:
    path = tmp_path / "wide"
    path.mkdir()
    subprocess.run(["git", "init", "-q", "--object-format=sha256"], cwd=path, check=True)
    key = create_ledger(path, "wide", LedgerSettings(), recipients, Sops(), kit.NOW).public_key
    site = kit.Site(path, LedgerSettings(public_key=key))
    write(site, "web")
    assert set(site.read().certificates) == {"web"}
    assert kit.run_git(path, "fsck", "--full", "--strict", "--no-dangling") == ""
