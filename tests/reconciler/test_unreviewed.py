"""What is pushed past review moves nothing: with it, a run does no more than without it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from ca_life import edit
from fleet import Fleet
from fleet_documents import HERE, START, Ca, Leaf
from fleet_sights import named
from takeovers import elliptic, entry, made, takeover
from trusting import Trust, stranger

from providers import x509
from reconciler.errors import Refused
from reconciler.render.markdown import render_markdown
from reconciler.reviewing import Fingerprints, SavedPlan
from reconciler.state import DesiredRevocation
from reconciler.takeover import Takeover
from schemas.authority import OcspSettings
from schemas.plan import Action, Change, Plan
from schemas.revocation import RevocationReason

Edit = Callable[[Fleet], object]
LATE = START + timedelta(days=900)


def legacy(count: int) -> Takeover:
    key = KEY
    past = [entry(str(1001 + n), LATE if n else START + timedelta(days=5)) for n in range(count)]
    return takeover(made(START - timedelta(days=400), key), key, past=past, number=41)


KEY, STRANGER = elliptic(), stranger("Evil Root", START)
"""Made for tests; they are nobody's."""


def house() -> Fleet:
    """Two roots, one of them of before, an intermediate with a standby, leaves, bundles: all settled."""
    cas = {
        "root": Ca(days=3650, standby=True),
        "services": Ca("root", days=1825, crl_shards=2),
        "legacy": Ca(existing=legacy(3)),
    }
    leaves = {"web": Leaf("services"), "old": Leaf("legacy"), "slow": Leaf("root", days=300)}
    bundles = {"corp": Trust(), "both": Trust(("root", "legacy"), (("b", None),))}
    return Fleet(cas, leaves, bundles).converge()


def revoke_past(fleet: Fleet, *serials: str, generation: int | None = None) -> None:
    fleet.revocations["past"] = DesiredRevocation(
        name="past",
        source=HERE,
        certificates=(),
        issued_before=None,
        serials=serials,
        reason=RevocationReason.KEY_COMPROMISE,
        authority="legacy",
        generation=generation,
        immediate=False,
    )


def another(fleet: Fleet) -> None:
    fleet.cas["more"] = Ca(existing=legacy(0))


EDITS: dict[str, Edit] = {
    "a generation raised to its standby": lambda f: edit(f, "root", generation=2),
    "a new generation": lambda f: edit(f, "services", generation=2),
    "another parent": lambda f: edit(f, "services", parent="legacy"),
    "a cross-certificate": lambda f: edit(f, "root", generation=2, crossed=True),
    "a standby": lambda f: edit(f, "services", standby=True),
    "no standby any more": lambda f: edit(f, "root", standby=False),
    "a CA that renews earlier": lambda f: edit(f, "services", renew_before=1800),
    "a CA of before": another,
    "more files of a CA of before": lambda f: edit(f, "legacy", existing=legacy(5)),
    "a revocation of before, by serial": lambda f: revoke_past(f, "1002"),
    "a revocation of all before": lambda f: revoke_past(f, generation=1),
    "a revocation": lambda f: f.revoke("gone", "web"),
    "a compromised root": lambda f: f.compromise("root"),
    "a root that is lost at once": lambda f: f.compromise("root", immediate=True),
    "an intermediate lost at once": lambda f: f.compromise("services", immediate=True),
    "responses": lambda f: edit(f, "services", ocsp=OcspSettings()),
    "lists that live longer": lambda f: edit(f, "services", crl_days=300),
    "fewer parts of a list": lambda f: edit(f, "services", crl_shards=1),
    "an anchor of others": lambda f: f.bundles.update(corp=Trust(others=(STRANGER,))),
    "one root less in a bundle": lambda f: f.bundles.update(both=Trust(("root",), (("b", None),))),
    "a bundle in one place more": lambda f: f.bundles.update(
        corp=Trust(targets=(("a", None), ("b", None)))
    ),
    "a bundle under another name": lambda f: f.bundles.update(corp=Trust(targets=(("a", "x"),))),
    "no bundle any more": lambda f: f.bundles.pop("corp"),
    "no overlap": lambda f: f.bundles.update(corp=Trust(overlap=0)),
    "a CA that is retired": lambda f: edit(f, "services", retired=True),
}


def allowed(fleet: Fleet, *shown: Change) -> dict[str, str]:
    """Name what a run does of a plan where these changes were reviewed, by what tells it from others.

    A list that is due tells of what the ledger says, whatever else is planned.
    """
    verdict = Fingerprints(frozenset(s.fingerprint for s in shown)).judge(fleet.plan())
    made = [c for c in verdict.allowed if c.action is not Action.BLOCKED]
    return {c.id if c.action is Action.PUBLISH else c.fingerprint: c.id for c in made}


@pytest.fixture(scope="module")
def settled() -> Fleet:
    return house()


def as_before(settled: Fleet, days: float) -> Fleet:
    """The same house some days later, its documents to be edited; nothing is applied to it."""
    later = replace(
        settled,
        cas=dict(settled.cas),
        leaves=dict(settled.leaves),
        bundles=dict(settled.bundles),
        revocations={},
        away=set(),
        base=settled.desired(),
    )
    later.journal, later.publisher = settled.journal, settled.publisher
    return later.wait(days)


@pytest.mark.parametrize("days", [0, 25])
@pytest.mark.parametrize("case", EDITS)
def test_a_push_past_review_moves_nothing(settled: Fleet, case: str, days: int) -> None:
    fleet = as_before(settled, days)
    anyway = allowed(fleet)
    assert bool(anyway) is bool(days)
    EDITS[case](fleet)
    assert {id_ for key, id_ in allowed(fleet).items() if key not in anyway} == set()


@pytest.mark.parametrize("case", EDITS)
def test_all_that_it_would_move_is_told_as_proposed(settled: Fleet, case: str) -> None:
    fleet = as_before(settled, 0)
    EDITS[case](fleet)
    assert {c.id for c in fleet.plan().changes if not c.proposed} == set()


def test_two_reviews_do_not_add_up_to_what_neither_showed(settled: Fleet) -> None:
    """One lets a Bundle have an anchor of another root, the other moves that root on."""
    one, other, both = (as_before(settled, 0) for _ in range(3))
    wider = Trust(("root", "legacy"))
    one.bundles["corp"] = both.bundles["corp"] = wider
    for fleet in (other, both):
        edit(fleet, "legacy", generation=2)
    shown = [step for fleet in (one, other) for step in fleet.plan().changes]
    done = set(allowed(both, *shown).values())
    assert "issue:authority/legacy" in done
    assert done.isdisjoint({"install:bundle/corp@a", "issue:certificate/old"})
    assert "install:bundle/corp@a" in allowed(both, *both.plan().changes).values()


def test_what_a_merge_showed_before_another_one_changed_it_is_not_applied(settled: Fleet) -> None:
    """A cross-certificate of a generation that meanwhile asks for another life."""
    fleet = as_before(settled, 0)
    edit(fleet, "root", generation=2, standby=False, crossed=True)
    shown = fleet.plan().changes
    assert "issue:cross/root-g2" in allowed(fleet, *shown).values()
    edit(fleet, "root", generation=3)
    assert "issue:cross/root-g3" not in allowed(fleet, *shown).values()


def rewritten(plan: Plan, id_: str, **fields: object) -> Plan:
    """Somebody's edit of a saved plan."""
    changes = [c.model_copy(update=fields) if c.id == id_ else c for c in plan.changes]
    return plan.model_copy(update={"changes": tuple(changes)})


def lost(settled: Fleet, *, immediate: bool = True) -> Fleet:
    fleet = as_before(settled, 0)
    fleet.base = None
    return fleet.compromise("services", immediate=immediate)


def own(fleet: Fleet) -> str:
    return f"revoke:authority/services#{fleet.signed_under('services', 1).serial}"


@pytest.mark.parametrize("field", ["requires", "follows"])
def test_what_comes_first_is_not_for_a_saved_plan_to_say(settled: Fleet, field: str) -> None:
    fleet = lost(settled, immediate=field == "follows")
    plan = fleet.plan()
    asked = {c.id: getattr(c, field) for c in plan.changes}
    assert asked[own(fleet)]
    forged = rewritten(plan, own(fleet), **{field: ()})
    allowed_ = SavedPlan(forged).judge(fleet.plan()).allowed
    assert {c.id: getattr(c, field) for c in allowed_} == asked


def test_a_revocation_that_was_to_wait_is_not_hurried_by_a_saved_plan(settled: Fleet) -> None:
    shown = lost(settled, immediate=False).plan()
    with pytest.raises(Refused):
        SavedPlan(shown).judge(lost(settled).plan())


def test_an_outage_that_a_saved_plan_hides_is_refused(settled: Fleet) -> None:
    fleet = lost(settled)
    fleet.away.add("a")
    plan = fleet.plan()
    step = next(c for c in plan.changes if c.id == own(fleet))
    assert (step.after or {})["outage"] == ["certificate/web@a"]
    hidden = {k: v for k, v in (step.after or {}).items() if k != "outage"}
    with pytest.raises(Refused):
        SavedPlan(rewritten(plan, step.id, after=hidden)).judge(plan)
    SavedPlan(plan).judge(plan)


def test_a_change_that_is_called_due_in_a_saved_plan_alone_is_refused(settled: Fleet) -> None:
    fleet = lost(settled)
    before = as_before(settled, 0).plan()
    forged = [c.model_copy(update={"due": True, "fingerprint": ""}) for c in fleet.plan().changes]
    forgery = before.model_copy(update={"changes": (*before.changes, *forged)})
    with pytest.raises(Refused):
        SavedPlan(forgery).judge(fleet.plan())


PAST = "revoke:past/legacy-g1"


def test_more_of_before_than_was_shown_is_revoked_by_no_saved_plan(settled: Fleet) -> None:
    fleet = as_before(settled, 0)
    revoke_past(fleet, generation=1)
    plan = fleet.plan()
    step = next(c for c in plan.changes if c.id == PAST)
    fewer = {**(step.after or {}), "serials": (step.after or {})["serials"][1:]}
    with pytest.raises(Refused):
        SavedPlan(rewritten(plan, PAST, after=fewer)).judge(plan)


def test_what_of_before_has_ended_meanwhile_spoils_no_review(settled: Fleet) -> None:
    """A CA that issued thousands is given up: one of them ends every hour."""
    fleet = as_before(settled, 0)
    revoke_past(fleet, generation=1)
    plan = fleet.plan()
    later = fleet.wait(6).plan()
    serials = [(c.after or {})["serials"] for p in (plan, later) for c in p.changes if c.id == PAST]
    assert [len(each) for each in serials] == [3, 2]
    assert PAST in allowed(fleet, *plan.changes).values()
    SavedPlan(plan).judge(later)


def test_a_certificate_that_ends_meanwhile_spoils_no_saved_revocation() -> None:
    """Its list then tells of one serial less than was shown."""
    leaves = {"web": Leaf(), "short": Leaf(days=9, renew_before=1)}
    fleet = Fleet({"root": Ca(crl_days=60)}, leaves).converge()
    del fleet.leaves["short"]
    fleet.converge().compromise("root")
    plan = fleet.plan()
    assert sum(c.action is Action.REVOKE for c in plan.changes) == 3
    later = fleet.wait(9).plan()
    assert sum(c.action is Action.REVOKE for c in later.changes) == 2
    SavedPlan(plan).judge(later)


def test_an_anchor_of_others_is_told_by_its_fingerprint(settled: Fleet) -> None:
    """Anybody can make a certificate of any subject: the name alone tells a reviewer nothing."""
    fleet = as_before(settled, 0)
    fleet.bundles["corp"] = Trust(others=(STRANGER,))
    step = named(fleet.plan(), Action.INSTALL, "bundle/corp@a")
    told = f"CN=Evil Root (SHA-256 {x509.facts(STRANGER).sha256})"
    assert told in step.message
    assert told in (step.after or {})["anchors"]
    assert x509.facts(STRANGER).sha256 in render_markdown(fleet.plan())
