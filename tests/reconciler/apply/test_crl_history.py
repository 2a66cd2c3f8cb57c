"""CRL numbers rise and no revocation is forgotten, whatever is rolled back and whatever the clock says."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from fleet import Fleet
from fleet_documents import Ca, Leaf

from providers import x509
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import LedgerState, PastEntry, PastRecord, Revoked
from schemas.certificate import OnRemove
from schemas.revocation import RevocationReason

ROUNDS = 6


@dataclass
class Reader:
    """A relying party that never forgets: what it saw of each list, and when each serial expires."""

    fleet: Fleet
    numbers: dict[str, list[int]] = field(default_factory=dict)
    revoked: dict[str, dict[str, float]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)

    def look(self) -> None:
        for name, content in self.fleet.publisher.files.items():
            if not name.endswith(".crl"):
                continue
            said = x509.read_crl(content)
            seen = self.numbers.setdefault(name, [])
            if not seen or said.number != seen[-1]:
                seen.append(said.number)
            known = self.revoked.setdefault(name, {})
            now = self.fleet.now.timestamp()
            ends = (end for s, end in known.items() if s not in said.entries)
            self.lost += [name for end in ends if end > now]
            known.update({s: self.end(s) for s in said.entries if s not in known})

    def end(self, serial: str) -> float:
        found = self.fleet.world().serials.get(serial)
        return found[1].not_after.timestamp() if found else float("inf")

    @property
    def rising(self) -> bool:
        return all(seen == sorted(set(seen)) for seen in self.numbers.values())


@pytest.fixture
def fleet() -> Fleet:
    leaves = {
        f"c{n}": Leaf(days=300, renew_before=100, on_remove=OnRemove.REVOKE) for n in range(ROUNDS)
    }
    return Fleet(cas={"root": Ca(crl_shards=2)}, leaves=leaves).converge()


def older_directory(fleet: Fleet, then: dict[str, bytes], _: LedgerState) -> None:
    fleet.publisher.files = dict(then)


def empty_directory(fleet: Fleet, _: dict[str, bytes], __: LedgerState) -> None:
    fleet.publisher.files = {}


def older_ledger(fleet: Fleet, _: dict[str, bytes], then: LedgerState) -> None:
    fleet.journal.state = replace(fleet.journal.state, crls=then.crls)


def no_lists_in_the_ledger(fleet: Fleet, _: dict[str, bytes], __: LedgerState) -> None:
    fleet.journal.state = replace(fleet.journal.state, crls={})


def clock_back(fleet: Fleet, _: dict[str, bytes], __: LedgerState) -> None:
    fleet.now -= timedelta(minutes=10)


def clock_forth(fleet: Fleet, _: dict[str, bytes], __: LedgerState) -> None:
    fleet.now += timedelta(minutes=10)


HAPPENINGS = (
    older_directory,
    empty_directory,
    older_ledger,
    no_lists_in_the_ledger,
    clock_back,
    clock_forth,
)


@pytest.mark.parametrize("happening", HAPPENINGS)
def test_numbers_rise_and_nothing_is_unsaid(
    fleet: Fleet,
    happening: Callable[[Fleet, dict[str, bytes], LedgerState], None],
    tell: Callable[[str], None],
) -> None:
    reader, kept = Reader(fleet), 0
    reader.look()
    for number in range(ROUNDS):
        files, state = dict(fleet.publisher.files), fleet.journal.state
        serial = fleet.current(f"c{number}").serial
        del fleet.leaves[f"c{number}"]
        fleet.wait(1).apply()
        reader.look()
        happening(fleet, files, state)
        fleet.apply()
        reader.look()
        kept += serial in fleet.published()["root-g1.crl"].revoked
    assert reader.rising
    assert reader.lost == []
    tell(f"CRLs after {happening.__name__}: numbers rise, {kept} of {ROUNDS} revocations are told")
    assert kept == ROUNDS


def test_a_published_revocation_that_the_ledger_lost_is_carried_on(fleet: Fleet) -> None:
    """A clone that stood still, or a branch that was pushed over, knows nothing of it."""
    before = fleet.journal.state
    serial = fleet.current("c0").serial
    fleet.revoke("inc", serials=(serial,)).wait(0.1).edit("c0", names=("new.example.com",))
    fleet.apply()
    assert serial in fleet.published()["root-g1.crl"].revoked
    fleet.revocations.clear()
    fleet.journal.state = replace(before, crls=fleet.journal.state.crls)
    fleet.edit("c0", names=("www.example.com",))
    fleet.wait(4).apply()
    assert serial in fleet.published()["root-g1.crl"].revoked


def test_what_a_ca_revoked_before_it_was_taken_over_stays_revoked(fleet: Fleet) -> None:
    revoked = Revoked(at=fleet.now, reason=RevocationReason.KEY_COMPROMISE)
    ends = fleet.now + timedelta(days=5)
    number = int(fleet.now.timestamp()) + 10**9
    entries = (
        PastEntry(serial="abc1", not_after=ends, revoked=revoked),
        PastEntry(serial="abc2", revoked=revoked),
        PastEntry(serial="abc3", not_after=ends),
    )
    past = PastRecord(authority="root", generation=1, number=number, entries=entries)
    fleet.journal.write(Wave(message="take over", past=[past]))
    fleet.publisher.ends = lambda serial: ends if serial == "abc1" else None
    fleet.converge()
    said = fleet.published()["root-g1.crl"]
    assert said.revoked == {"abc1", "abc2"}
    assert said.number == number + 1
    fleet.wait(6).converge()
    assert fleet.published()["root-g1.crl"].revoked == {"abc1", "abc2"}, "once more after its end"
    fleet.wait(4).converge()
    assert fleet.published()["root-g1.crl"].revoked == {"abc2"}, "nobody knows when that ends"
