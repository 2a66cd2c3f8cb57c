"""The shape of the code: who may import whom, and how long things may grow."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for package in ("schemas", "providers", "reconciler")
    for path in (ROOT / package).rglob("*.py")
)


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


def test_no_function_is_longer_than_fifty_lines() -> None:
    long = [(path.name, name, n) for path in FILES for name, n in functions(path) if n > 50]
    assert not long


def test_functions_are_small() -> None:
    sizes = sorted(n for path in FILES for _, n in functions(path))
    assert sizes[len(sizes) // 2] <= 9
    assert sizes[int(len(sizes) * 0.9)] <= 25


def test_files_are_small() -> None:
    long = {str(path): n for path in FILES if (n := path.read_text().count("\n")) > 350}
    assert not long


def test_import_contracts_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("command", ["version", "--help"])
def test_light_commands_load_nothing_heavy(command: str) -> None:
    script = (
        "import sys; from reconciler.cli.app import run;"
        f"run([{command!r}]);"
        "heavy = {'git', 'pyrage', 'rich', 'cryptography', 'pydantic', 'yaml'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_to_validate_loads_nothing_of_the_ledger() -> None:
    script = (
        "import sys, reconciler.cli.commands.validate;"
        "known = [name for name in sys.modules if name.startswith('reconciler.ledger.')];"
        "sys.exit(str(known) if known else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_nobody_starts_a_shell() -> None:
    for path in FILES:
        assert "shell=True" not in path.read_text(), path
        assert "os.system" not in path.read_text(), path
