"""One writer: whoever else there is waits, and whoever was overtaken writes nothing more."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import ledger_kit as kit
import pytest
from ledger_kit import Site

from reconciler.errors import Locked
from reconciler.git import GitError
from reconciler.ledger import holder, lock
from reconciler.ledger.contract import Wave
from reconciler.ledger.history import log, verify_history
from reconciler.ledger.holder import Holder, Process, this_process
from reconciler.ledger.lock import Patience
from reconciler.ledger.objects import object_format, store
from reconciler.ledger.refs import Tips
from reconciler.ledger.store import Store, open_store

SEEDS = range(4)


def test_a_second_writer_gives_up_and_names_the_first(site: Site) -> None:
    told: list[str] = []
    with site.journal() as journal:
        waiting = Patience(timeout=1, poll=0.02, tell=told.append)
        with pytest.raises(Locked, match=f"process {os.getpid()} on") as locked:
            site.journal(waiting).__enter__()
        assert journal.lock.holder.id in locked.value.hint
    assert told
    assert "waiting for" in told[0]


def test_the_lock_is_free_again_afterwards(site: Site) -> None:
    for _ in range(2):
        with site.journal() as journal:
            journal.write(Wave("nothing"))


def test_the_lock_is_free_again_after_a_failure(site: Site) -> None:
    with pytest.raises(RuntimeError), site.journal():
        raise RuntimeError
    with site.journal():
        pass


def hold(site: Site, process: Process, ttl: float) -> Holder:
    """Put the lock of another process there."""
    place = open_store(site.path, site.settings)
    naming = object_format(place.git)
    moment = log(site.path, site.settings)[0].at
    holder = Holder(
        id="00ff" * 4, process=process, command="certform apply", acquired_at=moment, ttl=ttl
    )
    value = lock.value(naming, holder, moment)
    store(place.git, naming, value)
    tips = place.tips()
    place.move(tips, replace(tips, lock=value[-1].id))
    return holder


def ended_process() -> Process:
    ended = subprocess.Popen(["true"])
    ended.wait()
    return this_process().model_copy(update={"pid": ended.pid, "started": "1"})


def test_the_lock_of_a_dead_process_of_this_host_is_taken_over_at_once(site: Site) -> None:
    hold(site, ended_process(), ttl=1e9)
    with site.journal() as journal:
        journal.write(Wave("taken over"))


def test_a_pid_that_was_given_to_another_process_is_a_dead_holder(site: Site) -> None:
    reused = this_process().model_copy(update={"started": "1"})
    hold(site, reused, ttl=1e9)
    with site.journal():
        pass


def test_a_process_that_is_hidden_from_us_is_no_dead_holder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended, here = ended_process(), this_process()
    monkeypatch.setattr(holder, "Path", lambda _: Path("/proc/hidden-from-us"))
    assert not here.is_dead(here)
    assert ended.is_dead(here)
    assert here.model_copy(update={"pid": 2**70}).is_dead(here)
    monkeypatch.setattr(os, "kill", forbidden)
    assert not ended.is_dead(here)


def forbidden(*_: int) -> None:
    raise PermissionError


def test_a_process_whose_end_its_parent_has_not_seen_is_a_dead_holder() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        started = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19]
        held = this_process().model_copy(update={"pid": child.pid, "started": started})
        assert not held.is_dead(this_process())
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert held.is_dead(this_process())


@pytest.mark.parametrize("elsewhere", [{"host": "other"}, {"boot": "other"}, {"namespace": "o"}])
def test_a_lock_from_elsewhere_is_taken_over_only_after_its_time_to_live(
    site: Site, elsewhere: dict[str, str]
) -> None:
    process = ended_process().model_copy(update=elsewhere)
    hold(site, process, ttl=0.3)
    with pytest.raises(Locked):
        site.journal(Patience(timeout=0.05, poll=0.01)).__enter__()
    began = time.monotonic()
    with site.journal(Patience(timeout=20, poll=0.02)) as journal:
        assert time.monotonic() - began >= 0.3
        journal.write(Wave("taken over"))


def test_a_lock_that_moves_is_not_taken_over(site: Site) -> None:
    """The time to live starts anew with every value, so a slow writer that renews keeps its lock."""
    process = ended_process().model_copy(update={"host": "other"})
    holder = hold(site, process, ttl=0.6)
    place = open_store(site.path, site.settings)

    def renew(_: str) -> None:
        nonlocal holder
        holder = holder.advanced()
        naming = object_format(place.git)
        value = lock.value(naming, holder, holder.acquired_at)
        store(place.git, naming, value)
        tips = place.tips()
        place.move(tips, replace(tips, lock=value[-1].id))

    with pytest.raises(Locked):
        site.journal(Patience(timeout=1.5, poll=0.05, tell=renew)).__enter__()
    assert holder.counter > 1


def test_a_value_that_its_holder_clears_away_while_it_is_read_is_looked_at_again(
    make_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(remote=False)
    hold(site, ended_process().model_copy(update={"host": "other"}), ttl=1e9)
    read = lock.held_by

    def late(place: Store, tips: Tips) -> Holder | None:
        if tips.lock is not None:
            place.move(tips, replace(tips, lock=None))
            lock.forget(place, tips.lock)
        return read(place, tips)

    monkeypatch.setattr(lock, "held_by", late)
    with site.journal(Patience(timeout=20, poll=0.01)) as journal:
        journal.write(Wave("went on"))


def test_a_value_that_is_simply_missing_is_an_error(make_site: Callable[..., Site]) -> None:
    site = make_site(remote=False)
    hold(site, ended_process().model_copy(update={"host": "other"}), ttl=1e9)
    place = open_store(site.path, site.settings)
    lock.forget(place, place.tips().lock)
    with pytest.raises(GitError):
        site.journal(Patience(timeout=20, poll=0.01)).__enter__()


def test_an_overtaken_writer_writes_nothing(site: Site) -> None:
    with site.journal() as overtaken:
        place = open_store(site.path, site.settings)
        lock.unlock(place, overtaken.lock.holder.id)
        with site.journal() as journal:
            journal.write(Wave("the new one", certificates=[kit.certificate("new")]))
            for _ in range(2):
                with pytest.raises(Locked, match="took over"):
                    overtaken.write(Wave("the old one", certificates=[kit.certificate("old")]))
            with pytest.raises(Locked, match="took over"):
                overtaken.renew()
            journal.write(Wave("still the new one"))
    assert set(site.read().certificates) == {"new"}


def test_whoever_was_overtaken_before_it_saw_its_success_waits(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine may sleep longer than a lock lives, also right after the push that took the lock."""
    elsewhere = this_process().model_copy(update={"host": "other"})
    look = Store.tips

    def tips(place: Store) -> Tips:
        found = look(place)
        if found.lock is None:
            return found
        monkeypatch.undo()
        lock.unlock(place, held_by(place, found))
        hold(site, elsewhere, ttl=1e9)
        return look(place)

    monkeypatch.setattr(Store, "tips", tips)
    with pytest.raises(Locked, match="on other"):
        site.journal(Patience(timeout=3, poll=0.01)).__enter__()
    place = open_store(site.path, site.settings)
    found = lock.held_by(place, place.tips())
    assert found is not None
    assert found.process == elsewhere


def held_by(place: Store, tips: Tips) -> str:
    found = lock.held_by(place, tips)
    assert found is not None
    return found.id


def test_the_overtaken_cannot_release_the_lock_of_the_next(site: Site) -> None:
    place = open_store(site.path, site.settings)
    with site.journal() as overtaken:
        lock.unlock(place, overtaken.lock.holder.id)
        successor = site.journal()
        journal = successor.__enter__()
    journal.write(Wave("still ours"))
    successor.__exit__(None, None, None)


def test_unlock_removes_the_lock_it_names_and_no_other(site: Site) -> None:
    place = open_store(site.path, site.settings)
    with pytest.raises(Locked, match="not locked"):
        lock.unlock(place, "0" * 16)
    holder = hold(site, ended_process().model_copy(update={"host": "other"}), ttl=1e9)
    with pytest.raises(Locked, match="is locked by `certform apply`") as locked:
        lock.unlock(place, "0" * 16)
    assert holder.id in locked.value.hint
    assert lock.unlock(place, holder.id) == holder
    with site.journal():
        pass


def spawn(
    site: Site, python: str, name: str, waves: int, action: str = "stop", **environment: str
) -> subprocess.Popen[bytes]:
    script = Path(__file__).with_name("writer.py")
    settings = site.settings.model_dump_json(by_alias=True, exclude_none=True)
    process = subprocess.Popen(
        [python, str(script), str(site.path), settings, name, str(waves), action],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
    )
    assert process.stdin is not None
    process.stdin.write(kit.issuance("1f").model_dump_json(exclude_none=True).encode())
    process.stdin.close()
    process.stdin = None
    return process


@pytest.mark.parametrize("seed", SEEDS)
def test_writers_that_race_lose_no_wave_and_write_none_twice(
    site: Site, tmp_path: Path, seed: int
) -> None:
    sites = [site, site]
    if kit.run_git(site.path, "remote"):
        sites = [site, site.clone(tmp_path / "other")]
    names = (f"a{seed}", f"b{seed}", f"c{seed}")
    places = (sites[0], sites[1], sites[seed % 2])
    racers = [
        spawn(place, sys.executable, name, 4) for place, name in zip(places, names, strict=True)
    ]
    for racer in racers:
        _, stderr = racer.communicate()
        assert racer.returncode == 0, stderr.decode()
    waves = [entry.summary for entry in log(site.path, site.settings)]
    expected = sorted(f"wave {name}{n:x}" for name in names for n in range(4))
    assert sorted(waves)[1:] == expected
    state = site.read()
    assert set(state.certificates) == {f"web-{wave.removeprefix('wave ')}" for wave in expected}
    assert state.bundles == set(names)
    assert verify_history(site.path, site.settings) == ()
    with site.journal() as journal:
        last = [f"{name}3" for name in names]
        assert set(journal.leaf_keys([w.removeprefix("wave ") for w in expected])) == set(last)


def test_a_writer_that_is_killed_gives_way_at_once(site: Site) -> None:
    killed = spawn(site, sys.executable, "a0", 2, "hang")
    assert killed.stdout is not None
    assert killed.stdout.readline() == b"holding\n"
    with pytest.raises(Locked):
        site.journal().__enter__()
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    with site.journal() as journal:
        assert set(journal.leaf_keys(["a00", "a01"])) == {"a01"}
        journal.write(Wave("on we go"))
