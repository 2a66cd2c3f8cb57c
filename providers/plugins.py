"""Kinds of target that other packages add, as entry points of the group `certform.targets`.

A package called, say, `certform-box` names its class in its metadata:

    [project.entry-points."certform.targets"]
    "example.com/box" = "certform_box:BoxTarget"

and whoever has it installed beside certform writes `spec: {example.com/box: {...}}` in a Target. What
such a package may import is in `reconciler.sdk`, what it must do in `providers.conformance`.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import ClassVar, Protocol

from providers.base import Target
from providers.errors import NotFound
from schemas.base import Model
from schemas.capabilities import Capabilities

GROUP = "certform.targets"


class PluginTarget(Target, Protocol):
    """A target of another package: its settings are a model of its own, and come as they are written."""

    config_model: ClassVar[type[Model]]


def plugin_class(kind: str) -> type[PluginTarget]:
    """Load the class of a kind such as `example.com/box`.

    Raises `NotFound` where no package has it, where several have, and where it is no good.
    """
    entries = sorted(entry_points(group=GROUP, name=kind), key=lambda entry: entry.value)
    if not entries:
        raise NotFound(
            f"no installed package has a target of kind {kind}: install it beside certform"
        )
    if len(entries) > 1:
        claimed = ", ".join(entry.value for entry in entries)
        raise NotFound(f"several packages have a target of kind {kind}, leave one: {claimed}")
    return _loaded(entries[0])


def _loaded(entry: EntryPoint) -> type[PluginTarget]:
    """Run somebody else's code, which may do anything; raises `NotFound` whatever it raises."""
    try:
        found: type[PluginTarget] = entry.load()
    except Exception as why:
        words = f"{entry.value} cannot be loaded: {type(why).__name__}: {why}"
        raise NotFound(words) from why
    capabilities, model = (getattr(found, name, None) for name in ("capabilities", "config_model"))
    told = isinstance(capabilities, Capabilities)
    if not (told and isinstance(model, type) and issubclass(model, Model)):
        raise NotFound(f"{entry.value} is no target: it lacks capabilities or config_model")
    return found
