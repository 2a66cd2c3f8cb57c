"""What people may write into the documents of a fleet, at any time and in any order."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from course import CAS, MID, NAMES, TARGETS, TREE, Course, Verb
from fleet_documents import KEY, LINEAGE, Leaf, at
from fleet_sights import issuances
from key_kinds import P256
from laws import wanted_spots
from nameless import REGION
from trusting import Trust

from providers.base import Content
from schemas.certificate import Custody, OnRemove, Rollout, RotationPolicy


def _places(number: int) -> tuple[tuple[str, str | None], ...]:
    return at(*(t for n, t in enumerate(TARGETS) if (number + 1) >> n & 1))


def add(h: Course, one: int, two: int) -> None:
    name = NAMES[one % len(NAMES)]
    if name in h.fleet.leaves or any(name in leaf.formerly for leaf in h.fleet.leaves.values()):
        return
    issuer = CAS[two % len(CAS)]
    if issuer in h.fleet.cas and not h.fleet.cas[issuer].retired:
        h.put(name, Leaf(issuer, _places(two), (f"{name}.example.com",)))


def drop(h: Course, one: int, two: int) -> None:
    h.fleet.leaves.pop(h.leaf(one) or "", None)


def rename(h: Course, one: int, two: int) -> None:
    old, new = h.leaf(one), NAMES[two % len(NAMES)]
    if old is None or new in h.fleet.leaves:
        return
    if any(new in leaf.formerly for leaf in h.fleet.leaves.values()):
        return
    leaf = h.fleet.leaves.pop(old)
    h.put(new, replace(leaf, formerly=(old,)))
    if new not in h.fleet.leaves:
        h.fleet.leaves[old] = leaf


def rewrite(h: Course, one: int, two: int) -> None:
    """Give a document another name and do not say so."""
    old, new = h.leaf(one), NAMES[two % len(NAMES)]
    if old is None or new in h.fleet.leaves:
        return
    leaf = h.fleet.leaves.pop(old)
    h.put(new, replace(leaf, formerly=()))
    if new not in h.fleet.leaves:
        h.fleet.leaves[old] = leaf


def _edit(h: Course, one: int, **fields: Any) -> None:
    name = h.leaf(one)
    if name is not None:
        h.put(name, replace(h.fleet.leaves[name], **fields))


def retarget(h: Course, one: int, two: int) -> None:
    _edit(h, one, targets=_places(two))


def name_object(h: Course, one: int, two: int) -> None:
    name = h.leaf(one)
    if name is not None and h.fleet.leaves[name].targets:
        (target, _), *others = h.fleet.leaves[name].targets
        objects = (None, "x", "y", *NAMES)
        _edit(h, one, targets=((target, objects[two % len(objects)]), *others))


def change_names(h: Course, one: int, two: int) -> None:
    _edit(h, one, names=(f"w{two}.example.com",))


def change_labels(h: Course, one: int, two: int) -> None:
    _edit(h, one, labels={"team": str(two)})


def change_key(h: Course, one: int, two: int) -> None:
    _edit(h, one, key=(KEY, P256)[two % 2])


def change_custody(h: Course, one: int, two: int) -> None:
    kept = (Custody.LEDGER, RotationPolicy.NEVER if two & 2 else RotationPolicy.ALWAYS)
    gone = (Custody.TARGET if two & 2 else Custody.UNTIL_INSTALLED, RotationPolicy.ALWAYS)
    custody, rotation = kept if two & 1 else gone
    _edit(h, one, custody=custody, rotation=rotation)


def change_ends(h: Course, one: int, two: int) -> None:
    _edit(h, one, on_remove=tuple(OnRemove)[two % 3], rollout=tuple(Rollout)[two % 2])


def change_issuer(h: Course, one: int, two: int) -> None:
    issuer = CAS[two % len(CAS)]
    if issuer in h.fleet.cas:
        _edit(h, one, issuer=issuer)


def widen(h: Course, one: int, two: int) -> None:
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


def raise_generation(h: Course, one: int, two: int) -> None:
    """Raise an intermediate; those below it must follow, or they would be stuck."""
    for name in ("mid", "low") if one % 2 else ("low",):
        if name in h.fleet.cas:
            ca = h.fleet.cas[name]
            h.fleet.cas[name] = replace(ca, generation=ca.generation + 1)


def replace_ca(h: Course, one: int, two: int) -> None:
    """Raise one CA alone, a root perhaps; what is below it follows by itself."""
    name = CAS[one % len(CAS)]
    if name in h.fleet.cas:
        ca = h.fleet.cas[name]
        h.fleet.cas[name] = replace(ca, generation=ca.generation + 1)


def move_ca(h: Course, one: int, two: int) -> None:
    """Let an intermediate hang by another root."""
    parent = ("root", "other")[one % 2]
    if {"mid", parent} <= h.fleet.cas.keys():
        h.fleet.cas["mid"] = replace(h.fleet.cas["mid"], parent=parent)


def keep_ready(h: Course, one: int, two: int) -> None:
    """Ask for a generation ahead, or for a root's predecessor to vouch for it; or for neither."""
    name = CAS[one % len(CAS)]
    if name in h.fleet.cas:
        ca = h.fleet.cas[name]
        h.fleet.cas[name] = replace(ca, standby=bool(two & 1), crossed=bool(two & 2))


def trust(h: Course, one: int, two: int) -> None:
    """Bring the anchors of both roots to a place, or to another one."""
    if {"root", "other"} <= h.fleet.cas.keys():
        h.fleet.bundles = {"all": Trust(("root", "other"), at(*(("a", "b")[one % 2 :])))}


def drop_ca(h: Course, one: int, two: int) -> None:
    name = CAS[one % len(CAS)]
    used = {leaf.issuer for leaf in h.fleet.leaves.values()}
    used |= {ca.parent for ca in h.fleet.cas.values() if ca.parent}
    used |= {name for bundle in h.fleet.bundles.values() for name in bundle.authorities}
    if name not in used:
        h.fleet.cas.pop(name, None)


def restore_cas(h: Course, one: int, two: int) -> None:
    generation = {n: ca.generation for n, ca in h.fleet.cas.items()}
    cas = dict(TREE)
    if any(name.endswith(".org") for leaf in h.fleet.leaves.values() for name in leaf.names):
        cas["mid"] = replace(cas["mid"], permits=(*MID, "example.org"))
    h.fleet.cas = {n: replace(ca, generation=generation.get(n, 1)) for n, ca in cas.items()}


def hand_over(h: Course, one: int, two: int) -> None:
    """Let others open the keyring, or the CA keys."""
    people = tuple(f"age1{letter * 58}" for letter in "acd"[: 1 + one % 3])
    if two % 2:
        h.fleet.keyring = people
    else:
        h.fleet.recipients = people


def revoke_name(h: Course, one: int, two: int) -> None:
    h.fleet.revoke(f"r{len(h.fleet.revocations)}", NAMES[one % len(NAMES)])


def revoke_serial(h: Course, one: int, two: int) -> None:
    serials = sorted(issuance.serial for issuance in issuances(h.fleet.journal.state))
    if serials:
        name = f"r{len(h.fleet.revocations)}"
        h.fleet.revoke(name, serials=(serials[one % len(serials)],))


def adopt(h: Course, one: int, two: int) -> None:
    """Let a document, a new one if its name is free, take over what others have where it is to be."""
    add(h, one, two)
    name = NAMES[one % len(NAMES)]
    if name not in h.fleet.leaves:
        return
    ends, adopted = h.fleet.now + timedelta(days=30 * (two % 3)), {}
    for target, other in h.fleet.leaves[name].targets:
        found = h.intrude(target, other or name)
        if not found.owned_by(LINEAGE.owner):
            told = Content(key=(KEY, P256)[two % 2]) if target == REGION else None
            h.fleet.store(target).put_foreign(replace(found, not_after=ends, content=told))
            adopted[target] = (found.id,)
    h.put(name, replace(h.fleet.leaves[name], adopt=adopted))


def give_back(h: Course, one: int, two: int) -> None:
    _edit(h, one, adopt={})


def drop_target(h: Course, one: int, two: int) -> None:
    target = TARGETS[one % len(TARGETS)]
    if any(t == target for t, _ in wanted_spots(h.fleet)):
        return
    h.fleet.targets = tuple(t for t in h.fleet.targets if t != target) if two % 2 else TARGETS


EDITS: tuple[Verb, ...] = (
    add,
    drop,
    rename,
    rewrite,
    retarget,
    name_object,
    change_names,
    change_labels,
    change_key,
    change_custody,
    change_ends,
    change_issuer,
    widen,
    raise_generation,
    replace_ca,
    move_ca,
    keep_ready,
    trust,
    drop_ca,
    restore_cas,
    hand_over,
    revoke_name,
    revoke_serial,
    adopt,
    give_back,
    drop_target,
)
