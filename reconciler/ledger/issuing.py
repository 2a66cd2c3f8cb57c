"""What the ledger keeps of CAs of others: what was asked of each, and when each wants renewals.

Written before it is asked, so that no crash spends a CA's quota unseen.
"""

from schemas.base import Model
from schemas.scalars import Instant


class Spent(Model):
    """One order, or one about to be placed. `names` is a digest over the exact set of names.

    `reference` is that of its reservation; `domains` are the registered domains that its names are of.
    `failed` are the names that were not proved, at `failed_at`. What takes the place of a certificate that
    its CA wants renewed and exempts (`replaces`, a serial) counts for no quota; a `renewal`, for exactly the
    names of a certificate before, for the quota of that set of names alone.
    """

    at: Instant
    reference: str
    names: str
    domains: tuple[str, ...] = ()
    replaces: str | None = None
    renewal: bool = False
    failed_at: Instant | None = None
    failed: tuple[str, ...] = ()


class SpendingRecord(Model):
    """What was asked of a CA on one day (UTC, YYYY-MM-DD); dropped once no quota looks back so far.

    A day on which much was asked has several, YYYY-MM-DD.001 and so on after the first. `ca` tells which CA
    it was, so that it counts when the Issuer is called otherwise; records of before 2026-12 do not have it.
    """

    issuer: str
    ca: str | None = None
    day: str
    orders: tuple[Spent, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """Which day of which CA it is."""
        return self.issuer, self.day


class Advised(Model):
    """When a CA wants a certificate renewed (`providers.issuing.Advice`), as it said last."""

    serial: str
    ask_again: Instant
    start: Instant | None = None
    end: Instant | None = None
    explanation: str | None = None


class AdviceRecord(Model):
    """The last advice of a CA about each certificate of it that is in use, sorted by serial."""

    issuer: str
    certificates: tuple[Advised, ...] = ()
