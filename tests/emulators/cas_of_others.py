"""CAs of others on loopback: one that speaks ACME, and an OpenBao whose role `web` is for example.com."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from a2c import A2c
from bao import PKI, ROLE, Bao

_POLICY = f"""\
path "{PKI}/sign/{ROLE}" {{ capabilities = ["update"] }}
path "{PKI}/revoke" {{ capabilities = ["update"] }}
path "{PKI}/config/crl" {{ capabilities = ["read"] }}
"""
"""What docs/vault.md says that a token needs."""


@dataclass(frozen=True, slots=True)
class CasOfOthers:
    """Both servers; `token` opens nothing but that role."""

    acme: A2c
    vault: Bao
    token: str

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator[Self]:
        """Serve on free ports of 127.0.0.1 until the end of the context."""
        with A2c.running(folder / "acme") as acme, Bao.running(folder / "bao") as vault:
            vault.mount_pki()
            vault.policy("certform", _POLICY)
            yield cls(acme, vault, vault.token("certform"))

    def environment(self) -> dict[str, str]:
        """Return where they are, and what lets us in."""
        return {
            "SANDBOX_ACME": self.acme.url,
            "SANDBOX_ACME_CA": str(self.acme.tls.authority),
            "SANDBOX_BAO": self.vault.url,
            "VAULT_TOKEN": self.token,
        }
