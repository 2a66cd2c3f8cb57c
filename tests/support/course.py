"""Where a history stands: the fleet, its laws, and what every step needs."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

from fleet import Fleet
from fleet_documents import Ca, Leaf, at
from laws import Laws
from nameless import REGION

from providers.base import Installed
from reconciler.events import Event
from schemas.certificate import Custody

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


class Serials:
    """Gives out the same numbers, spread as evenly as random ones, after every reset."""

    def __init__(self) -> None:
        self.given = 0

    def __call__(self) -> str:
        self.given += 1
        number = int.from_bytes(hashlib.sha256(str(self.given).encode()).digest()[:19])
        return f"{1 << 158 | number:x}"


SERIALS = Serials()


class Course:
    """The fleet in the midst of a history, and the laws that hold throughout."""

    def __init__(self) -> None:
        SERIALS.given = 0
        self.fleet = Fleet(cas=dict(TREE), targets=TARGETS)
        self.laws = Laws(self.fleet)

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

    def intrude(self, target: str, name: str) -> Installed:
        """Return what is there already, or put somebody else's object there."""
        store, there = self.fleet.store(target), f"memory:{target}/their-{name}"
        taken = store.at(there) if target == REGION else store.objects.get(name)
        return taken.installed if taken else self.fleet.foreign(target, name)


Verb = Callable[[Course, int, int], object]
