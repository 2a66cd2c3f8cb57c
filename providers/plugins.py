"""Kinds of target that other packages add, as entry points of the group `certform.targets`.

A package called, say, `certform-box` names its class in its metadata:

    [project.entry-points."certform.targets"]
    "example.com/box" = "certform_box:BoxTarget"

and whoever has it installed beside certform writes `spec: {example.com/box: {...}}` in a Target. What
such a package may import is in `reconciler.sdk`, what it must do in `providers.conformance`.
"""

from importlib.metadata import entry_points
from typing import ClassVar, Protocol

from providers.base import Target
from providers.errors import NotFound
from schemas.base import Model

GROUP = "certform.targets"


class PluginTarget(Target, Protocol):
    """A target of another package: its settings are a model of its own, and come as they are written."""

    config_model: ClassVar[type[Model]]


def plugin_class(kind: str) -> type[PluginTarget]:
    """Load the class of a kind such as `example.com/box`; raises `NotFound` where no package has it."""
    for entry in entry_points(group=GROUP, name=kind):
        found: type[PluginTarget] = entry.load()
        return found
    raise NotFound(f"no installed package has a target of kind {kind}: install it beside certform")
