"""Issuing CAs: the key sealed and reserved durably, then the certificate signed, then recorded.

A key at a key service is made there and stays: what is reserved is which one it is, and its public half.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from providers import x509
from providers.errors import ProviderError
from providers.remote import prove
from reconciler.apply.reservation import issuer_urls, new_key, to_be_signed, validity
from reconciler.apply.session import Impossible, Outcome, Session, owner
from reconciler.apply.transitions import issued, put_authority
from reconciler.custody import key_holder
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import AuthorityRecord, Issuance, Status, Urls
from reconciler.schedule import is_resumable
from reconciler.state import DesiredAuthority
from schemas.plan import Change
from schemas.request import KeyType


@dataclass(frozen=True, slots=True)
class Decided:
    """A CA whose certificate is decided but for its signature.

    `sealed` is its key as ciphertext, if it is new and in the ledger.
    """

    change: Change
    record: AuthorityRecord
    issuance: Issuance
    sealed: bytes | None = None
    resumed: bool = False


def issue_authorities(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Issue the CAs of one level of the tree, in two durable steps."""
    decided: list[Decided] = []
    for change in changes:
        try:
            decided.append(_decide(session, change, decided))
        except (Impossible, ProviderError) as why:
            yield Outcome(change, str(why))
    _reserve(session, [item for item in decided if not item.resumed])
    signed: list[Decided] = []
    for item in decided:
        try:
            signed.append(_sign(session, item))
        except (Impossible, ProviderError) as why:
            yield Outcome(item.change, str(why))
    _record(session, signed)
    yield from (Outcome(item.change) for item in signed)


def _decide(session: Session, change: Change, before: Sequence[Decided]) -> Decided:
    desired = session.world.desired.authorities[owner(change)]
    now = session.clock()
    record = session.journal.state.authorities.get(desired.name) or AuthorityRecord(
        name=desired.name
    )
    found = record.generation(desired.request.generation)
    if found is not None and found.status is Status.RESERVED:
        if is_resumable(found, desired.digest, now):
            return Decided(change, record, found, resumed=True)
        record = put_authority(record, found.model_copy(update={"status": Status.ABANDONED}))
    if desired.remote is not None:
        decided = {item.record.name: item.record for item in before}
        known = {**session.journal.state.authorities, **decided}
        issuance = _reservation(session, desired, _remote_half(session, desired, known), now)
        return Decided(change, put_authority(record, issuance), issuance)
    key, spki = new_key(desired.request.key)
    issuance = _reservation(session, desired, spki, now)
    sealed = session.sops.encrypt(key, desired.recipients)
    return Decided(change, put_authority(record, issuance), issuance, sealed)


def _remote_half(
    session: Session, desired: DesiredAuthority, known: Mapping[str, AuthorityRecord]
) -> str:
    """Return the public half of a key at a key service, one that can sign, of the kind asked for, and new.

    Raises `Impossible` for another one.
    """
    request = desired.request
    signer = session.signer(desired.name, request.generation)
    public = signer.public_key()
    algorithm, size = x509.key_type(public)
    kind = KeyType(algorithm=algorithm, size=size)
    if kind != request.key:
        raise Impossible(f"{request.key_ref} is of kind {kind}, and {request.key} is asked for")
    spki = b64encode(x509.spki(public)).decode()
    if other := key_holder(known, desired, spki):
        raise Impossible(f"{request.key_ref} is the key of {other}: make a new one, and name it")
    prove(signer)
    return spki


def _reservation(session: Session, desired: DesiredAuthority, spki: str, now: datetime) -> Issuance:
    request = desired.request
    parent = _parent(session, desired)
    not_before, not_after = validity(now, request.duration, parent)
    issuance = Issuance(
        serial=x509.new_serial(),
        status=Status.RESERVED,
        request=request,
        digest=desired.digest,
        not_before=not_before,
        not_after=not_after,
        spki=spki,
        urls=_urls(session, desired),
        reserved_at=now,
    )
    if why := x509.refusals(to_be_signed(issuance), parent):
        raise Impossible("; ".join(why))
    return issuance


def _parent(session: Session, desired: DesiredAuthority) -> x509.IssuingAuthority | None:
    request = desired.request
    if request.issuer is None:
        return None
    return session.authority(request.issuer, request.issuer_generation or 0)


def _urls(session: Session, desired: DesiredAuthority) -> Urls:
    request = desired.request
    if request.issuer is None:
        return Urls()
    publish = session.world.desired.publish
    return issuer_urls(publish, request.issuer, request.issuer_generation or 0)


def _reserve(session: Session, fresh: Sequence[Decided]) -> None:
    if fresh:
        session.journal.write(
            Wave(
                message=f"Reserve {_names(fresh)}",
                authorities=[item.record for item in fresh],
                authority_keys={
                    (item.record.name, _generation(item.issuance)): item.sealed
                    for item in fresh
                    if item.sealed is not None
                },
            )
        )


def _sign(session: Session, item: Decided) -> Decided:
    request = item.issuance.request
    if request.issuer is None:
        authority, signer = None, session.signer(item.record.name, _generation(item.issuance))
    else:
        parent = (request.issuer, request.issuer_generation or 0)
        authority, signer = session.authority(*parent), session.signer(*parent)
    der = x509.sign(to_be_signed(item.issuance), authority, signer)
    issuance = issued(item.issuance, der, session.clock())
    return Decided(item.change, put_authority(item.record, issuance), issuance)


def _record(session: Session, signed: Sequence[Decided]) -> None:
    if signed:
        session.journal.write(
            Wave(
                message=f"Issue {_names(signed)}",
                authorities=[item.record for item in signed],
            )
        )


def _generation(issuance: Issuance) -> int:
    request = issuance.request
    return request.generation if request.kind == "authority" else 0


def _names(items: Sequence[Decided]) -> str:
    return ", ".join(f"authority/{item.record.name}" for item in items)
