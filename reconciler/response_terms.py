"""What OCSP responses of a CA's generation are called, have to tell, and by which terms they are made."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from providers.x509 import CrlEntry
from reconciler.ledger.publications import OcspRecord, OcspTerms
from reconciler.ledger.records import Issuance, LedgerState, Status
from reconciler.schedule import crl_refresh_time
from reconciler.state import DesiredAuthority
from schemas.authority import OcspSettings

_TOLD_OF = (Status.ISSUED, Status.REVOKED)


def tree_name(authority: str, generation: int) -> str:
    """Return what a CA's responses are called: in a plan, in the published directory and in its URL."""
    return f"ocsp/{authority}-g{generation}"


def tree_key(address: str) -> tuple[str, int]:
    """Return the CA and generation that responses are of; raises ValueError for any other address."""
    kind, _, stem = address.partition("/")
    name, _, number = stem.rpartition("-g")
    if kind != "ocsp" or not name:
        raise ValueError(address)
    return name, int(number)


def issued_by(state: LedgerState, name: str, generation: int, now: datetime) -> Iterator[Issuance]:
    """Yield every unexpired certificate that a CA's generation issued, a root's own not among them."""
    for records in (state.certificates.values(), state.authorities.values()):
        for record in records:
            for issuance in record.issuances:
                request = issuance.request
                ours = request.issuer == name and request.issuer_generation == generation
                if ours and issuance.status in _TOLD_OF and issuance.not_after > now:
                    yield issuance


def statuses(
    state: LedgerState, name: str, generation: int, now: datetime
) -> dict[str, CrlEntry | None]:
    """Return what has to be told of each unexpired serial that a CA's generation issued; None is good.

    What it issued before it was taken over is told of as well, as far as anybody knows.
    """
    told: dict[str, CrlEntry | None] = {}
    past = state.past.get((name, generation))
    for entry in past.entries if past else ():
        if entry.not_after is None or entry.not_after > now:
            gone = entry.revoked
            told[entry.serial] = CrlEntry(gone.at, gone.reason) if gone else None
    for issuance in issued_by(state, name, generation, now):
        gone = issuance.revoked
        told[issuance.serial] = CrlEntry(gone.at, gone.reason) if gone else None
    return told


def told_at(
    state: LedgerState, name: str, generation: int, moment: datetime
) -> dict[str, CrlEntry | None]:
    """Return what responses of a moment tell: what was issued and revoked by then, as far as is known."""
    known = {
        i.serial: i.issued_at or i.reserved_at for i in issued_by(state, name, generation, moment)
    }
    return {
        serial: entry if entry and entry.at <= moment else None
        for serial, entry in statuses(state, name, generation, moment).items()
        if known.get(serial, moment) <= moment
    }


def are_named(state: LedgerState, name: str, generation: int, now: datetime) -> bool:
    """Whether an unexpired certificate says where its response is: then there is one, to its end."""
    return any(i.urls.ocsp is not None for i in issued_by(state, name, generation, now))


def wanted_terms(desired: DesiredAuthority | None) -> OcspTerms | None:
    """Return the terms that the documents ask for; None where they ask for no responses."""
    if desired is None or desired.ocsp is None:
        return None
    return _terms(desired.ocsp)


def settled_terms(record: OcspRecord | None, desired: DesiredAuthority | None) -> OcspTerms:
    """Return the terms that were reviewed last; of the first responses they are those of the documents."""
    if record is not None and record.terms is not None:
        return record.terms
    return wanted_terms(desired) or _terms(OcspSettings())


def refresh_time(record: OcspRecord) -> datetime:
    """Return when responses are to be signed anew: at half of their life, unless their terms say else."""
    before = record.terms.refresh_before if record.terms else None
    span = None if before is None else timedelta(seconds=before)
    return crl_refresh_time(record.this_update, record.next_update, span)


def _terms(settings: OcspSettings) -> OcspTerms:
    before = settings.refresh_before
    return OcspTerms(
        duration=int(settings.duration.total_seconds()),
        refresh_before=None if before is None else int(before.total_seconds()),
    )
