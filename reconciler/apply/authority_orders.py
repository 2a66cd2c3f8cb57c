"""Ordering CAs of ours from a CA of others: key and order reserved durably, then ordered, then recorded.

The key stays where the CA's document has it; it signs the request. As with leaves, a reservation goes by a
reference of ours until the certificate is recorded, and a run that dies resumes the same order.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from providers import issued
from providers.errors import ProviderError, Rejected
from providers.failpoints import reach
from providers.issuing import AuthorityIssuer, AuthorityOrder, Issued, Pending
from providers.x509 import CertificateFacts
from providers.x509.ordering import authority_signing_request
from reconciler.apply.authorities import Decided, decide, reserve
from reconciler.apply.budgets import pause
from reconciler.apply.order_records import FINAL
from reconciler.apply.session import Impossible, Outcome, Session
from reconciler.apply.transitions import abandoned, attempted, bought, ordered, put_authority
from reconciler.diff.prospects import Errand
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import AuthorityRecord, Issuance
from schemas.issuer import RETRIES
from schemas.plan import Change
from schemas.request import AuthorityRequest


def order_authorities(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Order the certificates of CAs, each recorded before the next one is asked for."""
    for change in changes:
        session.stay_alive()
        errand = session.prospects.errands[change.address]
        try:
            waits = _order(session, errand, _desk(session, errand))
        except (Impossible, ProviderError) as why:
            yield Outcome(change, str(why))
        else:
            yield Outcome(change, waits, later=bool(waits))


def _desk(session: Session, errand: Errand) -> AuthorityIssuer:
    name = str(errand.request.issuer)
    desk = session.issuer(name)
    if not isinstance(desk, AuthorityIssuer):
        raise Impossible(f"the issuer {name} signs no CAs")
    return desk


def _order(session: Session, errand: Errand, desk: AuthorityIssuer) -> str:
    """Order one certificate, or go on with its order; returns what keeps it from being issued, or nothing."""
    item = decide(session, errand)
    if not item.resumed:
        reserve(session, [item])

    def checkpoint(name: str) -> None:
        _note(session, item, name)

    order = _asked(session, item, checkpoint)
    try:
        answer = desk.issue_authority(order)
        reach("authority.answered")
        if isinstance(answer, Pending):
            checkpoint(answer.resume)
            return f"{answer.detail}; the next run asks again"
        facts = issued.check_authority(answer, order, session.clock())
    except ProviderError as why:
        _note_failure(session, item, why)
        raise
    _record(session, item, issued.narrowed(answer), facts)
    return ""


def _asked(session: Session, item: Decided, checkpoint: Callable[[str], None]) -> AuthorityOrder:
    issuance, signer = item.issuance, session.signer(*item.errand.signer)
    request = issuance.request
    if not isinstance(request, AuthorityRequest):
        raise TypeError(issuance.serial)
    return AuthorityOrder(
        csr=authority_signing_request(request, signer),
        request=request,
        not_before=issuance.not_before,
        not_after=issuance.not_after,
        token=issuance.name,
        checkpoint=checkpoint,
        resume=issuance.order,
    )


def _known(session: Session, item: Decided) -> AuthorityRecord:
    """Return the record of a CA as it is by now."""
    return session.journal.state.authorities[item.errand.name]


def _standing(session: Session, item: Decided) -> Issuance:
    """Return the reservation as it is by now."""
    return next(i for i in _known(session, item).issuances if i.name == item.issuance.name)


def _write(session: Session, item: Decided, record: AuthorityRecord, what: str) -> None:
    session.journal.write(Wave(message=f"{what} {item.errand.address}", authorities=[record]))


def _note(session: Session, item: Decided, name: str) -> None:
    """Make an order's name durable, unless it is."""
    issuance = _standing(session, item)
    if issuance.order != name:
        _write(
            session, item, put_authority(_known(session, item), ordered(issuance, name)), "Order"
        )
        reach("authority.noted")


def _note_failure(session: Session, item: Decided, why: ProviderError) -> None:
    """Note a failure, and when it is tried again; give an order up that would only fail again."""
    issuance, record = _standing(session, item), _known(session, item)
    if issuance.order is not None and isinstance(why, FINAL):
        record = put_authority(record, abandoned(issuance))
    again = partial(pause, RETRIES if isinstance(why, Rejected) else (), why=why)
    record = attempted(record, issuance.digest, str(why), session.clock(), again)
    _write(session, item, record, "Failure to issue")


def _record(session: Session, item: Decided, answer: Issued, facts: CertificateFacts) -> None:
    """Make a certificate durable."""
    new = bought(_standing(session, item), answer, facts, session.clock())
    record = put_authority(_known(session, item), new)
    _write(session, item, record.model_copy(update={"attempts": None}), "Issue")
    reach("authority.issued")
