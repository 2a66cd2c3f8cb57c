"""The three clouds on loopback, together in one process, and the one environment that leads to them."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aws_emulator import AwsEmulator
from certificate_manager_emulator import CertificateManagerEmulator
from keyvault_emulator import KeyVault
from wire import Wire


@dataclass(frozen=True, slots=True)
class Clouds:
    """AWS, an Azure Key Vault and Google's Certificate Manager; what they hold is in memory."""

    aws: AwsEmulator
    vault: KeyVault
    google: CertificateManagerEmulator

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator["Clouds"]:
        """Serve on free ports of 127.0.0.1 until the end of the context; credentials go into `folder`."""
        for name in ("azure", "google"):
            (folder / name).mkdir(parents=True)
        with (
            AwsEmulator().running() as aws,
            KeyVault.made(folder / "azure") as vault,
            CertificateManagerEmulator.running(folder / "google") as google,
        ):
            yield cls(aws, vault, google)

    @property
    def wires(self) -> Mapping[str, Wire]:
        """The way to each cloud."""
        return {"aws": self.aws.wire, "azure": self.vault.wire, "gcp": self.google.wire}

    def environment(self) -> dict[str, str]:
        """Return what leads any process to these clouds and to no others."""
        return {
            **self.google.environment(),
            **self.aws.environment(),
            **self.vault.environment(),
            "SANDBOX_VAULT": self.vault.url,
            "SANDBOX_GOOGLE": self.google.wire.url,
        }

    def address(self, text: str) -> str:
        """Return text with the addresses of these clouds where it names others on this host."""
        text = re.sub(r"https://localhost:\d+", self.vault.url, text)
        return re.sub(r"http://127\.0\.0\.1:\d+", self.google.wire.url, text)
