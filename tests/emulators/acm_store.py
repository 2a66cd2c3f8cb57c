"""What one account holds in one region: certificates, what listings show of them yet, and quotas."""

import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from acm_certificates import Certificate, Parsed
from acm_rules import check_tags
from aws_errors import Refusal

_YEAR = timedelta(days=365)
_SECOND = timedelta(seconds=1)


@dataclass
class Quotas:
    """What an account may: `certificates` in all, `imports` in 365 days, and whether one a second."""

    certificates: int = 2_500
    imports: int = 5_000
    throttled: bool = False


@dataclass
class Shown:
    """What listings show of a certificate until `until` listings were made; None for nothing."""

    before: Certificate | None
    until: int


@dataclass
class View:
    """What one kind of listing shows: a write not before `lag` listings were made."""

    lag: int = 0
    _shown: dict[str, Shown] = field(default_factory=dict)
    _listings: int = 0

    def changing(self, arn: str, before: Certificate | None) -> None:
        """Remember what is to be shown of a certificate that is about to change."""
        if self.lag:
            shown = self._stale(arn) or Shown(before.copied() if before else None, 0)
            self._shown[arn] = Shown(shown.before, self._listings + self.lag)

    def settle(self) -> None:
        """Show everything."""
        self._shown.clear()

    def listed(self, certificates: Mapping[str, Certificate]) -> list[Certificate]:
        """Return what is shown now, oldest first; counts as one listing."""
        self._listings += 1
        shown = {arn: found for arn in self._shown if (found := self._stale(arn))}
        now = {arn: each for arn, each in certificates.items() if arn not in shown}
        before = {arn: each.before for arn, each in shown.items() if each.before}
        return sorted(
            (each.copied() for each in {**now, **before}.values()), key=lambda each: each.created_at
        )

    def _stale(self, arn: str) -> Shown | None:
        shown = self._shown.get(arn)
        return shown if shown and shown.until >= self._listings else None


@dataclass
class Store:
    """`lists` is what ACM lists, `tagged` what the tagging service knows: they lag each by itself.

    `delay` is how many looks find nothing at a new ARN.
    """

    account: str
    region: str
    quotas: Quotas = field(default_factory=Quotas)
    lists: View = field(default_factory=View)
    tagged: View = field(default_factory=View)
    delay: int = 0
    certificates: dict[str, Certificate] = field(default_factory=dict)
    imports: list[datetime] = field(default_factory=list)
    pages: dict[str, tuple[Sequence[Certificate], int]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _unseen: dict[str, int] = field(default_factory=dict)

    def new_arn(self) -> str:
        return f"arn:aws:acm:{self.region}:{self.account}:certificate/{uuid.uuid4()}"

    def get(self, arn: str) -> Certificate:
        """Return a certificate as it is now, or raise ResourceNotFoundException."""
        self._unseen[arn] = self._unseen.get(arn, 0) - 1
        if arn not in self.certificates or self._unseen[arn] >= 0:
            raise Refusal(
                "ResourceNotFoundException", f"Could not find certificate {arn}. Account has none."
            )
        return self.certificates[arn]

    @property
    def lag(self) -> int:
        """How many listings of either kind do not show a write yet."""
        return min(self.lists.lag, self.tagged.lag)

    @lag.setter
    def lag(self, listings: int) -> None:
        self.lists.lag = self.tagged.lag = listings

    def changing(self, arn: str) -> None:
        """Remember what listings are to show of a certificate that is about to change."""
        for view in (self.lists, self.tagged):
            view.changing(arn, self.certificates.get(arn))

    def put(self, certificate: Certificate) -> Certificate:
        """Keep a certificate, new or changed."""
        check_tags({}, certificate.tags)
        self.changing(certificate.arn)
        self._unseen[certificate.arn] = self.delay
        self.certificates[certificate.arn] = certificate
        return certificate

    def put_imported(
        self, parsed: Parsed, chain: bytes | None, tags: Mapping[str, str], now: datetime
    ) -> Certificate:
        """Keep an imported certificate, whoever imported it."""
        return self.put(
            Certificate(
                arn=self.new_arn(),
                type="IMPORTED",
                created_at=now,
                parsed=parsed,
                chain=chain,
                tags=dict(tags),
                imported_at=now,
                origin="CUSTOMER_PROVIDED",
            )
        )

    def count_import(self, now: datetime, *, new: bool) -> None:
        """Raise LimitExceededException or ThrottlingException where an import is one too many."""
        if self.quotas.throttled and self.imports and now - self.imports[-1] < _SECOND:
            raise Refusal("ThrottlingException", "Rate exceeded")
        if sum(now - each < _YEAR for each in self.imports) >= self.quotas.imports:
            raise Refusal("LimitExceededException", "Error: you have reached your yearly limit.")
        if new and len(self.certificates) >= self.quotas.certificates:
            raise Refusal("LimitExceededException", "Error: you have reached your limit.")

    def settle(self) -> None:
        """Let listings show everything."""
        self.lists.settle()
        self.tagged.settle()

    def page(
        self, token: str | None, size: int, listed: Sequence[Certificate]
    ) -> tuple[Sequence[Certificate], str | None]:
        """Return a page of what was listed when the first page was asked for, and the next token."""
        items, start = self.pages.get(token, ((), 0)) if token else (listed, 0)
        if token and token not in self.pages:
            raise Refusal("ValidationException", "The NextToken is not valid.")
        end = start + size
        if end >= len(items):
            return items[start:], None
        following = uuid.uuid4().hex
        self.pages[following] = (items, end)
        return items[start:end], following
