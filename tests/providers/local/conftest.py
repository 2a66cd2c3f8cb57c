"""A local target in a temporary directory, and certificates for it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from installing import MakeTarget, Wanted

from providers.base import Bundle, Installed, InstallRequest, TargetConfig
from providers.conformance import OURS, request
from providers.local.directory import LocalDirectoryTarget
from providers.specimens import Specimens
from schemas.target import LocalDirectory, TargetSpec, Verify


@pytest.fixture(scope="session")
def specimens() -> Specimens:
    return Specimens.make(datetime.now(UTC))


@pytest.fixture
def bundle(specimens: Specimens) -> Callable[..., Bundle]:
    def bundle(name: str = "www.example.com") -> Bundle:
        return specimens.bundle(name, datetime.now(UTC))

    return bundle


@pytest.fixture
def make_target(tmp_path: Path) -> MakeTarget:
    def make(
        name: str = "local",
        whose: str = OURS,
        check: tuple[str, ...] | None = None,
        reload: tuple[str, ...] | None = None,
        verify: Verify | None = None,
        **settings: Any,
    ) -> LocalDirectoryTarget:
        place = LocalDirectory(path="tls", **settings)
        spec = TargetSpec(local_directory=place, check=check, reload=reload, verify=verify)
        return LocalDirectoryTarget.from_config(TargetConfig(name, spec, whose, tmp_path))

    return make


@pytest.fixture
def target(make_target: MakeTarget) -> LocalDirectoryTarget:
    return make_target()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "tls"


@pytest.fixture
def wanted(bundle: Callable[..., Bundle]) -> Wanted:
    def wanted(name: str = "web", predecessor: Installed | None = None) -> InstallRequest:
        return request(name, bundle(), predecessor)

    return wanted
