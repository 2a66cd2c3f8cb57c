"""Publishing CRLs and CA certificates: the CRL's number is durable before anything carries it."""

from collections.abc import Iterator, Sequence

from providers import x509
from providers.base import Publication
from providers.errors import ProviderError
from reconciler.apply.crls import certified, make_crls
from reconciler.apply.made import made
from reconciler.apply.session import Outcome, Session
from reconciler.crl_terms import wanted_terms
from reconciler.ledger.contract import Wave
from reconciler.ledger.publications import CrlRecord
from reconciler.published_names import list_key
from schemas.plan import Change


def publish(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Publish files together: reserve the CRL numbers, sign, record, then write."""
    publisher, failed = session.publisher, list[Outcome]()
    if publisher is None:
        yield from (Outcome(change, "the Project publishes nowhere") for change in changes)
        return
    try:
        publisher.prepare()  # what the ledger knows to be published has a place that is marked
        files = {**_certificates(session, changes, failed), **_crls(session, changes, failed)}
        ready = [change for change in changes if change.id in files]
        if ready:
            publisher.publish([Publication(_file(change), files[change.id]) for change in ready])
    except ProviderError as why:
        failed = [Outcome(change, str(why)) for change in changes]
    bad = {outcome.change.id for outcome in failed}
    yield from failed
    yield from (Outcome(change) for change in changes if change.id not in bad)


def settle_terms(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Record by which terms CRLs are made from now on: what is signed later goes by them."""
    records: list[CrlRecord] = []
    for change in changes:
        key = list_key(change.address)
        record = session.journal.state.crls[key]
        terms = wanted_terms(session.world.desired.authorities[key[0]])
        records.append(record.model_copy(update={"terms": terms}))
    names = ", ".join(f"{record.authority} g{record.generation}" for record in records)
    session.journal.write(Wave(message=f"Settle how CRLs are made: {names}", crls=records))
    yield from map(Outcome, changes)


def _certificates(
    session: Session, changes: Sequence[Change], failed: list[Outcome]
) -> dict[str, bytes]:
    wanted = [change for change in changes if not _is_crl(change)]
    return made(wanted, lambda change: _certificate(session, change), failed)


def _certificate(session: Session, change: Change) -> bytes:
    name, generation, _ = list_key(change.address)
    issuance = certified(session, name, generation)
    return x509.to_der((issuance.certificate or "").encode())


def _crls(session: Session, changes: Sequence[Change], failed: list[Outcome]) -> dict[str, bytes]:
    wanted = [change for change in changes if _is_crl(change)]
    return make_crls(session, wanted, failed) if wanted else {}


def _is_crl(change: Change) -> bool:
    return change.address.startswith("crl/")


def _file(change: Change) -> str:
    return str((change.after or {})["file"])
