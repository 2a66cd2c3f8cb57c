"""Histories: what may happen to a repository and its targets, in any order, and what must hold throughout."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from fleet import Fleet
from fleet_documents import KEY, LINEAGE, Ca, Leaf, at
from fleet_sights import issuances, name_of
from key_kinds import P256
from laws import Laws, wanted_spots
from memory_ledger import Crash
from nameless import REGION
from trusting import Trust

from providers.base import Content, Installed
from providers.errors import Transient
from reconciler.events import Event, EventStatus
from schemas.certificate import Custody, OnRemove, Rollout, RotationPolicy

NAMES = ("ant", "bee", "cow", "dog", "elk")
TARGETS = ("a", "b", REGION)
CAS = ("root", "mid", "low", "other")
MID = ("example.com",)
TREE = {
    "root": Ca(),
    "mid": Ca("root", permits=MID, days=400),
    "low": Ca("mid", days=200),
    "other": Ca(),
}
GARBAGE = b"not a CRL"
VERBS = (
    *("stage", "switch", "activate", "verify", "remove", "relabel", "settle"),
    *("adopt", "make_key"),
)


class Serials:
    """Gives out the same numbers, spread as evenly as random ones, after every reset."""

    def __init__(self) -> None:
        self.given = 0

    def __call__(self) -> str:
        self.given += 1
        number = int.from_bytes(hashlib.sha256(str(self.given).encode()).digest()[:19])
        return f"{1 << 158 | number:x}"


SERIALS = Serials()


class History:
    """Applies steps, each given by a verb and two numbers; what makes no sense at the time is skipped."""

    verbs: ClassVar[dict[str, Callable[["History", int, int], object]]] = {}

    def __init__(self) -> None:
        SERIALS.given = 0
        self.fleet = Fleet(cas=dict(TREE), targets=TARGETS)
        self.laws = Laws(self.fleet)

    def step(self, verb: str, one: int, two: int) -> None:
        self.verbs[verb](self, one, two)

    def apply(self) -> list[Event]:
        return self.laws.run(self.fleet.stream())

    def heal(self) -> None:
        """Lift everything that stands in the way and is not in the documents."""
        fleet = self.fleet
        fleet.journal.crash_at = None
        fleet.away.clear()
        fleet.publisher.reachable, fleet.publisher.failures = True, []
        for store in fleet.stores.values():
            store.reachable = True
            store.failures.clear()
            store.staged.clear()
        for target, store in fleet.stores.items():
            wanted = fleet.adoptable(target)
            for name, held in tuple(store.objects.items()):
                if held.installed.serial == "abc123" and held.installed.id not in wanted:
                    del store.objects[name]
        fleet.publisher.files = {
            name: content for name, content in fleet.publisher.files.items() if content != GARBAGE
        }
        fleet.targets = TARGETS
        fleet.wait(2)  # nothing is flapping any more

    def leaf(self, number: int) -> str | None:
        names = sorted(self.fleet.leaves)
        return names[number % len(names)] if names else None

    def put(self, name: str, leaf: Leaf) -> None:
        """Write a document, unless two would be called the same in one target."""
        before = dict(self.fleet.leaves)
        # what validate refuses: no names in a region, and no key that is made there
        leaf = replace(
            leaf, targets=tuple((t, None if t == REGION else o) for t, o in leaf.targets)
        )
        if leaf.custody is Custody.TARGET and (
            len(leaf.targets) != 1 or leaf.targets == at(REGION)
        ):
            leaf = replace(leaf, custody=Custody.UNTIL_INSTALLED)
        self.fleet.leaves[name] = leaf
        spots = [(t, o or n) for n, le in self.fleet.leaves.items() for t, o in le.targets]
        formers = [f for le in self.fleet.leaves.values() for f in le.formerly]
        known = all(t in self.fleet.targets for t, _ in spots)
        if len(spots) != len(set(spots)) or len(formers) != len(set(formers)) or not known:
            self.fleet.leaves = before


def verb(function: Callable[[History, int, int], object]) -> Callable[[History, int, int], object]:
    History.verbs[function.__name__] = function
    return function


def _places(number: int) -> tuple[tuple[str, str | None], ...]:
    return at(*(t for n, t in enumerate(TARGETS) if (number + 1) >> n & 1))


@verb
def add(h: History, one: int, two: int) -> None:
    name = NAMES[one % len(NAMES)]
    if name in h.fleet.leaves or any(name in leaf.formerly for leaf in h.fleet.leaves.values()):
        return
    issuer = CAS[two % len(CAS)]
    if issuer in h.fleet.cas and not h.fleet.cas[issuer].retired:
        h.put(name, Leaf(issuer, _places(two), (f"{name}.example.com",)))


@verb
def drop(h: History, one: int, two: int) -> None:
    h.fleet.leaves.pop(h.leaf(one) or "", None)


@verb
def rename(h: History, one: int, two: int) -> None:
    old, new = h.leaf(one), NAMES[two % len(NAMES)]
    if old is None or new in h.fleet.leaves:
        return
    if any(new in leaf.formerly for leaf in h.fleet.leaves.values()):
        return
    leaf = h.fleet.leaves.pop(old)
    h.put(new, replace(leaf, formerly=(old,)))
    if new not in h.fleet.leaves:
        h.fleet.leaves[old] = leaf


@verb
def rewrite(h: History, one: int, two: int) -> None:
    """Give a document another name and do not say so."""
    old, new = h.leaf(one), NAMES[two % len(NAMES)]
    if old is None or new in h.fleet.leaves:
        return
    leaf = h.fleet.leaves.pop(old)
    h.put(new, replace(leaf, formerly=()))
    if new not in h.fleet.leaves:
        h.fleet.leaves[old] = leaf


def _edit(h: History, one: int, **fields: Any) -> None:
    name = h.leaf(one)
    if name is not None:
        h.put(name, replace(h.fleet.leaves[name], **fields))


@verb
def retarget(h: History, one: int, two: int) -> None:
    _edit(h, one, targets=_places(two))


@verb
def name_object(h: History, one: int, two: int) -> None:
    name = h.leaf(one)
    if name is not None and h.fleet.leaves[name].targets:
        (target, _), *others = h.fleet.leaves[name].targets
        objects = (None, "x", "y", *NAMES)
        _edit(h, one, targets=((target, objects[two % len(objects)]), *others))


@verb
def change_names(h: History, one: int, two: int) -> None:
    _edit(h, one, names=(f"w{two}.example.com",))


@verb
def change_labels(h: History, one: int, two: int) -> None:
    _edit(h, one, labels={"team": str(two)})


@verb
def change_key(h: History, one: int, two: int) -> None:
    _edit(h, one, key=(KEY, P256)[two % 2])


@verb
def change_custody(h: History, one: int, two: int) -> None:
    kept = (Custody.LEDGER, RotationPolicy.NEVER if two & 2 else RotationPolicy.ALWAYS)
    gone = (Custody.TARGET if two & 2 else Custody.UNTIL_INSTALLED, RotationPolicy.ALWAYS)
    custody, rotation = kept if two & 1 else gone
    _edit(h, one, custody=custody, rotation=rotation)


@verb
def change_ends(h: History, one: int, two: int) -> None:
    _edit(h, one, on_remove=tuple(OnRemove)[two % 3], rollout=tuple(Rollout)[two % 2])


@verb
def change_issuer(h: History, one: int, two: int) -> None:
    issuer = CAS[two % len(CAS)]
    if issuer in h.fleet.cas:
        _edit(h, one, issuer=issuer)


@verb
def widen(h: History, one: int, two: int) -> None:
    """Permit one more domain below an intermediate, and use it; or take both back."""
    if "mid" not in h.fleet.cas:
        return
    permits = ("example.com", "example.org")[: 1 + two % 2]
    h.fleet.cas["mid"] = replace(h.fleet.cas["mid"], permits=permits)
    for name, leaf in h.fleet.leaves.items():
        names = (f"{name}.example.com",)
        if any(n.endswith(".org") for n in leaf.names) and two % 2 == 0:
            h.fleet.leaves[name] = replace(leaf, names=names)
    if two % 2:
        _edit(h, one, names=(f"{h.leaf(one)}.example.org",))


@verb
def raise_generation(h: History, one: int, two: int) -> None:
    """Raise an intermediate; those below it must follow, or they would be stuck."""
    for name in ("mid", "low") if one % 2 else ("low",):
        if name in h.fleet.cas:
            ca = h.fleet.cas[name]
            h.fleet.cas[name] = replace(ca, generation=ca.generation + 1)


@verb
def replace_ca(h: History, one: int, two: int) -> None:
    """Raise one CA alone, a root perhaps; what is below it follows by itself."""
    name = CAS[one % len(CAS)]
    if name in h.fleet.cas:
        ca = h.fleet.cas[name]
        h.fleet.cas[name] = replace(ca, generation=ca.generation + 1)


@verb
def move_ca(h: History, one: int, two: int) -> None:
    """Let an intermediate hang by another root."""
    parent = ("root", "other")[one % 2]
    if {"mid", parent} <= h.fleet.cas.keys():
        h.fleet.cas["mid"] = replace(h.fleet.cas["mid"], parent=parent)


@verb
def keep_ready(h: History, one: int, two: int) -> None:
    """Ask for a generation ahead, or for a root's predecessor to vouch for it; or for neither."""
    name = CAS[one % len(CAS)]
    if name in h.fleet.cas:
        ca = h.fleet.cas[name]
        h.fleet.cas[name] = replace(ca, standby=bool(two & 1), crossed=bool(two & 2))


@verb
def trust(h: History, one: int, two: int) -> None:
    """Bring the anchors of both roots to a place, or to another one."""
    if {"root", "other"} <= h.fleet.cas.keys():
        h.fleet.bundles = {"all": Trust(("root", "other"), at(*(("a", "b")[one % 2 :])))}


@verb
def drop_ca(h: History, one: int, two: int) -> None:
    name = CAS[one % len(CAS)]
    used = {leaf.issuer for leaf in h.fleet.leaves.values()}
    used |= {ca.parent for ca in h.fleet.cas.values() if ca.parent}
    used |= {name for bundle in h.fleet.bundles.values() for name in bundle.authorities}
    if name not in used:
        h.fleet.cas.pop(name, None)


@verb
def restore_cas(h: History, one: int, two: int) -> None:
    generation = {n: ca.generation for n, ca in h.fleet.cas.items()}
    cas = dict(TREE)
    if any(name.endswith(".org") for leaf in h.fleet.leaves.values() for name in leaf.names):
        cas["mid"] = replace(cas["mid"], permits=(*MID, "example.org"))
    h.fleet.cas = {n: replace(ca, generation=generation.get(n, 1)) for n, ca in cas.items()}


@verb
def hand_over(h: History, one: int, two: int) -> None:
    """Let others open the keyring, or the CA keys."""
    people = tuple(f"age1{letter * 58}" for letter in "acd"[: 1 + one % 3])
    if two % 2:
        h.fleet.keyring = people
    else:
        h.fleet.recipients = people


@verb
def revoke_name(h: History, one: int, two: int) -> None:
    h.fleet.revoke(f"r{len(h.fleet.revocations)}", NAMES[one % len(NAMES)])


@verb
def revoke_serial(h: History, one: int, two: int) -> None:
    serials = sorted(issuance.serial for issuance in issuances(h.fleet.journal.state))
    if serials:
        name = f"r{len(h.fleet.revocations)}"
        h.fleet.revoke(name, serials=(serials[one % len(serials)],))


@verb
def wait(h: History, one: int, two: int) -> None:
    h.fleet.wait((0.2, 1, 5, 22, 40)[one % 5])


@verb
def hide(h: History, one: int, two: int) -> None:
    store = h.fleet.store(TARGETS[one % len(TARGETS)])
    store.reachable = not store.reachable


@verb
def send_away(h: History, one: int, two: int) -> None:
    h.fleet.away ^= {TARGETS[one % len(TARGETS)]}


@verb
def hide_publisher(h: History, one: int, two: int) -> None:
    h.fleet.publisher.reachable = not h.fleet.publisher.reachable


@verb
def garble_publisher(h: History, one: int, two: int) -> None:
    files = sorted(h.fleet.publisher.files)
    if files and one % 2:
        h.fleet.publisher.files[files[two % len(files)]] = GARBAGE
    elif files:
        del h.fleet.publisher.files[files[two % len(files)]]


@verb
def intrude(h: History, one: int, two: int) -> None:
    target, name = TARGETS[one % len(TARGETS)], (*NAMES, "x", "y")[two % 7]
    _intrude(h, target, name)


def _intrude(h: History, target: str, name: str) -> Installed:
    """Return what is there already, or put somebody else's object there."""
    store, there = h.fleet.store(target), f"memory:{target}/their-{name}"
    taken = store.at(there) if target == REGION else store.objects.get(name)
    return taken.installed if taken else h.fleet.foreign(target, name)


@verb
def begin_to_use(h: History, one: int, two: int) -> None:
    """Let something refer to an object in the region, or let it go again."""
    _touch(h, one, used_by=(f"listener/{two}",) if two % 3 else ())


@verb
def label(h: History, one: int, two: int) -> None:
    """Let somebody put a label of theirs on an object of ours in the region."""
    held = _in_region(h, one)
    if held is not None:
        _touch(h, one, labels={**held.labels, "theirs": str(two)})


def _in_region(h: History, number: int) -> Installed | None:
    held = [o.installed for t, o in h.fleet.ours() if t == REGION]
    return held[number % len(held)] if held else None


def _touch(h: History, number: int, **fields: Any) -> None:
    held, objects = _in_region(h, number), h.fleet.store(REGION).objects
    if held is not None:
        objects[held.name] = replace(objects[held.name], installed=replace(held, **fields))


@verb
def spoil(h: History, one: int, two: int) -> None:
    lost = {name for name, leaf in h.fleet.leaves.items() if leaf.custody is Custody.TARGET}
    held = sorted(
        (t, o.installed.name)
        for t, o in h.fleet.ours()
        # a key that went with what nobody saw working is nobody's to tell: that takes --replace
        if name_of(o.installed) not in lost or (t, o.installed.name) in h.laws.proven()
    )
    if held:
        target, name = held[one % len(held)]
        if two % 3 == 0:
            del h.fleet.store(target).objects[name]
        elif two % 3 == 1:
            h.fleet.spoil(target, name, "mode is 0644")
        elif target == REGION:
            del h.fleet.store(target).objects[name]
            _intrude(h, target, name.partition("~")[0])
        else:
            h.fleet.foreign(target, name)


@verb
def adopt(h: History, one: int, two: int) -> None:
    """Let a document, a new one if its name is free, take over what others have where it is to be."""
    add(h, one, two)
    name = NAMES[one % len(NAMES)]
    if name not in h.fleet.leaves:
        return
    ends, adopted = h.fleet.now + timedelta(days=30 * (two % 3)), {}
    for target, other in h.fleet.leaves[name].targets:
        found = _intrude(h, target, other or name)
        if not found.owned_by(LINEAGE.owner):
            told = Content(key=(KEY, P256)[two % 2]) if target == REGION else None
            h.fleet.store(target).put_foreign(replace(found, not_after=ends, content=told))
            adopted[target] = (found.id,)
    h.put(name, replace(h.fleet.leaves[name], adopt=adopted))


@verb
def give_back(h: History, one: int, two: int) -> None:
    _edit(h, one, adopt={})


@verb
def drop_target(h: History, one: int, two: int) -> None:
    target = TARGETS[one % len(TARGETS)]
    if any(t == target for t, _ in wanted_spots(h.fleet)):
        return
    h.fleet.targets = tuple(t for t in h.fleet.targets if t != target) if two % 2 else TARGETS


@verb
def reconcile(h: History, one: int, two: int) -> None:
    h.apply()


@verb
def fail(h: History, one: int, two: int) -> None:
    """Apply while one call of one target fails."""
    store, call = h.fleet.store(TARGETS[one % len(TARGETS)]), VERBS[two % len(VERBS)]
    name = NAMES[one % len(NAMES)]
    store.fail(f"{call}:{name}" if one % 2 and call in VERBS[:5] else call, Transient("injected"))
    h.apply()
    store.failures.clear()
    store.staged.clear()


@verb
def fail_publish(h: History, one: int, two: int) -> None:
    h.fleet.publisher.failures = [Transient("injected")]
    h.apply()
    h.fleet.publisher.failures = []


@verb
def crash(h: History, one: int, two: int) -> None:
    """Apply, and let the process die at one of the ledger's waves."""
    journal = h.fleet.journal
    journal.crash_at, journal.crash_after = 1 + one % 8, bool(two % 2)
    with suppress(Crash):
        h.apply()
    journal.crash_at = None
    for store in h.fleet.stores.values():
        store.staged.clear()


def failed(events: Sequence[Event]) -> list[Event]:
    """The events that tell of anything but success."""
    return [event for event in events if event.status is not EventStatus.DONE]
