"""The action's packages get there by hash, once for a machine, whatever happens to jobs that install them."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from action_rig import Station, programs, small_action
from wheel_index import FILE, UV, Index
from workflow_runner import JobResult

Build = Callable[..., Station]


@pytest.fixture
def index() -> Iterator[Index]:
    made = Index.made()
    with made.wire.running():
        yield made


@pytest.fixture
def build(tmp_path: Path, index: Index) -> Build:
    """Return a maker of stations whose pip and uv know the index on loopback alone."""

    def make(path: str = "", lock: str = "", name: str = "station") -> Station:
        folder = tmp_path / name
        environment = {
            "PATH": path or programs(folder / "bin", uv=True),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": index.url,
            "UV_DEFAULT_INDEX": index.url,
        }
        return Station(folder, small_action(folder / "action", index, lock), environment)

    return make


def said(result: JobResult) -> dict[str, str]:
    """Return what the probe said."""
    log = result.step("used").log
    told = (line.partition(" ") for line in log.splitlines())
    found = {name: value for name, _, value in told}
    assert result.conclusion == "success", log
    return found


@pytest.mark.parametrize(("install", "uv", "tool", "fetched"), [
    ("auto", True, "uv", 0), ("auto", False, "uv, which is fetched first", 1),
    ("uv", True, "uv", 0), ("pip", True, "pip", 0), ("pip", False, "pip", 0),
])  # fmt: skip
def test_packages_are_in_an_environment_of_their_own(
    build: Build, tmp_path: Path, index: Index, install: str, tool: str, fetched: int, *, uv: bool
) -> None:
    station = build(programs(tmp_path / "bin", uv=uv))
    result = station.use(install=install)
    probe = said(result)
    assert Path(probe["package"]).is_relative_to(station.cache)
    assert Path(probe["prefix"]) == station.environments[0]
    assert probe["isolated"] == "1 utf8 1 child 1"
    assert f"with {tool}\n" in result.log
    assert index.wire.counts[f"/files/{UV}"] == fetched
    assert not list(Path(probe["prefix"]).glob("**/uv")), "only what is locked is there"
    assert index.wire.counts[f"/files/{FILE}"] == 1
    assert result.step("used").log.startswith("certform: looks for Python"), "not a silent minute"
    assert Path(probe["where"]) == result.workspace


def test_a_later_job_fetches_nothing(build: Build, index: Index) -> None:
    station = build()
    first = said(station.use())
    asked = len(index.wire.asked)
    again = station.use()
    assert said(again)["package"] == first["package"]
    assert "environment of an earlier run" in again.log
    assert len(index.wire.asked) == asked


def test_another_lock_has_another_environment(build: Build) -> None:
    station = build()
    said(station.use())
    lock = station.action / "action/requirements.lock"
    lock.write_text(f"# another\n{lock.read_text()}")
    said(station.use())
    assert len(station.environments) == 2


@pytest.mark.parametrize("install", ["uv", "pip"])
def test_what_has_another_hash_is_not_installed(build: Build, index: Index, install: str) -> None:
    station = build(lock=index.lock.replace("sha256:", "sha256:0")[:-2] + "\n")
    result = station.use(install=install)
    assert result.conclusion == "failure"
    assert "could not install what certform needs" in result.step("used").annotations[0].message
    assert result.step("used").outputs["exit-code"] == ""
    assert not station.environments
    assert not list(station.cache.glob("*.txt"))


@pytest.mark.parametrize("install", ["uv", "pip"])
def test_an_index_that_does_not_answer_is_told_with_what_to_do(build: Build, install: str) -> None:
    station = build()
    station.environment |= {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
        "UV_HTTP_RETRIES": "0",
    }
    result = station.use(install=install)
    assert result.conclusion == "failure"
    assert "PIP_INDEX_URL or UV_INDEX_URL" in result.step("used").annotations[0].message


def test_what_a_killed_job_left_is_not_used_and_goes_after_a_day(build: Build) -> None:
    station = build()
    said(station.use())
    whole = station.environments[0]
    key, _, _ = whole.name.rpartition("-")
    (station.cache / f"{key}.txt").unlink()
    shutil.rmtree(next(whole.rglob("site-packages")))  # it was stopped half way
    probe = said(station.use())
    assert not Path(probe["package"]).is_relative_to(whole)
    assert whole in station.environments, "somebody may be making it"
    os.utime(whole, (time.time() - 90_000,) * 2)
    (station.cache / f"{key}.txt").unlink()
    said(station.use())
    assert whole not in station.environments


def test_an_environment_whose_python_is_gone_is_made_again(build: Build) -> None:
    station = build()
    first = said(station.use())
    interpreter = Path(first["prefix"]) / "bin/python"
    interpreter.unlink()
    interpreter.symlink_to("/gone/python3")
    assert said(station.use())["prefix"] != first["prefix"]


def test_an_environment_that_no_job_used_for_two_months_goes(build: Build) -> None:
    station = build()
    first = Path(said(station.use())["prefix"])
    for each in (first, next(station.cache.glob("*.txt"))):
        os.utime(each, (time.time() - 61 * 86_400,) * 2)
    lock = station.action / "action/requirements.lock"
    lock.write_text(f"# another\n{lock.read_text()}")
    assert said(station.use())["prefix"] != str(first)
    assert not first.exists()


def test_jobs_that_install_at_the_same_time_do_not_meet(build: Build) -> None:
    stations = [build(name=f"station-{number}") for number in range(3)]
    for station in stations[1:]:
        station.machine.folder.mkdir(exist_ok=True)
        (station.machine.folder / "tools").symlink_to(stations[0].machine.folder / "tools")
        shutil.copy(stations[0].action / "action/requirements.lock", station.action / "action")
    (stations[0].machine.folder / "tools").mkdir(parents=True)
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda station: station.use(), stations))
    used = {Path(said(result)["prefix"]).resolve() for result in results}
    assert used <= set(stations[0].environments)
    assert len(list(stations[0].cache.glob("*.txt"))) == 1


def test_a_tool_cache_that_cannot_be_written_is_done_without(build: Build) -> None:
    station = build()
    station.cache.parent.mkdir(parents=True)
    station.cache.write_text("no folder")
    result = station.use()
    assert Path(said(result)["prefix"]).is_relative_to(result.workspace.parents[1] / "_temp")


def test_a_python_without_pip_brings_its_own(build: Build, tmp_path: Path) -> None:
    bare = tmp_path / "without-pip"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    station = build(programs(tmp_path / "bin", python=bare / "bin/python"))
    assert Path(said(station.use())["package"]).is_relative_to(station.cache)


def test_a_python_that_is_too_old_is_passed_over(build: Build, tmp_path: Path) -> None:
    path = programs(tmp_path / "bin", uv=True, name="python")
    programs(tmp_path / "bin", python="/bin/false")
    assert said(build(path).use())["prefix"]


def test_without_a_python_it_says_where_to_get_one(build: Build, tmp_path: Path) -> None:
    only = tmp_path / "only"
    only.mkdir()
    for name in ("bash", "sh"):
        (only / name).symlink_to(f"/bin/{name}")
    for install in ("auto", "none"):
        result = build(str(only), name=install).use(install=install)
        assert result.conclusion == "failure"
        assert "actions/setup-python" in result.step("used").annotations[0].message


@pytest.mark.parametrize(("install", "message"), [
    ("wheel", "must be auto, uv, pip or none, not 'wheel'"),
    ("uv", "there is no uv on PATH"),
])  # fmt: skip
def test_what_cannot_be_asked_for_is_told(
    build: Build, tmp_path: Path, install: str, message: str
) -> None:
    result = build(programs(tmp_path / "bin")).use(install=install)
    assert result.conclusion == "failure"
    assert message in result.step("used").annotations[0].message
