"""A plan at night, when a CA key was stolen: what is replaced, what is revoked when, who is taken down."""

from collections.abc import Callable

import pytest
from fleet import Fleet
from fleet_documents import Ca, Leaf, at
from trusting import Trust

from reconciler.diff import revocation_warnings
from reconciler.guard import forewarned
from reconciler.planning import pending
from reconciler.render.markdown import Setting, render_markdown
from reconciler.render.outage import outage_of
from reconciler.render.text import render_text
from schemas.plan import Action, Plan

Golden = Callable[[str, str], None]


def night(*, immediate: bool) -> Fleet:
    """Three leaves of a stolen CA; one of their places is on another host."""
    cas = {"root": Ca(), "services": Ca(parent="root")}
    leaves = {
        "api": Leaf(issuer="services", names=("api.example.com",)),
        "shop": Leaf(issuer="services", targets=at("a", "b"), names=("shop.example.com",)),
        "web": Leaf(issuer="services", targets=at("a"), names=("web.example.com",)),
    }
    fleet = Fleet(cas=cas, leaves=leaves).converge().wait(1)
    fleet.away.add("b")
    return fleet.compromise("services", immediate=immediate)


def readable(fleet: Fleet, plan: Plan, text: str) -> str:
    """Return text with names in the place of what is random: serials, digests."""
    for serial, (address, issuance) in fleet.world().serials.items():
        name = f"<serial of {address.partition('/')[2]}>"
        text = text.replace(serial, name).replace(issuance.sha256 or serial, "<its digest>")
    return text.replace(plan.digest, "<digest>")


@pytest.mark.parametrize("immediate", [False, True], ids=["in-order", "immediate"])
def test_the_plan_of_a_compromise_is_what_was_reviewed(golden: Golden, immediate: bool) -> None:
    fleet = night(immediate=immediate)
    plan, world = fleet.plan(), fleet.world()
    name = "immediate" if immediate else "compromise"
    text = render_text(plan, colour=False)
    golden(f"plan/{name}.txt", readable(fleet, plan, text))
    warnings = tuple(revocation_warnings(world, plan.changes))
    warnings += forewarned(pending(plan.changes), world.desired.guard, world.ledger, world.now)
    shown = render_markdown(plan, setting=Setting(warnings=warnings))
    golden(f"plan/{name}.md", readable(fleet, plan, shown))


def test_who_is_taken_down_is_in_the_first_line_the_last_and_the_json() -> None:
    fleet = night(immediate=True)
    plan = fleet.plan()
    assert outage_of(plan.changes) == ("certificate/shop@b",)
    shown = render_markdown(plan)
    assert "OUTAGE of 1 place" in shown.splitlines()[0]
    assert shown.index("> **OUTAGE of 1 place:**") < shown.index("cannot be undone")
    text = render_text(plan, colour=False).splitlines()
    (where,) = (n for n, line in enumerate(text) if line == "  ! certificate/shop@b")
    assert text[where - 1].startswith("OUTAGE of 1 place: ")
    assert len(text) - where < 6
    assert '"outage":["certificate/shop@b"]' in plan.model_dump_json()


def test_so_it_is_where_an_anchor_alone_goes() -> None:
    """The revocations were made by a run before; a place that is on another host is left."""
    leaves = {"shop": Leaf(names=("shop.example.com",), targets=at("b"))}
    fleet = Fleet(leaves=leaves, bundles={"corp": Trust()}).converge()
    fleet.away.add("b")
    fleet.compromise("root", immediate=True)
    plan = fleet.plan()
    left = [c for c in plan.changes if c.action is not Action.REVOKE]
    alone = plan.model_copy(update={"changes": tuple(left)})
    assert outage_of(alone.changes) == ("certificate/shop@b",)
    assert "OUTAGE of 1 place" in render_markdown(alone).splitlines()[0]
    assert "\n  ! certificate/shop@b\n" in render_text(alone, colour=False)
    assert "bundle/corp" in render_markdown(alone).partition("cannot be undone")[2]


def test_without_an_outage_nobody_speaks_of_one() -> None:
    fleet = night(immediate=False)
    assert "OUTAGE" not in render_text(fleet.plan(), colour=True) + render_markdown(fleet.plan())
