"""What a plan tells of the CAs that it revokes or replaces: what hangs by them, and what it re-issues."""

import json
import re
from dataclasses import replace

import pytest
from fleet import Fleet
from fleet_documents import HERE, Ca, Leaf, at
from markdown_it import MarkdownIt

from reconciler.planning import make_plan
from reconciler.render.markdown import render_markdown
from reconciler.render.text import render_text
from reconciler.selection import Selection
from reconciler.state import DesiredRevocation
from schemas.plan import Action, ImpactReport, LeftBehind, PlaceCount, Plan, Reason
from schemas.revocation import RevocationReason

CAS = {
    "root": Ca(),
    "services": Ca(parent="root"),
    "inner": Ca(parent="services"),
    "other": Ca(parent="root"),
}
LEAVES = {
    **{f"web{n}": Leaf(issuer="services", targets=at("a", "b")) for n in range(3)},
    "deep": Leaf(issuer="inner", targets=at("b")),
    "apart": Leaf(issuer="other"),
}


@pytest.fixture(scope="module")
def rotated() -> Fleet:
    fleet = Fleet(cas=dict(CAS), leaves=dict(LEAVES)).converge()
    fleet.cas["services"] = replace(CAS["services"], generation=2)
    fleet.cas["inner"] = replace(CAS["inner"], generation=2)
    return fleet


@pytest.fixture(scope="module")
def plan(rotated: Fleet) -> Plan:
    return rotated.plan()


def report(plan: Plan) -> ImpactReport:
    (found,) = plan.impacts or ()
    return found


def test_a_plan_that_replaces_a_ca_tells_what_hangs_by_it_and_that_all_is_re_issued(
    plan: Plan,
) -> None:
    told = report(plan)
    assert (told.address, told.generation, told.revoked) == ("authority/services", 1, False)
    assert (told.certificates, told.reissued, told.left) == (4, 4, ())
    assert told.places == (
        PlaceCount(place="b", certificates=4),
        PlaceCount(place="a", certificates=3),
    )
    branches = [(each.address, each.above, each.certificates) for each in told.branches]
    assert branches == [("authority/services", None, 3), ("authority/inner", 0, 1)]


def test_what_a_plan_does_not_re_issue_is_named(rotated: Fleet) -> None:
    told = report(make_plan(rotated.world(), Selection(("authority/services",))))
    assert (told.certificates, told.reissued) == (4, 0)
    assert {each.address for each in told.left} == {f"certificate/{n}" for n in LEAVES} - {
        "certificate/apart"
    }
    text = render_text(make_plan(rotated.world(), Selection(("authority/services",))), colour=False)
    assert (
        "  authority/services generation 1: 4 certificates in 2 places, first end 2026-01-3" in text
    )
    assert "; 4 are not: certificate/" in text
    assert ", 1 more\n" in text


def test_a_plan_that_leaves_every_ca_as_it_is_says_nothing_of_it(rotated: Fleet) -> None:
    fleet = Fleet(leaves={"web": Leaf()})
    assert fleet.plan().impacts is None
    assert "impacts" not in json.loads(fleet.plan().model_dump_json(exclude_none=True))
    assert "What hangs" not in render_text(fleet.plan(), colour=False)
    assert "What hangs" not in render_markdown(fleet.plan())


def test_no_fingerprint_and_no_digest_depends_on_it(plan: Plan) -> None:
    assert plan.model_copy(update={"impacts": None}).digest == plan.digest
    assert Plan.model_validate_json(plan.model_dump_json()).impacts == plan.impacts


def test_markdown_has_a_line_and_a_picture_in_a_fold(plan: Plan) -> None:
    text = render_markdown(plan)
    assert (
        "- <code>authority/services</code> generation 1: 4 certificates in 2 places, first end"
        in text
    )
    assert "; all re-issued by this plan\n" in text
    fences = [t for t in MarkdownIt("commonmark").parse(text) if t.type == "fence"]
    (drawn,) = [token.content for token in fences if token.info == "mermaid"]
    assert drawn.startswith("flowchart LR\n")
    assert '"authority/services<br/>generation 1, until ' in drawn
    assert re.search(r"n0 --> n1\n", drawn)


def test_a_comment_without_room_keeps_the_line_and_leaves_out_the_picture(plan: Plan) -> None:
    small = render_markdown(plan, 2_600)
    assert len(small.encode()) <= 2_600
    assert "What hangs by the CAs that are replaced:" in small
    assert "```mermaid" not in small
    assert "1 picture of it without room here." in small


def test_hostile_names_are_told_and_obeyed_nowhere(plan: Plan) -> None:
    hostile = '</summary>```\n<script>"];x \x1b[31m @octocat'
    told = report(plan)
    branches = tuple(b.model_copy(update={"address": hostile}) for b in told.branches)
    bad = told.model_copy(
        update={
            "address": hostile,
            "reissued": 0,
            "left": (LeftBehind(address=hostile, why=hostile),),
            "branches": branches,
            "places": (PlaceCount(place=hostile, certificates=1),),
        }
    )
    shown = plan.model_copy(update={"impacts": (bad,)})
    text = render_markdown(shown)
    assert "<script" not in text
    assert "\x1b" not in text + render_text(shown, colour=False)
    assert "@octocat" not in text
    assert text.count("```mermaid\n") == 1


def test_of_many_cas_only_those_are_told_by_which_the_most_hangs() -> None:
    cas = {"root": Ca(), **{f"ca{n}": Ca(parent="root") for n in range(7)}}
    leaves = {f"web{n}-{m}": Leaf(issuer=f"ca{n}") for n in range(7) for m in range(n)}
    fleet = Fleet(cas=cas, leaves=leaves).converge()
    for n in range(7):
        fleet.cas[f"ca{n}"] = Ca(parent="root", generation=2)
    told = [(each.address, each.certificates) for each in fleet.plan().impacts or ()]
    assert told == [(f"authority/ca{n}", n) for n in (6, 5, 4, 3, 2)]


def test_a_generation_that_is_revoked_is_told_so_whether_at_once_or_after_its_successor() -> None:
    for immediate in (False, True):
        fleet = Fleet(cas=dict(CAS), leaves=dict(LEAVES)).converge()
        fleet.cas["services"] = replace(CAS["services"], generation=2)
        fleet.revocations["leak"] = DesiredRevocation(
            name="leak",
            source=HERE,
            certificates=(),
            issued_before=None,
            serials=(),
            reason=RevocationReason.KEY_COMPROMISE,
            authority="services",
            generation=1,
            immediate=immediate,
        )
        told = report(fleet.plan())
        assert (told.address, told.generation, told.revoked) == ("authority/services", 1, True)
        assert (told.certificates, told.reissued) == (4, 4)
        text = render_markdown(fleet.plan())
        assert "generation 1, which is **revoked**: 4 certificates in 2 places" in text


def test_a_renewed_ca_keeps_what_hangs_by_it_and_nothing_is_told() -> None:
    fleet = Fleet(cas={"root": Ca(), "services": Ca(parent="root", days=60)}, leaves={})
    fleet.leaves["web"] = Leaf(issuer="services", days=20)
    fleet.converge()
    fleet.wait(56)
    plan = fleet.plan()
    issued = {c.address: c.reason for c in plan.changes if c.action is Action.ISSUE}
    assert issued["authority/services"] is Reason.RENEWING
    assert plan.impacts is None
