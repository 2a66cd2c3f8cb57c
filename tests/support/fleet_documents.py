"""The documents of the fleet in memory, and what they ask for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from types import MappingProxyType

import nameless

from reconciler.leads import Lead
from reconciler.ledger.records import Lineage
from reconciler.limits import NO_LIMITS, Limits
from reconciler.resolve.issuers import request_digest
from reconciler.state import (
    DesiredAuthority,
    DesiredCertificate,
    DesiredInstall,
    DesiredTarget,
)
from reconciler.takeover import Takeover
from schemas.authority import NameConstraints, NameForms, OcspSettings
from schemas.base import digest
from schemas.certificate import Algorithm, Custody, OnRemove, Rollout, RotationPolicy, Usage
from schemas.custody import CaCustody
from schemas.issuer import IssuerSpec
from schemas.plan import Source
from schemas.project import PublishSettings, PublishTo, Recipient
from schemas.request import AuthorityRequest, KeyType, LeafRequest
from schemas.target import LocalDirectory, TargetSpec

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = 86400
KEY = KeyType(algorithm=Algorithm.ED25519, size=256)
HERE = Source(file="test.yaml")
LINEAGE = Lineage(
    id="00112233445566ff",
    project="example",
    created_at=START - timedelta(days=1),
    public_key=f"ssh-ed25519 {'A' * 68}",
    leaf_recipient=f"age1{'q' * 58}",
)
PUBLISH = PublishSettings(to=PublishTo(directory="public"), base_url="http://pki.example.com")


@dataclass(frozen=True)
class Ca:
    """An Authority as it is written; renewed by what it issues, or `renew_before` days before its end."""

    parent: str | None = None
    generation: int = 1
    retired: bool = False
    days: int = 3000
    crl_days: int = 7
    crl_refresh: int | None = None
    crl_shards: int = 1
    ocsp: OcspSettings | None = None
    permits: tuple[str, ...] = ()
    path_length: int | None = None
    key: KeyType = KEY
    standby: bool = False
    revoked: frozenset[int] = frozenset()
    """The generations that Revocations name."""
    crossed: bool = False
    renew_before: int = 0
    custody: CaCustody | None = None
    existing: Takeover | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Leaf:
    """A Certificate as it is written. `targets` are (target, object name) pairs, `adopt` ids by target."""

    issuer: str = "root"
    targets: tuple[tuple[str, str | None], ...] = (("a", None),)
    names: tuple[str, ...] = ("www.example.com",)
    labels: Mapping[str, str] = field(default_factory=dict)
    formerly: tuple[str, ...] = ()
    custody: Custody = Custody.UNTIL_INSTALLED
    rotation: RotationPolicy = RotationPolicy.ALWAYS
    on_remove: OnRemove = OnRemove.REMOVE
    rollout: Rollout = Rollout.NOW
    days: int = 30
    renew_before: int = 10
    lead: Lead | None = None
    """What counts instead, where the CA decides how long it lives."""
    adopt: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    key: KeyType = KEY
    limits: Limits = NO_LIMITS


def at(*targets: str) -> tuple[tuple[str, str | None], ...]:
    """Write `targets:` in its short form."""
    return tuple((target, None) for target in targets)


def desired_target(name: str) -> DesiredTarget:
    """What a Target of a name asks for."""
    spec = (
        nameless.SPEC if is_region(name) else TargetSpec(local_directory=LocalDirectory(path=name))
    )
    return DesiredTarget(name, HERE, spec, digest(spec.to_json()))


def is_region(name: str) -> bool:
    """Whether a target is a place of a Target with several, where objects have no names."""
    return name == nameless.REGION


def desired_authority(
    name: str,
    ca: Ca,
    cas: Mapping[str, Ca],
    recipients: tuple[str, ...],
    issuers: Mapping[str, IssuerSpec] = MappingProxyType({}),
) -> DesiredAuthority:
    """What an Authority asks for, among the others and below CAs of others."""
    request = _authority_request(name, ca, cas, ca.generation, issuers)
    depth, above = 0, ca.parent
    while above is not None:
        depth, above = depth + 1, cas[above].parent if above in cas else None
    return DesiredAuthority(
        name=name,
        source=HERE,
        labels=ca.labels,
        request=request,
        digest=digest(request.to_json()),
        recipients=tuple(Recipient(age=age) for age in recipients),
        crl_duration=timedelta(days=ca.crl_days),
        crl_refresh=None if ca.crl_refresh is None else timedelta(days=ca.crl_refresh),
        crl_shards=ca.crl_shards,
        depth=depth,
        retired=ca.retired,
        ocsp=ca.ocsp,
        custody=_custody(ca),
        standby=_authority_request(name, ca, cas, _ready(ca), issuers) if ca.standby else None,
        crossed=ca.crossed,
        renew_before=timedelta(days=ca.renew_before),
        existing=ca.existing,
    )


def _ready(ca: Ca) -> int:
    return next(n for n in count(ca.generation + 1) if n not in ca.revoked)


def _custody(ca: Ca) -> CaCustody | None:
    inherits = ca.existing is not None and ca.existing.generation == ca.generation
    return ca.existing.custody if ca.existing and inherits else ca.custody


def _authority_request(
    name: str, ca: Ca, cas: Mapping[str, Ca], generation: int, issuers: Mapping[str, IssuerSpec]
) -> AuthorityRequest:
    if ca.existing is not None and ca.existing.generation == generation:
        return ca.existing.request
    theirs, ours = issuers.get(ca.parent or ""), cas.get(ca.parent or "")
    return AuthorityRequest(
        issuer=ca.parent,
        issuer_generation=ours.generation if ours else 0 if theirs else None,
        issuer_id=theirs.authority_identity if theirs else None,
        generation=generation,
        common_name=f"Example {name} G{generation}",
        key=ca.key,
        duration=ca.days * DAY,
        path_length=ca.path_length,
        name_constraints=_permitting(ca.permits),
        key_ref=ca.custody.reference if ca.custody else None,
    )


def _permitting(domains: tuple[str, ...]) -> NameConstraints | None:
    if not domains:
        return None
    return NameConstraints(permitted=NameForms(dns_domains=domains))


def desired_certificate(
    name: str, leaf: Leaf, generation: int, wanted: frozenset[str], theirs: IssuerSpec | None = None
) -> DesiredCertificate:
    """What a Certificate asks for; `wanted` are all names, `theirs` its issuer if that is no CA of ours."""
    request = LeafRequest(
        issuer=leaf.issuer,
        issuer_generation=generation,
        dns_names=tuple(sorted(leaf.names)),
        usages=(Usage.SERVER_AUTH,),
        key=leaf.key,
        duration=leaf.days * DAY,
        issuer_id=theirs.identity if theirs else None,
    )
    return DesiredCertificate(
        name=name,
        source=HERE,
        labels=leaf.labels,
        formerly=tuple(old for old in leaf.formerly if old not in wanted),
        request=request,
        digest=request_digest(request, theirs),
        renew_before=leaf.lead or timedelta(days=leaf.renew_before),
        custody=leaf.custody,
        rotation_policy=leaf.rotation,
        on_remove=leaf.on_remove,
        rollout=leaf.rollout,
        installs=tuple(
            DesiredInstall(
                t,
                o or name,
                formerly=leaf.formerly if is_region(t) else (),
                adopt=leaf.adopt.get(t, ()),
                hosted=theirs is not None and theirs.capabilities.hosted,
            )
            for t, o in leaf.targets
        ),
        limits=leaf.limits,
    )
