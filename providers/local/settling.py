"""What comes after the switch: restore or settle; and the removal and relabelling of one object.

Removing takes two steps. An object set aside is out of every reader's sight and still whole: until it
is deleted it counts as there, and a run that died in between is undone by the next one's `sweep`.
"""

from contextlib import suppress
from dataclasses import replace

from providers.abilities import RelabelRequest
from providers.base import Installed
from providers.errors import Conflict
from providers.failpoints import reach
from providers.local.folder import PUBLIC, Folder
from providers.local.layout import (
    ASIDE,
    CURRENT,
    GENERATIONS,
    GONE,
    MANIFEST,
    NEW,
    NOTHING,
    PREVIOUS,
    Site,
    is_name,
    link_to,
    linked_generation,
    set_aside,
)
from providers.local.manifest import encode
from providers.local.observation import Found, alike, drop, generations, inspect, manifest_of


def restore(site: Site, installed: Installed) -> Installed | None:
    """Show the predecessor again and drop the failed generation; where nothing was, nothing is again."""
    found = _own(site, installed)
    if found is None:
        raise Conflict(f"{installed.id} is gone, so its predecessor cannot be put back")
    with site.root.enter(installed.name) as folder:
        previous = linked_generation(folder.target(PREVIOUS))
        reach("local.restore")
        if previous == NOTHING:
            _delete(site.root, installed.name, installed.name)
            return None
        if previous is None or previous == found.generation:
            folder.discard(PREVIOUS)
            return found.installed
        if previous not in generations(folder):
            raise Conflict(f"{installed.id}: the predecessor, generation {previous}, is gone")
        folder.link(CURRENT, link_to(previous))
        folder.commit()  # the link first: no crash may leave it pointing at what is deleted next
        folder.discard(PREVIOUS)
        drop(folder, (found.generation,))
    restored = inspect(site, installed.name)
    return None if restored is None else restored.installed


def settle(site: Site, installed: Installed) -> None:
    """Drop what was shown before, keys included, but for the generations the target keeps."""
    with site.root.enter(installed.name) as folder:
        shown = linked_generation(folder.target(CURRENT))
        manifest = manifest_of(folder, shown, installed.id)
        if shown is None or manifest.sha256 != installed.sha256:
            raise Conflict(f"{installed.id} is not what was verified, so its predecessor stays")
        reach("local.settle")
        folder.discard(PREVIOUS)
        held = generations(folder)
        older = [generation for generation in held if int(generation) < int(shown)]
        surplus = max(0, len(older) - site.place.settings.keep_generations + 1)
        kept = {shown, *older[surplus:]}
        drop(folder, [generation for generation in held if generation not in kept])


def withdraw(site: Site, installed: Installed) -> None:
    """Set an object of ours aside; raises `Conflict` when it is not what was observed."""
    reach("local.withdraw")
    if _own(site, installed) is not None and site.root.has(installed.name):
        try:
            _move(site.root, installed.name, ASIDE + installed.name)
        except OSError:
            with suppress(OSError):  # what is told to have failed must not have happened
                site.root.rename(ASIDE + installed.name, installed.name)
            raise


def reinstate(site: Site, installed: Installed) -> None:
    """Show an object again that was set aside; raises `Conflict` when it is gone."""
    reach("local.reinstate")
    if _own(site, installed) is None:
        raise Conflict(f"{installed.id} is gone, so it cannot be put back")
    if not site.root.has(installed.name):
        _move(site.root, ASIDE + installed.name, installed.name)


def remove(site: Site, installed: Installed) -> None:
    """Delete an object of ours, set aside or not; `Conflict` when it is not what was observed."""
    reach("local.remove")
    if _own(site, installed) is not None:
        shown = site.root.has(installed.name)
        _delete(site.root, installed.name if shown else ASIDE + installed.name, installed.name)


def relabel(site: Site, request: RelabelRequest) -> Installed:
    """Give an object of ours other labels; raises `Conflict` when it is not what was observed."""
    name = request.installed.name
    found = _own(site, request.installed)
    if found is None or found.manifest is None or found.generation is None:
        raise Conflict(f"{site.place.id(name)} is gone or broken, so it cannot be labelled")
    manifest = replace(found.manifest, labels=dict(request.labels))
    with (
        site.root.enter(name) as folder,
        folder.enter(GENERATIONS) as held,
        held.enter(found.generation) as files,
    ):
        files.replace(MANIFEST, encode(manifest), PUBLIC)
    return replace(found.installed, labels=manifest.labels)


def sweep(root: Folder) -> None:
    """Undo what a run that died left: delete the half made and half deleted, show what is aside."""
    listed = root.names()
    for name in listed:
        shown = set_aside(name)
        if name.startswith((NEW, GONE)) or shown in listed:
            root.discard(name)
        elif shown is not None:
            _move(root, name, shown)


def _delete(root: Folder, entry: str, name: str) -> None:
    """Take a directory away in one step, then delete it: never is half of it seen."""
    root.discard(GONE + name)
    _move(root, entry, GONE + name)
    reach("local.delete")
    root.discard(GONE + name)


def _move(root: Folder, old: str, new: str) -> None:
    root.rename(old, new)
    root.commit()


def _own(site: Site, installed: Installed) -> Found | None:
    """Return the object that was observed, None when gone; raises `Conflict` for any other."""
    if not is_name(installed.name) or installed.id != site.place.id(installed.name):
        raise Conflict(f"{installed.id} is not an object of target {site.place.target}")
    found = inspect(site, installed.name)
    if found is None:
        return None
    if not found.installed.owned_by(site.place.owner):
        raise Conflict(f"{installed.id} is not certform's, so it is left alone")
    if not alike(found.installed, installed):
        raise Conflict(f"{installed.id} holds another certificate than was observed")
    return found
