"""Revoking: a fact of the ledger first, which the next CRL tells the world."""

from collections.abc import Iterator, Sequence

from reconciler.apply.session import Outcome, Session, named, owner
from reconciler.apply.transitions import erasable, put, put_authority, revoked, without_keys
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import AuthorityRecord, CertificateRecord
from schemas.plan import Change
from schemas.revocation import RevocationReason


def revoke(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Record revocations in one durable step."""
    leaves: dict[str, CertificateRecord] = {}
    authorities: dict[str, AuthorityRecord] = {}
    for change in changes:
        name, serial = owner(change), change.address.partition("#")[2]
        reason = RevocationReason(str((change.after or {})["reason"]))
        if change.address.startswith("authority/"):
            known = authorities.get(name) or session.journal.state.authorities[name]
            authorities[name] = _revoke_authority(session, known, serial, reason)
        else:
            record = leaves.get(name) or session.record(name)
            leaves[name] = _revoke_leaf(session, record, serial, reason)
    session.journal.write(
        Wave(
            message=f"Revoke {named(changes)}",
            certificates=[without_keys(r, _spent(r)) for r in leaves.values()],
            authorities=tuple(authorities.values()),
            erase=frozenset().union(*(_spent(record) for record in leaves.values())),
        )
    )
    yield from (Outcome(change) for change in changes)


def _revoke_leaf(
    session: Session, record: CertificateRecord, serial: str, reason: RevocationReason
) -> CertificateRecord:
    issuance = next(i for i in record.issuances if i.serial == serial)
    return put(record, revoked(issuance, reason, session.clock()))


def _revoke_authority(
    session: Session, record: AuthorityRecord, serial: str, reason: RevocationReason
) -> AuthorityRecord:
    issuance = next(i for i in record.issuances if i.serial == serial)
    return put_authority(record, revoked(issuance, reason, session.clock()))


def _spent(record: CertificateRecord) -> frozenset[str]:
    """The keys of revoked certificates; the successor's stays until it is installed everywhere."""
    open_ = {i.serial for i in record.issuances if i.revoked is None}
    return frozenset(s for s in erasable(record, None) if s not in open_)
