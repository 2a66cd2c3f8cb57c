"""Revoking: a fact of the ledger first, which the next CRL tells the world."""

from collections.abc import Iterator, Mapping, Sequence

from providers import x509
from providers.errors import ProviderError
from providers.failpoints import reach
from providers.issuing import Revoker, RevokeRequest
from providers.secret import Secret
from reconciler.apply.session import Impossible, Outcome, Session, named, owner
from reconciler.apply.transitions import erasable, put, put_authority, revoked, without_keys
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import AuthorityRecord, CertificateRecord, Issuance
from schemas.plan import Change
from schemas.revocation import RevocationReason


def revoke(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Tell the CAs of others, then record what is revoked in one durable step."""
    done: list[Change] = []
    keys = _keys(session, changes)
    for change in changes:
        try:
            _tell(session, change, keys)
            done.append(change)
        except (Impossible, ProviderError) as why:
            yield Outcome(change, str(why))
    _record(session, done)
    yield from (Outcome(change) for change in done)


def _keys(session: Session, changes: Sequence[Change]) -> Mapping[str, Secret]:
    """Return the keys, by serial, of leaves of others that the ledger keeps: a CA may take one for proof.

    Where nobody here can open them, the CA has to do without.
    """
    leaves = [_issuance(session, c) for c in changes if c.address.startswith("certificate/")]
    kept = [i.serial for i in leaves if i.request.issuer_id is not None and i.bundle is not None]
    try:
        return session.journal.leaf_keys(kept) if kept else {}
    except ProviderError:
        return {}


def _issuance(session: Session, change: Change) -> Issuance:
    """Return the certificate that a change revokes."""
    serial, name = change.address.partition("#")[2], owner(change)
    is_ca = change.address.startswith("authority/")
    known = session.journal.state.authorities[name] if is_ca else session.record(name)
    return next(i for i in known.issuances if i.serial == serial)


def _tell(session: Session, change: Change, keys: Mapping[str, Secret]) -> None:
    """Let another CA revoke what it issued, a CA of ours perhaps; of ours the next CRL tells."""
    issuance = _issuance(session, change)
    request = issuance.request
    if request.issuer_id is None:
        return
    issuer = session.issuer(str(request.issuer))
    if not isinstance(issuer, Revoker):
        raise Impossible(f"the issuer {request.issuer} cannot revoke")
    session.stay_alive()
    der = x509.to_der((issuance.certificate or "").encode())
    key = keys.get(issuance.serial)
    issuer.revoke(RevokeRequest(der, issuance.serial, _reason(change), key))
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
