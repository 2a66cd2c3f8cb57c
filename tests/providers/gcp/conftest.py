"""Certificate Manager on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from certificate_manager_emulator import CertificateManagerEmulator
from certificate_manager_rig import Rig


@pytest.fixture
def emulator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CertificateManagerEmulator]:
    folder = tmp_path / "emulator"
    folder.mkdir()
    with CertificateManagerEmulator.running(folder) as emulator:
        for name, value in emulator.environment().items():
            monkeypatch.setenv(name, value)
        yield emulator


@pytest.fixture
def rig(emulator: CertificateManagerEmulator) -> Rig:
    return Rig(emulator)
