"""Why a certificate must be issued: a chain of checks, read from top to bottom, the first finding counts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from providers.base import Installed
from reconciler.advice import renewal, told
from reconciler.description import describe, differences
from reconciler.ledger.issuing import Advised
from reconciler.ledger.records import CertificateRecord, Issuance, Status
from reconciler.schedule import (
    is_ahead,
    is_awaited,
    latest_renewal,
    renewal_time_of_adopted,
)
from reconciler.state import DesiredCertificate
from schemas.certificate import Rollout
from schemas.plan import FieldChange, Reason
from schemas.request import LeafRequest
from schemas.scalars import format_instant


@dataclass(frozen=True, slots=True)
class Subject:
    """One certificate as all checks see it.

    `revoking` names the Revocation that is about to revoke the current serial. `keyless` says, in
    words, which target needs the private key although nobody holds it any more. `adopted` is what
    somebody else issued and stands for it, as long as none of ours was; `unseen` tells that nobody
    looked at that. `astray` says, in words, by which CAs it hangs and by which it is to. `final`
    tells that its CA ends when it does. `ignored` are words of `describe` for what its CA decides by itself.
    `window` is when its CA wants it renewed, as it said last.
    """

    desired: DesiredCertificate
    record: CertificateRecord
    now: datetime
    replace: bool = False
    revoking: str | None = None
    keyless: str | None = None
    adopted: tuple[Installed, ...] = ()
    unseen: bool = False
    astray: str = ""
    final: bool = False
    ignored: frozenset[str] = frozenset()
    window: Advised | None = None
    current: Issuance | None = field(init=False)
    """The certificate issued last."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "current", self.record.current)


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's verdict: the stable reason, one sentence, and the fields that differ.

    `outside` tells that somebody else undid what certform had left there.
    """

    reason: Reason
    message: str
    fields: tuple[FieldChange, ...] = ()
    outside: bool = False


Check = Callable[[Subject], Finding | None]


def first_finding(subject: Subject) -> Finding | None:
    """Return why the certificate must be issued, or None when it need not be.

    What the documents change comes with it, whatever the reason is.
    """
    found = next((finding for check in CHECKS if (finding := check(subject))), None)
    if found is None or found.fields:
        return found
    had, want = _requests(subject)
    if had is None:
        return found
    return replace(found, fields=_obeyed(subject, had, want))


def resuming(subject: Subject) -> Finding | None:
    """Its serial and key are reserved, but no certificate is recorded: an earlier run was cut short."""
    pending = subject.record.pending
    if pending is None or not is_awaited(pending, subject.desired.digest, subject.now):
        return None
    done = "ordered" if pending.order else "reserved"
    reserved = format_instant(pending.reserved_at)
    return Finding(Reason.RESUMING, f"{done} at {reserved}, not yet issued")


def requested(subject: Subject) -> Finding | None:
    """The command line asks for a new one."""
    return Finding(Reason.REQUESTED, "a new one was asked for") if subject.replace else None


def not_found(subject: Subject) -> Finding | None:
    """None was ever issued under this name."""
    if subject.current is not None or subject.adopted:
        return None
    return Finding(Reason.NOT_FOUND, "no certificate yet")


def adopted(subject: Subject) -> Finding | None:
    """What was taken over is not what is wanted, has expired, or is due."""
    if subject.current is not None or subject.unseen:
        return None
    return next((why for found in subject.adopted if (why := _outlived(subject, found))), None)


def revoked(subject: Subject) -> Finding | None:
    """The current one is revoked, or is about to be."""
    if subject.revoking:
        return Finding(Reason.REVOKED, f"revocation/{subject.revoking} revokes the current one")
    if subject.current and subject.current.status is Status.REVOKED:
        return Finding(Reason.REVOKED, "the current one is revoked")
    return None


def issuer_changed(subject: Subject) -> Finding | None:
    """Another CA, or another generation of it, is to sign."""
    had, want = _requests(subject)
    if had is None or _issuer(had) == _issuer(want):
        return None
    fields = _obeyed(subject, had, want)
    if had.issuer == want.issuer:
        return Finding(Reason.ISSUER_CHANGED, _list(fields), fields)
    rest = tuple(change for change in fields if not change.path.startswith("issuer"))
    more = f"; {_list(rest)}" if rest else ""
    moved = f"moves from {had.issuer} to {want.issuer}"
    return Finding(Reason.ISSUER_CHANGED, f"{moved}{more}", fields)


def chain_changed(subject: Subject) -> Finding | None:
    """Its issuer is the same, and hangs by others than it did."""
    return Finding(Reason.CHAIN_CHANGED, subject.astray) if subject.astray else None


def spec_changed(subject: Subject) -> Finding | None:
    """What is asked for differs from what was asked for when it was issued."""
    if subject.current and subject.current.digest == subject.desired.digest:
        return None
    had, want = _requests(subject)
    if had is None or had == want or subject.desired.rollout is Rollout.ON_RENEWAL:
        return None
    fields = _obeyed(subject, had, want)
    return Finding(Reason.SPEC_CHANGED, _list(fields), fields)


def key_unavailable(subject: Subject) -> Finding | None:
    """A target needs the key, and by then it is kept nowhere: everybody gets a new certificate."""
    return Finding(Reason.KEY_UNAVAILABLE, subject.keyless) if subject.keyless else None


def expired(subject: Subject) -> Finding | None:
    """It can no longer be used."""
    if subject.current is None or subject.current.not_after > subject.now:
        return None
    return Finding(Reason.EXPIRED, f"expired at {format_instant(subject.current.not_after)}")


def not_yet_valid(subject: Subject) -> Finding | None:
    """A clock that was ahead made it: until its time comes nobody accepts it."""
    if subject.current is None or not is_ahead(subject.current.not_before, subject.now):
        return None
    starts = format_instant(subject.current.not_before)
    return Finding(Reason.NOT_YET_VALID, f"not valid before {starts}")


def renewing(subject: Subject) -> Finding | None:
    """Its time has come, and another one would last longer."""
    current = subject.current
    if current is None or subject.final:
        return None
    early = subject.desired.renew_before
    found = renewal(subject.record, current, early, subject.window)
    if found.at > subject.now:
        return None
    if found.window is not None and subject.now < latest_renewal(current, early):
        return Finding(Reason.RENEWING, told(found.window))
    days = (current.not_after - subject.now).days
    return Finding(Reason.RENEWING, f"{days} days left")


CHECKS: tuple[Check, ...] = (
    resuming,  # finish what was begun before beginning anything
    requested,
    not_found,
    adopted,
    revoked,
    issuer_changed,
    chain_changed,
    spec_changed,
    key_unavailable,
    expired,
    not_yet_valid,
    renewing,
)


def _outlived(subject: Subject, found: Installed) -> Finding | None:
    """Say why an adopted certificate has to be replaced by one of ours."""
    desired, ends = subject.desired, found.not_after
    if ends is None:
        return Finding(Reason.NOT_FOUND, "what was adopted cannot be read")
    if ends <= subject.now:
        return Finding(Reason.EXPIRED, f"the adopted one expired at {format_instant(ends)}")
    fields = tuple(differences(found.content, desired.request)) if found.content else ()
    if fields and desired.rollout is not Rollout.ON_RENEWAL:
        return Finding(Reason.SPEC_CHANGED, f"{_list(fields)} from the adopted one", fields)
    if adopted_renewal(desired, found, ends) <= subject.now:
        return Finding(Reason.RENEWING, f"{(ends - subject.now).days} days left of the adopted one")
    return None


def adopted_renewal(desired: DesiredCertificate, found: Installed, ends: datetime) -> datetime:
    """Return when what somebody else issued falls due; its life is as it was asked for where nobody knows."""
    begins = found.content.not_before if found.content else None
    asked = timedelta(seconds=desired.request.duration)
    life = ends - begins if begins else asked
    return renewal_time_of_adopted(ends, found.serial, desired.renew_before, life)


def _issuer(request: LeafRequest) -> tuple[str, int, str | None]:
    return request.issuer, request.issuer_generation, request.issuer_id


def _requests(subject: Subject) -> tuple[LeafRequest | None, LeafRequest]:
    had = subject.current.request if subject.current else None
    return (had if isinstance(had, LeafRequest) else None), subject.desired.request


def _obeyed(subject: Subject, had: LeafRequest, want: LeafRequest) -> tuple[FieldChange, ...]:
    """Return the fields in which two requests differ, without those that make no difference to the CA."""
    return tuple(c for c in field_changes(had, want) if c.path not in subject.ignored)


def field_changes(had: LeafRequest, want: LeafRequest) -> Iterator[FieldChange]:
    """Yield the fields in which two requests differ, in the words a user writes."""
    before, after = describe(had), describe(want)
    for path in dict.fromkeys((*before, *after)):
        if before.get(path) != after.get(path):
            yield FieldChange(path=path, before=before.get(path), after=after.get(path))


def _list(fields: tuple[FieldChange, ...]) -> str:
    return f"{', '.join(change.path for change in fields)} changed"
