"""Kinds of place and of DNS that other packages add: each is found, and shown its settings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from providers.errors import ProviderError
from providers.plugins import plugin_class, solver_plugin
from reconciler.diagnostics import Diagnostic, error
from reconciler.load.documents import Document
from reconciler.load.wording import worded
from reconciler.load.yaml import Step
from reconciler.resolve.catalogue import Entry, Shelf
from schemas.base import Model
from schemas.issuer import IssuerSpec
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


def check_plugins(entry: Entry[IssuerSpec]) -> Iterator[Diagnostic]:
    """Yield what the kinds of DNS that other packages add object to in an issuer's solvers."""
    for index, solver in enumerate(entry.spec.acme.solvers if entry.spec.acme else ()):
        plugin = solver.dns01.plugin if solver.dns01 else None
        if plugin is None:
            continue
        path = ("spec", "acme", "solvers", index, "dns01", plugin.kind)
        place = _Within(entry.document, path)
        try:
            model = solver_plugin(plugin.kind).config_model
        except ProviderError as why:
            yield error(str(why), place.at(key=True))
        else:
            yield from _objections(model, plugin.settings, place)


def _objections(
    model: type[Model], settings: Mapping[str, Any], place: _Within
) -> Iterator[Diagnostic]:
    try:
        model.model_validate(settings, by_alias=True, by_name=False)
    except ValidationError as problem:
        yield from worded(problem, model, place)


def _plugged(entry: Entry[TargetSpec], found: list[Diagnostic]) -> Entry[TargetSpec]:
    plugin = entry.spec.plugin
    if plugin is None:
        return entry
    place = _Within(entry.document, ("spec", plugin.kind))
    try:
        kind = plugin_class(plugin.kind)
    except ProviderError as why:
        found.append(error(str(why), place.at(key=True)))
        return entry
    if objections := tuple(_objections(kind.config_model, plugin.settings, place)):
        found += objections
        return entry
    spec = entry.spec.model_copy(update={"plugin": _told(plugin, kind.capabilities)})
    return replace(entry, content=entry.content.model_copy(update={"spec": spec}))


def _told(plugin: Plugin, capabilities: object) -> Plugin:
    return plugin.model_copy(update={"capabilities": capabilities})
