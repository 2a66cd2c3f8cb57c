"""When CAs of others want what they issued renewed (ARI, RFC 9773): whom to ask, what to keep, what follows.

Pure. A CA can pull a renewal forward, as before a revocation of many, and put it off until `renewBefore`
and no further; whatever it says, no certificate is renewed again as soon as it is made.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

from providers.issuing import Advice
from reconciler.leads import Lead
from reconciler.ledger.issuing import AdviceRecord, Advised
from reconciler.ledger.records import CertificateRecord, Issuance, LedgerState, Status
from reconciler.schedule import fraction, latest_renewal, renewal_time
from reconciler.state import Desired, DesiredIssuer
from schemas.request import LeafRequest
from schemas.scalars import format_instant

SOONEST, LATEST = timedelta(minutes=1), timedelta(days=1)
"""How soon a CA may be asked again, and how late it is, whatever it says (RFC 9773 section 4.3.2)."""
AFTER_FAILURE = timedelta(hours=6)
"""When it is asked again that did not answer (RFC 9773 section 4.3.3)."""
NEW, NEW_SHARE = timedelta(days=1), 0.1
"""How long a new certificate is left alone, as a time and as a share of its life; the shorter counts."""
HASTY = 1 / 3
"""The share of its life in which a certificate was replaced early: the next one is left alone for longer."""
AGAIN = timedelta(days=7) / 5
"""How long at the least: Let's Encrypt issues five a week for one set of names."""
YEARS = 50
"""How far a window may be away: a CA that names another century means nothing by it."""
_PAGE = re.compile(r"https://[!-~]{1,300}")


@dataclass(frozen=True, slots=True)
class Question:
    """One certificate that a CA is asked about; `known` is what it said last."""

    issuer: DesiredIssuer
    issuance: Issuance
    known: Advised | None = None


@dataclass(frozen=True, slots=True)
class Renewal:
    """When a certificate is renewed. `window` is what its CA said, None where its life alone decides.

    `pulled` tells that its CA wants it earlier than `renewBefore` would have it.
    """

    at: datetime
    window: Advised | None = None
    pulled: bool = False


def renewal(
    record: CertificateRecord, issuance: Issuance, renew_before: Lead, window: Advised | None
) -> Renewal:
    """Return when an issued certificate falls due: as its CA asks, but no later than `renewBefore` allows.

    Of one of others a tenth of what it had left when it came is lived, however long ago its CA has it begin.
    """
    if issuance.reference is None:
        return Renewal(renewal_time(issuance, renew_before))
    lived = _since(issuance) + _left(issuance) * NEW_SHARE
    if window is None or window.start is None or window.end is None:
        return Renewal(max(renewal_time(issuance, renew_before), lived))
    latest = max(latest_renewal(issuance, renew_before), lived)
    wished = window.start + (window.end - window.start) * fraction(issuance.serial)
    moment = min(max(wished, _earliest(record, issuance)), latest)
    return Renewal(moment, window, pulled=moment < latest)


def _earliest(record: CertificateRecord, issuance: Issuance) -> datetime:
    """Return until when a certificate is new: longer where the one before it was replaced early as well."""
    share = _left(issuance) * NEW_SHARE
    earlier = _before(record, issuance)
    hasty = earlier is not None and _was_replaced_early(earlier, issuance)
    return _since(issuance) + (max(share, AGAIN) if hasty else min(share, NEW))


def _since(issuance: Issuance) -> datetime:
    """Return from when on there was a certificate: its own word for that is its CA's."""
    return max(issuance.not_before, issuance.issued_at or issuance.not_before)


def _left(issuance: Issuance) -> timedelta:
    """Return how long a certificate was still to live when it came."""
    return issuance.not_after - _since(issuance)


def _was_replaced_early(earlier: Issuance, issuance: Issuance) -> bool:
    of_the_same = earlier.request.issuer == issuance.request.issuer
    return of_the_same and issuance.reserved_at < _since(earlier) + _left(earlier) * HASTY


def _before(record: CertificateRecord, issuance: Issuance) -> Issuance | None:
    """Return the certificate that was in use before another one, if there was any."""
    found = None
    for each in record.issuances:
        if each.serial == issuance.serial:
            break
        found = each if each.status in (Status.ISSUED, Status.REVOKED) else found
    return found


def windows(desired: Desired, ledger: LedgerState) -> Mapping[str, Advised]:
    """Return what CAs said last, by serial, as far as documents still listen to them and it is a window."""
    return {
        each.serial: each
        for name, record in ledger.advice.items()
        if (issuer := desired.issuers.get(name)) and issuer.spec.advises
        for each in record.certificates
        if is_window(each.start, each.end)
    }


def is_window(start: datetime | None, end: datetime | None) -> bool:
    """Whether two moments are a window: what ends before it starts is no answer (RFC 9773 section 4.2)."""
    return start is not None and end is not None and start < end


def is_meant(answer: Advice, now: datetime) -> bool:
    """Whether an answer has a window, of about these years: near the ends of the calendar sums fail."""
    # by the year alone: to move such a moment to another time zone may already be too much
    years = (moment.year for moment in (answer.start, answer.end) if moment is not None)
    return is_window(answer.start, answer.end) and all(abs(y - now.year) <= YEARS for y in years)


def questions(
    desired: Desired, ledger: LedgerState, now: datetime, issuers: Iterable[DesiredIssuer]
) -> tuple[Question, ...]:
    """Return which certificates `issuers` are to be asked about now, those asked longest ago first.

    Never one that has expired, is revoked, or has another in its place already.
    """
    known = {a.serial: a for record in ledger.advice.values() for a in record.certificates}
    asked = {issuer.name: issuer for issuer in issuers if issuer.spec.advises}
    found = [
        Question(asked[issuance.request.issuer], issuance, known.get(issuance.serial))
        for issuance in _in_use(desired, ledger)
        if issuance.request.issuer in asked and _is_of(issuance, asked[issuance.request.issuer])
    ]
    due = [q for q in found if q.issuance.not_after > now and _is_time(q.known, now)]
    return tuple(sorted(due, key=partial(_turn, now)))


def _turn(now: datetime, question: Question) -> tuple[str, float, float]:
    """Return who is asked about first: in another order each hour, so that no few always stand in the way."""
    last = question.known.ask_again.timestamp() if question.known else 0.0
    chance = fraction(f"{question.issuance.serial} {now:%Y-%m-%d %H}")
    return question.issuer.name, last, chance


def _is_time(known: Advised | None, now: datetime) -> bool:
    """Whether a CA may be asked again; a moment that is days away comes of a wrong clock."""
    return known is None or not now < known.ask_again < now + 2 * LATEST


def _in_use(desired: Desired, ledger: LedgerState) -> Iterator[Issuance]:
    """Yield the certificates of others' CAs that documents want and the ledger has, each the last issued."""
    for wanted in desired.certificates.values():
        names = (wanted.name, *wanted.formerly)
        record = next((ledger.certificates[n] for n in names if n in ledger.certificates), None)
        current = record.current if record else None
        if current is not None and current.status is Status.ISSUED:
            yield current


def _is_of(issuance: Issuance, issuer: DesiredIssuer) -> bool:
    """Whether a certificate is of the CA that an Issuer of this name means by now."""
    request = issuance.request
    theirs = isinstance(request, LeafRequest) and request.issuer_id is not None
    return theirs and issuer.spec.is_same_ca(str(request.issuer_id))


def advised(question: Question, answer: Advice, now: datetime) -> Advised:
    """Return what is kept of an answer with a window: an address only if it can be shown."""
    page = answer.explanation
    return Advised(
        serial=question.issuance.serial,
        ask_again=_bounded(answer.ask_again, now),
        start=answer.start,
        end=answer.end,
        explanation=page if page and _PAGE.fullmatch(page) else None,
    )


def unanswered(question: Question, again: datetime, now: datetime) -> Advised:
    """Return what is kept without an answer of use: what the CA said before, and when it is asked again."""
    known = question.known or Advised(serial=question.issuance.serial, ask_again=again)
    return known.model_copy(update={"ask_again": _bounded(again, now)})


def _bounded(again: datetime, now: datetime) -> datetime:
    return _rounded(min(max(again, now + SOONEST), now + LATEST))


def _rounded(moment: datetime) -> datetime:
    """Return the next whole minute: what was asked at one go is kept in fewer bytes."""
    return moment - timedelta(seconds=moment.second, microseconds=moment.microsecond) + SOONEST


Answers: TypeAlias = Mapping[str, Mapping[str, Advised] | None]
"""What was said by each Issuer that was asked, by serial; None where it gives no advice at all."""


def merged(desired: Desired, ledger: LedgerState, answers: Answers) -> Mapping[str, AdviceRecord]:
    """Return what is kept of advice, by Issuer, once answers came: nothing of what is out of use."""
    using = {i.serial: i.request.issuer for i in _in_use(desired, ledger)}
    every = dict[str, AdviceRecord]()
    for name in sorted({*ledger.advice, *answers}):
        issuer, said = desired.issuers.get(name), answers.get(name, {})
        if issuer is None or not issuer.spec.advises or said is None:
            continue
        before = ledger.advice.get(name, AdviceRecord(issuer=name)).certificates
        known = {**{each.serial: each for each in before}, **said}
        kept = tuple(known[serial] for serial in sorted(known) if using.get(serial) == name)
        if kept:
            every[name] = AdviceRecord(issuer=name, certificates=kept)
    return every


def changed(
    desired: Desired, ledger: LedgerState, answers: Answers
) -> tuple[tuple[AdviceRecord, ...], tuple[str, ...]]:
    """Return the records that answers change, and the Issuers of those that are dropped."""
    kept = merged(desired, ledger, answers)
    records = tuple(r for name, r in kept.items() if ledger.advice.get(name) != r)
    return records, tuple(sorted(ledger.advice.keys() - kept.keys()))


def told(window: Advised) -> str:
    """Return in words when a CA wants a certificate renewed, and where it says why."""
    page = f" ({window.explanation})" if window.explanation else ""
    return f"its CA asks for it {between(window)}{page}"


def between(window: Advised) -> str:
    """Return a window in words: its days, or its moments where it is within one."""
    start, end = window.start, window.end
    if start is None or end is None:
        return ""
    if start.date() != end.date():
        return f"from {start:%Y-%m-%d} to {end:%Y-%m-%d}"
    return f"from {format_instant(start)} to {format_instant(end)}"
