"""Issuing CAs: the key sealed and reserved durably, then the certificate signed, then recorded.

A key at a key service is made there and stays: what is reserved is which one it is, and its public half.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from providers import x509
from providers.errors import ProviderError
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
from reconciler.apply.session import Impossible, Outcome, Session
from reconciler.apply.transitions import abandoned, issued, put_authority
from reconciler.certificate_terms import to_be_ordered, to_be_signed
from reconciler.diff.prospects import Errand
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import AuthorityRecord, Issuance, Status, Urls
from reconciler.schedule import is_resumable
from schemas.plan import Change
from schemas.request import AuthorityRequest


@dataclass(frozen=True, slots=True)
class Decided:
    """A CA certificate that is decided but for its signature.

    `sealed` is its key as ciphertext, if it is new and in the ledger.
    """

    errand: Errand
    record: AuthorityRecord
    issuance: Issuance
    sealed: bytes | None = None
    resumed: bool = False


def issue_authorities(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Issue CA certificates that do not depend on each other, in two durable steps."""
    steps = {change.address: change for change in changes}
    decided: list[Decided] = []
    for change in changes:
        try:
            decided.append(decide(session, session.prospects.errands[change.address], decided))
        except (Impossible, ProviderError) as why:
            yield Outcome(change, str(why))
    reserve(session, [item for item in decided if not item.resumed])
    signed: list[Decided] = []
    for item in decided:
        try:
            signed.append(sign(session, item))
        except (Impossible, ProviderError) as why:
            yield Outcome(steps[item.errand.address], str(why))
    record(session, signed)
    yield from (Outcome(steps[item.errand.address]) for item in signed)


def decide(session: Session, errand: Errand, before: Sequence[Decided] = ()) -> Decided:
    """Decide every byte of a CA certificate: what was reserved for it, or something new.

    `before` is what was decided in the same step, of other CAs. Raises `Impossible`, `ProviderError`.
    """
    now = session.clock()
    known = session.journal.state.authorities.get(errand.name) or AuthorityRecord(name=errand.name)
    reserved = _reserved(known, errand)
    if reserved is not None:
        if is_resumable(reserved, errand.digest, now) and _is_signed_by(session, errand, reserved):
            return Decided(errand, known, reserved, resumed=True)
        known = put_authority(known, abandoned(reserved))
    spki, sealed = _key(session, errand, known, before)
    issuance = _reservation(session, errand, known, spki, now)
    return Decided(errand, put_authority(known, issuance), issuance, sealed)


def _reserved(known: AuthorityRecord, errand: Errand) -> Issuance | None:
    number = errand.request.generation
    if not errand.crosses:
        return known.pending(number)
    found = known.crossing(number)
    return found if found is not None and found.status is Status.RESERVED else None


def _is_signed_by(session: Session, errand: Errand, reserved: Issuance) -> bool:
    """Whether what was to sign a reservation is what signs now."""
    return reserved.signer in (None, _signer_serial(session, errand, reserved.serial))


def _signer_serial(session: Session, errand: Errand, own: str) -> str | None:
    """Return the serial of the certificate of ours that it is signed under; None where others sign."""
    if errand.is_ordered:
        return None
    return own if errand.request.issuer is None else session.signing(*errand.signer).serial


def _key(
    session: Session, errand: Errand, known: AuthorityRecord, before: Sequence[Decided]
) -> tuple[str, bytes | None]:
    """Return the public half of a generation's key, and the key sealed where it is new and the ledger's.

    The public half is empty where a key is still to be made at a ceremony.
    """
    issued_ = known.issued(errand.request.generation)
    if issued_ is not None:
        return issued_.spki, None
    desired = session.world.desired.authorities[errand.name]
    if desired.offline:
        return "", None
    if desired.remote is not None or desired.mounted is not None:
        decided = {item.record.name: item.record for item in before}
        everybody = {**session.journal.state.authorities, **decided}
        half = remote_half if desired.remote else mounted_half
        return half(session, desired, errand.request, everybody), None
    if desired.custody is not None:
        raise Impossible(f"authority/{errand.name} has a key elsewhere, and no certificate for it")
    key, spki = new_key(errand.request.key)
    return spki, session.sops.encrypt(key, desired.recipients)


def _reservation(
    session: Session, errand: Errand, known: AuthorityRecord, spki: str, now: datetime
) -> Issuance:
    request = errand.request
    signs_itself = request.issuer is None or errand.is_ordered
    parent = None if signs_itself else session.authority(*errand.signer)
    not_before, not_after = validity(now, request.duration, parent)
    own = known.issued(request.generation)
    if errand.crosses and own is not None:
        not_before, not_after = max(not_before, own.not_before), min(not_after, own.not_after)
    reference = secrets.token_hex(16) if errand.is_ordered else None
    serial = reference or x509.new_serial()
    issuance = Issuance(
        serial=serial,
        status=Status.RESERVED,
        request=request,
        digest=errand.digest,
        not_before=not_before,
        not_after=not_after,
        spki=spki,
        urls=_urls(session, request, serial),
        reserved_at=now,
        signer=_signer_serial(session, errand, serial),
        reference=reference,
    )
    said = to_be_ordered(issuance) if errand.is_ordered else to_be_signed(issuance)
    if spki and (why := x509.refusals(said, parent)):
        raise Impossible("; ".join(why))
    return issuance


def _urls(session: Session, request: AuthorityRequest, serial: str) -> Urls:
    if request.issuer is None or request.issuer_id is not None:
        return Urls()
    publish = session.world.desired.publish
    asked = answers(session, request.issuer)
    issuer = (request.issuer, request.issuer_generation or 0)
    return issuer_urls(publish, *issuer, shard=shard_for(session, *issuer, serial), ocsp=asked)


def reserve(session: Session, fresh: Sequence[Decided]) -> None:
    """Make durable what was decided: from now on no key is lost, and no certificate unknown."""
    if fresh:
        session.journal.write(
            Wave(
                message=f"Reserve {_names(fresh)}",
                authorities=[item.record for item in fresh],
                authority_keys={
                    (item.errand.name, item.errand.request.generation): item.sealed
                    for item in fresh
                    if item.sealed is not None
                },
            )
        )
        reach("authority.reserved")


def sign(session: Session, item: Decided) -> Decided:
    """Sign what was reserved; the same bytes each time. Raises `Impossible`, `ProviderError`."""
    errand = item.errand
    authority = None if errand.request.issuer is None else session.authority(*errand.signer)
    der = x509.sign(to_be_signed(item.issuance), authority, session.signer(*errand.signer))
    return signed(session, item, der)


def signed(session: Session, item: Decided, der: bytes) -> Decided:
    """Return what was decided as the certificate (DER) that it became."""
    signer = _signer_serial(session, item.errand, item.issuance.serial)
    issuance = issued(item.issuance, der, session.clock(), item.issuance.signer or signer)
    return replace(item, record=put_authority(item.record, issuance), issuance=issuance)


def record(session: Session, items: Sequence[Decided]) -> None:
    """Make durable what was signed."""
    if items:
        session.journal.write(
            Wave(message=f"Issue {_names(items)}", authorities=[item.record for item in items])
        )
        reach("authority.issued")


def _names(items: Sequence[Decided]) -> str:
    return ", ".join(item.errand.address for item in items)
