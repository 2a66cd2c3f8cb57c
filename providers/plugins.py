"""Kinds of target and of DNS that other packages add, as entry points.

A package called, say, `certform-box` names its class in its metadata:

    [project.entry-points."certform.targets"]
    "example.com/box" = "certform_box:BoxTarget"

and whoever has it installed beside certform writes `spec: {example.com/box: {...}}` in a Target. What
such a package may import is in `reconciler.sdk`, what it must do in `providers.conformance`. A kind of
DNS is written `dns01: {example.com/dns: {...}}`, and must do what is in `providers.solver_conformance`.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar, Protocol

from providers.base import Target
from providers.errors import NotFound
from providers.solving import DnsSolver
from schemas.base import Model
from schemas.capabilities import Capabilities

GROUP = "certform.targets"
SOLVERS = "certform.solvers"


class PluginTarget(Target, Protocol):
    """A target of another package: its settings are a model of its own, and come as they are written."""

    config_model: ClassVar[type[Model]]


class PluginSolver(DnsSolver, Protocol):
    """A kind of DNS of another package; `SolverConfig.settings` is a `config_model`."""

    config_model: ClassVar[type[Model]]


def plugin_class(kind: str) -> type[PluginTarget]:
    """Load the class of a kind of target such as `example.com/box`.

    Raises `NotFound` where no package has it, where several have, and where it is no good.
    """
    entry = _entry(GROUP, "a target", kind)
    found: type[PluginTarget] = _loaded(entry)
    told = isinstance(getattr(found, "capabilities", None), Capabilities)
    if not (told and _is_configured(found)):
        raise NotFound(f"{entry.value} is no target: it lacks capabilities or config_model")
    return found


def solver_plugin(kind: str) -> type[PluginSolver]:
    """Load the class of a kind of DNS such as `example.com/dns`; raises `NotFound` as `plugin_class` does."""
    entry = _entry(SOLVERS, "a solver", kind)
    found: type[PluginSolver] = _loaded(entry)
    able = all(callable(getattr(found, verb, None)) for verb in _VERBS)
    if not (able and _is_configured(found)):
        raise NotFound(f"{entry.value} is no solver: it lacks {', '.join(_VERBS)} or config_model")
    return found


_VERBS = ("from_config", "present", "clean_up")


def _is_configured(found: Any) -> bool:
    model = getattr(found, "config_model", None)
    return isinstance(model, type) and issubclass(model, Model)


def _entry(group: str, what: str, kind: str) -> EntryPoint:
    entries = sorted(entry_points(group=group, name=kind), key=lambda entry: entry.value)
    if not entries:
        raise NotFound(
            f"no installed package has {what} of kind {kind}: install it beside certform"
        )
    if len(entries) > 1:
        claimed = ", ".join(entry.value for entry in entries)
        raise NotFound(f"several packages have {what} of kind {kind}, leave one: {claimed}")
    return entries[0]


def _loaded(entry: EntryPoint) -> Any:
    """Run somebody else's code, which may do anything; raises `NotFound` whatever it raises."""
    try:
        return entry.load()
    except Exception as why:
        words = f"{entry.value} cannot be loaded: {type(why).__name__}: {why}"
        raise NotFound(words) from why
