"""What comes after the switch: restore or settle; and the removal and relabelling of one object."""

from dataclasses import replace

from providers.base import Installed, RelabelRequest
from providers.errors import Conflict
from providers.failpoints import reach
from providers.local.folder import Attributes, Folder
from providers.local.layout import (
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
)
from providers.local.manifest import encode
from providers.local.observation import Found, alike, drop, generations, inspect, manifest_of

_PUBLIC = Attributes(0o644)


def restore(site: Site, installed: Installed) -> Installed | None:
    """Show the predecessor again and drop the failed generation; without one the object stays."""
    found = _own(site, installed)
    if found is None:
        raise Conflict(f"{installed.id} is gone, so its predecessor cannot be put back")
    with site.root.enter(installed.name) as folder:
        previous = linked_generation(folder.target(PREVIOUS))
        reach("local.restore")
        if previous == NOTHING:
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


def remove(site: Site, installed: Installed) -> None:
    """Delete an object of ours; raises `Conflict` when it is not what was observed."""
    if _own(site, installed) is not None:
        delete(site.root, installed.name)


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
        files.replace(MANIFEST, encode(manifest), _PUBLIC)
    return replace(found.installed, labels=manifest.labels)


def delete(root: Folder, name: str) -> None:
    """Take an object away in one step, then delete it; readers see all of it or nothing."""
    reach("local.remove")
    root.discard(GONE + name)
    root.rename(name, GONE + name)
    root.commit()
    root.discard(GONE + name)


def sweep(root: Folder) -> None:
    """Delete what a run that died left half made or half deleted, keys included."""
    for name in root.names():
        if name.startswith((NEW, GONE)):
            root.discard(name)


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
