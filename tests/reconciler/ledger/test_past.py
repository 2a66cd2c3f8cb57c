"""What was revoked before a CA was taken over stays so in the ledger, as long as anybody may ask."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.ledger.records import PastEntry, PastRecord, Revoked
from reconciler.ledger.transitions import problems
from schemas.revocation import RevocationReason

NOW = datetime(2026, 11, 27, tzinfo=UTC)
TOLD = Revoked(at=NOW, reason=RevocationReason.SUPERSEDED)
OTHER = Revoked(at=NOW, reason=RevocationReason.KEY_COMPROMISE)
PATH = "past/legacy.g1.json"


def record(*entries: tuple[str, Revoked | None]) -> PastRecord:
    ends = NOW + timedelta(days=9)
    listed = (PastEntry(serial=s, not_after=ends, revoked=revoked) for s, revoked in entries)
    return PastRecord(authority="legacy", generation=1, entries=tuple(listed))


BEFORE = record(("1", TOLD), ("2", None))


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (record(("1", TOLD), ("2", OTHER), ("3", None)), []),
        (record(("1", TOLD)), []),
        (record(("1", None), ("2", None)), ["serial 1 of before is not revoked any more"]),
        (record(("2", None)), ["serial 1 of before is not revoked any more"]),
        (record(("1", OTHER)), ["serial 1 of before is not revoked any more"]),
    ],
)
def test_a_wave_adds_revocations_and_takes_none_back(after: PastRecord, said: list[str]) -> None:
    assert list(problems({PATH: BEFORE}, {PATH: after}, NOW)) == said


def test_the_record_goes_with_its_ca_once_all_it_revoked_is_expired() -> None:
    gone = ["what legacy generation 1 revoked vanished"]
    assert list(problems({PATH: BEFORE}, {}, NOW)) == gone
    assert list(problems({PATH: BEFORE}, {}, NOW + timedelta(days=10))) == []
