"""What the one issue remembers from a look to the next, in its hidden marker."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Self

from reconciler.drifting import Drift, Outcome
from reconciler.github.marker import Marker, MarkerKind

MOST = 1_000
"""How many differences are remembered; those of many more are told without a day."""
_KEY = 12
"""Hex digits of a fingerprint that are kept: 48 bits, too many for two of a thousand to be the same."""
_KEYS = re.compile(rf"(?:[0-9a-f]{{{_KEY}}})+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING: Mapping[str, datetime] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Memory:
    """What was told last. `since` is when each thing was first seen, to the minute, by its key.

    `failure` is the digest of what kept the newest look from being one, empty where nothing did.
    """

    outcome: Outcome = Outcome.CLEAN
    digest: str = ""
    since: Mapping[str, datetime] = field(default_factory=lambda: _NOTHING)
    failure: str = ""

    @classmethod
    def of(cls, marker: Marker | None) -> Self:
        """Return what a marker says; an editor of the issue may have changed it, and then it says less."""
        fields: Mapping[str, Any] = marker.fields if marker else {}
        outcome, digest, failure = (fields.get(name) for name in ("outcome", "set", "failure"))
        return cls(
            outcome=Outcome(outcome) if outcome in list(Outcome) else Outcome.CLEAN,
            digest=digest if isinstance(digest, str) else "",
            since=dict(_moments(fields.get("since"))),
            failure=failure if isinstance(failure, str) else "",
        )

    def marker(self, label: str) -> Marker:
        """Return the marker that says so: things first seen in the same minute stand together."""
        minutes: dict[str, str] = {}
        for key, moment in self.since.items():
            minute = str(int(moment.timestamp()) // 60)
            minutes[minute] = minutes.get(minute, "") + key
        told = {"outcome": str(self.outcome), "set": self.digest, "since": minutes}
        failed = {"failure": self.failure} if self.failure else {}
        return Marker(MarkerKind.DRIFT, label, {**told, **failed})

    def after(self, drift: Drift) -> "Memory":
        """Return what is to be remembered after one more look."""
        if drift.outcome is Outcome.CLEAN:
            return Memory(digest=drift.digest)
        now = drift.plan.created_at
        full = len(self.since) >= MOST
        keys = [key(each.fingerprint) for each in drift.findings]
        since = {k: self.since.get(k, now) for k in keys if k in self.since or not full}
        if drift.unchecked:  # what was seen there before may still be there
            since = {**since, **{k: v for k, v in self.since.items() if k not in since}}
        bounded = dict(list(since.items())[:MOST])
        return Memory(drift.outcome, drift.digest, bounded)

    def failed(self, digest: str) -> "Memory":
        """Return what is to be remembered after a look that was none."""
        return replace(self, failure=digest)

    def seen(self, drift: Drift) -> Mapping[str, datetime]:
        """Return when each thing of a look was first seen, by its whole fingerprint."""
        every = drift.fingerprints
        return {each: self.since[key(each)] for each in every if key(each) in self.since}


def key(fingerprint: str) -> str:
    """Return what a fingerprint is remembered by."""
    return fingerprint[:_KEY]


def _moments(minutes: Any) -> Iterator[tuple[str, datetime]]:
    if not isinstance(minutes, dict):
        return
    for minute, keys in minutes.items():
        moment = _moment(minute)
        if moment and isinstance(keys, str) and _KEYS.fullmatch(keys):
            yield from ((keys[at : at + _KEY], moment) for at in range(0, len(keys), _KEY))


def _moment(minute: str) -> datetime | None:
    if not (minute.isascii() and minute.isdigit() and len(minute) <= 9):
        return None
    return _EPOCH + timedelta(minutes=int(minute))  # Windows' own clock ends in the year 3001
