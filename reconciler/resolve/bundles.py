"""Bundles: which anchors go where."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.resolve.anchors import check_files, others
from reconciler.resolve.catalogue import Catalogue, Entry, unknown
from reconciler.state import DesiredAuthority, DesiredBundle, DesiredCertificate, DesiredInstall
from schemas.base import digest
from schemas.bundle import BundleEntry, BundleSpec
from schemas.target import TargetSpec

OVERLAP = timedelta(days=7)


def check_bundles(everything: Catalogue, files: Mapping[str, bytes]) -> Iterator[Diagnostic]:
    """Yield what is wrong with Bundles: their roots, their files and their places."""
    for entry in everything.bundles.entries.values():
        yield from _check_roots(entry, everything)
        yield from check_files(entry, files)
        yield from _check_targets(entry, everything)


def _check_roots(entry: Entry[BundleSpec], everything: Catalogue) -> Iterator[Diagnostic]:
    known, names = everything.authorities, entry.spec.authorities
    for index, name in enumerate(names):
        place, path = entry.document, ("spec", "authorities", index)
        if name not in known.names:
            yield unknown("Authority", name, known.names, place, *path)
        elif name in known.entries and known.entries[name].spec.parent_ref is not None:
            summary = f"{name} is not a root: verifiers take no intermediate for an anchor"
            top = _root_above(name, everything)
            hint = f"name the root it hangs by, {top}"
            if top in everything.issuers.names:
                hint = f"its root is that of {top}: put that certificate in a file, named in files"
            yield error(summary, place.at(*path), hint=hint)
        elif name in names[:index]:
            yield error(f"the authority {name} is listed twice", place.at(*path))


def _root_above(name: str, everything: Catalogue) -> str:
    """Return the CA that a line of parents ends at."""
    seen: list[str] = []
    while name not in seen and (found := everything.authorities.entries.get(name)):
        seen.append(name)
        name = found.spec.parent_ref or name
    return name


def _check_targets(entry: Entry[BundleSpec], everything: Catalogue) -> Iterator[Diagnostic]:
    known, targets = everything.targets, entry.spec.targets
    for index, target in enumerate(targets):
        place, path = entry.document, ("spec", "targets", index)
        name = target.target_ref
        if name not in known.names:
            yield unknown("Target", name, known.names, place, *path)
        elif name in known.entries:
            spec = known.entries[name].spec
            for problem, hint in _misfits(entry.name, target, spec):
                yield error(
                    f"the target {name} ({spec.kind}) {problem}", place.at(*path), hint=hint
                )
        if any(earlier.target_ref == name for earlier in targets[:index]):
            yield error(f"the target {name} is listed twice", place.at(*path))


def _misfits(name: str, target: BundleEntry, spec: TargetSpec) -> Iterator[tuple[str, str]]:
    """Yield what a kind of target cannot do for a Bundle, and what to do instead."""
    capabilities, called = spec.capabilities, target.object_name or name
    if not capabilities.holds_trust:
        hint = "name a local-directory; what a cloud trusts is configured where it verifies"
        yield "cannot hold trust anchors", hint
    elif capabilities.name_pattern and not re.fullmatch(capabilities.name_pattern, called):
        yield f"cannot hold an object called {called}", "choose an objectName"


def check_names(
    everything: Catalogue, certificates: Iterable[DesiredCertificate]
) -> Iterator[Diagnostic]:
    """Yield every name in a target that a Bundle and something else both claim."""
    taken = {
        (install.target.partition("/")[0], install.name): certificate.address
        for certificate in certificates
        for install in certificate.installs
    }
    for entry in everything.bundles.entries.values():
        for index, target in enumerate(entry.spec.targets):
            spot = (target.target_ref, target.object_name or entry.name)
            other = taken.setdefault(spot, f"bundle/{entry.name}")
            if other != f"bundle/{entry.name}":
                summary = f"{other} is called {spot[1]} in the target {spot[0]}, too"
                place = entry.document.at("spec", "targets", index)
                yield error(summary, place, hint="choose another objectName")


def check_told(
    everything: Catalogue, authorities: Iterable[DesiredAuthority]
) -> Iterator[Diagnostic]:
    """Yield a warning for each root with another generation that no relying party is told of."""
    told = {n for e in everything.bundles.entries.values() for n in e.spec.authorities}
    for root in authorities:
        several = root.request.generation > 1 or root.standby is not None
        if root.depth or root.retired or root.crossed or not several or root.name in told:
            continue
        summary = f"nobody is told of the new root of {root.name}"
        hint = "name it in a Bundle, or have it cross-signed (crossSign: true)"
        detail = "Who trusts its first generation alone refuses what hangs by another one."
        entry = everything.authorities.entries[root.name]
        field = "generation" if root.request.generation > 1 else "standby"
        yield warning(summary, entry.document.at("spec", field), detail=detail, hint=hint)


def desired_bundle(
    entry: Entry[BundleSpec], files: Mapping[str, bytes], everything: Catalogue
) -> DesiredBundle:
    """Return a Bundle with its defaults filled in, and the certificates of its files."""
    spec, anchors = entry.spec, others(entry, files)
    return DesiredBundle(
        name=entry.name,
        source=entry.document.at(),
        authorities=spec.authorities,
        digest=digest([list(spec.authorities), [pem.decode() for pem in anchors]]),
        overlap=OVERLAP if spec.overlap is None else spec.overlap,
        installs=tuple(
            DesiredInstall(target.target_ref + suffix, target.object_name or entry.name)
            for target in spec.targets
            for suffix in everything.targets.entries[target.target_ref].spec.places()
        ),
        others=anchors,
        labels=entry.content.metadata.labels,
    )
