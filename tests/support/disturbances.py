"""What may happen to a fleet, whatever its documents say: time, loss, strangers, and runs that fail."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

from course import GARBAGE, NAMES, TARGETS, Course, Verb
from fleet_sights import name_of
from memory_ledger import Crash
from nameless import REGION

from providers.base import Installed
from providers.errors import Transient
from schemas.certificate import Custody

VERBS = (
    *("stage", "switch", "activate", "verify", "remove", "relabel", "settle"),
    *("adopt", "make_key"),
)


def wait(h: Course, one: int, two: int) -> None:
    h.fleet.wait((0.2, 1, 5, 22, 40)[one % 5])


def hide(h: Course, one: int, two: int) -> None:
    store = h.fleet.store(TARGETS[one % len(TARGETS)])
    store.reachable = not store.reachable


def send_away(h: Course, one: int, two: int) -> None:
    h.fleet.away ^= {TARGETS[one % len(TARGETS)]}


def hide_publisher(h: Course, one: int, two: int) -> None:
    h.fleet.publisher.reachable = not h.fleet.publisher.reachable


def garble_publisher(h: Course, one: int, two: int) -> None:
    files = sorted(h.fleet.publisher.files)
    if files and one % 2:
        h.fleet.publisher.files[files[two % len(files)]] = GARBAGE
    elif files:
        del h.fleet.publisher.files[files[two % len(files)]]


def intrude(h: Course, one: int, two: int) -> None:
    target, name = TARGETS[one % len(TARGETS)], (*NAMES, "x", "y")[two % 7]
    h.intrude(target, name)


def begin_to_use(h: Course, one: int, two: int) -> None:
    """Let something refer to an object in the region, or let it go again."""
    _touch(h, one, used_by=(f"listener/{two}",) if two % 3 else ())


def label(h: Course, one: int, two: int) -> None:
    """Let somebody put a label of theirs on an object of ours in the region."""
    held = _in_region(h, one)
    if held is not None:
        _touch(h, one, labels={**held.labels, "theirs": str(two)})


def _in_region(h: Course, number: int) -> Installed | None:
    held = [o.installed for t, o in h.fleet.ours() if t == REGION]
    return held[number % len(held)] if held else None


def _touch(h: Course, number: int, **fields: Any) -> None:
    held, objects = _in_region(h, number), h.fleet.store(REGION).objects
    if held is not None:
        objects[held.name] = replace(objects[held.name], installed=replace(held, **fields))


def spoil(h: Course, one: int, two: int) -> None:
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
            h.intrude(target, name.partition("~")[0])
        else:
            h.fleet.foreign(target, name)


def reconcile(h: Course, one: int, two: int) -> None:
    h.apply()


def fail(h: Course, one: int, two: int) -> None:
    """Apply while one call of one target fails."""
    store, call = h.fleet.store(TARGETS[one % len(TARGETS)]), VERBS[two % len(VERBS)]
    name = NAMES[one % len(NAMES)]
    store.fail(f"{call}:{name}" if one % 2 and call in VERBS[:5] else call, Transient("injected"))
    h.apply()
    store.failures.clear()
    store.staged.clear()


def fail_publish(h: Course, one: int, two: int) -> None:
    h.fleet.publisher.failures = [Transient("injected")]
    h.apply()
    h.fleet.publisher.failures = []


def crash(h: Course, one: int, two: int) -> None:
    """Apply, and let the process die at one of the ledger's waves."""
    journal = h.fleet.journal
    journal.crash_at, journal.crash_after = 1 + one % 8, bool(two % 2)
    with suppress(Crash):
        h.apply()
    journal.crash_at = None
    for store in h.fleet.stores.values():
        store.staged.clear()


DISTURBANCES: tuple[Verb, ...] = (
    wait,
    hide,
    send_away,
    hide_publisher,
    garble_publisher,
    intrude,
    begin_to_use,
    label,
    spoil,
    reconcile,
    fail,
    fail_publish,
    crash,
)
