"""The three clouds on loopback, together in one process, and the one environment that leads to them."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from aws_emulator import AwsEmulator
from certificate_manager_emulator import CertificateManagerEmulator
from keyvault_emulator import KeyVault
from wire import Wire


@dataclass(frozen=True, slots=True)
class Clouds:
    """AWS, an Azure Key Vault and Google's Certificate Manager; what they hold is in memory."""

    aws: AwsEmulator
    azure: KeyVault
    gcp: CertificateManagerEmulator

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator[Self]:
        """Serve on free ports of 127.0.0.1 until the end of the context; credentials go into `folder`."""
        for name in ("azure", "gcp"):
            (folder / name).mkdir(parents=True)
        with (
            AwsEmulator().running() as aws,
            KeyVault.made(folder / "azure") as azure,
            CertificateManagerEmulator.running(folder / "gcp") as gcp,
        ):
            yield cls(aws, azure, gcp)

    @property
    def wires(self) -> Mapping[str, Wire]:
        """The way to each cloud."""
        return {"aws": self.aws.wire, "azure": self.azure.wire, "gcp": self.gcp.wire}

    def environment(self) -> dict[str, str]:
        """Return what leads any process to these clouds and to no others."""
        return {
            **self.gcp.environment(),
            **self.aws.environment(),
            **self.azure.environment(),
            "SANDBOX_VAULT": self.azure.url,
            "SANDBOX_GOOGLE": self.gcp.wire.url,
        }

    def address(self, text: str) -> str:
        """Return text with the addresses of these clouds where it names others on this host."""
        text = re.sub(r"https://localhost:\d+", self.azure.url, text)
        return re.sub(r"http://127\.0\.0\.1:\d+", self.gcp.wire.url, text)
