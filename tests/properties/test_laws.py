"""What holds whatever happened before: histories of edits, failures and accidents, then the truth."""

import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from course import GARBAGE, TARGETS
from fleet import Fleet
from fleet_sights import issuances, name_of
from history import History, failed
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st
from nameless import REGION

from providers.errors import Transient
from reconciler.address import place
from reconciler.diff import World
from reconciler.events import EventStatus
from reconciler.ledger.records import Status
from reconciler.order import waves
from reconciler.planning import make_plan, pending
from schemas.certificate import Custody
from schemas.plan import Action, Change, Reason

Step = tuple[str, int, int]
Steps = tuple[list[Step], list[Step]]
Kept = TypeVar("Kept")
OFTEN = ("change_key", "begin_to_use", "reconcile") * 2
"""What has to come together for a new object beside one that is used."""
STEP = st.tuples(
    st.sampled_from((*sorted(History.verbs), *OFTEN)), st.integers(0, 20), st.integers(0, 20)
)
FIRST = st.tuples(st.just("add"), st.integers(0, 4), st.integers(0, 20))
HISTORY = st.tuples(st.lists(FIRST, min_size=1, max_size=5), st.lists(STEP, max_size=16))
LAWS = settings(
    deadline=None,
    max_examples=int(os.environ.get("EXAMPLES", "100")),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
GROWN = (
    [("add", 0, 0), ("add", 1, 0), ("add", 2, 2)],
    [("raise_generation", 0, 0), ("widen", 20, 1)],
)
"""A CA that is renewed below one whose edit has to wait, and a leaf that needs that edit."""
REKEYED = ([("add", 0, 3)], [("change_key", 0, 1)])
"""An object whose kind of key cannot be changed where it is."""
IN_USE = [("begin_to_use", 0, 1), ("change_key", 0, 1), ("wait", 0, 0), ("revoke_name", 0, 0)]
USED = ([("add", 0, 3)], [*IN_USE, ("reconcile", 0, 0)])
"""One whose serial is to be revoked while something uses it beside its successor."""
LET_GO = (USED[0], [*USED[1], ("begin_to_use", 0, 0)])
TAKES_AWAY = (Action.REMOVE, Action.FORGET)


def lived(steps: Steps) -> History:
    """A repository to which all that has happened; every step of it is judged by `history.Laws`."""
    history = History()
    start, rest = steps
    for step in (*start, ("reconcile", 0, 0), *rest):
        history.step(*step)
    return history


def planned(history: History) -> tuple[Change, ...]:
    """What would be done now."""
    return pending(history.fleet.plan().changes)


def ranks(changes: Sequence[Change]) -> dict[str, int]:
    """The wave of each change."""
    return {step.id: rank for rank, wave in enumerate(waves(changes)) for step in wave}


def closure(changes: Sequence[Change], broken: set[str]) -> set[str]:
    """Changes and everything that requires them, at any remove."""
    found = set(broken)
    while more := {c.id for c in changes if c.id not in found and stopped_by(c, found)}:
        found |= more
    return found


def stopped_by(step: Change, lost: set[str]) -> bool:
    """A CRL is stopped by a lost revocation only when it has nothing else to be published for."""
    revocations = {id_ for id_ in step.requires if id_.startswith("revoke:")}
    if step.action is Action.PUBLISH and (step.due or not revocations <= lost):
        return not lost.isdisjoint(set(step.requires) - revocations)
    return not lost.isdisjoint(step.requires)


def target_of(step: Change) -> str:
    return place(step.address)


def owner_of(step: Change) -> str:
    return step.address.partition("@")[0].partition("#")[0]


@LAWS
@given(HISTORY)
def test_a_clean_apply_leaves_nothing_to_do_and_no_key(steps: Steps) -> None:
    history = lived(steps)
    history.heal()
    first = history.fleet.plan()
    assert failed(history.apply()) == []
    again = history.fleet.plan()
    assert pending(again.changes) == ()
    blocked = {str(c.reason) for c in first.changes if c.action is Action.BLOCKED}
    event(f"blocked: {sorted(blocked)}")
    # what something uses stays beside its successor until somebody lets it go: the plan had said so
    stays = {c.after["replaces"] for c in first.changes if c.after and c.after.get("usedBy")}
    used = [c for c in again.changes if c.reason is Reason.IN_USE]
    if not blocked:
        assert [c for c in again.changes if c not in used] == []
        assert all(c.message.partition(" ")[0] in stays for c in used)
    unserved = {c.address.partition("/")[2] for c in again.changes if c not in used}
    for name in set(history.fleet.kept_keys().values()):
        leaf = history.fleet.leaves.get(name)
        assert leaf is not None, f"{name} is gone, its key is not"
        idle = not leaf.targets or any(owner.startswith(name) for owner in unserved)
        assert leaf.custody is Custody.LEDGER or idle, f"the key of {name} is kept"


@LAWS
@given(HISTORY)
def test_every_change_comes_after_what_it_needs(steps: Steps) -> None:
    changes = planned(lived(steps))
    rank = ranks(changes)
    assert len(rank) == len(changes), "a change is named twice"
    by_id = {step.id: step for step in changes}
    for step in changes:
        assert set(step.requires) <= by_id.keys()
        if step.action is Action.ISSUE:
            above = (step.after or {}).get("issuerRef") or (step.after or {}).get("parentRef")
            assert rank.get(f"issue:authority/{above}", -1) < rank[step.id], "children came first"
        if step.action is Action.INSTALL:
            assert rank.get(f"issue:{owner_of(step)}", -1) < rank[step.id], (
                "installed before issued"
            )
        if step.action is Action.PUBLISH and step.address.startswith(("ca/", "crl/")):
            name, _, generation = step.address.partition("/")[2].rpartition("-g")
            issue = by_id.get(f"issue:authority/{name}")
            # a list is signed with the key, which a certificate that is renewed has in common
            new = issue and (issue.before is None or step.address.startswith("ca/"))
            if issue and new and str((issue.after or {})["generation"]) == generation:
                assert rank[issue.id] < rank[step.id], "published before it was issued"
    for step in changes:
        if step.action is Action.REMOVE:
            gets = [c for c in changes if c.action is Action.INSTALL]
            late = [c.id for c in gets if target_of(c) == target_of(step)]
            assert all(rank[id_] < rank[step.id] for id_ in late), "destroyed, then created"
        for id_ in step.requires:
            assert rank[id_] < rank[step.id]
        if step.action is Action.REVOKE:
            told = [c for c in changes if step.id in c.requires]
            assert all(c.action is Action.PUBLISH for c in told)


@LAWS
@given(HISTORY)
def test_nothing_is_taken_away_where_something_is_wanted_or_to_be_created(steps: Steps) -> None:
    history = lived(steps)
    changes = planned(history)
    wanted = {
        (i.target, i.name)
        for c in history.fleet.desired().certificates.values()
        for i in c.installs
    }
    for step in changes:
        if step.reason is Reason.SUPERSEDED and step.action is Action.REMOVE:
            assert f"install:{(step.before or {})['supersededBy']}" in step.requires
        elif step.action in TAKES_AWAY and "@" in step.address:
            spot = (target_of(step), (step.before or {})["name"])
            assert spot not in wanted


@LAWS
@given(HISTORY)
@example(REKEYED)
@example(USED)
@example(LET_GO)
def test_only_what_is_used_or_adopted_stays_beside_its_successor(steps: Steps) -> None:
    history = lived(steps)
    history.heal()
    assert failed(history.apply()) == []
    fleet, adopted = history.fleet, history.laws.taken_over()
    stuck = {owner_of(step) for step in fleet.plan().changes}
    beside = [o.installed for t, o in fleet.ours() if t == REGION and "~" in o.installed.name]
    event(f"beside: {[bool(each.used_by) for each in beside]}")
    for each in beside:
        kept = each.used_by or (REGION, each.id) in adopted
        assert kept or f"certificate/{name_of(each)}" in stuck, each.id


@LAWS
@given(
    HISTORY,
    st.integers(0, 99),
    st.sampled_from(["stage", "switch", "verify", "activate", "remove"]),
)
@example(GROWN, 0, "stage")
def test_a_failure_stops_only_what_depends_on_it(steps: Steps, pick: int, call: str) -> None:
    history = lived(steps)
    changes = planned(history)
    target = TARGETS[pick % len(TARGETS)]
    history.fleet.store(target).fail(call, Transient("injected"))
    events = {f"{e.action}:{e.address}": e.status for e in history.apply()}
    broken = {id_ for id_, status in events.items() if status is EventStatus.FAILED}
    event(f"broken: {bool(broken)}")
    stopped = closure(changes, broken)
    for step in changes:
        fine = events[step.id] is EventStatus.DONE
        assert fine == (step.id not in stopped), step.id
    for step in changes:
        if step.id in broken and target_of(step) != target:
            assert step.action is Action.PUBLISH, "only a garbled file can stop another change"
            name = str((step.after or {})["file"])
            assert history.fleet.publisher.files[name] == GARBAGE


@LAWS
@given(HISTORY)
def test_an_unseen_target_is_left_alone_and_so_is_what_is_not_ours(steps: Steps) -> None:
    history = lived(steps)
    fleet, observed = history.fleet, history.fleet.world().observed
    strangers = {(t, n) for t, n in history.laws.strangers()}
    for step in planned(history):
        if "@" in step.address:
            target = target_of(step)
            assert observed.targets[target].status == "observed"
            if step.action in (Action.INSTALL, Action.RELABEL, Action.REMOVE):
                certificate = fleet.desired().certificates.get(owner_of(step).partition("/")[2])
                names = (
                    {i.name for i in certificate.installs if i.target == target}
                    if certificate
                    else set()
                )
                name = (step.before or {}).get("name") if step.action is Action.REMOVE else None
                assert not {(target, n) for n in ({name} if name else names)} & strangers


@LAWS
@given(HISTORY, st.integers(0, 999))
def test_a_plan_depends_on_nothing_but_what_it_is_made_from(steps: Steps, seed: int) -> None:
    world = lived(steps).fleet.world()
    assert make_plan(world) == make_plan(shuffled(world, random.Random(seed)))


def shuffled(world: World, order: random.Random) -> World:
    """The same world with every mapping in another order."""

    def mixed(mapping: Mapping[str, Kept]) -> dict[str, Kept]:
        return dict(order.sample(list(mapping.items()), len(mapping)))

    ledger = replace(
        world.ledger,
        certificates=mixed(world.ledger.certificates),
        authorities=mixed(world.ledger.authorities),
    )
    targets = {
        name: replace(observation, installed=mixed(observation.installed))
        for name, observation in mixed(world.observed.targets).items()
    }
    desired = replace(
        world.desired,
        certificates=mixed(world.desired.certificates),
        authorities=mixed(world.desired.authorities),
        targets=mixed(world.desired.targets),
    )
    return World(
        desired, replace(world.observed, targets=targets), ledger, world.now, world.replace
    )


@LAWS
@given(HISTORY, st.integers(1, 40 * 24))
def test_the_clock_alone_changes_no_fingerprint(steps: Steps, hours: int) -> None:
    fleet = lived(steps).fleet
    first = fleet.plan().changes
    before = {step.id: step for step in pending(first)}
    # what somebody else keeps changing is left alone for a day, then put right, and that is reviewed
    flapping = {owner_of(step) for step in first if step.reason is Reason.FLAPPING}
    expiring = bool(fleet.revocations)
    fleet.wait(hours / 24)
    after = {step.id: step for step in pending(fleet.plan().changes)}
    for id_ in before.keys() & after.keys():
        if expiring and before[id_].action is Action.PUBLISH:
            continue  # a serial that expires meanwhile is not revoked any more
        assert before[id_].fingerprint == after[id_].fingerprint
    if not expiring:
        for id_ in after.keys() - before.keys():
            fine = after[id_].due or requires_due(after, after[id_])
            assert fine or owner_of(after[id_]) in flapping, id_


def requires_due(changes: Mapping[str, Change], step: Change) -> bool:
    return any(changes[id_].due for id_ in step.requires if id_ in changes)


@LAWS
@given(HISTORY)
def test_published_crls_tell_every_revocation_after_a_clean_apply(steps: Steps) -> None:
    history = lived(steps)
    history.heal()
    history.apply()
    fleet: Fleet = history.fleet
    published = fleet.world().observed.published or {}
    state = fleet.journal.state
    for issuance in issuances(state):
        if issuance.status is Status.REVOKED and issuance.not_after > fleet.now:
            request = issuance.request
            if request.issuer is not None:
                name = f"{request.issuer}-g{request.issuer_generation}.crl"
                assert issuance.serial in published[name].revoked
