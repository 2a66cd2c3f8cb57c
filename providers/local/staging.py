"""How one object changes: staged beside what is live, then shown by one rename.

`previous` marks a generation that has not proved itself: it points at what was shown before, or at
generation 0000, which never exists, when nothing was. `settle` deletes it with the old keys. A new
object is made whole under a hidden name and appears, `current` and all, when it is renamed.

Staging and switching do not sync: the caller does, once for a batch.
"""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from providers.abilities import Staged
from providers.base import Installed, InstallRequest
from providers.errors import Conflict, Rejected
from providers.failpoints import reach
from providers.local.folder import PUBLIC, Folder
from providers.local.layout import (
    CURRENT,
    GENERATIONS,
    MANIFEST,
    NEW,
    NOTHING,
    PREVIOUS,
    Place,
    Site,
    after,
    attributes,
    contents,
    is_name,
    link_to,
    linked_generation,
)
from providers.local.manifest import AnyManifest, Manifest, checksum, encode
from providers.local.observation import (
    Found,
    alike,
    drop,
    generations,
    inspect,
    manifest_of,
    recorded,
)
from providers.pairing import Pairing

_APPEAR = "appear"
"""The token of an object that is made whole under a hidden name; other tokens are generations."""
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)


def stage(site: Site, pairing: Pairing, request: InstallRequest) -> Staged:
    """Write one object where no reader looks; raises `Rejected`, `Conflict` or OSError."""
    if not is_name(request.name):
        raise Rejected(f"{request.name!r} cannot be the name of a directory")
    files = contents(request)
    manifest = _manifest(request, files, pairing)
    found = inspect(site, request.name)
    if found is not None and found.generation is not None and same(found, manifest):
        return Staged(request, found.generation)
    _expect(site.place, request, found)
    return Staged(request, write(site, request.name, found, files, manifest))


def write(
    site: Site,
    name: str,
    found: Found | None,
    files: Mapping[str, bytes],
    manifest: AnyManifest,
) -> str:
    """Write files beside what was found under a name, and return the token to show them by."""
    reach("local.stage")
    if found is None:
        _stage_new(site, name, files, manifest)
        return _APPEAR
    return _stage_beside(site, found, files, manifest)


def switch(site: Site, staged: Staged) -> Installed:
    """Show what was staged; raises `Conflict` when what is shown changed since, OSError."""
    return show(site, staged.request.name, staged.token)


def show(site: Site, name: str, token: str) -> Installed:
    """Show what was written under a name, by its token; raises as `switch` does."""
    reach("local.switch")
    appears = token == _APPEAR
    with site.root.enter(NEW + name if appears else name) as folder:
        # read first: after the switch nothing may fail that would hide that it happened
        generation = after([]) if appears else token
        installed = recorded(site.place, name, manifest_of(folder, generation, site.place.id(name)))
        if appears:
            _appear(site, name)
        else:
            _link(site, name, folder, generation)
    return installed


def _manifest(request: InstallRequest, files: Mapping[str, bytes], pairing: Pairing) -> Manifest:
    pair = pairing.check(request.bundle)
    return Manifest(
        labels=dict(request.labels),
        serial=pair.serial,
        sha256=pair.sha256,
        not_after=pair.not_after,
        trust=pair.trust,
        dns_name=pair.dns_name,
        files={name: checksum(content) for name, content in files.items()},
        keystores=request.keystores.digest,
    )


def same(found: Found, manifest: AnyManifest) -> bool:
    """Whether just what a manifest says is there, whole."""
    known = found.manifest
    if isinstance(known, Manifest) and isinstance(manifest, Manifest):
        return known.says_the_same(manifest) and not found.installed.drift
    return known == manifest and not found.installed.drift


def _expect(place: Place, request: InstallRequest, found: Found | None) -> None:
    """Refuse unless what is there is the predecessor that the request names, and ours."""
    if found is not None and found.holds_trust and found.installed.owned_by(place.owner):
        where = place.id(request.name)
        raise Conflict(f"{where} holds a bundle of trust anchors: choose another objectName")
    expect(place, request.name, request.predecessor, found, "another certificate")


def expect(
    place: Place, name: str, predecessor: Installed | None, found: Found | None, other: str
) -> None:
    """Refuse unless what is there is a predecessor, and ours; `other` is what it may be else, in words."""
    where = place.id(name)
    if found is None:
        if predecessor is not None:
            raise Conflict(f"{where} is gone since it was observed")
        return
    if not found.installed.owned_by(place.owner):
        raise Conflict(f"{where} is not certform's: move it away, or choose another objectName")
    if predecessor is None or not alike(found.installed, predecessor):
        raise Conflict(f"{where} holds {other} than was observed")


def _stage_new(site: Site, name: str, files: Mapping[str, bytes], manifest: AnyManifest) -> None:
    hidden, generation = NEW + name, after([])
    site.root.discard(hidden)
    with _undone(site.root, hidden), site.root.make(hidden) as folder:
        with folder.make(GENERATIONS) as held:
            _write(held, generation, files, manifest, site)
        folder.point(PREVIOUS, link_to(NOTHING))
        folder.point(CURRENT, link_to(generation))


def _stage_beside(
    site: Site, found: Found, files: Mapping[str, bytes], manifest: AnyManifest
) -> str:
    shown = found.generation or NOTHING
    with site.root.enter(found.installed.name) as folder, _generations(folder) as held:
        existing = generations(folder)
        if found.generation is not None:
            drop(folder, [each for each in existing if int(each) > int(shown)])
        # a `current` that points at nothing must not come alive while its generation is written
        generation = after([*existing, shown])
        with _undone(held, generation):
            _write(held, generation, files, manifest, site)
            folder.discard(PREVIOUS)
            folder.point(PREVIOUS, link_to(shown))
    return generation


@contextmanager
def _undone(folder: Folder, name: str) -> Iterator[None]:
    """Leave nothing of a directory, keys least of all, when making it fails."""
    try:
        yield
    except OSError:
        with suppress(OSError):
            folder.discard(name)
        raise


def _generations(folder: Folder) -> Folder:
    try:
        return folder.enter(GENERATIONS)
    except FileNotFoundError:
        return folder.make(GENERATIONS)


def _write(
    held: Folder,
    generation: str,
    files: Mapping[str, bytes],
    manifest: AnyManifest,
    site: Site,
) -> None:
    with held.make(generation) as folder:
        for name, content in files.items():
            folder.write(name, content, attributes(name, site))
        folder.write(MANIFEST, encode(manifest), PUBLIC)


def _appear(site: Site, name: str) -> None:
    try:
        site.root.rename(NEW + name, name)
    except OSError as error:
        if error.errno in _TAKEN:
            raise Conflict(
                f"{site.place.id(name)} was made by somebody else since it was staged"
            ) from None
        raise


def _link(site: Site, name: str, folder: Folder, generation: str) -> None:
    shown = linked_generation(folder.target(CURRENT))
    if shown == generation:
        return
    if (shown or NOTHING) != linked_generation(folder.target(PREVIOUS)):
        raise Conflict(f"{site.place.id(name)} was changed by somebody else since it was staged")
    folder.link(CURRENT, link_to(generation))
