"""Whatever is edited, waited for and broken: what stands anywhere hangs by an anchor that everybody has."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from fleet import Fleet
from fleet_documents import HERE, Ca, Leaf, at
from fleet_sights import shown
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_ledger import Crash
from trusting import Trust, stranger

from providers.errors import Transient
from reconciler.assumption import Assumption
from reconciler.diff import World
from reconciler.planning import make_plan
from reconciler.selection import Selection
from reconciler.state import DesiredRevocation, Observed
from schemas.plan import Action
from schemas.revocation import RevocationReason

TARGETS = ("a", "b", "c")
OVERLAP = 7
HIGHEST = 5
OTHERS = tuple(stranger(name, Fleet().now, days=60) for name in ("Partner", "Other"))
SETTINGS = settings(
    deadline=None,
    max_examples=int(os.environ.get("EXAMPLES", "25")),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def house() -> Fleet:
    fleet = Fleet(
        cas={"root": Ca(), "services": Ca(parent="root", days=1000)},
        leaves={
            "web": Leaf(issuer="services"),
            "mail": Leaf(issuer="root", targets=at("b", "c")),
        },
        bundles={"corp": Trust(targets=at("a", "b"), overlap=OVERLAP)},
        targets=TARGETS,
    )
    return fleet.converge()


def bundle(fleet: Fleet) -> Trust:
    return fleet.bundles.get("corp") or Trust(targets=at("a"), overlap=OVERLAP)


def rotate(fleet: Fleet, _: int) -> None:
    root = fleet.cas["root"]
    fleet.cas["root"] = replace(root, generation=min(root.generation + 1, HIGHEST))


def lower(fleet: Fleet, _: int) -> None:
    """Take a rotation back, however far it has come."""
    root = fleet.cas["root"]
    fleet.cas["root"] = replace(root, generation=max(root.generation - 1, 1))


def stand_by(fleet: Fleet, one: int) -> None:
    fleet.cas["root"] = replace(fleet.cas["root"], standby=bool(one % 2))


def cross(fleet: Fleet, one: int) -> None:
    fleet.cas["root"] = replace(fleet.cas["root"], crossed=bool(one % 2))


def give_up(fleet: Fleet, _: int) -> None:
    """Say that somebody else may have the key of the generation that issues."""
    number = fleet.cas["root"].generation
    if number < HIGHEST:
        fleet.revocations[f"leak-{number}"] = DesiredRevocation(
            name=f"leak-{number}",
            source=HERE,
            certificates=(),
            issued_before=None,
            serials=(),
            reason=RevocationReason.KEY_COMPROMISE,
            authority="root",
            generation=number,
        )
        rotate(fleet, 0)


def move(fleet: Fleet, one: int) -> None:
    """Write the Bundle with other places, and perhaps another name there."""
    places = [(t, "cas" if one % 5 == 0 else None) for n, t in enumerate(TARGETS) if one >> n & 1]
    fleet.bundles["corp"] = replace(bundle(fleet), targets=tuple(places) or at("a"))


def drop(fleet: Fleet, _: int) -> None:
    fleet.bundles.pop("corp", None)


def bring(fleet: Fleet, one: int) -> None:
    fleet.bundles["corp"] = replace(bundle(fleet), others=OTHERS[: one % 3])


def label(fleet: Fleet, one: int) -> None:
    fleet.bundles["corp"] = replace(bundle(fleet), labels={"team": str(one % 2)})


def place(fleet: Fleet, one: int) -> None:
    """Write a certificate into other places, or its document off."""
    if one % 4 == 0:
        fleet.leaves.pop("web", None)
    else:
        fleet.leaves["web"] = Leaf(issuer="services", targets=at(TARGETS[one % 3]))


def wait(fleet: Fleet, one: int) -> None:
    fleet.wait(one % 9)


def leave(fleet: Fleet, one: int) -> None:
    fleet.away ^= {TARGETS[one % 3]}


def spoil(fleet: Fleet, one: int) -> None:
    trust = fleet.store(TARGETS[one % 3]).trust
    for name, held in tuple(trust.items()):
        if one % 2:
            trust[name] = replace(held, drift=("it was changed",))
        else:
            del trust[name]


def fail(fleet: Fleet, one: int) -> None:
    calls = ("install_trust", "remove_trust", "activate", "observe_trust", "verify", "stage")
    store = fleet.store(TARGETS[one % 3])
    store.fail(calls[one % len(calls)], Transient("injected"))
    fleet.apply()
    store.failures.clear()


def crash(fleet: Fleet, one: int) -> None:
    fleet.journal.crash_at, fleet.journal.crash_after = 1 + one % 9, bool(one % 2)
    with suppress(Crash):
        fleet.apply()
    fleet.journal.crash_at = None


def run(fleet: Fleet, _: int) -> None:
    fleet.apply()


def part(fleet: Fleet, one: int) -> None:
    """Apply one change of a plan alone, with what it requires; a bundle that goes is waited for by nobody."""
    changes = fleet.plan().changes
    stays = not any(c.action is Action.REMOVE and "#" not in c.address for c in changes)
    chosen = Selection(addresses=(changes[one % len(changes)].address,)) if changes else None
    fleet.apply(chosen if stays else None)


def night(fleet: Fleet, _: int) -> None:
    fleet.pinned = True
    fleet.apply(Selection(due_only=True))
    fleet.pinned = False


Verb = Callable[[Fleet, int], None]
EDITS: Mapping[str, Verb] = {
    each.__name__: each
    for each in (rotate, lower, stand_by, cross, give_up, move, drop, bring, label, place)
}
VERBS: Mapping[str, Verb] = {
    **EDITS,
    **{each.__name__: each for each in (wait, leave, spoil, fail, crash, run, part, night)},
}
STEPS = st.lists(st.tuples(st.sampled_from(sorted(VERBS)), st.integers(0, 20)), max_size=10)


def heal(fleet: Fleet) -> Fleet:
    """Lift what is in the way, and let everything settle."""
    fleet.away.clear()
    for store in fleet.stores.values():
        store.failures.clear()
        store.staged.clear()
    for _ in range(4):
        fleet.apply()
        fleet.wait(1)
    return fleet


def roots(world: World, serial: str) -> Iterator[str]:
    """Yield what the anchor is called that a certificate hangs by; nothing where that is given up."""
    known = world.serials.get(serial)
    above = world.above(known[1]) if known and known[1].not_after > world.now else ()
    given_up = {(each.authority, each.generation) for each in world.desired.revocations}
    for issuance in world.authority("root").issuances:
        number = getattr(issuance.request, "generation", 0)
        if issuance.serial in above and ("root", number) not in given_up:
            yield f"root-g{number}"


def untrusted(fleet: Fleet) -> Iterator[str]:
    """Yield every certificate that stands somewhere and that a bundle has no anchor for."""
    world = fleet.world()
    wanted = {(i.target, i.name) for b in world.desired.bundles.values() for i in b.installs}
    held = {
        (target, name): fleet.trusted(target, name)
        for target, store in fleet.stores.items()
        for name, trust in store.trust.items()
        if not trust.drift and (target, name) in wanted
    }
    for target, found in fleet.ours():
        needed = set(roots(world, found.installed.serial or ""))
        for spot, anchors in held.items():
            if needed and needed.isdisjoint(anchors):
                yield f"{found.installed.name} in {target} hangs by {needed}, {spot} has {anchors}"


def unseen(fleet: Fleet) -> World:
    seen = fleet.world()
    guess = Assumption(seen.desired, seen.ledger, seen.now, fleet.base)
    targets = {name: guess.holding(name, "nobody looked") for name in seen.desired.targets}
    return replace(seen, observed=Observed(targets, guess.published()))


def told(world: World) -> list[tuple[str, str, bool]]:
    return [(step.id, step.fingerprint, step.due) for step in make_plan(world).changes]


@SETTINGS
@given(STEPS)
def test_nothing_stands_anywhere_that_a_bundle_has_no_anchor_for(
    steps: list[tuple[str, int]],
) -> None:
    fleet = house()
    for verb, one in steps:
        VERBS[verb](fleet, one)
        assert list(untrusted(fleet)) == []
    heal(fleet)
    assert list(untrusted(fleet)) == []


@SETTINGS
@given(STEPS)
def test_everything_settles_and_no_anchor_stays_that_nothing_hangs_by(
    steps: list[tuple[str, int]],
) -> None:
    fleet = house()
    for verb, one in steps:
        VERBS[verb](fleet, one)
    heal(fleet).apply()
    fleet.wait(OVERLAP + 0.1).apply()
    stuck = [c for c in shown(fleet.plan()) if c[1].startswith("bundle/")]
    assert stuck == []
    asked = fleet.desired().authorities["root"]
    wanted = {asked.request.generation, *((asked.standby.generation,) if asked.standby else ())}
    for target, store in fleet.stores.items():
        for name in store.trust:
            ours = {each for each in fleet.trusted(target, name) if each != "other"}
            assert ours == {f"root-g{number}" for number in wanted}, (target, name)


@SETTINGS
@given(STEPS, st.lists(st.tuples(st.sampled_from(sorted(EDITS)), st.integers(0, 20)), max_size=2))
def test_what_is_assumed_of_trust_is_what_a_look_would_find(
    steps: list[tuple[str, int]], edits: list[tuple[str, int]]
) -> None:
    fleet = house()
    for verb, one in steps:
        VERBS[verb](fleet, one)
    heal(fleet).apply()
    fleet.base = fleet.desired()
    if any(step.action is not Action.BLOCKED for step in fleet.plan().changes):
        return
    assert told(unseen(fleet)) == told(fleet.world())
    for verb, one in edits:
        EDITS[verb](fleet, one)
    assert told(unseen(fleet)) == told(fleet.world())
