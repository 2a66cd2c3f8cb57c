"""How long what is in use lasts, when it falls due, and from when on a renewal has been missed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from providers.base import Installed
from reconciler import response_terms
from reconciler.checks import adopted_renewal
from reconciler.crl_terms import refresh_time, settled_terms
from reconciler.diff import World
from reconciler.diff.sides import unexpired
from reconciler.leads import time_left
from reconciler.ledger.publications import CrlRecord
from reconciler.ledger.records import CertificateRecord, Issuance, Status
from reconciler.published_names import file_name, list_address
from reconciler.schedule import late_time, renewal_time
from reconciler.state import DesiredAuthority, DesiredCertificate
from schemas.plan import Source


@dataclass(frozen=True, slots=True)
class Lifetime:
    """One certificate, CRL or set of responses, as the first of what stands for it ends; `target` is where.

    `renews_at` is when it falls due; None for what nobody renews by itself.
    """

    address: str
    issuer: str
    not_after: datetime
    renews_at: datetime | None = None
    target: str = ""
    source: Source | None = None

    @property
    def late_at(self) -> datetime | None:
        """When half of the time to renew it in is over: by then many nights have failed to."""
        if self.renews_at is None:
            return None
        return late_time(self.renews_at, self.not_after)

    def is_late(self, now: datetime) -> bool:
        """Whether a renewal was missed."""
        return self.late_at is not None and self.late_at <= now


def lifetimes(world: World) -> tuple[Lifetime, ...]:
    """Return everything wanted that can end, what ends first before the others."""
    found = (*_certificates(world), *_authorities(world), *_crls(world), *_responses(world))
    return tuple(sorted(found, key=lambda life: (life.not_after, life.address)))


def _certificates(world: World) -> Iterator[Lifetime]:
    for desired in world.desired.certificates.values():
        standing = list(_standing(world, desired))
        if standing:
            yield min(standing, key=lambda life: life.not_after)


def _standing(world: World, desired: DesiredCertificate) -> Iterator[Lifetime]:
    """Yield what stands for a certificate: in the ledger, and in each place that could be looked at.

    A place may still hold the one before, and then that one's end is what counts.
    """
    record = world.records.get(desired.name) or CertificateRecord(name=desired.name)
    current = record.current
    if current is not None and world.desired.hosting(desired) is None:
        renews = world.renewal(desired, current).at
        yield _life(desired, current.not_after, renews, "")
    for install in desired.installs:
        found = world.installed(install)
        seen = world.observation(install.target).status == "observed"
        if found is None or found.not_after is None or not seen:
            continue
        adopted = (install.target, found.id) in world.adopted
        if adopted or found.owned_by(world.ledger.lineage.owner):
            renews = _renews(world, desired, found, found.not_after)
            yield _life(desired, found.not_after, renews, install.target)


def _renews(world: World, desired: DesiredCertificate, found: Installed, end: datetime) -> datetime:
    if found.hosting is not None:  # the place chooses the day; by then it should have been
        begins = found.content.not_before if found.content else None
        life = end - begins if begins else timedelta(seconds=desired.request.duration)
        return end - time_left(desired.renew_before, life)
    known = world.serials.get(found.serial or "")
    if known is not None:
        return world.renewal(desired, known[1]).at
    return adopted_renewal(desired, found, end)


def _life(desired: DesiredCertificate, end: datetime, renews: datetime, target: str) -> Lifetime:
    issuer = desired.request.issuer
    return Lifetime(desired.address, issuer, end, renews, target, desired.source)


def _authorities(world: World) -> Iterator[Lifetime]:
    for desired in world.desired.authorities.values():
        for address, issuance in () if desired.retired else _of_authority(world, desired):
            if issuance is None or issuance.status is not Status.ISSUED:
                continue
            issuer, end = issuance.request.issuer or "itself", issuance.not_after
            renewed = not desired.is_anchor and _lasts_on(world, desired, address, issuance)
            renews = renewal_time(issuance, desired.renew_before) if renewed else None
            yield Lifetime(address, issuer, end, renews, source=desired.source)


def _of_authority(world: World, desired: DesiredAuthority) -> Iterator[tuple[str, Issuance | None]]:
    """Yield what a CA needs: the generation that issues, the one kept ready, and a cross-certificate."""
    record, number = world.authority(desired.name), desired.request.generation
    yield desired.address, record.issued(number)
    if desired.standby is not None:
        later = desired.standby.generation
        yield f"standby/{desired.name}-g{later}", record.issued(later)
    if desired.crossed:
        yield f"cross/{desired.name}-g{number}", record.crossed(number)


def _lasts_on(world: World, desired: DesiredAuthority, address: str, issuance: Issuance) -> bool:
    """Whether there can be another one that ends later: a cross-certificate ends with either of two roots."""
    if not address.startswith("cross/"):
        return True
    record, older = world.authority(desired.name), issuance.request.issuer_generation or 0
    both = (record.issued(desired.request.generation), record.issued(older))
    return all(each is not None and each.not_after > issuance.not_after for each in both)


def _crls(world: World) -> Iterator[Lifetime]:
    if world.desired.publish is None:
        return
    for (name, generation, shard), record in world.ledger.crls.items():
        lasting = world.authority(name).lasting(generation)
        if lasting is not None and unexpired(lasting, world.now):
            desired = world.desired.authorities.get(name)
            crl = _shown(world, record)
            yield Lifetime(
                list_address((name, generation, shard)),
                name,
                crl.next_update,
                refresh_time(crl, settled_terms(world.ledger, name, generation, desired)),
                source=desired.source if desired else None,
            )


def _shown(world: World, record: CrlRecord) -> CrlRecord:
    """Return the record of a list with the dates of the published one, where that ends sooner.

    A number is reserved before anything is signed under it, at a ceremony weeks before.
    """
    file = file_name(record.authority, record.generation, "crl", record.shard)
    found = (world.observed.published or {}).get(file)
    if found is None or found.dates is None or found.dates[1] >= record.next_update:
        return record
    since, until = found.dates
    return record.model_copy(update={"this_update": since, "next_update": until})


def _responses(world: World) -> Iterator[Lifetime]:
    """Yield the OCSP responses that somebody may still ask for."""
    for (name, generation), record in world.ledger.ocsp.items():
        desired = world.desired.authorities.get(name)
        asked = desired is not None and desired.ocsp is not None
        if asked or response_terms.are_named(world.ledger, name, generation, world.now):
            yield Lifetime(
                response_terms.tree_name(name, generation),
                name,
                record.next_update,
                response_terms.refresh_time(record),
                source=desired.source if desired else None,
            )
