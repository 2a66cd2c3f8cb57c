"""Certificates as written, with their profile merged in: maps merge, lists replace."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.diagnostics import Diagnostic, TooMany, error
from reconciler.load.documents import Document
from reconciler.load.yaml import Step, Value
from reconciler.resolve.catalogue import unknown
from schemas.plan import Source

MAX_COPIED = 128 << 20
"""Characters and values that sets and profiles hand to certificates in all: little text asks for much."""


@dataclass(slots=True)
class Room:
    """How much more may be copied; raises `TooMany` once there is none left."""

    found: list[Diagnostic]
    left: int = MAX_COPIED

    def take(self, amount: int, place: "Layer", *path: Step) -> None:
        """Make use of some; who asks for more than is left is told."""
        self.left -= amount
        if self.left < 0:
            hint = "split what is so large, or ask for less"
            summary = f"sets and profiles make more than {MAX_COPIED >> 20} MiB of certificates"
            self.found.append(error(summary, place.at(*path), hint=hint))
            raise TooMany


def weight(node: Value) -> int:
    """Return how many characters and values a node holds."""
    if isinstance(node, dict):
        return 1 + sum(len(key) + weight(value) for key, value in node.items())
    if isinstance(node, tuple):
        return 1 + sum(map(weight, node))
    return 1 + len(node or "")


class Layer(Protocol):
    """Something written, and where."""

    @property
    def data(self) -> dict[str, Value]:
        """What was written."""
        ...

    def at(self, *path: Step, key: bool = False) -> Source:
        """Return the place of the value at a path."""
        ...


@dataclass(frozen=True, slots=True)
class Draft:
    """One certificate before validation. `paths` are the files it comes from."""

    data: dict[str, Value]
    layers: tuple[Layer, ...]
    source: Source
    paths: tuple[str, ...]

    def at(self, *path: Step, key: bool = False) -> Source:
        """Return where a value was written: here, or in the profile it was inherited from."""
        return max(self.layers, key=lambda layer: _depth(layer.data, path)).at(*path, key=key)


def _depth(node: Value, path: tuple[Step, ...]) -> int:
    """Return how far a path leads through mappings; a list is replaced whole, so it ends there."""
    depth = 0
    for step in path:
        if not (isinstance(node, dict) and isinstance(step, str) and step in node):
            break
        node = node[step]
        depth += 1
    return depth


@dataclass(frozen=True, slots=True)
class Inheritance:
    """What a profile hands down, its own profile's share included; the nearest layer first."""

    spec: dict[str, Value]
    labels: dict[str, Value]
    layers: tuple[Document, ...]
    weight: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", weight(self.spec) + weight(self.labels))


def inheritances(
    profiles: Iterable[Document], names: Iterable[str], found: list[Diagnostic]
) -> Mapping[str, Inheritance | None]:
    """Return what each profile hands down; None for one in or behind a circle or one that is not valid.

    `names` are those of all profiles, `profiles` the valid ones.
    """
    by_name = {profile.name: profile for profile in profiles if profile.name}
    done: dict[str, Inheritance | None] = dict.fromkeys(set(names) - by_name.keys())
    for name in by_name:
        _inherit(name, by_name, done, (), found)
    return done


def _inherit(
    name: str,
    by_name: Mapping[str, Document],
    done: dict[str, Inheritance | None],
    trail: tuple[str, ...],
    found: list[Diagnostic],
) -> Inheritance | None:
    if name in done:
        return done[name]
    profile, parent = by_name[name], reference(by_name[name].data)
    done[name] = None
    if name in trail or len(trail) > 16:
        circle = " -> ".join((*trail[trail.index(name) if name in trail else 0 :], name))
        summary = f"profiles refer to each other in a circle or too deep: {circle}"
        found.append(error(summary, profile.at("spec", "profileRef")))
    elif parent is None:
        done[name] = Inheritance(section(profile.data, "spec"), labels(profile.data), (profile,))
    elif parent not in by_name and parent not in done:
        found.append(unknown("Profile", parent, by_name, profile, "spec", "profileRef"))
    else:
        del done[name]
        above = _inherit(parent, by_name, done, (*trail, name), found)
        done[name] = _handed_down(profile, above) if above else None
    return done[name]


def _handed_down(profile: Document, above: Inheritance) -> Inheritance:
    return Inheritance(
        merged(above.spec, section(profile.data, "spec")),
        above.labels | labels(profile.data),
        (profile, *above.layers),
    )


def merged(base: Mapping[str, Value], over: Mapping[str, Value]) -> dict[str, Value]:
    """Return `over` laid on `base`: mappings merge, everything else replaces."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        both = isinstance(value, dict) and isinstance(below, dict)
        result[key] = merged(below, value) if both else value  # type: ignore[arg-type]
    return result


def pruned(node: Mapping[str, Value]) -> dict[str, Value]:
    """Return a mapping without the fields that have no value: they take an inherited one back."""
    return {
        key: pruned(value) if type(value) is dict else value
        for key, value in node.items()
        if value is not None
    }


def section(data: Mapping[str, Value], key: str) -> dict[str, Value]:
    """Return a mapping inside a document, an empty one where there is none."""
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def labels(data: Mapping[str, Value]) -> dict[str, Value]:
    """Return the labels a document carries, not yet validated."""
    return section(section(data, "metadata"), "labels")


def reference(data: Mapping[str, Value]) -> str | None:
    """Return the profile a document refers to."""
    name = section(data, "spec").get("profileRef")
    return name if isinstance(name, str) else None


def inherit(draft: Draft, profiles: Mapping[str, Inheritance | None], room: Room) -> Draft | None:
    """Merge a draft's profile in; None after saying why there is none to merge."""
    data, name = draft.data, reference(draft.data)
    if not isinstance(data.get("spec"), dict):
        return draft
    if name is None:
        return Draft({**data, "spec": pruned(section(data, "spec"))}, *_rest(draft))
    if name not in profiles:
        room.found.append(unknown("Profile", name, profiles, draft, "spec", "profileRef"))
        return None
    above = profiles[name]
    if above is None:
        return None
    room.take(above.weight, draft, "spec", "profileRef")
    spec = pruned(merged(above.spec, section(data, "spec")))
    metadata = data.get("metadata")
    if above.labels and isinstance(metadata, dict) and isinstance(metadata.get("labels", {}), dict):
        metadata = {**metadata, "labels": above.labels | labels(data)}
    layers = (*draft.layers, *above.layers)
    whole = {**data, "spec": spec, "metadata": metadata}
    return Draft(whole, layers, draft.source, draft.paths)


def _rest(draft: Draft) -> tuple[tuple[Layer, ...], Source, tuple[str, ...]]:
    return draft.layers, draft.source, draft.paths
