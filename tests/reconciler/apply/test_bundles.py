"""A root gives way to the next: anchors come before anything needs them, and go when nothing does."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from fleet import Fleet
from fleet_documents import HERE, Ca, Leaf, at
from fleet_sights import named, reasons, shown
from memory_ledger import Crash
from trusting import Trust

from providers.errors import Rejected, Transient
from reconciler.apply import apply
from reconciler.events import EventStatus
from reconciler.ledger.trust import TrustRecord
from reconciler.state import DesiredRevocation
from schemas.plan import Action, Change, Reason
from schemas.revocation import RevocationReason

OLD, BOTH, NEW = ["root-g1"], ["root-g1", "root-g2"], ["root-g2"]
OVERLAP = 7


def house() -> Fleet:
    return Fleet(
        cas={"root": Ca(), "services": Ca(parent="root", days=1000)},
        leaves={"web": Leaf(issuer="services"), "mail": Leaf(issuer="services", targets=at("b"))},
        bundles={"corp": Trust(targets=at("a", "b"))},
    )


@pytest.fixture
def fleet() -> Fleet:
    return house().converge()


def rotate(fleet: Fleet) -> Fleet:
    fleet.cas["root"] = replace(fleet.cas["root"], generation=fleet.cas["root"].generation + 1)
    return fleet


def give_up(fleet: Fleet, *, immediate: bool = False) -> Fleet:
    """Write that somebody else may have the key of the root's first generation."""
    fleet.revocations["leak"] = DesiredRevocation(
        name="leak",
        source=HERE,
        certificates=(),
        issued_before=None,
        serials=(),
        reason=RevocationReason.CA_COMPROMISE,
        authority="root",
        generation=1,
        immediate=immediate,
    )
    return rotate(fleet)


def withdrawals(fleet: Fleet) -> list[Change]:
    steps = fleet.plan().changes
    return [c for c in steps if "#root-g" in c.address and c.action is Action.REMOVE]


def order(fleet: Fleet) -> dict[str, int]:
    """When each change of one apply was done, by action and address."""
    return {f"{e.action} {e.address}": n for n, e in enumerate(fleet.apply())}


def test_the_new_anchor_is_everywhere_before_anything_hangs_by_it(fleet: Fleet) -> None:
    done = order(rotate(fleet))
    anchors = [done[f"install bundle/corp@{place}"] for place in ("a", "b")]
    assert done["issue authority/root"] < min(anchors)
    assert max(anchors) < done["issue authority/services"] < done["issue certificate/web"]
    assert fleet.trusted("a") == fleet.trusted("b") == BOTH
    assert shown(fleet.plan()) == []


def test_the_old_anchor_goes_by_time_once_nothing_hangs_by_it(fleet: Fleet) -> None:
    rotate(fleet).converge().wait(OVERLAP - 0.1)
    assert withdrawals(fleet) == []
    fleet.wait(0.2)
    first, second = withdrawals(fleet)
    assert first.address == "bundle/corp@a#root-g1"
    assert (first.reason, first.due) == (Reason.ANCHOR_WITHDRAWN, True)
    assert first.before is not None
    assert (first.before["anchor"], second.due) == ("root-g1", True)
    fleet.converge()
    assert fleet.trusted("a") == fleet.trusted("b") == NEW
    assert fleet.journal.state.trust["corp"].replaced == {}


def test_it_stays_as_long_as_anything_hangs_by_it(fleet: Fleet) -> None:
    fleet.leaves["mail"] = replace(fleet.leaves["mail"], days=300, renew_before=100)
    fleet.converge()
    fleet.store("b").fail("verify:mail", *[Transient("injected")] * 3)
    rotate(fleet).apply()
    fleet.away = {"b"}
    fleet.wait(OVERLAP + 1).apply()
    assert withdrawals(fleet) == []
    assert fleet.trusted("a") == BOTH
    fleet.away = set()
    fleet.store("b").failures.clear()
    fleet.apply()
    assert withdrawals(fleet) == []
    fleet.converge().wait(OVERLAP + 0.1).converge()
    assert fleet.trusted("a") == fleet.trusted("b") == NEW


def test_nothing_is_said_of_what_stays(fleet: Fleet) -> None:
    fleet.store("b").fail("verify:mail", *[Transient("injected")] * 9)
    rotate(fleet).apply()
    assert {c.address for c in fleet.plan().changes} == {"certificate/mail@b"}


def test_what_hangs_by_it_again_lets_the_clock_begin_anew(fleet: Fleet) -> None:
    rotate(fleet).converge().wait(OVERLAP - 1)
    fleet.cas["root"] = replace(fleet.cas["root"], generation=1)
    fleet.apply()
    rotate(fleet).apply()
    fleet.wait(2).apply()
    assert "root-g1" in fleet.trusted("a")


def test_an_overlap_that_an_edit_shortens_needs_review(fleet: Fleet) -> None:
    rotate(fleet).converge().wait(3).base = fleet.desired()
    fleet.bundles["corp"] = replace(fleet.bundles["corp"], overlap=1)
    assert [step.due for step in withdrawals(fleet)] == [False, False]
    fleet.base = fleet.desired()
    assert [step.due for step in withdrawals(fleet)] == [True, True]


def test_a_withdrawal_brings_nothing_that_was_not_reviewed(fleet: Fleet) -> None:
    rotate(fleet).converge().wait(OVERLAP + 0.1)
    labels = dict(fleet.store("a").trust["corp"].labels)
    fleet.bundles["corp"] = replace(fleet.bundles["corp"], authorities=("root", "lab"))
    fleet.cas["lab"] = Ca()
    steps = {c.id: c for c in fleet.plan().changes}
    assert not steps["install:bundle/corp@a"].due
    night = [c for c in steps.values() if c.due and c.action is Action.REMOVE]
    assert [c.requires for c in night] == [(), ()]
    assert all(e.status is not EventStatus.FAILED for e in apply(fleet.session(), night))
    assert fleet.trusted("a") == NEW
    assert dict(fleet.store("a").trust["corp"].labels) == labels


def test_a_compromised_anchor_goes_in_the_plan_that_replaces_it(fleet: Fleet) -> None:
    give_up(fleet)
    for step in withdrawals(fleet):
        assert not step.due
        assert {"install:certificate/web@a", "install:certificate/mail@b"} <= set(step.requires)
        assert "issue:authority/services" in step.requires
    done = order(fleet)
    assert done["install certificate/mail@b"] < done["remove bundle/corp@a#root-g1"]
    assert fleet.trusted("a") == fleet.trusted("b") == NEW
    assert shown(fleet.plan()) == []


def test_a_compromised_anchor_stays_where_something_cannot_be_replaced(fleet: Fleet) -> None:
    fleet.away = {"b"}
    assert withdrawals(give_up(fleet)) == []
    fleet.apply()
    assert "root-g1" in fleet.trusted("a")
    fleet.away = set()
    fleet.converge()
    assert fleet.trusted("a") == fleet.trusted("b") == NEW


def test_an_immediate_one_goes_all_the_same_and_says_whom_it_takes_down(fleet: Fleet) -> None:
    fleet.away = {"b"}
    (step,) = withdrawals(give_up(fleet, immediate=True))
    assert step.message.startswith("OUTAGE of certificate/mail@b")
    assert step.after is not None
    assert "certificate/mail@b" in step.after["outage"]
    fleet.apply()
    assert fleet.trusted("a") == NEW


def test_what_was_revoked_leaves_another_host_by_itself() -> None:
    fleet = house()
    fleet.leaves.pop("mail")
    fleet.cas["root"] = Ca(standby=True)
    fleet.converge()
    fleet.away, fleet.cas["root"] = {"b"}, Ca()
    give_up(fleet).apply()
    assert (fleet.trusted("a"), fleet.trusted("b")) == (NEW, BOTH)
    fleet.away = set()
    (step,) = withdrawals(fleet)
    assert (step.address, step.due) == ("bundle/corp@b#root-g1", True)
    fleet.converge()
    assert fleet.trusted("b") == NEW


def test_a_place_on_another_host_holds_up_what_is_below_the_new_root(fleet: Fleet) -> None:
    fleet.away = {"b"}
    rotate(fleet).apply()
    assert fleet.trusted("a") == BOTH
    blocked = named(fleet.plan(), Action.BLOCKED, "authority/services")
    assert (blocked.reason, "bundle/corp@b" in blocked.message) == (Reason.PENDING, True)
    fleet.away = {"a"}
    assert named(fleet.plan(), Action.INSTALL, "bundle/corp@b").due
    fleet.apply()
    fleet.away = set()
    fleet.converge()
    assert fleet.current("web").signer == fleet.current("mail").signer


def test_a_consumer_that_refuses_keeps_what_it_had(fleet: Fleet) -> None:
    fleet.store("a").fail("activate", Rejected("no"))
    rotate(fleet)
    failed = [e.address for e in fleet.apply() if e.status is EventStatus.FAILED]
    assert failed == ["bundle/corp@a"]
    assert fleet.trusted("a") == OLD
    assert reasons(fleet.plan(), "certificate/web") != {}
    fleet.converge()


def test_a_target_that_is_put_there_is_recorded_before_and_after(fleet: Fleet) -> None:
    fleet.store("a").trust.clear()
    seen: list[TrustRecord] = []
    fleet.journal.watch = lambda _, after: seen.extend(after.trust.values())
    fleet.bundles["corp"] = replace(fleet.bundles["corp"], targets=(("a", "cas"), ("b", None)))
    fleet.apply()
    spots = [
        [(p.object_name, bool(p.anchors)) for p in record.placements if p.target == "a"]
        for record in seen
    ]
    assert ("cas", False) in spots[0]
    assert spots[-1] == [("cas", True)]


def trusted_everywhere(fleet: Fleet) -> None:
    """Every certificate that stands anywhere hangs by an anchor that every place trusts."""
    world = fleet.world()
    named = {f"root-g{n}": n for n in (1, 2, 3)}
    for serial in world.standing:
        _, issuance = world.serials[serial]
        roots = {
            getattr(i.request, "generation", 0)
            for i in fleet.journal.state.authorities["root"].issuances
            if i.serial in world.above(issuance)
        }
        for place in ("a", "b"):
            assert roots & {named[name] for name in fleet.trusted(place)}, (serial, place)


@pytest.mark.parametrize("start", [rotate, give_up], ids=["rotation", "compromise"])
@pytest.mark.parametrize("after", [False, True])
def test_a_run_that_dies_at_any_wave_leaves_everybody_trusted_and_is_finished_by_the_next(
    start: Callable[[Fleet], Fleet], *, after: bool
) -> None:
    whole = house().converge()
    whole.journal.waves = 0
    start(whole).converge()
    waves = whole.journal.waves
    for number in range(1, waves + 1):
        fleet = start(house().converge())
        fleet.journal.crash_at, fleet.journal.crash_after = number, after
        with suppress(Crash):
            fleet.apply()
        fleet.journal.crash_at = None
        trusted_everywhere(fleet)
        fleet.apply()
        assert start is rotate or shown(fleet.plan()) == [], number
        fleet.wait(OVERLAP + 0.1).apply()
        trusted_everywhere(fleet)
        fleet.wait(OVERLAP + 0.1).converge()
        assert fleet.trusted("a") == fleet.trusted("b") == NEW, number
