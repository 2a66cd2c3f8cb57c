"""What there is of trust: each Bundle with its anchors, why each of them is there, and where it is. Pure."""

from collections.abc import Iterator, Sequence

from reconciler.diff import World, diff
from reconciler.diff.anchors import (
    Anchor,
    Stock,
    named_anchors,
    others_of,
    placement_of,
    standing,
    stock_of,
)
from reconciler.diff.bundles import bundle_need, obstacle
from reconciler.diff.hanging import uses
from reconciler.ledger.trust import TrustRecord
from reconciler.render.bundles import AnchorRow, BundleRow, TrustPlace
from reconciler.state import DesiredBundle, DesiredInstall
from schemas.plan import Action, Change
from schemas.scalars import format_duration, format_instant

_TOLD = 3
"""How many of what hangs by an anchor are named."""


def bundle_rows(world: World, changes: Sequence[Change]) -> list[BundleRow]:
    """Return every Bundle, by name: those that documents ask for, and those of which something is left."""
    names = world.desired.bundles.keys() | world.ledger.trust.keys()
    return [bundle_row(world, name, changes) for name in sorted(names)]


def bundle_named(world: World, address: str) -> BundleRow | None:
    """Return all about the Bundle of an address, None for any other and where nobody knows it."""
    kind, _, name = address.partition("/")
    known = name in world.desired.bundles or name in world.ledger.trust
    return bundle_row(world, name, diff(world)) if kind == "bundle" and known else None


def bundle_row(world: World, name: str, changes: Sequence[Change]) -> BundleRow:
    """Return one Bundle; raises KeyError where neither a document nor the ledger knows it."""
    bundle = world.desired.bundles.get(name)
    if bundle is None:
        return _left(world.ledger.trust[name])
    stock = stock_of(world, bundle)
    steps = [step for step in changes if step.address.partition("@")[0] == bundle.address]
    places = tuple(_place(world, bundle, install, stock) for install in bundle.installs)
    return BundleRow(
        name,
        _status(steps, places),
        tuple(_anchors(world, bundle, stock)),
        places,
        bundle.labels,
        bundle.source,
        format_duration(bundle.overlap),
    )


def _left(record: TrustRecord) -> BundleRow:
    places = tuple(
        TrustPlace(p.target, p.object_name, "unwanted", verified_at=p.verified_at)
        for p in record.placements
    )
    anchors = {key for placement in record.placements for key in placement.anchors}
    rows = tuple(AnchorRow(key[:16], key, None, "to be removed") for key in sorted(anchors))
    return BundleRow(record.name, "to be removed", rows, places)


def _status(steps: Sequence[Change], places: Sequence[TrustPlace]) -> str:
    """Say the worst first, as of any certificate."""
    if any(step.action is Action.BLOCKED for step in steps):
        return "blocked"
    undue = [step for step in steps if not step.due]
    if undue:
        return f"out of date ({undue[0].reason})"
    for place in places:
        if place.state == "unknown":
            return f"unknown ({place.target})"
        if place.state == "not-here" and place.verified_at is None:
            return f"not yet in {place.target}"
    return "due" if steps else "ok"


def _anchors(world: World, bundle: DesiredBundle, stock: Stock) -> Iterator[AnchorRow]:
    ours = (*stock.wanted.values(), *stock.earlier.values())
    held = {key for i in bundle.installs for key in standing(world, bundle, i)}
    over = (a for a in others_of(bundle) if a.not_after <= world.now)
    for anchor in sorted((*ours, *over), key=lambda each: each.name):
        state = _state(world, bundle, stock, anchor)
        if anchor.sha256 in held or anchor.sha256 not in stock.earlier:
            yield AnchorRow(anchor.name, anchor.sha256, anchor.not_after, state)


def _state(world: World, bundle: DesiredBundle, stock: Stock, anchor: Anchor) -> str:
    """Say why an anchor is there, or why it is not."""
    if anchor.not_after <= world.now:
        return "expired"
    if anchor.sha256 in stock.wanted or anchor.root is None:
        return "wanted"
    every = list(dict.fromkeys(use.where for use in uses(world, anchor.root)))
    if every:
        more = f" and {len(every) - _TOLD} more" if len(every) > _TOLD else ""
        return f"stays, since {', '.join(every[:_TOLD])}{more} may hang by it"
    record = world.ledger.trust.get(bundle.name)
    since = record.replaced.get(anchor.sha256) if record else None
    if since is None:
        return "nothing hangs by it"
    goes = format_instant(since + bundle.overlap)
    return f"nothing hangs by it since {format_instant(since)}: goes at {goes}"


def _place(
    world: World, bundle: DesiredBundle, install: DesiredInstall, stock: Stock
) -> TrustPlace:
    observation, placement = (
        world.observation(install.target),
        placement_of(world, bundle, install),
    )
    names = named_anchors(world, bundle)
    known = sorted(names.get(key, key[:16]) for key in standing(world, bundle, install))
    state, detail = _judged(world, bundle, install, stock)
    if observation.status != "observed":
        state, detail = observation.status, observation.detail
    at = placement.verified_at if placement else None
    return TrustPlace(install.target, install.name, state, detail, at, tuple(known))


def _judged(
    world: World, bundle: DesiredBundle, install: DesiredInstall, stock: Stock
) -> tuple[str, str]:
    if taken := obstacle(world, bundle, install):
        return "occupied", taken.message
    need = bundle_need(world, bundle, install, stock)
    if need is None:
        assumed = world.observation(install.target).assumed
        return "assumed" if assumed else "ok", ""
    if world.held(install) is None:
        return "missing" if need.outside else "pending", need.message
    return "drift" if need.outside else "outdated", need.message
