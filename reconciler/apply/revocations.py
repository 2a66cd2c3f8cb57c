"""Revoking: a fact of the ledger first, which the next CRL tells the world."""

from collections.abc import Iterator, Sequence

from providers import x509
from providers.errors import ProviderError
from providers.failpoints import reach
from providers.issuing import Revoker, RevokeRequest
from reconciler.apply.session import Impossible, Outcome, Session, named, owner
from reconciler.apply.transitions import erasable, put, put_authority, revoked, without_keys
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import AuthorityRecord, CertificateRecord
from schemas.plan import Change
from schemas.revocation import RevocationReason


def revoke(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Tell the CAs of others, then record what is revoked in one durable step."""
    done: list[Change] = []
    for change in changes:
        try:
            _tell(session, change)
            done.append(change)
        except (Impossible, ProviderError) as why:
            yield Outcome(change, str(why))
    _record(session, done)
    yield from (Outcome(change) for change in done)


def _tell(session: Session, change: Change) -> None:
    """Let another CA revoke what it issued, a CA of ours perhaps; of ours the next CRL tells."""
    serial, name = change.address.partition("#")[2], owner(change)
    cas = session.journal.state.authorities
    is_ca = change.address.startswith("authority/")
    issuances = cas[name].issuances if is_ca else session.record(name).issuances
    issuance = next(i for i in issuances if i.serial == serial)
    request = issuance.request
    if request.issuer_id is None:
        return
    issuer = session.issuer(str(request.issuer))
    if not isinstance(issuer, Revoker):
        raise Impossible(f"the issuer {request.issuer} cannot revoke")
    session.stay_alive()
    der = x509.to_der((issuance.certificate or "").encode())
    issuer.revoke(RevokeRequest(der, serial, _reason(change)))
    reach("revocations.told")


def _reason(change: Change) -> RevocationReason:
    return RevocationReason(str((change.after or {})["reason"]))


def _record(session: Session, changes: Sequence[Change]) -> None:
    if not changes:
        return
    leaves: dict[str, CertificateRecord] = {}
    authorities: dict[str, AuthorityRecord] = {}
    for change in changes:
        name, serial = owner(change), change.address.partition("#")[2]
        reason = _reason(change)
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
