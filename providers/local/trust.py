"""Bundles of trust anchors in a local directory: objects like certificates, with one file and no key.

They are staged, shown by one rename, settled, set aside and swept by the same code.
"""

from collections.abc import Sequence

from providers.abilities import HeldTrust, TrustRequest
from providers.anchors import bundled, by_fingerprint, digest_of, unbundled
from providers.base import Installed
from providers.errors import Conflict, Rejected
from providers.failpoints import reach
from providers.local.folder import FILE_LIMIT
from providers.local.layout import ANCHORS, ASIDE, GENERATIONS, Place, Site, is_name
from providers.local.manifest import TrustManifest, checksum
from providers.local.observation import Found, alike, content_of, inspect
from providers.local.staging import expect, same, write


def observe(site: Site, names: Sequence[str]) -> tuple[HeldTrust, ...]:
    """Return the bundles under some names; raises OSError when one cannot be read."""
    found = ((name, inspect(site, name)) for name in names)
    return tuple(_held(site, name, each) for name, each in found if each and each.holds_trust)


def stage(site: Site, request: TrustRequest) -> str:
    """Write a bundle where no reader looks, and return its token; raises as `staging.stage` does."""
    if not is_name(request.name):
        raise Rejected(f"{request.name!r} cannot be the name of a directory")
    try:
        anchors = by_fingerprint(request.anchors)
    except ValueError:
        raise Rejected("the bundle holds PEM that cannot be read") from None
    content = bundled(anchors)
    if not 0 < len(content) <= FILE_LIMIT:
        raise Rejected(f"{len(anchors):,} anchors make no file of 1 byte to 1 MiB")
    manifest = TrustManifest(dict(request.labels), tuple(anchors), {ANCHORS: checksum(content)})
    found = inspect(site, request.name)
    if found is not None and found.generation is not None and same(found, manifest):
        return found.generation
    _expect(site.place, request, found)
    return write(site, request.name, found, {ANCHORS: content}, manifest)


def stored(site: Site, installed: Installed) -> HeldTrust:
    """Return a bundle as its file has it; raises `Rejected` when that is not what was installed."""
    reach("local.verify")
    found = inspect(site, installed.name)
    if found is None or not found.holds_trust or not alike(found.installed, installed):
        raise Rejected(f"{installed.id} does not hold what was installed")
    held = _held(site, installed.name, found)
    if held.drift or not alike(as_object(held), installed):
        raise Rejected(f"{installed.id}: {', '.join(held.drift) or 'it changed meanwhile'}")
    return held


def as_object(held: HeldTrust) -> Installed:
    """Return a bundle as what every object of a directory is known by."""
    known = digest_of(held.anchors) if held.anchors else None
    return Installed(held.id, held.name, held.labels, None, known, None)


def _held(site: Site, name: str, found: Found) -> HeldTrust:
    known = found.installed
    content = b"" if found.generation is None else _content(site, name, found.generation)
    return HeldTrust(known.id, known.name, known.labels, unbundled(content), known.drift)


def _content(site: Site, name: str, generation: str) -> bytes:
    entry = name if site.root.has(name) else ASIDE + name
    try:
        with (
            site.root.enter(entry) as folder,
            folder.enter(GENERATIONS) as held,
            held.enter(generation) as files,
        ):
            return content_of(files)
    except (FileNotFoundError, NotADirectoryError):
        return b""


def _expect(place: Place, request: TrustRequest, found: Found | None) -> None:
    """Refuse unless what is there is the predecessor that the request names, and ours."""
    if found is not None and not found.holds_trust and found.installed.owned_by(place.owner):
        raise Conflict(f"{place.id(request.name)} holds a certificate: choose another objectName")
    predecessor = None if request.predecessor is None else as_object(request.predecessor)
    expect(place, request.name, predecessor, found, "other anchors")
