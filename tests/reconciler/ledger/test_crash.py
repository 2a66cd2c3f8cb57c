"""SIGKILL and I/O errors at every durable step: the next run finds one whole state and goes on."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import ledger_kit as kit
import pytest
from ledger_kit import Site

from reconciler.ledger.contract import Wave
from reconciler.ledger.history import log, verify_history

WAVES = 2


def run(
    site: Site, name: str, waves: int, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    script = Path(__file__).with_name("writer.py")
    settings = site.settings.model_dump_json(by_alias=True, exclude_none=True)
    return subprocess.run(
        [sys.executable, str(script), str(site.path), settings, name, str(waves), "stop"],
        input=kit.issuance("1f").model_dump_json(exclude_none=True).encode(),
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )


def points(site: Site, tmp_path: Path) -> list[str]:
    """Return the failpoints that an undisturbed run passes, in order."""
    passed = tmp_path / "points"
    done = run(site, "e", WAVES, CERTFORM_FAILPOINT_LOG=str(passed))
    assert done.returncode == 0, done.stderr.decode()
    return passed.read_text().split()


def assert_whole(site: Site, name: str) -> int:
    """Assert that what is recorded under a name is the first waves, whole; return how many."""
    state = site.read()
    serials = [f"{name}{n:x}" for n in range(WAVES)]
    recorded = [s for s in serials if f"web-{s}" in state.certificates]
    assert recorded == serials[: len(recorded)]
    held = {i.bundle for s in recorded for i in state.certificates[f"web-{s}"].issuances}
    assert held - {None} <= state.bundles
    messages = [entry.summary for entry in log(site.path, site.settings)]
    assert [f"wave {s}" for s in recorded] == sorted(m for m in messages if m[5:] in serials)
    return len(recorded)


@pytest.mark.parametrize("action", ["kill", "raise"])
def test_whatever_step_fails_the_next_run_converges(
    site: Site, tmp_path: Path, action: str
) -> None:
    names = points(site, tmp_path)
    assert len(names) > 20
    releasing = names.index("lock.release.before") + 1
    for n, point in enumerate(names, start=1):
        name = f"{n:02x}"
        done = run(site, name, WAVES, CERTFORM_FAILPOINT=f"*:{n}:{action}")
        # Failing to give the lock back undoes nothing, so it is no failure of the run.
        failed = 0 if n >= releasing else 1
        expected = -signal.SIGKILL if action == "kill" else failed
        assert done.returncode == expected, (point, done.stderr.decode())
        written = assert_whole(site, name)
        with site.journal() as journal:
            last = [f"{name}{written - 1:x}"] if written else []
            assert set(journal.leaf_keys([f"{name}{i:x}" for i in range(WAVES)])) == set(last)
            erased = [kit.certificate(f"web-{s}", kit.issuance(s)) for s in last]
            journal.write(Wave("on we go", certificates=erased, erase=frozenset(last)))
            assert journal.unerased == ()
        assert site.read().bundles == {"e"}
        assert count_age_files(site) == 1, point
    assert verify_history(site.path, site.settings) == ()


def count_age_files(site: Site) -> int:
    objects = kit.every_object(site.path).values()
    return sum(content.startswith(b"age-encryption.org/") for content in objects)


@pytest.mark.parametrize("moved", ["keys", "keys ledger", "keys ledger seen"])
def test_a_transaction_of_refs_cut_short_by_a_power_failure_is_harmless(
    make_site: Callable[..., Site], moved: str
) -> None:
    """git renames refs one by one at the end; whatever prefix of them happened, nothing is lost."""
    site = make_site(remote=False)
    run(site, "e", 1)
    refs = {
        "keys": "refs/certform/keys",
        "ledger": f"refs/heads/{site.settings.branch}",
        "seen": "refs/certform/seen",
    }
    before = {name: kit.run_git(site.path, "rev-parse", ref) for name, ref in refs.items()}
    run(site, "f", 1)
    for name in refs.keys() - set(moved.split()) - {"keys"}:
        kit.run_git(site.path, "update-ref", refs[name], before[name])
    state = site.read()
    assert ("web-f0" in state.certificates) == ("ledger" in moved)
    with site.journal() as journal:
        held = {"e0", "f0"} if "ledger" in moved else {"e0"}
        assert set(journal.leaf_keys(["e0", "f0"])) == held
        journal.write(Wave("on we go"))
    assert site.read().bundles == ({"e", "f"} if "ledger" in moved else {"e"})
    assert verify_history(site.path, site.settings) == ()


@pytest.mark.parametrize("ref", ["heads/certform/ledger", "certform/lock", "certform/keys"])
def test_a_ref_lock_that_git_left_behind_is_an_error_that_names_it(
    make_site: Callable[..., Site], ref: str
) -> None:
    site = make_site(remote=False)
    run(site, "e", 1)
    stale = site.path / ".git" / "refs" / f"{ref}.lock"
    stale.parent.mkdir(parents=True, exist_ok=True)
    stale.touch()
    done = run(site, "f", 1)
    assert done.returncode == 1
    assert str(stale) in done.stderr.decode()
    assert "web-f0" not in site.read().certificates
    stale.unlink()
    assert run(site, "f", 1).returncode == 0
