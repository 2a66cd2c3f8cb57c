"""Kinds of place that other packages add: each is found, asked what it can hold, and shown its settings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import ValidationError

from providers.errors import ProviderError
from providers.plugins import plugin_class
from reconciler.diagnostics import Diagnostic, error
from reconciler.load.documents import Document
from reconciler.load.wording import worded
from reconciler.load.yaml import Step
from reconciler.resolve.catalogue import Entry, Shelf
from schemas.plan import Source
from schemas.target import Plugin, TargetSpec


@dataclass(frozen=True, slots=True)
class _Within:
    """A place in a document below one of its fields."""

    document: Document
    path: tuple[Step, ...]

    def at(self, *path: Step, key: bool = False) -> Source:
        """Return the place of what is at a path below this one."""
        return self.document.at(*self.path, *path, key=key)


def plugged(shelf: Shelf[TargetSpec], found: list[Diagnostic]) -> Shelf[TargetSpec]:
    """Return the targets with what each plug-in can hold; what a plug-in objects to is added to `found`."""
    entries: Mapping[str, Entry[TargetSpec]] = {
        name: _plugged(entry, found) for name, entry in shelf.entries.items()
    }
    return replace(shelf, entries=entries)


def _plugged(entry: Entry[TargetSpec], found: list[Diagnostic]) -> Entry[TargetSpec]:
    plugin = entry.spec.plugin
    if plugin is None:
        return entry
    place = _Within(entry.document, ("spec", plugin.kind))
    try:
        kind = plugin_class(plugin.kind)
        kind.config_model.model_validate(plugin.settings, by_alias=True, by_name=False)
    except ProviderError as why:
        found.append(error(str(why), place.at(key=True)))
        return entry
    except ValidationError as problem:
        found += worded(problem, kind.config_model, place)
        return entry
    spec = entry.spec.model_copy(update={"plugin": _told(plugin, kind.capabilities)})
    return replace(entry, content=entry.content.model_copy(update={"spec": spec}))


def _told(plugin: Plugin, capabilities: object) -> Plugin:
    return plugin.model_copy(update={"capabilities": capabilities})
