"""Which differences a look at everything finds, and how urgent each is."""

from collections.abc import Callable

import pytest
from fleet import Fleet
from fleet_documents import Leaf, at

from reconciler.drifting import Difference, Drift, Kind, Outcome, drift
from reconciler.planning import make_plan
from schemas.certificate import Custody
from schemas.plan import Action, Change, Plan, Reason, TargetReport


@pytest.fixture
def fleet() -> Fleet:
    leaves = {
        "web": Leaf(targets=at("a", "b"), custody=Custody.LEDGER),
        "api": Leaf(names=("api.example.com",)),
    }
    return Fleet(leaves=leaves).converge()


def look(fleet: Fleet) -> Drift:
    """Look at everything."""
    world = fleet.world()
    return drift(world, make_plan(world))


def told(found: Drift) -> list[tuple[str, str]]:
    return [(str(each.kind), each.address) for each in found.differences]


def only(found: Drift) -> Difference:
    (each,) = found.differences
    return each


def test_nothing_is_different_after_an_apply(fleet: Fleet) -> None:
    found = look(fleet)
    assert (found.outcome, found.exit_code, told(found)) == (Outcome.CLEAN, 0, [])


def test_what_somebody_changed_is_told_with_what_was_expected(fleet: Fleet) -> None:
    serial = fleet.current("web").serial
    fleet.spoil("b", "web", "cert.pem was changed by hand")
    found = look(fleet)
    each = only(found)
    assert (each.kind, each.subject, each.target) == (Kind.OUTSIDE, "certificate/web", "b")
    assert each.expected.startswith(f"serial {serial}, until 2026-01-30")
    assert each.found == "cert.pem was changed by hand"
    assert (found.outcome, found.exit_code) == (Outcome.DRIFT, 2)


def test_a_new_certificate_that_only_cures_what_somebody_changed_is_no_second_difference(
    fleet: Fleet,
) -> None:
    fleet.edit("web", custody=Custody.UNTIL_INSTALLED).wait(25).converge()
    fleet.spoil("b", "web", "privkey.pem was changed by hand")
    ids = {step.id for step in fleet.plan().changes}
    assert ids == {
        "issue:certificate/web",
        "install:certificate/web@a",
        "install:certificate/web@b",
    }
    each = only(look(fleet))
    assert (each.address, each.found) == ("certificate/web@b", "privkey.pem was changed by hand")
    assert each.reason is Reason.DRIFTED


def test_what_somebody_changed_is_told_also_when_a_renewal_is_due_anyway(fleet: Fleet) -> None:
    fleet.wait(17.5).converge().wait(3)
    fleet.spoil("b", "web", "privkey.pem was changed by hand")
    found = look(fleet)
    assert told(found) == [("outside", "certificate/web@b")]
    assert found.due == 2


def test_an_edit_that_was_not_applied_is_pending_once_for_each_certificate(fleet: Fleet) -> None:
    fleet.edit("web", names=("www.example.com", "new.example.com"))
    each = only(look(fleet))
    assert (each.kind, each.address) == (Kind.PENDING, "certificate/web")
    assert each.expected == "dnsNames: + new.example.com"
    assert each.found.startswith("serial ")


def test_a_certificate_that_was_never_issued_is_pending(fleet: Fleet) -> None:
    fleet.leaves["new"] = Leaf(names=("new.example.com",))
    each = only(look(fleet))
    assert (each.kind, each.expected, each.found) == (
        Kind.PENDING,
        "a certificate",
        "no certificate yet",
    )


def test_what_left_the_documents_and_was_not_removed_is_pending(fleet: Fleet) -> None:
    del fleet.leaves["api"]
    each = only(look(fleet))
    assert (each.kind, each.address, each.expected) == (
        Kind.PENDING,
        "certificate/api@a",
        "nothing",
    )


def test_a_renewal_in_time_is_no_difference_and_is_counted(fleet: Fleet) -> None:
    fleet.wait(17.5).converge().wait(3)
    found = look(fleet)
    assert len(found.plan.changes) == 5
    assert (found.outcome, told(found)) == (Outcome.CLEAN, [])
    assert found.due == 2, "of two certificates; their installs go with them"


def test_a_renewal_that_many_nights_have_failed_to_make_is_overdue(fleet: Fleet) -> None:
    fleet.wait(25.1)
    found = [each for each in look(fleet).differences if each.address == "certificate/web"]
    assert [(each.kind, each.reason) for each in found] == [(Kind.OVERDUE, Reason.RENEWING)]
    assert found[0].found == "ends at 2026-01-30T23:54:59Z"


def test_an_expired_certificate_is_overdue(fleet: Fleet) -> None:
    fleet.wait(31)
    found = {each.address: each for each in look(fleet).differences}
    assert found["certificate/web"].reason is Reason.EXPIRED
    assert found["certificate/web"].found == "ended at 2026-01-30T23:54:59Z"
    assert found["crl/root-g1"].kind is Kind.OVERDUE


def test_a_place_that_was_left_behind_counts_as_what_it_still_holds(fleet: Fleet) -> None:
    fleet.wait(24)
    fleet.away.add("b")
    fleet.apply()
    fleet.away.clear()
    fleet.wait(2)
    each = next(each for each in look(fleet).differences if each.subject == "certificate/web")
    assert (each.kind, each.address) == (Kind.OVERDUE, "certificate/web@b")
    assert each.found == "ends at 2026-01-30T23:54:59Z"


def test_a_first_install_that_did_not_happen_is_pending_though_time_would_make_it(
    fleet: Fleet,
) -> None:
    fleet.away.add("b")
    fleet.leaves["new"] = Leaf(targets=at("a", "b"), names=("new.example.com",))
    fleet.apply()
    fleet.away.clear()
    each = only(look(fleet))
    assert (each.kind, each.address) == (Kind.PENDING, "certificate/new@b")
    assert each.found == "nothing is installed there"


def test_a_crl_that_does_not_tell_of_a_revocation_is_pending(fleet: Fleet) -> None:
    before = dict(fleet.publisher.files)
    fleet.wait(0.1).revoke("leak", "api").converge()
    fleet.publisher.files["root-g1.crl"] = before["root-g1.crl"]
    assert ("pending", "crl/root-g1") in told(look(fleet))


def test_a_target_that_cannot_be_read_is_unchecked_and_never_clean(fleet: Fleet) -> None:
    fleet.store("b").reachable = False
    found = look(fleet)
    assert (found.outcome, found.exit_code, told(found)) == (Outcome.UNCHECKED, 1, [])
    assert [each.name for each in found.unchecked] == ["b"]
    assert found.unchecked[0].detail
    assert found.unchecked[0].source is not None


def test_what_was_published_and_cannot_be_read_is_unchecked(fleet: Fleet) -> None:
    fleet.publisher.reachable = False
    found = look(fleet)
    assert ([each.name for each in found.unchecked], found.exit_code) == (["publish"], 1)


def test_a_target_that_nobody_looked_at_is_unchecked() -> None:
    fleet = Fleet(leaves={"web": Leaf()}).converge()
    plan = fleet.plan()
    assumed = TargetReport(name="a", status="assumed")
    found = drift(fleet.world(), plan.model_copy(update={"targets": (assumed,)}))
    assert [each.name for each in found.unchecked] == ["a"]


def test_a_target_on_another_host_is_told_and_is_no_finding(fleet: Fleet) -> None:
    fleet.away.add("b")
    found = look(fleet)
    assert (found.outcome, found.elsewhere) == (Outcome.CLEAN, ("b",))


def test_differences_beside_an_unreadable_target_are_drift(fleet: Fleet) -> None:
    fleet.store("b").reachable = False
    fleet.edit("api", names=("new.example.com",))
    found = look(fleet)
    assert (found.outcome, found.exit_code, len(found.unchecked)) == (Outcome.DRIFT, 2, 1)


def test_a_stranger_in_the_place_of_a_certificate_blocks_it(fleet: Fleet) -> None:
    fleet.foreign("a", "new")
    fleet.leaves["new"] = Leaf(names=("new.example.com",))
    kinds = {each.address: each.kind for each in look(fleet).differences}
    assert kinds["certificate/new@a"] is Kind.BLOCKED


REASONS: dict[str, tuple[Change, Kind | None]] = {
    "what only takes time": (
        Change(address="x/a", action=Action.BLOCKED, reason=Reason.PENDING, message="waits"),
        Kind.PENDING,
    ),
    "what flaps": (
        Change(address="x/a", action=Action.BLOCKED, reason=Reason.FLAPPING, message="flaps"),
        Kind.BLOCKED,
    ),
    "what is not valid yet": (
        Change(
            address="x/a",
            action=Action.ISSUE,
            reason=Reason.NOT_YET_VALID,
            message="early",
            before={"serial": "1"},
            due=True,
        ),
        Kind.OVERDUE,
    ),
    "what was begun and never was": (
        Change(
            address="certificate/none",
            action=Action.ISSUE,
            reason=Reason.RESUMING,
            message="begun",
            due=True,
        ),
        Kind.PENDING,
    ),
    "what is begun beside one that lives": (
        Change(
            address="certificate/web",
            action=Action.ISSUE,
            reason=Reason.RESUMING,
            message="begun",
            due=True,
        ),
        None,
    ),
    "what was not yet seen working": (
        Change(
            address="certificate/web@a",
            action=Action.INSTALL,
            reason=Reason.UNVERIFIED,
            message="not seen",
            due=True,
        ),
        None,
    ),
    "what is published and to be signed anew": (
        Change(
            address="crl/root-g1",
            action=Action.PUBLISH,
            reason=Reason.EXPIRING,
            message="soon",
            due=True,
        ),
        None,
    ),
    "a published file that somebody changed": (
        Change(
            address="ca/root-g1",
            action=Action.PUBLISH,
            reason=Reason.DRIFTED,
            message="not it",
            due=True,
            outside=True,
        ),
        Kind.OUTSIDE,
    ),
}


@pytest.mark.parametrize("case", REASONS.values(), ids=REASONS)
def test_each_change_means_something(fleet: Fleet, case: tuple[Change, Kind | None]) -> None:
    step, kind = case
    plan: Plan = fleet.plan().model_copy(update={"changes": (step,)})
    found = drift(fleet.world(), plan)
    assert [each.kind for each in found.differences] == ([kind] if kind else [])
    assert found.due == (0 if kind else 1)


WORDS: dict[str, tuple[Callable[[Fleet], object], str, tuple[str, str]]] = {
    "labels": (
        lambda f: f.edit("web", labels={"team": "shop"}),
        "certificate/web@a",
        ("team=shop", "no team"),
    ),
    "a rename": (
        lambda f: f.rename("web", "shop"),
        "certificate/shop",
        ("the name shop", "the name web"),
    ),
    "a revocation": (
        lambda f: f.wait(0.1).revoke("leak", serials=(f.current("api").serial,)),
        "certificate/api",
        ("revoked (keyCompromise)", "not revoked"),
    ),
}


@pytest.mark.parametrize("case", WORDS.values(), ids=WORDS)
def test_each_difference_says_what_was_expected_and_what_was_found(
    fleet: Fleet, case: tuple[Callable[[Fleet], object], str, tuple[str, str]]
) -> None:
    happen, address, words = case
    happen(fleet)
    there = [
        (each.expected, each.found)
        for each in look(fleet).differences
        if address in (each.address, each.subject)
    ]
    assert words in there


def test_the_set_is_the_same_whatever_the_clock_says(fleet: Fleet) -> None:
    fleet.edit("web", names=("new.example.com",))
    fleet.store("b").reachable = False
    before = look(fleet)
    fleet.wait(0.5)
    assert look(fleet).digest == before.digest


def test_the_set_is_another_when_a_target_can_no_longer_be_read(fleet: Fleet) -> None:
    fleet.edit("api", names=("new.example.com",))
    before = look(fleet).digest
    fleet.store("b").reachable = False
    assert look(fleet).digest != before


def test_the_most_urgent_stands_first(fleet: Fleet) -> None:
    fleet.wait(25.1).edit("api", names=("new.example.com",))
    fleet.spoil("a", "web", "cert.pem was changed by hand")
    kinds = [each.kind for each in look(fleet).differences]
    assert kinds == sorted(kinds, key=list(Kind).index)
    assert {Kind.OVERDUE, Kind.PENDING} <= set(kinds)
