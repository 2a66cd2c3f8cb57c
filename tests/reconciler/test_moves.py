"""Certificates move to another CA: what the plan says of it, and two hundred at once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from fleet_documents import Ca, Leaf, at
from limited_ca import SERVER, LimitedFleet, acme
from trusting import Trust

from reconciler.guard import guard
from reconciler.planning import pending
from reconciler.render.markdown import render_markdown
from reconciler.render.text import render_text
from schemas.certificate import Rollout
from schemas.plan import Action, MoveReport, Plan, Reason
from schemas.project import GuardSettings

WEB = Leaf("mid", at("a"), days=90, renew_before=30)
MANY = 200
DAY = timedelta(days=1)


@pytest.fixture
def fleet() -> LimitedFleet:
    """One certificate of a CA of ours, and an Issuer beside it."""
    cas = {"root": Ca(), "mid": Ca("root"), "other": Ca("root"), "apart": Ca()}
    made = LimitedFleet(cas=cas, leaves={"web": WEB}, issuers={"le": acme()})
    made.converge()
    return made


def only(plan: Plan) -> MoveReport:
    (found,) = plan.moves
    return found


def test_a_move_says_what_becomes_of_the_old_one_and_what_the_new_ca_decides(
    fleet: LimitedFleet,
) -> None:
    end = fleet.current("web").not_after
    fleet.edit("web", issuer="le")
    found = only(fleet.plan())
    assert (found.before, found.after, found.certificates) == ("authority/mid", "issuer/le", 1)
    assert (found.revoked, found.valid_until) == (0, end)
    assert set(found.ignored) == {"usages", "duration"}
    assert found.other_root
    assert found.root is None
    said = render_text(fleet.plan(), colour=False)
    assert "1 certificate from authority/mid to issuer/le" in said
    assert f"afterwards it is not revoked: valid until {end:%Y-%m-%d}" in said
    assert "issuer/le decides by itself, whatever the documents say: usages, duration" in said
    assert "this plan asks issuer/le for 1 order; 0 of 300 in 3h used" in said
    assert "the root of <code>issuer/le</code>" in render_markdown(fleet.plan())


def test_what_the_new_ca_decides_by_itself_is_told_as_no_change(fleet: LimitedFleet) -> None:
    fleet.edit("web", issuer="le", days=14)
    (issue,) = (c for c in fleet.plan().changes if c.action is Action.ISSUE)
    assert "duration" not in {field.path for field in issue.fields}
    assert "duration" not in (issue.after or {})
    assert issue.message == "moves from mid to le"
    fleet.converge()
    fleet.edit("web", issuer="mid", days=90)
    back = fleet.plan()
    assert "duration" in {field.path for change in back.changes for field in change.fields}
    assert only(back).ignored == ()


def test_a_move_below_one_root_asks_nobody_to_trust_another(fleet: LimitedFleet) -> None:
    fleet.edit("web", issuer="other")
    assert not only(fleet.plan()).other_root
    assert "have to trust" not in render_text(fleet.plan(), colour=False)
    fleet.edit("web", issuer="apart")
    assert only(fleet.plan()).other_root
    assert "authority/apart by then: it is in no Bundle" in render_text(fleet.plan(), colour=False)
    fleet.bundles["corp"] = Trust(authorities=("root", "apart"), targets=at("a"))
    assert only(fleet.plan()).bundles == ("corp",)


def test_a_predecessor_that_the_plan_revokes_is_told_as_revoked(fleet: LimitedFleet) -> None:
    fleet.wait(0.1).revoke("incident", "web").edit("web", issuer="le")
    plan = fleet.plan()
    (revoke,) = (c for c in plan.changes if c.action is Action.REVOKE)
    (issue,) = (c for c in plan.changes if c.action is Action.ISSUE)
    assert "install:certificate/web@a" in revoke.requires
    assert issue.reason is Reason.REVOKED
    assert ("issuerRef", "mid", "le") in {(f.path, f.before, f.after) for f in issue.fields}
    assert (only(plan).revoked, only(plan).valid_until) == (1, None)
    assert "verified; then it is revoked" in render_text(plan, colour=False)
    why = "revocation/incident revokes the current one; issuerRef: mid → le"
    assert why in render_markdown(plan)


def test_an_issuer_that_is_made_another_ca_is_told_by_what_it_is(fleet: LimitedFleet) -> None:
    fleet.edit("web", issuer="le").converge()
    fleet.issuers["le"] = acme("https://acme.example.org/directory")
    found = only(fleet.plan())
    assert found.before == f"issuer/le ({SERVER})"
    assert found.after == "issuer/le (https://acme.example.org/directory)"
    assert not found.revocable
    said = render_text(fleet.plan(), colour=False)
    assert "no Revocation can reach it" in said
    assert "this plan asks issuer/le (https://acme.example.org/directory) for 1 order" in said
    fleet.issuers["le"] = acme()
    assert fleet.plan().moves == ()


def test_neither_a_new_certificate_nor_a_new_generation_moves(fleet: LimitedFleet) -> None:
    fleet.leaves["new"] = replace(WEB, issuer="le", names=("new.example.com",))
    assert fleet.plan().moves == ()
    fleet.cas["mid"] = Ca("root", generation=2)
    assert fleet.plan().moves == ()


def test_two_hundred_move_as_the_new_ca_has_room_and_none_is_left_without_one() -> None:
    leaves = {
        f"w{n}": replace(WEB, names=(f"w{n}.example.com",), rollout=Rollout.NOW)
        for n in range(MANY)
    }
    fleet = LimitedFleet(
        cas={"root": Ca(), "mid": Ca("root")}, leaves=leaves, issuers={"le": acme()}
    )
    fleet.converge()
    for name in leaves:
        fleet.edit(name, issuer="le")
    plan = fleet.plan()
    assert only(plan).certificates == MANY
    assert (
        len([line for line in render_text(plan, colour=False).splitlines() if "decides" in line])
        == 1
    )
    state, changes = fleet.journal.state, pending(plan.changes)
    refused = guard(changes, GuardSettings(), state, fleet.now)
    assert any("200" in found.summary for found in refused)
    assert guard(changes, GuardSettings(), state, fleet.now, mass=True) == ()
    moved = []
    for _ in range(30):
        fleet.apply()
        issued = [fleet.current(name) for name in leaves]
        assert all(each.not_after > fleet.now for each in issued)
        moved.append(sum(each.request.issuer == "le" for each in issued))
        if moved[-1] == MANY:
            break
        fleet.now += DAY
    assert moved[0] in range(40, 51), (
        "a tenth of what the CA sells for one domain is left for people"
    )
    assert moved[-1] == MANY
    assert len(moved) <= 29
