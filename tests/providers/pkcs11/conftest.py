"""One SoftHSM for each test: tokens in a folder of its own, and no session of the test before."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from softhsm import MODULE, PIN, SoftHsm

from providers.pkcs11 import tokens
from providers.pkcs11.signer import PIN as VARIABLE


@pytest.fixture
def hsm(
    require: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SoftHsm]:
    require("softhsm2-util")
    made = SoftHsm(tmp_path / "hsm")
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(VARIABLE, PIN)
    made.token("ca")
    tokens.shared.cache_clear()
    yield made
    tokens.shared().lose(MODULE)
