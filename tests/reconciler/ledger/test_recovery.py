"""`certform ledger recover`: the newest that holds, or a person's recorded choice."""

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import ledger_kit as kit
import pytest
from ledger_kit import Site

from providers.errors import ProviderError
from providers.secret import Secret
from providers.sops.binary import Sops
from reconciler.errors import LedgerRefused, Locked
from reconciler.git import Git
from reconciler.ledger import recovery
from reconciler.ledger.contract import Wave
from reconciler.ledger.history import log, verify_history
from reconciler.ledger.journal import Access
from reconciler.ledger.lock import Patience, Tenure, unlock
from reconciler.ledger.objects import Commit, object_format, signed
from reconciler.ledger.recovery import Decisions, recover
from reconciler.ledger.refs import Tips
from reconciler.ledger.store import Store, open_store

BRANCH = "refs/heads/certform/ledger"
KEYS = "refs/certform/keys"


def access(patience: Patience = kit.QUICK) -> Access:
    return Access(Sops(), lambda: kit.NOW, patience)


def write(site: Site, name: str) -> str:
    with site.journal() as journal:
        journal.write(Wave(f"issue {name}", certificates=[kit.certificate(name)]))
        return journal.state.tip


def move(site: Site, tip: str | None) -> None:
    """Do to the branch what only its owner should."""
    change = ("-d", BRANCH) if tip is None else (BRANCH, tip)
    kit.run_git(site.home, "update-ref", *change)


def test_a_ledger_in_order_is_left_as_it_is(site: Site) -> None:
    tip = write(site, "web")
    (said,) = recover(site.path, site.settings, access())
    assert "in order" in said
    assert site.read().tip == tip


def test_a_deleted_ledger_comes_back(site: Site) -> None:
    tip = write(site, "web")
    move(site, None)
    said = recover(site.path, site.settings, access())
    assert f"from nothing to {tip}" in said[0]
    assert site.read().tip == tip


def test_a_rolled_back_ledger_goes_forward_again(site: Site) -> None:
    first, second = write(site, "web"), write(site, "api")
    move(site, first)
    (finding,) = verify_history(site.path, site.settings)
    assert f"does not follow {second[:12]}" in finding.problem
    recover(site.path, site.settings, access())
    assert site.read().tip == second
    assert verify_history(site.path, site.settings) == ()


def test_what_an_outsider_put_on_top_is_taken_off(site: Site) -> None:
    tip = write(site, "web")
    git = Git(site.home)
    tree = kit.run_git(git.directory, "rev-parse", f"{BRANCH}^{{tree}}")
    made = object_format(git).object("commit", Commit(tree, tip, "mine", kit.NOW).payload())
    git.run("hash-object", "-t", "commit", "-w", "--stdin", stdin=made.content)
    move(site, made.id)
    with pytest.raises(LedgerRefused, match="signed by nobody"):
        site.read()
    recover(site.path, site.settings, access())
    assert site.read().tip == tip


def test_a_damaged_commit_is_named_and_taken_off(site: Site) -> None:
    tip = write(site, "web")
    tree = kit.run_git(site.home, "rev-parse", f"{BRANCH}^{{tree}}")
    text = f"tree {tree}\nparent {tip}\n\nnobody made this\n".encode()
    options = ("-t", "commit", "-w", "--literally", "--stdin")
    put = Git(site.home).run("hash-object", *options, stdin=text).decode().strip()
    move(site, put)
    named = [finding for finding in verify_history(site.path, site.settings) if finding.tip == put]
    assert named[0].problem == "is not signed with the ledger's key"
    recover(site.path, site.settings, access())
    assert site.read().tip == tip


def part(site: Site) -> tuple[str, str]:
    """Let the ledger go two ways, as a restored backup does; return what we saw and what is there."""
    first = write(site, "web")
    seen = write(site, "api")
    move(site, first)
    kit.run_git(site.path, "update-ref", "refs/certform/seen", first)
    there = write(site, "other")
    kit.run_git(site.path, "update-ref", "refs/certform/seen", seen)
    return seen, there


@pytest.mark.parametrize("choice", [0, 1])
def test_where_tips_have_parted_a_person_chooses_and_that_is_recorded(
    site: Site, choice: int
) -> None:
    tips = part(site)
    with pytest.raises(LedgerRefused, match="rolled back"):
        site.read()
    with pytest.raises(LedgerRefused, match="has parted") as refusal:
        recover(site.path, site.settings, access())
    assert "--accept" in refusal.value.hint
    recover(site.path, site.settings, access(), Decisions(tip=tips[choice]))
    assert set(site.read().certificates) == {"web", ("api", "other")[choice]}
    entry = log(site.path, site.settings)[0]
    assert entry.summary == f"Accept {tips[choice]} in place of {tips[1 - choice]}"
    assert verify_history(site.path, site.settings) == ()


def test_a_choice_that_cannot_be_recorded_moves_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, there = part(site)
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", "/nonexistent")
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    with pytest.raises(ProviderError):
        recover(site.path, site.settings, access(), Decisions(tip=seen))
    assert kit.run_git(site.home, "rev-parse", BRANCH) == there
    assert kit.run_git(site.path, "rev-parse", "refs/certform/seen") == seen


def test_a_choice_is_recorded_by_the_very_move(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, there = part(site)

    class Killed(Exception):
        pass

    def move(place: Store, old: Tips, new: Tips, loose: Collection[str] | None = None) -> None:
        real(place, old, new, loose)
        if kit.run_git(site.home, "rev-parse", BRANCH) != there:
            raise Killed

    real = Store.move
    monkeypatch.setattr(Store, "move", move)
    with pytest.raises(Killed):
        recover(site.path, site.settings, access(), Decisions(tip=seen))
    message = kit.run_git(site.home, "log", "-1", "--format=%s", BRANCH)
    assert message == f"Accept {seen} in place of {there}"


def test_only_a_tip_that_is_known_and_holds_can_be_accepted(site: Site) -> None:
    part(site)
    main = kit.run_git(site.path, "rev-parse", "main")
    with pytest.raises(LedgerRefused, match="is none of"):
        recover(site.path, site.settings, access(), Decisions(tip=main))


def test_a_ledger_made_here_is_published(make_site: Callable[..., Site], tmp_path: Path) -> None:
    site = make_site(remote=False)
    with site.journal() as journal:
        record = kit.certificate("web", kit.issuance("a1", bundle="b1"))
        key = {"a1": Secret(kit.der("a1"))}
        journal.write(Wave("reserve", certificates=[record], bundle="b1", new_keys=key))
    kit.run_git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    kit.run_git(site.path, "remote", "add", "origin", str(tmp_path / "origin.git"))
    recover(site.path, site.settings, access())
    assert site.read().bundles == {"b1"}
    local = kit.run_git(site.path, "for-each-ref", "--format=%(refname)").splitlines()
    assert not {BRANCH, "refs/certform/keys", "refs/certform/lock"} & set(local)
    fresh = site.clone(tmp_path / "fresh")
    with fresh.journal() as journal:
        assert journal.leaf_keys(["a1"])["a1"].reveal() == kit.der("a1")


def test_nothing_can_be_recovered_from_nothing(site: Site, tmp_path: Path) -> None:
    empty = replace(site, path=kit.make_repository(tmp_path / "empty"))
    with pytest.raises(LedgerRefused, match="nothing is left here"):
        recover(empty.path, empty.settings, access())


def test_waves_that_were_written_while_recovery_waited_stay(site: Site, tmp_path: Path) -> None:
    """Only the tips found under the lock count, not those seen before it was held."""
    write(site, "web")
    writer = site.clone(tmp_path / "other") if kit.run_git(site.path, "remote") else site
    with ExitStack() as holding:
        journal = holding.enter_context(writer.journal())

        def finish(_: str) -> None:
            journal.write(Wave("issue api", certificates=[kit.certificate("api")]))
            holding.close()

        waiting = Patience(timeout=60, poll=0.01, tell=finish)
        recover(site.path, site.settings, access(waiting))
    assert set(site.read().certificates) == {"web", "api"}


def test_a_recovery_that_was_overtaken_moves_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = write(site, "web"), write(site, "api")
    move(site, first)
    place = open_store(site.path, site.settings)
    restore = recovery._restore

    def overtaken(tenure: Tenure, *arguments: Any) -> Iterator[str]:
        unlock(place, tenure.lock.holder.id)
        return restore(tenure, *arguments)

    monkeypatch.setattr(recovery, "_restore", overtaken)
    with pytest.raises(Locked, match="took over"):
        recover(site.path, site.settings, access())
    assert kit.run_git(site.home, "rev-parse", BRANCH) == first
    monkeypatch.undo()
    recover(site.path, site.settings, access())
    assert site.read().tip == second


def ahead(site: Site) -> str:
    """Let a runner whose clock is years ahead write a wave."""
    with site.journal(now=kit.NOW.replace(year=2031)) as journal:
        journal.write(Wave("issue later", certificates=[kit.certificate("later")]))
        return journal.state.tip


def test_a_time_that_was_wrong_is_accepted_by_a_person_and_that_is_recorded(site: Site) -> None:
    tip = ahead(site)
    (said,) = recover(site.path, site.settings, access())
    assert "certform ledger recover --accept-time" in said
    assert site.read().tip == tip
    (said,) = recover(site.path, site.settings, access(), Decisions(time=True))
    assert "2031-11-23T02:41:00Z, now it is 2026-11-23T02:41:00Z" in said
    assert site.read().tip_time == kit.NOW
    assert write(site, "web") == site.read().tip
    assert site.read().tip_time == kit.NOW
    entry = log(site.path, site.settings)[1]
    assert entry.signed
    assert entry.trailers["Accepts-Time"] == "2031-11-23T02:41:00Z"
    assert verify_history(site.path, site.settings) == ()


def test_a_time_that_is_not_ahead_is_not_given_up(site: Site) -> None:
    tip = write(site, "web")
    (said,) = recover(site.path, site.settings, access(), Decisions(time=True))
    assert "in order" in said
    assert site.read().tip == tip


def test_time_that_runs_backwards_without_a_word_is_found(site: Site) -> None:
    tip = ahead(site)
    git = Git(site.home)
    tree = kit.run_git(git.directory, "rev-parse", f"{BRANCH}^{{tree}}")
    with site.journal() as journal:
        key = journal._open().keyring.signing_key
    made = signed(object_format(git), Commit(tree, tip, "earlier", kit.NOW), key)
    git.run("hash-object", "-t", "commit", "-w", "--stdin", stdin=made.content)
    move(site, made.id)
    (finding,) = verify_history(site.path, site.settings)
    assert (finding.tip, finding.problem) == (
        made.id,
        "is of an earlier time than the commit before it",
    )


def unsigned(site: Site, tree: str, *parents: str) -> str:
    """Make a commit as anybody who may push can."""
    identity = ("-c", "user.name=x", "-c", "user.email=x@localhost")
    options = [word for parent in parents for word in ("-p", parent)]
    return kit.run_git(site.home, *identity, "commit-tree", tree, *options, "-m", "mine")


@pytest.mark.parametrize("mine_first", [True, False])
def test_a_merge_by_a_stranger_hides_no_wave(
    make_site: Callable[..., Site], tmp_path: Path, *, mine_first: bool
) -> None:
    site = make_site(remote=True)
    first, _, last = write(site, "a"), write(site, "b"), write(site, "c")
    tree = kit.run_git(site.home, "rev-parse", f"{first}^{{tree}}")
    mine = unsigned(site, tree, first)
    parents = (mine, last) if mine_first else (last, mine)
    move(site, unsigned(site, tree, *parents))
    fresh = site.clone(tmp_path / "fresh")
    recover(fresh.path, fresh.settings, access())
    assert fresh.read().tip == last


def test_a_merge_of_parted_histories_leaves_the_choice_to_a_person(
    make_site: Callable[..., Site], tmp_path: Path
) -> None:
    site = make_site(remote=True)
    tips = part(site)
    git = Git(site.home)
    kit.run_git(site.path, "push", "--quiet", "origin", f"{tips[0]}:refs/heads/kept")
    tree = kit.run_git(git.directory, "rev-parse", f"{tips[0]}^{{tree}}")
    move(site, unsigned(site, tree, *tips))
    fresh = site.clone(tmp_path / "fresh")
    with pytest.raises(LedgerRefused, match="has parted") as refusal:
        recover(fresh.path, fresh.settings, access())
    assert all(tip in str(refusal.value) for tip in tips)
    recover(fresh.path, fresh.settings, access(), Decisions(tip=tips[0]))
    assert set(fresh.read().certificates) == {"web", "api"}


def with_key(site: Site) -> Site:
    """Let the ledger keep a leaf key."""
    with site.journal() as journal:
        record = kit.certificate("web", kit.issuance("a1", bundle="b1"))
        key = {"a1": Secret(kit.der("a1"))}
        journal.write(Wave("reserve", certificates=[record], bundle="b1", new_keys=key))
    return site


@pytest.mark.parametrize("value", ["unsigned", "main^{tree}", BRANCH])
def test_what_is_no_keys_commit_is_taken_off_the_keys_ref(site: Site, value: str) -> None:
    with_key(site)
    tree = kit.run_git(site.home, "rev-parse", f"{KEYS}^{{tree}}")
    put = unsigned(site, tree) if value == "unsigned" else value
    kit.run_git(site.home, "update-ref", KEYS, kit.run_git(site.home, "rev-parse", put))
    with pytest.raises(LedgerRefused, match=KEYS):
        site.read()
    said = recover(site.path, site.settings, access())
    assert f"off {KEYS}" in said[0]
    assert site.read().bundles == frozenset()
    assert "in order" in recover(site.path, site.settings, access())[0]


def test_keys_that_were_erased_there_do_not_come_back_from_here(
    make_site: Callable[..., Site], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = with_key(make_site(remote=False))
    kit.run_git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    kit.run_git(site.path, "remote", "add", "origin", str(tmp_path / "origin.git"))

    def killed(*_: object) -> None:
        raise InterruptedError

    monkeypatch.setattr(recovery, "_withdraw_local", killed)
    with pytest.raises(InterruptedError):
        recover(site.path, site.settings, access())
    monkeypatch.undo()
    kit.run_git(site.path, "push", "--quiet", "origin", "main")
    with site.clone(tmp_path / "other").journal() as journal:
        erased = kit.certificate("web", kit.issuance("a1"))
        journal.write(Wave("erase", certificates=[erased], erase=frozenset({"a1"})))
    recover(site.path, site.settings, access())
    assert kit.run_git(site.home, "for-each-ref", KEYS) == ""
