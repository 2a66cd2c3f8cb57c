"""Nothing that a pull request puts into the workspace is run, imported or obeyed by the action.

The control at the end shows that each trap works on those who walk into it.
"""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from action_rig import ROOT, Station, programs, small_action
from wheel_index import Index

SPRUNG = "import os, pathlib; pathlib.Path(os.environ['TRAP']).touch()\n"
MODULES = (
    "schemas", "providers", "reconciler", "sitecustomize", "usercustomize", "click", "yaml", "venv", "pip",
    "hashlib", "subprocess", "smallest", "tempfile", "encodings", "install", "run",
)  # fmt: skip
PROJECT = """\
[project]
name = "trap"
version = "1"
[tool.uv]
index-url = "{evil}"
[tool.uv.pip]
index-url = "{evil}"
"""
TARGET = "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef"
DOCUMENTS = {
    "certform.yaml": (
        "apiVersion: certform.dev/v1\nkind: Project\nmetadata: {name: here}\n"
        f"spec:\n  keyring: [{{age: {TARGET}}}]\n"
    )
}


def traps(evil: str) -> dict[str, str]:
    """Return a workspace in which everything that is looked for by habit is hostile."""
    files = {f"{name}.py": SPRUNG for name in MODULES}
    files |= {f"{name}/__init__.py": SPRUNG for name in ("reconciler", "schemas", "github", "git")}
    files |= {f"action/{name}.py": SPRUNG for name in ("run", "install")}
    files |= {
        "pyproject.toml": PROJECT.format(evil=evil),
        "uv.toml": f'index-url = "{evil}"\n',
        "pip.conf": f"[global]\nindex-url = {evil}\n",
        ".config/pip/pip.conf": f"[global]\nindex-url = {evil}\n",
        "setup.cfg": "[install]\nprefix = /nowhere\n",
        ".pydistutils.cfg": "[install]\nprefix = /nowhere\n",
        "requirements.txt": f"--index-url {evil}\nsmallest==1.0\n",
        "requirements.lock": f"--index-url {evil}\nsmallest==1.0\n",
        ".python-version": "2.7\n",
        ".venv/pyvenv.cfg": "home = /nowhere\n",
        ".venv/lib/python3.11/site-packages/sitecustomize.py": SPRUNG,
        "python3": "#!/bin/sh\ntouch $TRAP\n",
        ".env": "PYTHONPATH=.\n",
    }
    return files


@pytest.fixture
def indexes() -> Iterator[tuple[Index, Index]]:
    good, evil = Index.made(), Index.made()
    with good.wire.running(), evil.wire.running():
        yield good, evil


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A file that is there once a trap has sprung."""
    return tmp_path / "sprung"


def hostile(workspace: Path, trap: Path) -> dict[str, str]:
    """Return variables by which Python is told to import a stranger's modules."""
    return {
        "TRAP": str(trap),
        "PYTHONPATH": str(workspace),
        "PYTHONSTARTUP": str(workspace / "sitecustomize.py"),
        "PYTHONHOME": str(workspace),
        "PYTHONUSERBASE": str(workspace / ".venv"),
        "VIRTUAL_ENV": str(workspace / ".venv"),
    }


@pytest.mark.parametrize("install", ["uv", "pip"])
def test_an_install_obeys_nothing_of_the_workspace(
    tmp_path: Path, indexes: tuple[Index, Index], trap: Path, install: str
) -> None:
    good, evil = indexes
    station = Station(
        tmp_path / "station",
        small_action(tmp_path / "action", good),
        {
            "PATH": programs(tmp_path / "bin", uv=True),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": good.url,
            "UV_DEFAULT_INDEX": good.url,
            "UV_SYSTEM_PYTHON": "1",
            "PIP_USER": "1",
        },
        traps(evil.url),
    )
    workspace = tmp_path / "station/machine/run-1-use/work/pki/pki"
    result = station.use(hostile(workspace, trap), install=install)
    assert result.conclusion == "success", result.log
    assert result.workspace == workspace
    assert not trap.exists()
    assert not evil.wire.asked
    assert f"package {station.environments[0]}" in result.log


def test_a_run_imports_nothing_of_the_workspace(tmp_path: Path, trap: Path) -> None:
    station = Station(
        tmp_path / "station",
        ROOT,
        {"PATH": programs(tmp_path / "bin")},
        {**traps("http://127.0.0.1:9/simple"), **DOCUMENTS},
    )
    workspace = tmp_path / "station/machine/run-1-use/work/pki/pki"
    result = station.use(hostile(workspace, trap), install="none")
    assert result.conclusion == "success", result.log
    assert not trap.exists()
    assert "the documents are valid" in result.summary


def test_a_run_has_the_code_of_the_action_not_what_is_installed(tmp_path: Path, trap: Path) -> None:
    """Of `install: none` the packages are used, of a certform among them nothing."""
    own = tmp_path / "own"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", own], check=True)
    site = next(own.glob("lib/python*/site-packages"))
    (site / "packages.pth").write_text(sysconfig.get_path("purelib"))
    for name in ("reconciler", "schemas", "providers"):
        (site / name).mkdir()
        (site / name / "__init__.py").write_text(SPRUNG)
    path = programs(tmp_path / "bin", python=own / "bin/python")
    station = Station(tmp_path / "station", ROOT, {"PATH": path}, DOCUMENTS)
    result = station.use({"TRAP": str(trap)}, install="none")
    assert result.conclusion == "success", result.log
    assert not trap.exists()
    argv = [str(own / "bin/python"), "-I", "-c", "import schemas"]
    subprocess.run(argv, env={"TRAP": str(trap)}, check=True)
    assert trap.exists(), "the trap works"


def test_a_python_without_the_packages_is_told_of(tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    path = programs(tmp_path / "bin", python=bare / "bin/python")
    result = Station(tmp_path / "station", ROOT, {"PATH": path}, DOCUMENTS).use(install="none")
    assert result.conclusion == "failure"
    message = result.step("used").annotations[0].message
    assert "does not have click, cryptography" in message
    assert "Leave out `install: none`" in message


def test_the_traps_work(tmp_path: Path, indexes: tuple[Index, Index], trap: Path) -> None:
    _, evil = indexes
    for name, text in traps(evil.url).items():
        path = tmp_path / "workspace" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    env = {"PATH": os.environ["PATH"], "TRAP": str(trap), "HOME": str(tmp_path)}
    for argv in ([sys.executable, "-c", "import schemas"], [sys.executable, "-m", "click"]):
        trap.unlink(missing_ok=True)
        subprocess.run(argv, cwd=tmp_path / "workspace", env=env, check=False, capture_output=True)
        assert trap.exists(), argv
    uv = str(Path(sys.executable).parent / "uv")
    argv = [
        uv,
        "pip",
        "install",
        "--target",
        str(tmp_path / "target"),
        "--python",
        sys.executable,
        "smallest",
    ]
    subprocess.run(argv, cwd=tmp_path / "workspace", env=env, check=False, capture_output=True)
    assert evil.wire.asked
