"""What a local target holds, told from the manifests and from every file they name."""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from providers import x509
from providers.anchors import digest_of, unbundled
from providers.base import Installed
from providers.errors import Conflict
from providers.local.folder import Attributes, Folder
from providers.local.layout import (
    ANCHORS,
    ASIDE,
    CERTIFICATE,
    CHAIN,
    COMBINED,
    CURRENT,
    GENERATIONS,
    GONE,
    MANIFEST,
    MARKER,
    NEW,
    TRUST,
    Place,
    Site,
    attributes,
    is_generation,
    linked_generation,
    set_aside,
)
from providers.local.manifest import AnyManifest, TrustManifest, checksum, read
from providers.local.ownership import group_name, user_name
from schemas.certificate import OutputFormat

_NOT_A_FILE = (errno.ELOOP, errno.EINVAL, errno.ENXIO)


@dataclass(frozen=True, slots=True)
class Found:
    """One object, the generation it shows and that one's manifest; None where it shows none.

    A bundle of anchors has no serial, and what its anchors are known by for its `sha256`.
    """

    installed: Installed
    generation: str | None = None
    manifest: AnyManifest | None = None
    holds_trust: bool = False


@dataclass(frozen=True, slots=True)
class _Look:
    """What is wrong with one file, in words: with its content, and with its owner and mode."""

    file: str
    content: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()


def names(root: Folder) -> list[str]:
    """Return the name of every object of a target's directory, set aside or not."""
    own, listed = (MARKER, f".{MARKER}", NEW, GONE, ASIDE), root.names()
    shown = [name for name in listed if not name.startswith(own)]
    aside = filter(None, map(set_aside, listed))
    return sorted({*shown, *aside})


def observe(site: Site, names: Sequence[str]) -> tuple[Installed, ...]:
    """Return what is there under some names but bundles; raises OSError when one cannot be read."""
    found = (inspect(site, name) for name in names)
    return tuple(each.installed for each in found if each is not None and not each.holds_trust)


def inspect(site: Site, name: str) -> Found | None:
    """Return what is there under a name, be it set aside; None when nothing is."""
    found = _inspect(site, name, name)
    if found is None:
        found = _inspect(site, name, ASIDE + name)
        return None if found is None else _unfinished(found)
    return found


def _unfinished(found: Found) -> Found:
    drift = ("its removal was not finished", *found.installed.drift)
    return replace(found, installed=replace(found.installed, drift=drift))


def _inspect(site: Site, name: str, entry: str) -> Found | None:
    try:
        folder = site.root.enter(entry)
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return Found(_broken(site.place, name, None, "is not a directory"))
    with folder:
        link = folder.target(CURRENT)
        generation = linked_generation(link)
        if generation is None:
            drift = "current is missing" if link is None else f"current points at {link}"
            return _broken_one(site.place, name, _any_manifest(folder), drift)
        return _shown(site, folder, name, generation)


def generations(folder: Folder) -> list[str]:
    """Return the names of an object's generations, oldest first."""
    try:
        with folder.enter(GENERATIONS) as held:
            return sorted(filter(is_generation, held.names()), key=int)
    except (FileNotFoundError, NotADirectoryError):
        return []


def recorded(place: Place, name: str, manifest: AnyManifest) -> Installed:
    """Return an object as its manifest has it, its files not read."""
    if isinstance(manifest, TrustManifest):
        return Installed(place.id(name), name, manifest.labels, None, manifest.sha256, None)
    return Installed(
        id=place.id(name),
        name=name,
        labels=manifest.labels,
        serial=manifest.serial,
        sha256=manifest.sha256,
        not_after=manifest.not_after,
        trust=manifest.trust,
        dns_name=manifest.dns_name,
        output_formats=(OutputFormat.COMBINED_PEM,) if COMBINED in manifest.files else (),
        keystores=manifest.keystores,
    )


def _shown(site: Site, folder: Folder, name: str, generation: str) -> Found:
    try:
        with folder.enter(GENERATIONS) as held, held.enter(generation) as files:
            manifest = _read_manifest(files)
            if manifest is not None:
                trust = isinstance(manifest, TrustManifest)
                return Found(_installed(site, files, name, manifest), generation, manifest, trust)
            drift = f"{MANIFEST} is missing or damaged"
    except (FileNotFoundError, NotADirectoryError):
        drift = "current points at nothing"
    return _broken_one(site.place, name, _any_manifest(folder), drift, generation)


def _broken_one(
    place: Place, name: str, left: AnyManifest | None, drift: str, generation: str | None = None
) -> Found:
    trust = isinstance(left, TrustManifest)
    return Found(_broken(place, name, left, drift), generation, holds_trust=trust)


def _read_manifest(files: Folder) -> AnyManifest | None:
    """Return a generation's manifest, None when it is missing or not ours."""
    try:
        return read(files.read(MANIFEST)[0])
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in _NOT_A_FILE:
            return None
        raise


def _any_manifest(folder: Folder) -> AnyManifest | None:
    """Return the newest manifest left in a broken object: it still tells whose the object is."""
    every = (_manifest_in(folder, generation) for generation in reversed(generations(folder)))
    return next((manifest for manifest in every if manifest is not None), None)


def _manifest_in(folder: Folder, generation: str) -> AnyManifest | None:
    """Return the manifest of an object's generation, None where there is no such directory."""
    try:
        with folder.enter(GENERATIONS) as held, held.enter(generation) as files:
            return _read_manifest(files)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _broken(place: Place, name: str, manifest: AnyManifest | None, drift: str) -> Installed:
    labels = manifest.labels if manifest is not None else {}
    return Installed(place.id(name), name, labels, None, None, None, drift=(drift,))


def _installed(site: Site, files: Folder, name: str, manifest: AnyManifest) -> Installed:
    looked = (_look(site, files, file, digest) for file, digest in manifest.files.items())
    looks = [look for look in looked if look is not None]
    changed = {look.file for look in looks if look.content}
    drift = tuple(words for look in looks for words in look.content + look.attributes)
    installed = recorded(site.place, name, manifest)
    if not looks:
        return installed
    if CERTIFICATE in changed:
        installed = _as_found(files, installed)
    if ANCHORS in changed:
        there = unbundled(content_of(files))
        installed = replace(installed, sha256=digest_of(there) if there else None)
    if changed & {CHAIN, TRUST}:
        installed = replace(installed, trust=None)
    return replace(installed, drift=drift)


def content_of(files: Folder) -> bytes:
    """Return the anchors of an open generation as they are there; nothing where there is no such file."""
    try:
        return files.read(ANCHORS)[0]
    except FileNotFoundError:
        return b""
    except OSError as error:
        if error.errno not in _NOT_A_FILE:
            raise
        return b""


def _as_found(files: Folder, installed: Installed) -> Installed:
    """Return the object with what its changed certificate says, None where that is none."""
    try:
        facts = x509.facts(files.read(CERTIFICATE)[0])
    except (OSError, ValueError):
        return replace(installed, serial=None, sha256=None, not_after=None)
    return replace(installed, serial=facts.serial, sha256=facts.sha256, not_after=facts.not_after)


def _look(site: Site, files: Folder, file: str, digest: str) -> _Look | None:
    """Return what is wrong with one file, None when nothing is."""
    try:
        content, status = files.read(file)
    except FileNotFoundError:
        return _Look(file, content=(f"{file} is missing",))
    except OSError as error:
        if error.errno not in _NOT_A_FILE:
            raise
        return _Look(file, content=(f"{file} is not a regular file",))
    same, wanted = checksum(content) == digest, attributes(file, site)
    if same and wanted.fit(status):
        return None
    drift = tuple(_attribute_drift(file, status, wanted))
    return _Look(file, () if same else (f"{file} was changed by hand",), drift)


def _attribute_drift(file: str, status: os.stat_result, wanted: Attributes) -> Iterator[str]:
    mode = stat.S_IMODE(status.st_mode)
    if mode != wanted.mode:
        yield f"{file} has mode {mode:04o}, want {wanted.mode:04o}"
    if wanted.uid is not None and status.st_uid != wanted.uid:
        yield f"{file} has owner {user_name(status.st_uid)}, want {user_name(wanted.uid)}"
    if wanted.gid is not None and status.st_gid != wanted.gid:
        yield f"{file} has group {group_name(status.st_gid)}, want {group_name(wanted.gid)}"


def alike(one: Installed, other: Installed) -> bool:
    """Whether two observations are of one object holding one certificate."""
    return (one.id, one.serial, one.sha256) == (other.id, other.serial, other.sha256)


def manifest_of(folder: Folder, generation: str | None, place: str) -> AnyManifest:
    """Return the manifest of an object's generation; raises `Conflict` when there is none."""
    manifest = None if generation is None else _manifest_in(folder, generation)
    if manifest is not None:
        return manifest
    raise Conflict(f"{place} holds nothing that certform put there")


def drop(folder: Folder, unwanted: Sequence[str | None]) -> None:
    """Delete generations of an object."""
    with folder.enter(GENERATIONS) as held:
        for generation in unwanted:
            if generation is not None:
                held.discard(generation)
