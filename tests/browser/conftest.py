"""A real browser, Debian's, which opens pages that are written for one test and remembers what they did."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from visitor import FLAGS, Visitor


@pytest.fixture(scope="session")
def _chromium(
    require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = require("chromium")
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = Service(require("chromedriver"), log_output=subprocess.DEVNULL)
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    driver.quit()


@pytest.fixture
def visitor(_chromium: webdriver.Chrome, tmp_path: Path) -> Iterator[Visitor]:
    """The browser with nothing open and nothing remembered."""
    visitor = Visitor(_chromium, tmp_path)
    visitor.forget()
    yield visitor
    visitor.leave()


@pytest.fixture(scope="session")
def axe() -> str:
    """The rules of axe-core, as a script."""
    from importlib.resources import files  # noqa: PLC0415

    return files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
