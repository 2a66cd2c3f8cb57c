"""What apply needs of a ledger, apart from how one is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from providers.secret import Secret
from reconciler.ledger.issuing import AdviceRecord, SpendingRecord
from reconciler.ledger.publications import CrlRecord, OcspRecord
from reconciler.ledger.records import AuthorityRecord, CertificateRecord, LedgerState, PastRecord
from reconciler.ledger.trust import TrustRecord


@dataclass(frozen=True, slots=True)
class Wave:
    """One durable step: all of it is recorded, or nothing.

    `authority_keys` are CA keys as sops ciphertext, by (authority, generation), `keyring` is the
    keyring's file encrypted anew. `new_keys` are leaf keys (PKCS#8 DER, by the serial they are reserved
    under, see `Issuance.reference`) to be encrypted
    into the bundle named `bundle`; `erase` are the serials whose keys are no longer needed. `gone` are
    certificate names, `gone_authorities` CA names (their keys with them), `gone_trust` names of Bundles,
    `gone_spending` days of Issuers, `gone_advice` names of Issuers, whose record is dropped.
    `accepts_time` goes on with the writer's clock although the wave before was of a later time.
    """

    message: str
    certificates: Sequence[CertificateRecord] = ()
    authorities: Sequence[AuthorityRecord] = ()
    crls: Sequence[CrlRecord] = ()
    ocsp: Sequence[OcspRecord] = ()
    past: Sequence[PastRecord] = ()
    trust: Sequence[TrustRecord] = ()
    spending: Sequence[SpendingRecord] = ()
    advice: Sequence[AdviceRecord] = ()
    gone: Sequence[str] = ()
    gone_authorities: Sequence[str] = ()
    gone_trust: Sequence[str] = ()
    gone_spending: Sequence[tuple[str, str]] = ()
    gone_advice: Sequence[str] = ()
    authority_keys: Mapping[tuple[str, int], bytes] = field(default_factory=dict)
    keyring: bytes | None = None
    bundle: str | None = None
    new_keys: Mapping[str, Secret] = field(default_factory=dict)
    erase: frozenset[str] = frozenset()
    accepts_time: bool = False


class Journal(Protocol):
    """The ledger while its lock is held."""

    @property
    def state(self) -> LedgerState:
        """The ledger as of the last wave."""
        ...

    def write(self, wave: Wave, /) -> None:
        """Record a wave durably; when this returns it survives any crash. Raises `Locked` when overtaken."""
        ...

    def renew(self) -> None:
        """Show that this run lives, so that nobody takes its lock over. Raises `Locked` when overtaken."""
        ...

    def leaf_keys(self, serials: Sequence[str], /) -> Mapping[str, Secret]:
        """Return leaf keys (PKCS#8 DER) by serial; one that is not kept is left out."""
        ...

    def authority_key(self, authority: str, generation: int, /) -> bytes:
        """Return a CA key as sops ciphertext."""
        ...

    def keyring(self) -> bytes:
        """Return the keyring as sops ciphertext."""
        ...
