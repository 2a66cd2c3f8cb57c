"""A clone that is shallow where the ledger is: it works as any other, and gets what it lacks."""

from collections.abc import Callable
from pathlib import Path

import ledger_kit as kit
import pytest
from ledger_kit import Site

from providers.sops.binary import Sops
from reconciler.errors import LedgerRefused
from reconciler.ledger.contract import Wave
from reconciler.ledger.history import log, verify_history
from reconciler.ledger.journal import Access
from reconciler.ledger.recovery import recover

TRACKED = "refs/certform/remote/ledger"


def write(site: Site, name: str) -> None:
    with site.journal() as journal:
        journal.write(Wave(f"issue {name}", certificates=[kit.certificate(name)]))


@pytest.fixture
def whole(make_site: Callable[..., Site]) -> Site:
    """A clone with all of a ledger of three commits."""
    site = make_site(remote=True)
    for name in ("web", "api"):
        write(site, name)
    return site


@pytest.fixture
def shallow(whole: Site, tmp_path: Path) -> Site:
    """A clone with the last commit of every branch, as CI systems make it."""
    made = whole.clone(tmp_path / "shallow", "--depth=1", "--no-single-branch")
    tip = kit.run_git(made.path, "rev-parse", "refs/remotes/origin/certform/ledger")
    assert tip in (made.path / ".git/shallow").read_text()
    return made


def test_it_reads_and_writes_without_the_history(whole: Site, shallow: Site) -> None:
    assert set(shallow.read().certificates) == {"web", "api"}
    write(whole, "elsewhere")
    write(shallow, "here")
    assert set(whole.read().certificates) == {"web", "api", "elsewhere", "here"}
    assert set(shallow.read().certificates) == {"web", "api", "elsewhere", "here"}


def test_its_history_is_fetched_when_it_is_asked_for_and_no_other_branch(
    whole: Site, shallow: Site
) -> None:
    assert verify_history(shallow.path, shallow.settings) == ()
    entries = log(shallow.path, shallow.settings)
    assert entries == log(whole.path, whole.settings)
    assert kit.run_git(shallow.path, "rev-list", "--count", "origin/main") == "1"


def test_it_can_recover(whole: Site, shallow: Site) -> None:
    origin = whole.path.parent / "origin.git"
    tip = shallow.read().tip
    kit.run_git(origin, "update-ref", "refs/heads/certform/ledger", f"{tip}~1")
    with pytest.raises(LedgerRefused, match="was rolled back"):
        shallow.read()
    kit.run_git(origin, "update-ref", "refs/heads/certform/ledger", tip)
    access = Access(Sops(), lambda: kit.NOW, kit.QUICK)
    (said,) = recover(shallow.path, shallow.settings, access)
    assert "in order" in said


def test_what_it_saw_before_it_became_shallow_is_still_followed(
    whole: Site, tmp_path: Path
) -> None:
    full = whole.clone(tmp_path / "full")
    full.read()
    for name in ("more", "and-more"):
        write(whole, name)
    branch = "refs/heads/certform/ledger"
    kit.run_git(full.path, "fetch", "--quiet", "--depth=1", "origin", f"+{branch}:{TRACKED}")
    assert set(full.read().certificates) == {"web", "api", "more", "and-more"}


def test_without_anybody_to_ask_it_says_that_it_is_shallow(shallow: Site) -> None:
    tip = kit.run_git(shallow.path, "rev-parse", "refs/remotes/origin/certform/ledger")
    kit.run_git(shallow.path, "update-ref", "refs/heads/certform/ledger", tip)
    settings = shallow.settings.model_copy(update={"remote": "."})
    with pytest.raises(LedgerRefused, match="this clone is shallow") as refusal:
        verify_history(shallow.path, settings)
    assert "git fetch --unshallow" in refusal.value.hint
