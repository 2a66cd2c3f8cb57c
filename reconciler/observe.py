"""What is really there: every target and the publication directory, read afresh and changed by nothing."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Self

from providers import x509
from providers.abilities import Finder, HeldTrust, Inspector, Marked, TrustHolder
from providers.base import Installed, InstallRequest, Publisher, Target, TargetConfig, Tree
from providers.errors import ProviderError
from providers.local.hosts import here
from providers.local.location import Location
from providers.local.publisher import DirectoryPublisher
from providers.registry import make_target
from reconciler.diff.close_ups import worth_inspecting
from reconciler.diff.world import World
from reconciler.ledger.records import LedgerState, Placement
from reconciler.response_terms import tree_name
from reconciler.state import (
    Assumed,
    Desired,
    DesiredTarget,
    Observation,
    Observed,
    PublishedFile,
)
from reconciler.threads import side_by_side
from schemas.capabilities import Capabilities

SIDE_BY_SIDE = 32
"""How many remote targets are asked at once."""
NOTHING_ASSUMED = Assumed()
"""Everything is looked at."""
LAG = timedelta(days=1)
"""How long a listing, of labels too, may lag behind, counted back from the last wave of the ledger."""


def make_targets(
    desired: Desired, ledger: LedgerState, root: Path, *, to_read: bool = False
) -> Mapping[str, Target]:
    """Return every target this host can reach, connected to nothing yet; `to_read` ones change nothing."""
    owner = ledger.lineage.owner
    specs = {t.name: t.spec for t in desired.targets.values() if here(t.spec)}
    return {
        name: _made(TargetConfig(name, spec.to_read() if to_read else spec, owner, root))
        for name, spec in specs.items()
    }


def _made(config: TargetConfig) -> Target:
    try:
        return make_target(config)
    except ProviderError as why:
        return Absent(why)


class Absent:
    """A target that cannot be made, as without its library: nothing is known of it, nothing can be done."""

    capabilities: ClassVar[Capabilities] = Capabilities()

    def __init__(self, why: ProviderError) -> None:
        self._why = why

    @classmethod
    def from_config(cls, _config: TargetConfig, /) -> Self:
        """Raise TypeError: only a target that was to be made can be absent."""
        raise TypeError(cls)

    def observe(self) -> Sequence[Installed]:
        """Raise what says why, such as how to install the library."""
        raise self._why

    def install(self, _request: InstallRequest, /) -> Installed:
        """Raise the same."""
        raise self._why

    def remove(self, _installed: Installed, /) -> None:
        """Raise the same."""
        raise self._why


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
    assumed: Assumed = NOTHING_ASSUMED,
) -> Observed:
    """Read everything; a place that cannot be read whole is unknown, which is not the same as empty.

    What is `assumed` is not looked at: of each target this is what it is taken to hold, by name.
    """
    wanted = [each for each in desired.targets.values() if each.name not in assumed.targets]
    placed, trusting = _placed(ledger), _trusting(desired, ledger)

    def look(target: DesiredTarget) -> Observation:
        name = target.name
        known = placed.get(name, ())
        return _observe(target, targets.get(name), known, ledger, trusting.get(name))

    # where there are no threads yet, a local target may fork to read faster: those come first
    observations = {each.name: look(each) for each in wanted if not _remote(each)}
    distant = [each for each in wanted if _remote(each)]
    found = side_by_side(look, distant, SIDE_BY_SIDE)
    observations |= {each.name: seen for each, seen in zip(distant, found, strict=True)}
    published, detail = (
        _published(publisher, ledger) if assumed.published is None else (assumed.published, "")
    )
    observations |= assumed.targets
    ordered = {name: observations[name] for name in desired.targets}
    return Observed(ordered, published, detail)


def _remote(target: DesiredTarget) -> bool:
    return target.spec.capabilities.remote


def _placed(ledger: LedgerState) -> Mapping[str, tuple[Placement, ...]]:
    """Return what the ledger knows to have been verified, by target."""
    placed: dict[str, list[Placement]] = {}
    for record in ledger.certificates.values():
        for placement in record.placements:
            if placement.serial is not None:
                placed.setdefault(placement.target, []).append(placement)
    return {target: tuple(those) for target, those in placed.items()}


def _trusting(desired: Desired, ledger: LedgerState) -> Mapping[str, bool]:
    """Return the targets where bundles of anchors are wanted, or may be, and whether any was seen there."""
    wanted = {i.target: False for b in desired.bundles.values() for i in b.installs}
    placements = [p for record in ledger.trust.values() for p in record.placements]
    known = {p.target: False for p in placements}
    return {**wanted, **known, **{p.target: True for p in placements if p.anchors}}


def _observe(
    wanted: DesiredTarget,
    target: Target | None,
    placed: tuple[Placement, ...],
    ledger: LedgerState,
    trusted: bool | None,
) -> Observation:
    if target is None:
        hosts = wanted.spec.local_directory.hosts if wanted.spec.local_directory else ()
        return Observation("not-here", detail=f"on {', '.join(hosts)}")
    try:
        installed = target.observe()
        trust = _trust(target) if trusted is not None else ()
        if (placed or trusted) and not installed and not trust and isinstance(target, Marked):
            target.confirm()
        looked_up = {found.id: found for found in _unlisted(target, installed, placed, ledger)}
    except ProviderError as why:
        return Observation("unknown", detail=str(why))
    seen = [*(item for item in installed if item.id not in looked_up), *looked_up.values()]
    held = {each.name: each for each in trust}
    return Observation("observed", {item.name: item for item in seen}, trust=held)


def _trust(target: Target) -> Sequence[HeldTrust]:
    return target.observe_trust() if isinstance(target, TrustHolder) else ()


def _unlisted(
    target: Target,
    installed: Iterable[Installed],
    placed: tuple[Placement, ...],
    ledger: LedgerState,
) -> Iterator[Installed]:
    """Yield what was verified there not long ago and is not listed as ours: listings may lag."""
    if not isinstance(target, Finder):
        return
    owner, since = ledger.lineage.owner, ledger.tip_time - LAG
    listed = {found.id for found in installed if found.owned_by(owner)}
    for placement in placed:
        recent = placement.verified_at is not None and placement.verified_at >= since
        if recent and placement.object_id is not None and placement.object_id not in listed:
            found = target.find(placement.object_id)
            if found is not None:
                yield found


def inspect(world: World, targets: Mapping[str, Target]) -> World:
    """Return the world with all that can be told of the few objects that make room or are taken over."""
    finders = {name: each for name, each in targets.items() if isinstance(each, Finder)}
    inspectors = {name: each for name, each in targets.items() if isinstance(each, Inspector)}
    if not finders and not inspectors:
        return world
    observations = dict(world.observed.targets)
    for name, id_ in world.unlisted():
        if name in finders and observations[name].status == "observed":
            observations[name] = _found(observations[name], finders[name], id_)
    world = replace(world, observed=replace(world.observed, targets=observations))
    near = {(name, found.id): found for name, found in worth_inspecting(world)}
    for (name, _), found in near.items():
        if name in inspectors and observations[name].status == "observed":
            observations[name] = _inspected(observations[name], inspectors[name], found)
    return replace(world, observed=replace(world.observed, targets=observations))


def _found(observation: Observation, target: Finder, id_: str) -> Observation:
    """Add what a listing does not show, be it too new or not issued; what is certainly gone stays away."""
    try:
        found = target.find(id_)
    except ProviderError as why:
        return Observation("unknown", detail=str(why))
    if found is None or found.name in observation.installed:
        return observation
    return replace(observation, installed={**observation.installed, found.name: found})


def _inspected(observation: Observation, target: Inspector, found: Installed) -> Observation:
    try:
        closer = target.inspect(found)
    except ProviderError as why:
        return Observation("unknown", detail=str(why))
    return replace(observation, installed={**observation.installed, found.name: closer})


def _published(
    publisher: Publisher | None, ledger: LedgerState
) -> tuple[Mapping[str, PublishedFile] | None, str]:
    """Return what is published; nothing at all is doubted where the ledger knows of anything that was."""
    if publisher is None:
        return {}, ""
    try:
        files = publisher.published()
        if ledger.crls and not files and isinstance(publisher, Marked):
            publisher.confirm()
        trees = [t for key in _answering(ledger) if (t := publisher.tree(tree_name(*key)))]
    except ProviderError as why:
        return None, str(why)
    found = {name: _published_file(name, content) for name, content in files.items()}
    return {**found, **{tree.name: _published_tree(tree) for tree in trees}}, ""


def _answering(ledger: LedgerState) -> Iterator[tuple[str, int]]:
    """Yield the CAs that have responses somebody may still ask for: nothing else is looked for."""
    for name, generation in ledger.ocsp:
        signing = ledger.authorities.get(name)
        lasting = signing.lasting(generation) if signing else None
        if lasting is not None and lasting.not_after > ledger.tip_time:
            yield name, generation


def _published_tree(tree: Tree) -> PublishedFile:
    from providers.x509.ocsp import read_responses  # noqa: PLC0415 - only where a CA answers

    told = read_responses(tree.files.values())
    return PublishedFile(tree.digest, revoked=told.revoked, serials=told.serials)


def _published_file(name: str, content: bytes) -> PublishedFile:
    sha256 = hashlib.sha256(content).hexdigest()
    if not name.endswith(".crl"):
        return PublishedFile(sha256)
    try:
        crl = x509.outline_crl(content)
    except ValueError:
        return PublishedFile(sha256)
    dates = (crl.this_update, crl.next_update) if crl.next_update else None
    return PublishedFile(sha256, crl.number, crl.serials, crl.urls, dates=dates)
