"""Reserving what a ceremony is asked for: all that determines it is in the ledger before it leaves here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from providers import x509
from providers.failpoints import reach
from reconciler.apply.reservation import (
    answers,
    issuer_urls,
    mounted_half,
    new_key,
    remote_half,
    shard_for,
    validity,
)
from reconciler.apply.session import Impossible, Session
from reconciler.apply.transitions import abandoned, put_authority
from reconciler.ceremony.lists import Lists, reserve_lists
from reconciler.ceremony.papers import (
    AskedCertificate,
    Generation,
    Request,
    Standing,
)
from reconciler.ceremony.wanted import as_if_signed, waiting
from reconciler.chains import issuers_of
from reconciler.diff.prospects import Errand
from reconciler.diff.world import World
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import (
    AuthorityRecord,
    Issuance,
    Status,
    Urls,
)
from reconciler.limits import Refusal
from reconciler.schedule import is_resumable
from schemas.custody import MOUNTED, Kept
from schemas.request import AuthorityRequest

Judge = Callable[[World, Sequence[Errand], Sequence[Errand]], Mapping[str, Refusal]]
"""Returns what of errands must not be signed, by address, and why; the others are asked for with them."""


@dataclass
class Reservations:
    """What is reserved so far, by this run or an earlier one; nothing of it is written yet."""

    session: Session
    records: dict[str, AuthorityRecord] = field(default_factory=dict)
    sealed: dict[Generation, bytes] = field(default_factory=dict, repr=False)
    asked: dict[str, AskedCertificate] = field(default_factory=dict)
    crls: Lists = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)
    """The CAs of which something is to be written."""
    refused: Mapping[str, Refusal] = field(default_factory=dict)

    def record(self, name: str) -> AuthorityRecord:
        """The record of a CA with what is reserved."""
        known = self.session.journal.state.authorities.get(name)
        return self.records.get(name) or known or AuthorityRecord(name=name)

    def known(self) -> Mapping[str, AuthorityRecord]:
        """Every CA with what is reserved."""
        return {**self.session.journal.state.authorities, **self.records}

    def world(self) -> World:
        """The world as it will be once all that is asked for is signed."""
        signed = as_if_signed(self.session.world, self.records, frozenset(self.asked))
        return replace(signed, refused={**signed.refused, **self.refused})


def export(session: Session, judge: Judge | None = None) -> Request:
    """Reserve everything that waits for an offline key, durably, and return it as a request.

    What is reserved already, and wanted still, is asked for as it was; what `judge` refuses is not.
    Raises `Impossible`, ProviderError.
    """
    found, earlier = Reservations(session), list[Errand]()
    while errands := [e for e in waiting(found.world()) if not _is_asked(found, e)]:
        if judge and (refused := judge(found.world(), errands, earlier)):
            found.refused = {**found.refused, **refused}
            continue
        for errand in errands:
            _reserve(found, errand)
        earlier += errands
    found.crls = reserve_lists(session, tuple(found.asked.values()))
    _write(found)
    return _request(found)


def _is_asked(found: Reservations, errand: Errand) -> bool:
    return any(
        asked.authority == errand.name and asked.issuance.request == errand.request
        for asked in found.asked.values()
    )


def _reserve(found: Reservations, errand: Errand) -> None:
    now, record = found.session.clock(), found.record(errand.name)
    pending = [i for i in record.issuances if i.status is Status.RESERVED and _is_of(i, errand)]
    resumed = next((i for i in pending if _is_resumable(found, errand, i, now)), None)
    for stale in pending:
        if stale is not resumed:
            record = put_authority(record, abandoned(stale))
            found.fresh.add(errand.name)
    if resumed is None:
        resumed = _reservation(found, errand, record, now)
        record = put_authority(record, resumed)
        found.fresh.add(errand.name)
    found.records[errand.name] = record
    found.asked[resumed.serial] = AskedCertificate(authority=errand.name, issuance=resumed)


def _is_resumable(found: Reservations, errand: Errand, issuance: Issuance, now: datetime) -> bool:
    """Whether a reservation holds: also what it was to be signed under may have been given up."""
    above = _signing(found, errand)
    signer = above.serial if above else issuance.serial
    return is_resumable(issuance, errand.digest, now) and issuance.signer in (None, signer)


def _is_of(issuance: Issuance, errand: Errand) -> bool:
    """Whether a reservation is for the same certificate, however it was to look."""
    request = issuance.request
    if not isinstance(request, AuthorityRequest):
        return False
    crossed = request.issuer == errand.name, errand.request.issuer == errand.name
    return request.generation == errand.request.generation and crossed[0] == crossed[1]


def _reservation(
    found: Reservations, errand: Errand, record: AuthorityRecord, now: datetime
) -> Issuance:
    request, serial = errand.request, x509.new_serial()
    above, own = _signing(found, errand), record.generation(errand.request.generation)
    not_before, not_after = validity(now, request.duration, above)
    if errand.crosses and own is not None:
        not_before, not_after = max(not_before, own.not_before), min(not_after, own.not_after)
    return Issuance(
        serial=serial,
        status=Status.RESERVED,
        request=request,
        digest=errand.digest,
        not_before=not_before,
        not_after=not_after,
        spki=_key(found, errand, record),
        urls=_urls(found.session, request, serial),
        reserved_at=now,
        signer=above.serial if above else serial,
    )


def _signing(found: Reservations, errand: Errand) -> Issuance | None:
    """Return what a certificate is to be signed under, also if it is only reserved; None for a root."""
    if errand.request.issuer is None:
        return None
    name, generation = errand.signer
    above = found.record(name).generation(generation)
    if above is None:
        raise Impossible(f"authority/{name} generation {generation} is not there")
    return above


def _urls(session: Session, request: AuthorityRequest, serial: str) -> Urls:
    if request.issuer is None:
        return Urls()
    publish, asked = session.world.desired.publish, answers(session, request.issuer)
    issuer = (request.issuer, request.issuer_generation or 0)
    return issuer_urls(publish, *issuer, shard=shard_for(session, *issuer, serial), ocsp=asked)


def _key(found: Reservations, errand: Errand, record: AuthorityRecord) -> str:
    """Return the public half that is certified; empty for an offline key that is yet to be made."""
    generation = errand.request.generation
    for issuance in (record.issued(generation), record.pending(generation)):
        if issuance is not None and issuance.spki and _has_key(issuance, errand):
            return issuance.spki
    desired = found.session.world.desired.authorities[errand.name]
    if errand.request.key_ref == Kept.OFFLINE.reference:
        return ""
    if errand.request.key_ref == MOUNTED:
        return mounted_half(found.session, desired, errand.request, found.known())
    if errand.request.key_ref is not None:
        return remote_half(found.session, desired, errand.request, found.known())
    key, spki = new_key(errand.request.key)
    found.sealed[errand.name, generation] = found.session.sops.encrypt(key, desired.recipients)
    return spki


def _has_key(issuance: Issuance, errand: Errand) -> bool:
    """Whether a reservation or certificate is of the kind of key that is asked for, in the same place."""
    had = issuance.request
    if not isinstance(had, AuthorityRequest):
        return False
    return (had.key, had.key_ref) == (errand.request.key, errand.request.key_ref)


def _write(found: Reservations) -> None:
    known = found.session.journal.state.crls
    crls = [record for record, _ in found.crls.values() if known.get(record.key) != record]
    names = [*sorted(found.fresh), *(f"CRL {r.authority} {r.number}" for r in crls)]
    if not names:
        return
    found.session.journal.write(
        Wave(
            message=f"Reserve for a ceremony: {', '.join(names)}",
            authorities=[r for name, r in sorted(found.records.items()) if name in found.fresh],
            crls=crls,
            authority_keys=found.sealed,
        )
    )
    reach("ceremony.reserved")


def _request(found: Reservations) -> Request:
    state = found.session.journal.state
    crls = tuple(asked for _, asked in found.crls.values())
    signers = {a.signer for a in found.asked.values()} | {a.signer for a in crls}
    return Request(
        project=found.session.world.desired.project,
        ledger=state.lineage.id,
        made_at=max(_moments(found), default=found.session.clock()),
        certificates=tuple(found.asked.values()),
        crls=crls,
        standing=tuple(
            Standing(authority=name, generation=number, chain=chain)
            for name, number in sorted(signers)
            if (chain := _chain(state.authorities, name, number))
        ),
    )


def _moments(found: Reservations) -> Iterator[datetime]:
    """Yield when each part was reserved: the same request again is the same file."""
    yield from (asked.issuance.reserved_at for asked in found.asked.values())
    yield from (record.this_update for record, _ in found.crls.values())


def _chain(known: Mapping[str, AuthorityRecord], name: str, number: int) -> tuple[str, ...]:
    return tuple(str(i.certificate) for i in issuers_of(known, name, number))
