"""A fresh OpenBao with a CA of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bao import Bao
from bao_logins import documented_policy

from providers.vault.logins import VARIABLES


@pytest.fixture
def bao(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bao]:
    for name in (*VARIABLES, "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with Bao.running(tmp_path / "bao") as server:
        server.mount_pki()
        server.policy("certform", documented_policy())
        yield server
