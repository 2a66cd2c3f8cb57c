"""What every test may use: programs that must be there, and golden files that can be renewed."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.register_assert_rewrite(
    "providers.conformance",
    "providers.conformance_adoption",
    "providers.conformance_staging",
    "providers.issuer_conformance",
)

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite tests/golden, then look at git diff"
    )


LINES = pytest.StashKey[list[str]]()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash.get(LINES, []):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def tell(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Show a line of results at the end, whether the tests passed or not."""
    return pytestconfig.stash.setdefault(LINES, []).append


def require(program: str) -> str:
    """Return a program's path; without it the test is skipped, on CI it fails."""
    path = shutil.which(program)
    if path is None:
        reason = f"{program} is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@pytest.fixture(name="require", scope="session")
def _require() -> Callable[[str], str]:
    return require


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare text with a file below tests/golden, or write it there with --update-golden."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{name} differs: pytest --update-golden"

    return compare
