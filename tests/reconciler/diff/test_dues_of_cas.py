"""What of CAs and bundles is due without a review: nothing that an edit asks for, or brings along."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ca_life import edit
from fleet import Fleet
from fleet_documents import Ca, Leaf
from fleet_sights import named
from trusting import Trust

from reconciler.apply import apply
from reconciler.diff import World, diff
from reconciler.planning import make_plan
from reconciler.reviewing import Fingerprints
from schemas.authority import OcspSettings
from schemas.plan import Action, Change
from schemas.target import LocalDirectory, TargetSpec

NOTE, CROSS, INSTALL = "configure:bundle/corp", "issue:cross/root-g2", "install:bundle/corp@a"


def due(world: World) -> dict[str, bool]:
    return {step.id: step.due for step in diff(world)}


def run(fleet: Fleet, *shown: Change) -> set[str]:
    """Apply what was shown and what is due; name what is refused."""
    session = fleet.session()
    verdict = Fingerprints(frozenset(s.fingerprint for s in shown)).judge(make_plan(session.world))
    allowed = [step for step in verdict.allowed if step.action is not Action.BLOCKED]
    list(apply(session, allowed))
    return {refusal.change.id for refusal in verdict.refused}


@pytest.fixture
def ready() -> Fleet:
    """A root with a standby that is trusted already, and by which nothing hangs."""
    cas = {"root": Ca(standby=True)}
    return Fleet(cas=cas, leaves={"web": Leaf()}, bundles={"corp": Trust()}).converge()


def test_a_standby_that_a_push_past_review_gives_up_stays_trusted(ready: Fleet) -> None:
    ready.base = ready.desired()
    edit(ready, "root", standby=False)
    assert run(ready) == {NOTE}
    ready.wait(25)
    assert "issue:certificate/web" not in run(ready), "what is due is done, and notes nothing"
    assert ready.journal.state.trust["corp"].replaced == {}
    assert ready.trusted("a") == ["root-g1", "root-g2"]


def test_once_that_was_reviewed_its_time_is_counted_and_it_goes(ready: Fleet) -> None:
    ready.base = ready.desired()
    edit(ready, "root", standby=False)
    shown = named(ready.plan(), Action.CONFIGURE, "bundle/corp")
    assert (shown.due, shown.proposed) == (False, True)
    assert run(ready, shown) == set()
    assert len(ready.journal.state.trust["corp"].replaced) == 1
    ready.base = ready.desired()
    ready.wait(8)
    assert named(ready.plan(), Action.REMOVE, "bundle/corp@a").due
    assert run(ready) == set()
    assert ready.trusted("a") == ["root-g1"]


@pytest.fixture
def crossed() -> Fleet:
    """A root of a second generation, and a cross-certificate that ends in 800 days."""
    fleet = Fleet(cas={"root": Ca(days=800)}, leaves={"web": Leaf()}).converge()
    return edit(fleet, "root", generation=2, crossed=True, days=1600).converge()


@pytest.mark.parametrize(
    "former",
    [{"renew_before": timedelta(days=20)}, {"crossed": False}],
    ids=["renewBefore", "crossSign"],
)
def test_an_edit_makes_no_cross_certificate_due(crossed: Fleet, former: dict[str, Any]) -> None:
    """Its older root is renewed first: a cross-certificate lasts no longer than that."""
    edit(crossed, "root", renew_before=700)
    crossed.wait(200)
    now = crossed.world()
    longer = _older_lasts_longer(now)
    base = replace(
        now.desired.authorities["root"], renew_before=now.desired.authorities["root"].renew_before
    )
    if "crossed" in former:
        base = replace(base, crossed=False)
    else:
        base = replace(base, renew_before=base.renew_before / 10)
    before = replace(now.desired, authorities={**now.desired.authorities, "root": base})
    assert due(replace(longer, base=now.desired))[CROSS]
    assert not due(replace(longer, base=before))[CROSS]


def _older_lasts_longer(world: World) -> World:
    """Let the first generation have been renewed."""
    record = world.ledger.authorities["root"]
    older = record.issued(1)
    assert older is not None
    more = older.model_copy(update={"not_after": older.not_after.replace(year=2040)})
    kept = tuple(more if i.serial == older.serial else i for i in record.issuances)
    changed = record.model_copy(update={"issuances": kept})
    return replace(world, ledger=replace(world.ledger, authorities={"root": changed}))


@pytest.mark.parametrize("former", ["standby", "retired"])
def test_what_the_base_did_not_keep_is_not_renewed_without_a_review(former: str) -> None:
    fleet = Fleet(cas={"root": Ca(days=300, renew_before=50, standby=True)}).converge()
    now = fleet.wait(280).world()
    root = now.desired.authorities["root"]
    gone = replace(root, standby=None) if former == "standby" else replace(root, retired=True)
    base = replace(now.desired, authorities={"root": gone})
    id_ = "issue:standby/root-g2" if former == "standby" else "issue:authority/root"
    assert due(replace(now, base=now.desired))[id_]
    assert not due(replace(now, base=base))[id_]


@pytest.mark.parametrize(("field", "value"), [("mode", 0o640), ("group", "users")])
def test_no_edit_of_its_target_comes_along_with_a_bundle(field: str, value: object) -> None:
    fleet = Fleet(cas={"root": Ca(days=300, renew_before=50)}, bundles={"corp": Trust()}).converge()
    now = fleet.wait(280).world()
    assert due(replace(now, base=now.desired))[INSTALL]
    settings: dict[str, Any] = {"path": "a", field: value}
    spec = TargetSpec(local_directory=LocalDirectory(**settings))
    edited = replace(now.desired.targets["a"], spec=spec, digest="another")
    desired = replace(now.desired, targets={**now.desired.targets, "a": edited})
    assert not due(replace(now, desired=desired, base=now.desired))[INSTALL]


def test_no_certificate_says_where_its_response_is_before_that_was_reviewed() -> None:
    fleet = Fleet(leaves={"web": Leaf()}).converge()
    fleet.base = fleet.desired()
    edit(fleet, "root", ocsp=OcspSettings()).wait(25)
    before = fleet.current("web")
    assert run(fleet) == {"publish:ocsp/root-g1"}
    assert fleet.current("web") != before, "it was due"
    assert fleet.current("web").urls.ocsp is None
    fleet.wait(25)
    shown = named(fleet.plan(), Action.PUBLISH, "ocsp/root-g1")
    assert run(fleet, shown) == set()
    assert (fleet.current("web").urls.ocsp or "").endswith("/ocsp/root-g1")
