"""What is assumed where nobody looks: hosted and adopted objects, labels of the base, what was published."""

from dataclasses import replace
from datetime import timedelta

import pytest
from fleet import Fleet
from fleet_documents import Leaf, at
from fleet_sights import shown

from providers.base import NAME, OWNER, HostingState, Installed
from providers.errors import Transient
from providers.memory_hosting import MemoryHost, grant
from reconciler.assumption import Assumption
from reconciler.diff import World
from reconciler.planning import make_plan
from reconciler.state import Desired, Observed
from schemas.issuer import AmazonIssuer, IssuerSpec
from schemas.plan import Action, Plan, Reason

ARN = "arn:aws:acm:eu-west-1:111122223333:certificate/1"


def unseen(fleet: Fleet, base: Desired | None = None) -> World:
    """The world to somebody who looks at nothing."""
    seen = fleet.world()
    guess = Assumption(seen.desired, seen.ledger, seen.now, base)
    targets = {name: guess.holding(name, "nobody looked") for name in seen.desired.targets}
    return replace(seen, observed=Observed(targets, guess.published()))


def planned(fleet: Fleet, base: Desired | None = None) -> Plan:
    return make_plan(unseen(fleet, base))


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(leaves={"web": Leaf(labels={"team": "shop"})}).converge()


@pytest.fixture
def hosted() -> Fleet:
    """A certificate that its place issues by itself."""
    fleet = Fleet(
        leaves={"web": Leaf(issuer="amazon")},
        issuers={"amazon": IssuerSpec(aws_acm=AmazonIssuer())},
        kinds={"a": MemoryHost},
    )
    fleet.apply()
    grant(fleet.store("a"), "web", "a1", fleet.now + timedelta(days=200))
    return fleet.converge()


def test_a_target_tells_that_it_is_assumed_and_why(fleet: Fleet) -> None:
    reports = {report.name: report for report in planned(fleet).targets}
    assert (reports["a"].status, reports["a"].detail) == ("assumed", "nobody looked")
    assert (reports["a"].certificates, reports["b"].certificates) == (1, 0)


def test_labels_are_those_that_the_base_gave_and_without_one_those_at_hand(fleet: Fleet) -> None:
    base = fleet.desired()
    fleet.edit("web", labels={"team": "search"})
    assert shown(planned(fleet, base)) == [("relabel", "certificate/web@a", "LabelsChanged")]
    assert shown(planned(fleet)) == []


def test_a_rename_is_seen_by_the_name_the_object_still_has(fleet: Fleet) -> None:
    base = fleet.desired()
    fleet.rename("web", "www")
    real = {(step.id, step.fingerprint) for step in fleet.plan().changes}
    assert {(step.id, step.fingerprint) for step in planned(fleet, base).changes} == real
    assert shown(planned(fleet)) == shown(fleet.plan())


def test_what_was_never_verified_is_not_assumed_to_be_there(fleet: Fleet) -> None:
    fleet.edit("web", targets=at("a", "b"))
    fleet.store("b").fail("verify", Transient("injected"))
    fleet.apply()
    record = fleet.journal.state.certificates["web"]
    assert record.placement("b", "web") is not None
    assert ("install", "certificate/web@b", "NotFound") in shown(planned(fleet))


def test_what_a_place_issued_is_assumed_to_be_issued_and_renewed(hosted: Fleet) -> None:
    base = hosted.desired()
    assert shown(planned(hosted, base)) == []
    found = unseen(hosted, base).observed.targets["a"].installed
    (there,) = found.values()
    assert there.hosting is not None
    assert there.hosting.state is HostingState.ACTIVE
    hosted.edit("web", names=("new.example.com",))
    (step,) = planned(hosted, base).changes
    real = next(c for c in hosted.plan().changes if c.action is Action.INSTALL)
    assert (step.reason, step.fingerprint) == (Reason.SPEC_CHANGED, real.fingerprint)
    assert [field.path for field in step.fields] == ["dnsNames"]


def test_what_was_adopted_stays_until_it_is_replaced_and_nobody_knows_when_it_ends() -> None:
    fleet = Fleet(leaves={"other": Leaf(targets=at("b"))}).converge()
    ends = fleet.now + timedelta(days=60)
    fleet.store("a").put_foreign(Installed(ARN, ARN, {}, "abc123", "00" * 32, ends))
    fleet.leaves["web"] = Leaf(adopt={"a": (ARN,)})
    fleet.converge()
    assert shown(planned(fleet, fleet.desired())) == []
    found = unseen(fleet).observed.targets["a"].installed["web"]
    assert (found.id, found.labels[NAME], found.serial) == (ARN, "web", None)
    fleet.edit("web", adopt={})
    assert shown(planned(fleet)) == shown(fleet.plan())


def test_what_is_to_be_adopted_is_assumed_to_be_there_as_a_stranger(fleet: Fleet) -> None:
    fleet.leaves["new"] = Leaf(adopt={"a": (ARN,)}, names=("new.example.com",))
    assert shown(planned(fleet)) == [("adopt", "certificate/new@a", "Requested")]
    assert OWNER not in unseen(fleet).observed.targets["a"].installed["new"].labels


def test_each_region_is_assumed_to_hold_what_names_it(fleet: Fleet) -> None:
    other = ARN.replace("eu-west-1", "us-east-1")
    both = dict.fromkeys(("acm/eu-west-1", "acm/us-east-1"), (ARN, other))
    fleet.targets = (*fleet.targets, *both)
    fleet.leaves["new"] = Leaf(targets=at(*both), adopt=both, names=("new.example.com",))
    held = unseen(fleet).observed.targets
    assert {t: [i.id for i in held[t].installed.values()] for t in both} == {
        "acm/eu-west-1": [ARN],
        "acm/us-east-1": [other],
    }


def test_what_was_superseded_and_stayed_is_assumed_to_be_used_still(fleet: Fleet) -> None:
    record = fleet.journal.state.certificates["web"]
    left = record.placements[0].model_copy(update={"object_id": "arn/0123456789"})
    beside = left.model_copy(update={"object_name": "arn/0123456789"})
    new = left.model_copy(update={"object_id": "arn/abcdef"})
    fleet.journal.rewrite(record.model_copy(update={"placements": (beside, new)}))
    (step,) = planned(fleet, fleet.desired()).changes
    assert (step.action, step.reason) == (Action.BLOCKED, Reason.IN_USE)


def test_what_was_published_is_what_the_ledger_signed_last(fleet: Fleet) -> None:
    assert unseen(fleet).observed.published == fleet.published()
    fleet.revoke("gone", "web").converge()
    assert unseen(fleet).observed.published == fleet.published()


def test_a_ca_that_was_never_published_is_not_assumed_to_be(fleet: Fleet) -> None:
    fleet.publish = False
    fleet.cas["late"] = replace(fleet.cas["root"])
    fleet.converge()
    fleet.publish = True
    base = replace(fleet.desired(), publish=None)
    assert {c.address for c in planned(fleet, base).changes} == {"ca/late-g1", "crl/late-g1"}
