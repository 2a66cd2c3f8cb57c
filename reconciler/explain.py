"""Everything about one address: what is wanted, what was issued, what is there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from providers.base import HostingState
from reconciler import leads
from reconciler.description import describe, describe_authority
from reconciler.diff import World
from reconciler.ledger.issuing import Advised
from reconciler.ledger.publications import CrlRecord
from reconciler.ledger.records import Attempts, Issuance, PastEntry, Placement
from reconciler.state import DesiredAuthority, DesiredCertificate, DesiredInstall
from schemas.plan import Source
from schemas.scalars import format_duration

Origin = Callable[[str, str, str], Source | None]
"""Returns where a field of a document (kind, name, field) was written, profiles included."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one target holds under the name of a certificate; `problems` say what is wrong with it."""

    target: str
    status: Literal["observed", "not-here", "unknown"]
    detail: str = ""
    id: str | None = None
    serial: str | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """One certificate or authority. `source` is None where no document asks for it any more.

    `origins` are the places of the fields in `wanted`, as far as they were asked for and written.
    """

    address: str
    source: Source | None
    wanted: Mapping[str, object]
    origins: Mapping[str, Source]
    issued: tuple[Issuance, ...]
    placements: tuple[Placement, ...] = ()
    attempts: Attempts | None = None
    renewed_from: datetime | None = None
    window: Advised | None = None
    """When its CA wants it renewed, as it said last."""
    crls: tuple[CrlRecord, ...] = ()
    openers: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Who can open the key of each generation of a CA."""
    found: tuple[Sighting, ...] = ()
    past: Mapping[int, tuple[PastEntry, ...]] = field(default_factory=dict)
    """What each generation of a CA issued before it was taken over, as far as it is not expired."""


def explain(world: World, address: str, origin: Origin | None = None) -> Explanation | None:
    """Return all about an address, None when nobody knows it; `origin` adds each value's place."""
    kind, _, name = address.partition("/")
    if kind == "certificate":
        return _certificate(world, name, origin)
    return _authority(world, name, origin) if kind == "authority" else None


def _certificate(world: World, name: str, origin: Origin | None) -> Explanation | None:
    desired, record = world.desired.certificates.get(name), world.records.get(name)
    if desired is None and record is None:
        return None
    wanted = _wishes(desired) if desired else {}
    hosted = desired is not None and world.desired.hosting(desired) is not None
    current = record.current if record and not hosted else None
    renewal = world.renewal(desired, current) if desired and current else None
    return Explanation(
        f"certificate/{name}",
        desired.source if desired else None,
        wanted,
        _origins(wanted, origin, "Certificate", name),
        issued=record.issuances if record else (),
        placements=record.placements if record else (),
        attempts=record.attempts if record else None,
        renewed_from=renewal.at if renewal else None,
        window=renewal.window if renewal else None,
        found=tuple(_sighting(world, i, current) for i in desired.installs) if desired else (),
    )


def _wishes(desired: DesiredCertificate) -> dict[str, object]:
    wishes = {
        **describe(desired.request),
        "renewBefore": leads.told(desired.renew_before),
        "custody": str(desired.custody),
        "rotationPolicy": str(desired.rotation_policy),
        "onRemove": str(desired.on_remove),
        "rollout": str(desired.rollout),
        "targets": [f"{i.target} (as {i.name})" for i in desired.installs],
        "labels": dict(desired.labels),
    }
    return {path: value for path, value in wishes.items() if value}


def _authority(world: World, name: str, origin: Origin | None) -> Explanation | None:
    desired, record = world.desired.authorities.get(name), world.ledger.authorities.get(name)
    if desired is None and record is None:
        return None
    wanted = _authority_wishes(desired) if desired else {}
    return Explanation(
        f"authority/{name}",
        desired.source if desired else None,
        wanted,
        _origins(wanted, origin, "Authority", name),
        issued=record.issuances if record else (),
        attempts=record.attempts if record else None,
        crls=tuple(
            last for (authority, *_), last in world.ledger.crls.items() if authority == name
        ),
        openers={
            generation: tuple(sorted(who))
            for (authority, generation), who in sorted(world.ledger.ca_keys.items())
            if authority == name
        },
        past={
            generation: before.unexpired(world.now)
            for (authority, generation), before in sorted(world.ledger.past.items())
            if authority == name
        },
    )


def _authority_wishes(desired: DesiredAuthority) -> dict[str, object]:
    crl = format_duration(desired.crl_duration)
    return {**describe_authority(desired.request), "crl": {"duration": crl}}


def _origins(
    wanted: Mapping[str, object], origin: Origin | None, kind: str, name: str
) -> dict[str, Source]:
    places = ((path, origin(kind, name, path) if origin else None) for path in wanted)
    return {path: place for path, place in places if place}


def _sighting(world: World, install: DesiredInstall, current: Issuance | None) -> Sighting:
    observation, found = world.observation(install.target), world.installed(install)
    if observation.status != "observed" or found is None:
        return Sighting(install.target, observation.status, observation.detail)
    problems = [*found.drift, *found.incomplete]
    if found.hosting is not None:
        detail = found.hosting.detail
        state = [] if found.hosting.state is HostingState.ACTIVE else [str(found.hosting.state)]
        problems += [*state, *([detail] if detail and state else [])]
    elif not problems and current is not None and found.serial != current.serial:
        problems.append("it is not the certificate issued last")
    return Sighting(
        install.target,
        observation.status,
        id=found.id,
        serial=found.serial,
        problems=tuple(problems),
    )
