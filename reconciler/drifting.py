"""Which differences there are between the world and the documents, sorted by how urgent they are."""

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from providers.base import OWNER
from reconciler.address import owner, place
from reconciler.checks import Finding
from reconciler.contrast import contrast
from reconciler.diff import World
from reconciler.diff.needs import need_of
from reconciler.ledger.records import Attempts
from reconciler.lifetimes import Lifetime, lifetimes
from schemas.base import digest
from schemas.plan import Action, Change, Plan, Reason, Source
from schemas.scalars import format_instant

REPEATED = 2
"""After how many failures to issue a certificate that is told: one may be gone with the next run."""


class Kind(StrEnum):
    """What a difference means, the most urgent first."""

    OVERDUE = "overdue"
    OUTSIDE = "outside"
    BLOCKED = "blocked"
    PENDING = "pending"


class Outcome(StrEnum):
    """How a look at everything ended. What could not be looked at is never clean."""

    CLEAN = "clean"
    DRIFT = "drift"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it is wanted. `expected` and `found` are short texts of somebody else's words.

    `adopt` is the identity of a stranger's object that could be taken over instead.
    """

    kind: Kind
    address: str
    reason: Reason
    expected: str
    found: str
    fingerprint: str
    source: Source | None = None
    adopt: str = ""

    @property
    def subject(self) -> str:
        """The certificate, authority or file it is about."""
        return self.address.partition("@")[0].partition("#")[0]

    @property
    def target(self) -> str:
        """The place it was found in; empty when it is in none."""
        return place(self.address)


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A place that nobody could look at, and why."""

    name: str
    detail: str
    source: Source | None = None

    @property
    def fingerprint(self) -> str:
        """What it is known by from one look to the next, however the reason is worded."""
        return digest(["unchecked", self.name])


@dataclass(frozen=True, slots=True)
class Drift:
    """What one look at everything found. `lifetimes` are of all that can end, the first first.

    `due` is the number of changes that time has made due and that are not late.
    """

    plan: Plan
    differences: tuple[Difference, ...]
    unchecked: tuple[Unchecked, ...]
    lifetimes: tuple[Lifetime, ...] = ()
    due: int = 0

    @property
    def outcome(self) -> Outcome:
        """How it ended, in one word."""
        if self.differences:
            return Outcome.DRIFT
        return Outcome.UNCHECKED if self.unchecked else Outcome.CLEAN

    @property
    def exit_code(self) -> int:
        """2 for differences; 1 where there are none, but something could not be checked."""
        return {Outcome.DRIFT: 2, Outcome.UNCHECKED: 1, Outcome.CLEAN: 0}[self.outcome]

    @property
    def findings(self) -> "tuple[Difference | Unchecked, ...]":
        """Everything that is told, what could not be checked first."""
        return (*self.unchecked, *self.differences)

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """What the set consists of, in order: it changed when these did."""
        return tuple(sorted({each.fingerprint for each in self.findings}))

    @property
    def digest(self) -> str:
        """128 bits over the set."""
        return digest(self.fingerprints)

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """The targets that are on other hosts, which have to look after them."""
        return tuple(each.name for each in self.plan.targets if each.status == "not-here")

    def of(self, kind: Kind) -> tuple[Difference, ...]:
        """The differences of one kind, by address."""
        return tuple(each for each in self.differences if each.kind is kind)


def drift(world: World, plan: Plan) -> Drift:
    """Return the differences that a plan of everything means, and the renewals that were missed."""
    lives = lifetimes(world)
    alive = frozenset(life.address for life in lives)
    touched = {step.id: why for step in plan.changes if (why := _touched(world, step))}
    failing = {step.id: last for step in plan.changes if (last := _failing(world, step))}
    cured = {id_ for step in plan.changes if step.id in touched for id_ in step.requires}
    told = touched.keys() | failing.keys()
    led = [step for step in plan.changes if step.id not in told and _leads(step, cured)]
    kinds = [(step, _kind(step, alive)) for step in led]
    rows = [_difference(world, step, kind) for step, kind in kinds if kind]
    rows += [_touch(world, step, touched[step.id]) for step in plan.changes if step.id in touched]
    rows += [_failed(step, failing[step.id]) for step in plan.changes if step.id in failing]
    rows += [_missed(life, plan) for life in lives if life.is_late(plan.created_at)]
    return Drift(
        plan=plan,
        differences=tuple(sorted(rows, key=lambda row: (_RANK[row.kind], row.address))),
        unchecked=tuple(_unchecked(world, plan)),
        lifetimes=lives,
        due=sum(kind is None and step.due for step, kind in kinds),
    )


def _touched(world: World, step: Change) -> Finding | None:
    """Say what somebody did in a place that a new certificate is for anyhow; None where nobody did."""
    name, target = owner(step.address), place(step.address)
    desired, record = world.desired.certificates.get(name), world.records.get(name)
    leaf = step.action is Action.INSTALL and step.address.startswith("certificate/")
    if not leaf or not step.requires or not (desired and record):
        return None
    needs = [need_of(world, desired, record, i) for i in desired.installs if i.target == target]
    return next((need for need in needs if need is not None and need.outside), None)


def _failing(world: World, step: Change) -> Attempts | None:
    """Return what became of the attempts to issue a certificate that failed again and again; else None.

    It is told between two of them as well, when it is merely due.
    """
    name = owner(step.address)
    desired, record = world.desired.certificates.get(name), world.records.get(name)
    last = record.attempts if record else None
    if desired is None or last is None or step.address != desired.address:
        return None
    tried = step.action is Action.ISSUE or step.reason is Reason.BLOCKED_BY
    return last if tried and last.digest == desired.digest and last.failures >= REPEATED else None


def _failed(step: Change, last: Attempts) -> Difference:
    since = format_instant(last.since)
    return Difference(
        kind=Kind.BLOCKED,
        address=step.address,
        reason=step.reason,
        expected="a certificate",
        found=f"{last.failures:,} failures since {since}, the last: {last.error}",
        fingerprint=digest(["failing", step.address]),
        source=step.source,
    )


def _leads(step: Change, cured: Container[str]) -> bool:
    """Whether a change is a difference of its own: not what goes with one, nor what only cures one."""
    if step.action is Action.ISSUE and (step.outside or step.reason is Reason.KEY_UNAVAILABLE):
        return step.id not in cured
    follows = step.action in _FOLLOWING or step.reason is Reason.SUPERSEDED
    stands = step.outside and step.action is Action.PUBLISH
    return stands or not (follows and step.requires)


def _kind(step: Change, alive: Container[str]) -> Kind | None:
    """Return what a change means; None where it is merely due, or somebody could not look.

    `alive` are the addresses of what exists and will end, which is told of once it is late.
    """
    if step.action is Action.BLOCKED:
        return _of_blocked(step)
    if step.outside:
        return Kind.OUTSIDE
    if step.reason is Reason.NOT_YET_VALID:
        return Kind.OVERDUE  # nobody can use it now
    waits = step.address not in alive and step.reason in (Reason.NOT_FOUND, Reason.RESUMING)
    stale = step.action is Action.PUBLISH and step.reason is not Reason.EXPIRING
    return Kind.PENDING if not step.due or waits or stale else None


def _of_blocked(step: Change) -> Kind | None:
    if step.reason is Reason.TARGET_UNKNOWN or step.due:
        return None
    return Kind.PENDING if step.reason is Reason.PENDING else Kind.BLOCKED


def _difference(world: World, step: Change, kind: Kind) -> Difference:
    expected, found = contrast(world, step)
    return Difference(
        kind=kind,
        address=step.address,
        reason=step.reason,
        expected=expected,
        found=found,
        fingerprint=step.fingerprint,
        source=step.source,
        adopt=_adoptable(world, step) if step.reason is Reason.OCCUPIED else "",
    )


def _touch(world: World, step: Change, why: Finding) -> Difference:
    row = _difference(world, step, Kind.OUTSIDE)
    return replace(row, reason=why.reason, found=why.message)


def _adoptable(world: World, step: Change) -> str:
    """Return the identity of what stands in a certificate's place and could be taken over."""
    desired, target = world.desired.certificates.get(owner(step.address)), place(step.address)
    for install in desired.installs if desired else ():
        adopts = world.desired.targets[install.target].spec.capabilities.adopts
        found = world.installed(install) if install.target == target and adopts else None
        if found is not None and OWNER not in found.labels and found.hosting is None:
            return found.id
    return ""


def _missed(life: Lifetime, plan: Plan) -> Difference:
    ended = life.not_after <= plan.created_at
    address = f"{life.address}@{life.target}" if life.target else life.address
    due = f"{life.renews_at:%Y-%m-%d}" if life.renews_at else ""
    return Difference(
        kind=Kind.OVERDUE,
        address=address,
        reason=Reason.EXPIRED if ended else Reason.RENEWING,
        expected=f"renewed from {due} on",
        found=f"{'ended' if ended else 'ends'} at {format_instant(life.not_after)}{_waiting(life, plan)}",
        fingerprint=digest(["overdue", address]),
        source=life.source,
    )


def _waiting(life: Lifetime, plan: Plan) -> str:
    """Say how many orders the quotas of its CA have no room for: it may be one of them."""
    for report in plan.issuers:
        if report.name == life.issuer and report.waits and report.done_by:
            last = format_instant(report.done_by)
            number = f"{report.waits:,} of {report.orders:,} orders at {report.name}"
            return f"; {number} wait for its quotas, the last until {last}"
    return ""


def _unchecked(world: World, plan: Plan) -> Iterator[Unchecked]:
    for report in plan.targets:
        if report.status in ("unknown", "assumed"):
            wanted = world.desired.targets.get(report.name)
            detail = report.detail or "nobody looked"
            yield Unchecked(report.name, detail, wanted.source if wanted else None)
    for step in plan.changes:
        if step.reason is Reason.TARGET_UNKNOWN and not step.address.startswith("target/"):
            yield Unchecked(step.address, step.message, step.source)


_FOLLOWING = frozenset({Action.INSTALL, Action.RELABEL, Action.PUBLISH})
_RANK = {kind: place for place, kind in enumerate(Kind)}
"""The most urgent first."""
