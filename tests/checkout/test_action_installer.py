"""Where there is no uv, pip fetches one by hash; whatever is in the way of that, pip does without."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from action_rig import Station, programs, small_action
from wheel_index import FILE, Index
from workflow_runner import JobResult

BROKEN = "#!/bin/sh\necho broken on purpose\nexit 1\n"
HALF = """\
#!/bin/sh
[ "$1" = venv ] && exit 0
echo half way
mkdir -p lib bin/python && touch lib/smallest.py bin/python/here
exit 1
"""


@contextmanager
def station(
    folder: Path, uv: str | None = None, **variables: str
) -> Iterator[tuple[Station, Index]]:
    """Yield a machine without uv, whose pip alone knows of an index with one, and with one package."""
    index = Index.made() if uv is None else Index.made(uv)
    with index.wire.running():
        told = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": index.url, **variables}
        action = small_action(folder / "action", index)
        yield Station(folder, action, {"PATH": programs(folder / "bin"), **told}), index


def tools(result: JobResult) -> list[str]:
    """Return what installed something, or tried to, in an installation that came to a good end."""
    assert result.conclusion == "success", result.log
    assert "isolated 1" in result.log
    said = "Install the packages of certform with "
    return [line.partition(said)[2] for line in result.log.splitlines() if said in line]


FETCHED = "uv, which is fetched first"


def test_the_fetched_uv_is_told_the_index_of_pip(tmp_path: Path) -> None:
    with station(tmp_path) as (machine, index):
        assert tools(machine.use()) == [FETCHED]
        assert index.wire.counts[f"/files/{FILE}"] == 1


def test_an_index_that_uv_was_told_by_itself_is_not_overruled(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9/simple"
    with station(tmp_path, UV_DEFAULT_INDEX=nowhere, UV_HTTP_RETRIES="0") as (machine, _):
        assert tools(machine.use()) == [FETCHED, "pip"]


@pytest.mark.parametrize("variable", [
    {"PIP_FIND_LINKS": "/opt/wheels"},
    {"PIP_CERT": "/etc/ssl/certs/ca-certificates.crt"},
])  # fmt: skip
def test_where_pip_is_told_what_uv_would_not_obey_no_uv_is_fetched(
    tmp_path: Path, variable: dict[str, str]
) -> None:
    with station(tmp_path, **variable) as (machine, index):
        assert tools(machine.use()) == ["pip"]
        assert not index.wire.counts["/simple/uv/"]


@pytest.mark.parametrize(
    ("uv", "reason"),
    [
        ("", "No matching distribution found for uv"),
        (BROKEN, "broken on purpose"),
        (HALF, "half way"),
    ],
)
def test_where_there_is_no_uv_that_works_pip_does_without(
    tmp_path: Path, uv: str, reason: str
) -> None:
    with station(tmp_path, uv) as (machine, _):
        result = machine.use()
        assert tools(result) == [FETCHED, "pip"]
        assert reason in result.log
        assert not result.step("used").annotations
        assert len(list(machine.environments[0].rglob("smallest.py"))) == 1


def test_a_uv_of_another_hash_is_not_run(tmp_path: Path) -> None:
    with station(tmp_path) as (machine, _):
        lock = machine.action / "action/installer.lock"
        lock.write_text(lock.read_text().replace("sha256:", "sha256:0")[:-2] + "\n")
        assert tools(machine.use()) == [FETCHED, "pip"]


def test_what_has_another_hash_is_not_installed_by_either(tmp_path: Path) -> None:
    with station(tmp_path) as (machine, _):
        lock = machine.action / "action/requirements.lock"
        lock.write_text(lock.read_text().replace("sha256:", "sha256:0")[:-2] + "\n")
        result = machine.use()
        assert result.conclusion == "failure"
        assert not machine.environments


def test_a_python_without_pip_of_its_own_fetches_none(tmp_path: Path) -> None:
    bare = tmp_path / "without-pip"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    with station(tmp_path) as (machine, index):
        machine.environment["PATH"] = programs(tmp_path / "bin", python=bare / "bin/python")
        assert tools(machine.use()) == ["pip"]
        assert not index.wire.counts["/simple/uv/"]
