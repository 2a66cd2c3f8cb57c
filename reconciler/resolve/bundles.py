"""Bundles: which anchors go where."""

from collections.abc import Iterator
from datetime import timedelta

from reconciler.diagnostics import Diagnostic
from reconciler.resolve.catalogue import Catalogue, Entry, unknown
from reconciler.state import DesiredBundle, DesiredInstall
from schemas.base import digest
from schemas.bundle import BundleSpec

OVERLAP = timedelta(days=7)


def check_bundles(everything: Catalogue) -> Iterator[Diagnostic]:
    """Yield what is wrong with Bundles: references that lead nowhere."""
    for entry in everything.bundles.entries.values():
        spec, place = entry.spec, entry.document
        for index, name in enumerate(spec.authorities):
            if name not in everything.authorities.names:
                path = ("spec", "authorities", index)
                yield unknown("Authority", name, everything.authorities.names, place, *path)
        for index, target in enumerate(spec.targets):
            if target.target_ref not in everything.targets.names:
                known, path = everything.targets.names, ("spec", "targets", index)
                yield unknown("Target", target.target_ref, known, place, *path)


def desired_bundle(entry: Entry[BundleSpec]) -> DesiredBundle:
    """Return a Bundle with its defaults filled in."""
    spec = entry.spec
    return DesiredBundle(
        name=entry.name,
        source=entry.document.at(),
        authorities=spec.authorities,
        digest=digest(spec.to_json()),
        overlap=OVERLAP if spec.overlap is None else spec.overlap,
        installs=tuple(
            DesiredInstall(target.target_ref, target.object_name or entry.name)
            for target in spec.targets
        ),
    )
