"""One generation of a CA: its first certificate, another one for the same key, or why there is none."""

from dataclasses import dataclass
from datetime import timedelta

from reconciler.checks import Finding
from reconciler.custody import key_holder, signs_offline
from reconciler.description import describe_authority
from reconciler.diff.changes import blocked, change, seen
from reconciler.diff.dues import is_renewed_anyway
from reconciler.diff.lines import told, words
from reconciler.diff.prospects import Errand, Prospects
from reconciler.diff.trust import Waits
from reconciler.diff.withholding import hindrance, pausing
from reconciler.diff.world import World
from reconciler.ledger.records import AuthorityRecord, Issuance, Status
from reconciler.resolve.generations import LONGEST
from reconciler.schedule import is_ahead, late_time, renewal_time
from reconciler.state import DesiredAuthority
from schemas.base import digest
from schemas.plan import Action, Change, FieldChange, Reason
from schemas.request import AuthorityRequest
from schemas.revocation import RevocationReason
from schemas.scalars import format_instant

CEREMONY = "waits for the ceremony: certform ceremony export"

Steps = tuple[tuple[Change, ...], Errand | None]
"""What one generation needs, and the certificate that is to be issued, by whomever."""
NOTHING: Steps = ((), None)


@dataclass(frozen=True, slots=True)
class Case:
    """One generation of a CA as it is wanted. `above` are the CAs that it may hang by, as they will be."""

    above: Prospects
    desired: DesiredAuthority
    address: str
    request: AuthorityRequest

    @property
    def world(self) -> World:
        """The three sides."""
        return self.above.world

    @property
    def record(self) -> AuthorityRecord:
        """What the ledger knows of the CA."""
        return self.world.authority(self.desired.name)

    @property
    def issued(self) -> Issuance | None:
        """The newest certificate of this generation."""
        return self.record.issued(self.request.generation)

    @property
    def predecessor(self) -> Issuance | None:
        """The newest certificate of the newest generation before this one."""
        return next(self.record.before(self.request.generation), None)

    @property
    def is_standby(self) -> bool:
        """Whether nobody uses this generation yet."""
        return self.address.startswith("standby/")

    def blocked(self, why: Finding, *, due: bool = False) -> Change:
        """Return what stands in the way of this generation."""
        return blocked(self.address, why.reason, why.message, source=self.desired.source, due=due)


def generation_steps(case: Case) -> Steps:
    """Return what one generation of a CA needs; one that is retired gets nothing any more."""
    issued = case.issued
    if case.desired.retired:
        return NOTHING
    if issued is None:
        return _first(case)
    if stuck := _stuck(case, issued):
        return (case.blocked(stuck),), None
    return _again(case, issued)


def _first(case: Case) -> Steps:
    request = case.above.placed(case.request)
    waits = _waits(case, request, case.predecessor)
    if stands := _in_the_way(case, request, waits) or _lacks_key(case):
        return (case.blocked(stands),), None
    return _issue(case, request, _why_first(case), waits)


def _in_the_way(case: Case, request: AuthorityRequest, waits: Waits) -> Finding | None:
    if unready := case.above.unready(request):
        return Finding(Reason.BLOCKED_BY, unready)
    if waits.missing:
        return Finding(Reason.PENDING, f"its new root is not trusted everywhere: {waits.missing}")
    return None


def _lacks_key(case: Case) -> Finding | None:
    holder = key_holder(case.world.ledger.authorities, case.desired)
    hint = "make a new one, and name it in privateKey.custody"
    return Finding(Reason.BLOCKED_BY, f"its key is that of {holder}: {hint}") if holder else None


def _waits(case: Case, request: AuthorityRequest, had: Issuance | None) -> Waits:
    """Return what brings its root's anchor; where nothing hangs by another root, no place is waited for."""
    line = case.above.line(request)
    if case.is_standby or not line:
        return Waits()
    if had is None:
        return Waits(case.above.waits(line).requires)
    return case.above.waits(line, had)


def _why_first(case: Case) -> Finding:
    if case.is_standby:
        message = f"generation {case.request.generation}, kept ready; nothing hangs by it yet"
        return Finding(Reason.STANDBY, message)
    before = case.predecessor
    if before is None or not isinstance(before.request, AuthorityRequest):
        return Finding(Reason.NOT_FOUND, "no certificate yet")
    had, now = before.request.generation, case.request.generation
    fields = (FieldChange(path="generation", before=had, after=now),)
    message = f"generation {now} takes the place of {had}"
    if gone := case.world.given_up.get((case.desired.name, had)):
        message = f"revocation/{gone.name} ({gone.reason}) gives up generation {had}"
    return Finding(Reason.NOT_FOUND, message, fields)


def _stuck(case: Case, issued: Issuance) -> Finding | None:
    """Say why nothing can be made of a generation any more, or not yet."""
    raise_it = f"set generation: {case.request.generation + 1}"
    if issued.status is Status.REVOKED and case.is_standby:
        message = "the generation to be kept ready is revoked: bring back the Revocation of it"
        return Finding(Reason.REVOKED, message)
    if issued.status is Status.REVOKED and not _is_bereft(case, issued):
        return Finding(Reason.REVOKED, f"this generation is revoked: {raise_it}")
    if is_ahead(issued.not_before, case.world.now):
        starts = format_instant(issued.not_before)
        return Finding(Reason.NOT_YET_VALID, f"not valid before {starts}: wait, or {raise_it}")
    return None


def _is_bereft(case: Case, issued: Issuance) -> bool:
    """Whether it was revoked since its parent is: then its own key is good for another parent.

    Not where a later generation was issued: what moved on stays there.
    """
    request, revoked, number = issued.request, issued.revoked, case.request.generation
    if request.issuer is None or (case.desired.name, number) in case.world.given_up:
        return False
    if any(later.generation > number for later in case.record.issuances):
        return False
    above = (request.issuer, request.issuer_generation or 0)
    parent = case.world.authority(above[0]).issued(above[1])
    gone = parent is not None and parent.status is Status.REVOKED
    hung = revoked is not None and revoked.reason is RevocationReason.SUPERSEDED
    return hung and (gone or above in case.world.given_up)


def _again(case: Case, issued: Issuance) -> Steps:
    """Return another certificate for the same key, where other CAs above or the time ask for one."""
    had, wanted = issued.request, case.above.placed(case.request)
    if not isinstance(had, AuthorityRequest):
        return NOTHING
    is_root = had.issuer is None
    if _below(wanted, had) != had or is_root != (wanted.issuer is None):
        raise_it = f"set generation: {case.request.generation + 1}"
        message = f"a CA certificate is never changed in place: {raise_it}, or undo the edit"
        return _held(case, issued, Finding(Reason.SPEC_CHANGED, message))
    if why := _moved(case, wanted, issued):
        waits = _waits(case, wanted, issued)
        if stands := _in_the_way(case, wanted, waits):
            return _held(case, issued, stands)
        return _issue(case, wanted, why, waits, issued)
    if issued.status is Status.REVOKED:
        message = case.above.unready(wanted) or f"authority/{wanted.issuer} is not replaced yet"
        return (case.blocked(Finding(Reason.BLOCKED_BY, message)),), None
    return _renewal(case, had, issued)


def _below(request: AuthorityRequest, other: AuthorityRequest) -> AuthorityRequest:
    """Return a request with the parent of another one."""
    parent = ("issuer", "issuer_generation", "issuer_id")
    return request.model_copy(update={field: getattr(other, field) for field in parent})


def _held(case: Case, issued: Issuance, why: Finding) -> Steps:
    """Return what stands in the way of an edit; meanwhile the CA is renewed as it is."""
    had = issued.request
    if not isinstance(had, AuthorityRequest):
        return NOTHING
    steps, errand = _renewal(case, had, issued)
    kept = tuple(step for step in steps if step.action is not Action.BLOCKED)
    return (case.blocked(why), *kept), errand if kept else None


def _moved(case: Case, wanted: AuthorityRequest, issued: Issuance) -> Finding | None:
    """Say that it is to hang by another parent, or its parents by others."""
    had, line = case.world.line(issued), case.above.line(wanted)
    if not line and wanted.issuer is not None:
        line = ((wanted.issuer, wanted.issuer_generation or 0),)
    if not had or had == line or had[:1] == line:
        return None
    fields = (FieldChange(path="chain", before=words(had), after=words(line)),)
    reason = Reason.CHAIN_CHANGED if had[0] == line[0] else Reason.ISSUER_CHANGED
    return Finding(reason, told(had, line), fields)


def _renewal(case: Case, request: AuthorityRequest, issued: Issuance) -> Steps:
    why = _lapsing(case, request, issued)
    if why is None and not _begun(case, request):
        return NOTHING
    if unready := case.above.unready(request):
        return (case.blocked(Finding(Reason.BLOCKED_BY, unready)),), None
    due = Finding(Reason.RESUMING, "") if why is None else why
    return _issue(
        case, request, due, Waits(), issued, due=is_renewed_anyway(case.world, case.desired, issued)
    )


def _lapsing(case: Case, request: AuthorityRequest, issued: Issuance) -> Finding | None:
    """Say that it has expired, or that its time has come and a new one would last longer."""
    if issued.not_after <= case.world.now:
        return Finding(Reason.EXPIRED, f"expired at {format_instant(issued.not_after)}")
    if renewal_time(issued, _renewed_before(case, issued)) > case.world.now:
        return None
    if not case.above.outlasts(request, issued):
        return None
    days = (issued.not_after - case.world.now).days
    return Finding(Reason.RENEWING, f"{days} days left")


def _renewed_before(case: Case, issued: Issuance) -> timedelta:
    """Return how long before its end a certificate is renewed.

    A CA of others may give a shorter life than it was asked for: then a third of that is left.
    """
    asked, life = case.desired.renew_before, issued.not_after - issued.not_before
    return asked if issued.reference is None or asked <= life * LONGEST else life / 3


def _begun(case: Case, request: AuthorityRequest) -> bool:
    """Whether what is to be issued is reserved already."""
    pending = case.record.pending(request.generation)
    return pending is not None and pending.digest == _digest(case, request)


def _digest(case: Case, request: AuthorityRequest) -> str:
    desired = case.desired
    return desired.digest if request == desired.request else digest(request.to_json())


def _needs_ceremony(case: Case, errand: Errand) -> bool:
    """Whether a key is to be made, or asked for, that nobody here can reach."""
    known, wanted = case.world.ledger.authorities, case.world.desired.authorities
    is_new = case.issued is None and case.desired.offline
    return is_new or signs_offline(*errand.signer, known, wanted)


def _is_early(case: Case, issued: Issuance) -> bool:
    """Whether more than half of the time is left to renew it in."""
    due = renewal_time(issued, _renewed_before(case, issued))
    return case.world.now < late_time(due, issued.not_after)


def _issue(
    case: Case,
    request: AuthorityRequest,
    why: Finding,
    waits: Waits,
    issued: Issuance | None = None,
    *,
    due: bool = False,
) -> Steps:
    desired, begun = case.desired, _begun(case, request)
    if found := hindrance(case.world, desired, case.address):
        return (found,), None
    errand = Errand(case.address, desired.name, request, _digest(case, request))
    if waits_for := pausing(case.record.attempts, errand.digest, case.world.now):
        return (case.blocked(Finding(Reason.BLOCKED_BY, waits_for)),), None
    if begun:
        why = Finding(Reason.RESUMING, "reserved, not yet issued", why.fields)
    if _needs_ceremony(case, errand):
        early = due and issued is not None and _is_early(case, issued)
        waiting = Finding(Reason.CEREMONY, f"{why.message}: {CEREMONY}")
        return (case.blocked(waiting, due=early),), errand
    line = case.above.line(request) if why.reason is Reason.CHAIN_CHANGED else ()
    step = change(
        case.address,
        Action.ISSUE,
        why.reason,
        waits.told(why.message),
        identity={
            "after": errand.digest,
            "recipients": [r.to_json() for r in desired.recipients],
            **({"line": [list(each) for each in line]} if line else {}),
        },
        requires=(*case.above.requires(request), *waits.requires),
        follows=case.above.follows(request),
        source=desired.source,
        before=seen(issued) if issued else None,
        after=describe_authority(request),
        fields=why.fields,
        due=due or begun,
    )
    return (step,), errand
