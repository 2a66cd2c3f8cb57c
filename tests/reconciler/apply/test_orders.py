"""Ordering from CAs of others: moved there and back, resumed after any crash, paid for once."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from fleet import Fleet
from fleet_documents import START, Leaf
from fleet_sights import named, reasons, shown
from memory_ledger import Crash

from providers.errors import Ambiguous, Denied, Throttled
from providers.issuing import Issued, IssueRequest, Pending
from providers.memory_issuer import MemoryIssuer
from providers.secret import Secret
from providers.x509 import to_der
from reconciler.events import EventStatus
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import Status
from schemas.certificate import Custody, OnRemove, RotationPolicy
from schemas.issuer import AwsPrivateCa, IssuerSpec
from schemas.plan import Action, Reason
from schemas.request import LeafRequest

TAIL = "6b4b5c1e-9c5d-4f3a-8a7e-2f1d0c9b8a7f"
THEIRS = IssuerSpec(
    aws_private_ca=AwsPrivateCa(
        arn=f"arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/{TAIL}"
    )
)


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(leaves={"web": Leaf(issuer="theirs")}, issuers={"theirs": THEIRS})


def test_a_certificate_is_ordered_installed_and_done(fleet: Fleet) -> None:
    fleet.converge()
    current, found = fleet.current("web"), fleet.installed("a", "web")
    (sold,) = fleet.desk("theirs").orders.values()
    assert current.sha256 == hashlib.sha256(sold).hexdigest() == found.sha256
    assert current.serial == found.serial != current.reference
    assert current.chain is not None
    assert found.trust == fleet.world().trust(current)
    assert fleet.kept_keys() == {}


def test_a_plan_asks_no_issuer(fleet: Fleet) -> None:
    assert reasons(fleet.plan(), "certificate/web") == {Action.ISSUE: Reason.NOT_FOUND}
    assert fleet.desks == {}


def test_one_line_moves_a_certificate_to_another_ca_and_back(fleet: Fleet) -> None:
    fleet.edit("web", issuer="root").converge()
    for issuer in ("theirs", "root", "theirs"):
        before = fleet.current("web").serial
        fleet.edit("web", issuer=issuer)
        assert reasons(fleet.plan(), "certificate/web") == {Action.ISSUE: Reason.ISSUER_CHANGED}
        fleet.converge()
        assert fleet.current("web").serial != before
        assert fleet.installed("a", "web").sha256 == fleet.current("web").sha256


def test_another_ca_behind_the_same_name_issues_anew(fleet: Fleet) -> None:
    fleet.converge()
    other = f"arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/0{TAIL[1:]}"
    fleet.issuers["theirs"] = IssuerSpec(aws_private_ca=AwsPrivateCa(arn=other))
    issue = named(fleet.plan(), Action.ISSUE, "certificate/web")
    assert issue.reason is Reason.ISSUER_CHANGED
    assert [field.path for field in issue.fields] == ["issuer"]
    fleet.converge()


def test_it_is_renewed_when_its_time_has_come(fleet: Fleet) -> None:
    fleet.converge()
    first = fleet.current("web").serial
    fleet.wait(25)
    assert reasons(fleet.plan(), "certificate/web") == {Action.ISSUE: Reason.RENEWING}
    fleet.converge()
    assert fleet.current("web").serial != first


def test_a_renewal_of_what_is_pinned_asks_the_same_ca(fleet: Fleet) -> None:
    fleet.converge()
    fleet.edit("web", names=("other.example.com",))
    fleet.pinned = True
    fleet.wait(25).converge()
    request = fleet.current("web").request
    assert isinstance(request, LeafRequest)
    assert request.dns_names == ("www.example.com",)


def test_a_key_that_never_changes_is_used_again(fleet: Fleet) -> None:
    fleet.edit("web", custody=Custody.LEDGER, rotation=RotationPolicy.NEVER).converge()
    first = fleet.current("web")
    fleet.wait(25).converge()
    assert fleet.current("web").spki == first.spki
    assert set(fleet.kept_keys()) == {fleet.current("web").serial}


@pytest.mark.parametrize("issuer", ["root", "theirs"])
@pytest.mark.parametrize("rotation", RotationPolicy)
def test_a_renewal_opens_no_key_but_one_that_never_changes(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, issuer: str, rotation: RotationPolicy
) -> None:
    fleet.edit("web", issuer=issuer, custody=Custody.LEDGER, rotation=rotation).converge()
    first, opened, leaf_keys = fleet.current("web"), list[str](), fleet.journal.leaf_keys

    def watched(serials: Sequence[str], /) -> Mapping[str, Secret]:
        opened.extend(serials)
        return leaf_keys(serials)

    monkeypatch.setattr(fleet.journal, "leaf_keys", watched)
    fleet.wait(25).converge()
    assert fleet.current("web").serial != first.serial
    assert opened == ([first.serial] if rotation is RotationPolicy.NEVER else [])


@pytest.mark.parametrize("issuer", ["root", "theirs"])
@pytest.mark.parametrize("custody", [Custody.LEDGER, Custody.TARGET])
def test_a_bundle_is_written_where_a_key_goes_into_it(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, issuer: str, custody: Custody
) -> None:
    fleet.edit("web", issuer=issuer, custody=custody)
    waves, write = list[Wave](), fleet.journal.write

    def watched(wave: Wave, /) -> None:
        waves.append(wave)
        write(wave)

    monkeypatch.setattr(fleet.journal, "write", watched)
    fleet.converge()
    assert fleet.current("web").bundle in {wave.bundle for wave in waves}
    assert [bool(wave.new_keys) for wave in waves] == [wave.bundle is not None for wave in waves]
    assert any(wave.bundle for wave in waves) == (custody is Custody.LEDGER)


def test_what_is_pending_goes_on_with_the_same_order(fleet: Fleet) -> None:
    fleet.desk("theirs").waits = 2
    for _ in range(2):
        ended = {e.address: e for e in fleet.apply()}
        assert ended["certificate/web"].status is EventStatus.POSTPONED
        assert "the desk is busy" in ended["certificate/web"].message
        assert ended["certificate/web@a"].status is EventStatus.SKIPPED
        issue = named(fleet.plan(), Action.ISSUE, "certificate/web")
        assert issue.reason is Reason.RESUMING
        assert issue.due
        assert "ordered at" in issue.message
    fleet.converge()
    assert len(fleet.desk("theirs").orders) == 1


def test_an_answer_that_is_lost_is_asked_for_again_with_the_same_token(fleet: Fleet) -> None:
    fleet.desk("theirs").lost = 1
    assert any(e.status is EventStatus.FAILED for e in fleet.apply())
    fleet.converge()
    assert len(fleet.desk("theirs").orders) == 1


def test_a_failure_is_told_and_tried_again(fleet: Fleet) -> None:
    fleet.desk("theirs").failures = [Denied("no permission"), Ambiguous("broken")]
    for words in ("no permission", "broken"):
        (failed,) = [e for e in fleet.apply() if e.status is EventStatus.FAILED]
        assert words in failed.message
    attempts = fleet.journal.state.certificates["web"].attempts
    assert attempts is not None
    assert attempts.failures == 2
    fleet.converge()
    assert len(fleet.journal.state.certificates["web"].issuances) == 1


def test_an_issuer_that_asks_to_wait_is_left_alone_until_then(fleet: Fleet) -> None:
    fleet.desk("theirs").failures = [Throttled("too many orders", 3600.0)]
    fleet.apply()
    asked = fleet.desk("theirs").calls["issue"]
    blocked = named(fleet.plan(), Action.BLOCKED, "certificate/web")
    assert "is asked for no order before 2026-01-01T01:00:00Z: too many orders" in blocked.message
    fleet.apply()
    assert fleet.desk("theirs").calls["issue"] == asked
    fleet.wait(0.1).converge()


class Cheat(MemoryIssuer):
    """Gives somebody else's certificate."""

    def issue(self, request: IssueRequest, /) -> Issued | Pending:
        answer = super().issue(request)
        other = self.desk.ca.bundle("evil.example.com", self.desk.clock())
        assert isinstance(answer, Issued)
        return replace(answer, certificate=to_der(other.certificate))


def test_what_another_ca_returns_is_not_believed(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(fleet, "ask", lambda config: Cheat(fleet.desk(config.name)))
        (failed,) = [e for e in fleet.apply() if e.status is EventStatus.FAILED]
    assert "its key is not that of the signing request" in failed.message
    assert "evil.example.com" in failed.message
    record = fleet.journal.state.certificates["web"]
    assert [i.status for i in record.issuances] == [Status.ABANDONED]
    assert fleet.kept_keys() == {}
    fleet.now += timedelta(minutes=1)
    fleet.converge()


def crashes(prepare: Callable[[Fleet], object]) -> Iterator[tuple[Fleet, int]]:
    """Yield a fleet for every wave of an apply, crashed before and after it."""
    for after in (False, True):
        for wave in range(1, 20):
            fleet = Fleet(leaves={"web": Leaf(issuer="theirs")}, issuers={"theirs": THEIRS})
            prepare(fleet)
            fleet.journal.crash_at, fleet.journal.crash_after = wave, after
            try:
                fleet.apply()
            except Crash:
                yield fleet, wave
            else:
                break


@pytest.mark.parametrize("remembers", [True, False])
def test_a_crash_at_any_wave_is_resumed(*, remembers: bool) -> None:
    tried = 0
    for fleet, _ in crashes(lambda fleet: setattr(fleet.desk("theirs"), "remembers", remembers)):
        fleet.journal.crash_at = None
        fleet.wait(0.01).converge()
        tried += 1
        surplus = len(fleet.desk("theirs").orders) - 1
        assert surplus <= (0 if remembers else 1)
        assert fleet.kept_keys() == {}
    assert tried >= 8  # reserved, noted, issued, installed: before and after each


def test_revoking_tells_the_ca_and_then_the_ledger(fleet: Fleet) -> None:
    fleet.converge()
    old = fleet.current("web").serial
    fleet.wait(1).revoke("incident", "web")
    plan = fleet.plan()
    assert ("revoke", f"certificate/web#{old}", "Requested") in shown(plan)
    assert not any(address.startswith("crl/") for _, address, _ in shown(plan))
    fleet.converge()
    assert list(fleet.desk("theirs").revoked) == [old]
    assert fleet.installed("a", "web").serial != old


def test_a_revocation_that_the_ca_refuses_is_not_recorded(fleet: Fleet) -> None:
    fleet.converge()
    old = fleet.current("web").serial
    fleet.wait(1).revoke("incident", "web")
    fleet.edit("web", issuer="root")
    fleet.desk("theirs").failures = [Denied("no permission")]
    events = fleet.apply()
    assert any("no permission" in e.message for e in events)
    assert fleet.desk("theirs").revoked == {}
    assert {i.status for i in fleet.journal.state.certificates["web"].issuances} == {Status.ISSUED}
    fleet.converge()
    assert list(fleet.desk("theirs").revoked) == [old]


def test_what_is_removed_is_revoked_at_its_ca(fleet: Fleet) -> None:
    fleet.edit("web", on_remove=OnRemove.REVOKE).converge()
    serial = fleet.current("web").serial
    del fleet.leaves["web"]
    fleet.converge()
    assert list(fleet.desk("theirs").revoked) == [serial]
    assert fleet.store("a").objects == {}


def test_nobody_is_told_where_the_issuer_has_left_the_documents(fleet: Fleet) -> None:
    fleet.converge()
    fleet.wait(1).revoke("incident", "web")
    fleet.edit("web", issuer="root")
    del fleet.issuers["theirs"]
    serial = fleet.current("web").serial
    (blocked,) = [c for c in fleet.plan().changes if c.address == f"certificate/web#{serial}"]
    assert blocked.action is Action.BLOCKED
    assert "bring it back" in blocked.message


def test_many_certificates_are_ordered_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    leaves = {f"n{i}": Leaf(issuer="theirs", names=(f"n{i}.example.com",)) for i in range(5)}
    fleet = Fleet(leaves=leaves, issuers={"theirs": THEIRS})
    open_orders: list[int] = []

    class Watched(MemoryIssuer):
        def issue(self, request: IssueRequest, /) -> Issued | Pending:
            answer = super().issue(request)
            state = fleet.journal.state.certificates.values()
            pending = [p for r in state if (p := r.pending) and p.order is not None]
            open_orders.append(len(pending))
            return answer

    monkeypatch.setattr(fleet, "ask", lambda config: Watched(fleet.desk(config.name)))
    fleet.converge()
    assert open_orders == [1] * 5


def test_the_clock_of_the_ca_counts(fleet: Fleet) -> None:
    fleet.converge()
    current = fleet.current("web")
    assert current.not_after == START - timedelta(minutes=5) + timedelta(days=30, seconds=-1)


def test_a_key_that_is_made_in_its_target_is_certified_by_another_ca(fleet: Fleet) -> None:
    fleet.edit("web", custody=Custody.TARGET)
    fleet.desk("theirs").waits = 1
    fleet.apply()
    fleet.converge()
    current, held = fleet.current("web"), fleet.store("a").objects["web"]
    assert held.bundle is not None
    assert held.bundle.private_key is None
    assert held.installed.sha256 == current.sha256
    assert current.bundle is None
    assert len(fleet.desk("theirs").orders) == 1
