"""What is assumed where nobody looks is what a look would find, whatever was applied before."""

import os
from dataclasses import replace

from fleet import Fleet
from history import History
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from reconciler.assumption import Assumption
from reconciler.diff import World
from reconciler.planning import make_plan
from reconciler.state import Desired, Observed
from schemas.plan import Change

Step = tuple[str, int, int]
EDITS = (
    *("add", "drop", "rename", "rewrite", "retarget", "name_object", "change_names"),
    *("change_labels", "change_key", "change_custody", "change_ends", "change_issuer", "widen"),
    *("raise_generation", "drop_ca", "restore_cas", "hand_over", "drop_target"),
    *("revoke_name", "revoke_serial", "wait"),
)
BEFORE = tuple(sorted(History.verbs.keys() - {"begin_to_use"}))
"""What uses an object only a look can tell."""
STEP = st.tuples(st.sampled_from(BEFORE), st.integers(0, 20), st.integers(0, 20))
EDIT = st.tuples(st.sampled_from(EDITS), st.integers(0, 20), st.integers(0, 20))
FIRST = st.tuples(st.just("add"), st.integers(0, 4), st.integers(0, 20))
HISTORY = st.tuples(st.lists(FIRST, min_size=1, max_size=5), st.lists(STEP, max_size=12))


def unseen(fleet: Fleet, base: Desired) -> World:
    """The world as somebody plans who looks at nothing."""
    seen = fleet.world()
    guess = Assumption(seen.desired, seen.ledger, seen.now, base)
    targets = {name: guess.holding(name, "nobody looked") for name in seen.desired.targets}
    return replace(seen, observed=Observed(targets, guess.published()))


def told(world: World) -> list[tuple[str, str, bool]]:
    """What a plan says, as reviewers' tools compare it."""
    return [told_of(step) for step in make_plan(world).changes]


def told_of(step: Change) -> tuple[str, str, bool]:
    return step.id, step.fingerprint, step.due


@settings(
    deadline=None,
    max_examples=int(os.environ.get("EXAMPLES", "100")),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(HISTORY, st.lists(EDIT, min_size=1, max_size=3))
def test_a_plan_over_what_is_assumed_says_what_a_look_would(
    steps: tuple[list[Step], list[Step]], edits: list[Step]
) -> None:
    history = History()
    for step in (*steps[0], ("reconcile", 0, 0), *steps[1]):
        history.step(*step)
    history.heal()
    history.apply()
    fleet = history.fleet
    base, clean = fleet.desired(), not fleet.plan().changes
    event(f"clean: {clean}, adopted: {bool(history.laws.taken_over())}")
    if not clean or history.laws.taken_over():
        return
    assert told(unseen(fleet, base)) == []
    for edit in edits:
        history.step(*edit)
    assert told(unseen(fleet, base)) == told(fleet.world())
