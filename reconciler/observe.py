"""What is really there: every target and the publication directory, read afresh and changed by nothing."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from providers import x509
from providers.abilities import Marked
from providers.base import Publisher, Target, TargetConfig
from providers.errors import ProviderError
from providers.local.hosts import here
from providers.local.location import Location
from providers.local.publisher import DirectoryPublisher
from providers.registry import make_target
from reconciler.ledger.records import LedgerState
from reconciler.state import Desired, DesiredTarget, Observation, Observed, PublishedFile


def make_targets(desired: Desired, ledger: LedgerState, root: Path) -> Mapping[str, Target]:
    """Return every target this host can reach, connected to nothing yet."""
    owner = ledger.lineage.owner
    return {
        target.name: make_target(TargetConfig(target.name, target.spec, owner, root))
        for target in desired.targets.values()
        if here(target.spec)
    }


def make_publisher(desired: Desired, ledger: LedgerState, root: Path) -> Publisher | None:
    """Return where CRLs and CA certificates go, None when the Project publishes nowhere."""
    if desired.publish is None:
        return None
    location = Location.of(root, desired.publish.to.directory)
    return DirectoryPublisher(location, ledger.lineage.owner)


def observe(
    desired: Desired,
    ledger: LedgerState,
    targets: Mapping[str, Target],
    publisher: Publisher | None,
) -> Observed:
    """Read everything; a place that cannot be read whole is unknown, which is not the same as empty."""
    placed = {
        placement.target
        for record in ledger.certificates.values()
        for placement in record.placements
        if placement.serial is not None
    }
    # one after the other: where there are no threads, a target may fork to read faster
    observations = {
        wanted.name: _observe(wanted, targets.get(wanted.name), wanted.name in placed)
        for wanted in desired.targets.values()
    }
    published, detail = _published(publisher, bool(ledger.crls))
    return Observed(observations, published, detail)


def _observe(wanted: DesiredTarget, target: Target | None, placed: bool) -> Observation:
    if target is None:
        hosts = wanted.spec.local_directory.hosts if wanted.spec.local_directory else ()
        return Observation("not-here", detail=f"on {', '.join(hosts)}")
    try:
        installed = target.observe()
        if placed and not installed and isinstance(target, Marked):
            target.confirm()
    except ProviderError as why:
        return Observation("unknown", detail=str(why))
    return Observation("observed", {item.name: item for item in installed})


def _published(
    publisher: Publisher | None, before: bool
) -> tuple[Mapping[str, PublishedFile] | None, str]:
    """Return what is published; `before` says whether the ledger knows of anything that was."""
    if publisher is None:
        return {}, ""
    try:
        files = publisher.published()
        if before and not files and isinstance(publisher, Marked):
            publisher.confirm()
    except ProviderError as why:
        return None, str(why)
    return {name: _published_file(name, content) for name, content in files.items()}, ""


def _published_file(name: str, content: bytes) -> PublishedFile:
    sha256 = hashlib.sha256(content).hexdigest()
    if not name.endswith(".crl"):
        return PublishedFile(sha256)
    try:
        crl = x509.read_crl(content)
    except ValueError:
        return PublishedFile(sha256)
    return PublishedFile(sha256, crl.number, frozenset(crl.entries))
