"""The saved plan: every change certform intends, as data that can be reviewed, stored and compared.

`format_version` follows Terraform's rule: a minor adds fields and unknown ones may be ignored, a
major breaks and must be refused. A plan has no field that could hold a key or a secret.
"""

from enum import StrEnum
from typing import Any, Literal

from pydantic import ConfigDict, Field

from schemas.base import Model
from schemas.scalars import Instant

FORMAT_VERSION = "1.4"


class Action(StrEnum):
    """What apply does. Nothing but this drives it."""

    ISSUE = "issue"
    INSTALL = "install"
    RELABEL = "relabel"
    ADOPT = "adopt"
    REMOVE = "remove"
    REVOKE = "revoke"
    PUBLISH = "publish"
    CONFIGURE = "configure"
    FORGET = "forget"
    BLOCKED = "blocked"


class Reason(StrEnum):
    """Why, for people and for policy; apply never branches on it."""

    NOT_FOUND = "NotFound"
    RENEWING = "Renewing"
    EXPIRED = "Expired"
    NOT_YET_VALID = "NotYetValid"
    SPEC_CHANGED = "SpecChanged"
    ISSUER_CHANGED = "IssuerChanged"
    KEY_UNAVAILABLE = "KeyUnavailable"
    REVOKED = "Revoked"
    REQUESTED = "Requested"
    RESUMING = "Resuming"
    SUPERSEDED = "Superseded"
    DRIFTED = "Drifted"
    CHAIN_CHANGED = "ChainChanged"
    INCOMPLETE = "Incomplete"
    UNVERIFIED = "Unverified"
    LABELS_CHANGED = "LabelsChanged"
    ORPHANED = "Orphaned"
    WITHDRAWN = "Withdrawn"
    REMOVED = "Removed"
    RENAMED = "Renamed"
    REVOCATION_ADDED = "RevocationAdded"
    EXPIRING = "Expiring"
    TARGET_UNKNOWN = "TargetUnknown"
    TARGET_GONE = "TargetGone"
    OCCUPIED = "Occupied"
    IN_USE = "InUse"
    QUOTA = "Quota"
    PENDING = "Pending"
    FAILED = "Failed"
    FLAPPING = "Flapping"
    BLOCKED_BY = "BlockedBy"
    RECIPIENTS_CHANGED = "RecipientsChanged"
    CONNECTION_CHANGED = "ConnectionChanged"
    COMPROMISED = "Compromised"
    STANDBY = "Standby"
    CROSS_SIGNED = "CrossSigned"
    TAKEN_OVER = "TakenOver"
    ANCHORS_CHANGED = "AnchorsChanged"
    ANCHOR_WITHDRAWN = "AnchorWithdrawn"
    CEREMONY = "Ceremony"
    POLICY = "Policy"
    LINT = "Lint"


TIME_DRIVEN = frozenset(
    {
        Reason.RENEWING,
        Reason.EXPIRED,
        Reason.NOT_YET_VALID,
        Reason.EXPIRING,
        Reason.RESUMING,
        Reason.UNVERIFIED,
    }
)
"""Reasons that come with time, not with an edit; so do changes that exist only to follow one of these."""


class Data(Model):
    """A part of the plan's JSON: snake_case, as in Terraform's."""

    model_config = ConfigDict(alias_generator=None)


class Source(Data):
    """A place in a file of the repository; line and column count from one."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class FieldChange(Data):
    """One field's two values; `None` on one side when the field comes or goes."""

    path: str
    before: Any = None
    after: Any = None


class Change(Data):
    """One step. `address` and `action` together name it; `requires` and `follows` list such names.

    What a change `requires` must succeed first; what it `follows` is tried first, and may fail.
    """

    address: str
    action: Action
    reason: Reason
    message: str
    fields: tuple[FieldChange, ...] = ()
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    requires: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    source: Source | None = None
    due: bool = False
    """Whether time alone causes this change; such a change needs no review."""
    outside: bool = False
    """Whether it puts right what somebody else did to what certform had left there."""
    proposed: bool | None = None
    """Whether the documents cause it that are proposed against `base`; None where nothing was compared."""
    fingerprint: str = ""

    @property
    def id(self) -> str:
        """The name other changes require this one by, such as `issue:certificate/web`."""
        return f"{self.action}:{self.address}"


class Budget(Data):
    """What a plan costs in a place that limits what is done there; `seconds` is the least it takes.

    `objects` and `year` are what there will be: objects held, and installs within 365 days, those that
    the place still shows. A limit is None where there is none, or none is known.
    """

    installs: int
    seconds: int = 0
    objects: int
    objects_limit: int | None = None
    year: int
    year_limit: int | None = None


class TargetReport(Data):
    """How one target was found: read whole, not on this host, or not readable.

    An `assumed` one was not looked at: it is taken to hold what the ledger last verified there.
    """

    name: str
    status: Literal["observed", "assumed", "not-here", "unknown"]
    certificates: int = 0
    foreign: int = 0
    detail: str | None = None
    budget: Budget | None = None


class QuotaUse(Data):
    """How much of a quota is used: `used` of at most `most` within any `window` (seconds).

    `quota` is `orders`, or `certificates` of a registered domain (`of`), or `same_names`, those for the names
    of a certificate (its address). It has room for another one from `free_at` on; None for now. A tenth
    of what is 10 or more is left for people.
    """

    quota: str
    of: str | None = None
    used: int
    most: int
    window: int
    free_at: Instant | None = None


class IssuerReport(Data):
    """What a plan costs at a CA of others: `orders`, of which it takes so many `now` and the rest `waits`.

    The last is placed at `done_by`, if nothing else is ordered and none fails; None where none waits.
    """

    name: str
    orders: int
    now: int
    waits: int
    done_by: Instant | None = None
    quotas: tuple[QuotaUse, ...] = ()


class MoveReport(Data):
    """Certificates that go from one CA to another in one plan, `before` and `after` by their addresses.

    `revoked` is how many of the old ones are of no use once the plan is done, and `valid_until` when the last
    of the others ends. `ignored` are the fields that the new CA decides by itself. `root` is the root of ours
    above it, in `bundles`; None where its root is of others.
    """

    before: str
    after: str
    certificates: int
    revoked: int = 0
    valid_until: Instant | None = None
    ignored: tuple[str, ...] = ()
    other_root: bool = True
    """Whether clients have to trust another root than before, as far as that is known without asking."""
    revocable: bool = True
    """Whether a Revocation can reach the old ones once this is merged: an Issuer has to name their CA."""
    root: str | None = None
    bundles: tuple[str, ...] = ()


class Expiry(Data):
    """The certificate that expires first among those wanted."""

    address: str
    not_after: Instant


class PlaceCount(Data):
    """How many certificates are in one place."""

    place: str
    certificates: int


class ImpactBranch(Data):
    """One CA of an impact: `above` is the place in the list of who signed it, where that is in it too.

    `certificates` are those directly below it, `places` where these are: the fullest, where there are many.
    """

    address: str
    generation: int
    above: int | None = None
    not_after: Instant | None = None
    certificates: int = 0
    places: tuple[PlaceCount, ...] = ()


class LeftBehind(Data):
    """A certificate that a plan does not issue anew, and what it waits for, as far as that is known."""

    address: str
    why: str | None = None


class ImpactReport(Data):
    """What hangs by a generation of a CA that a plan revokes or replaces.

    `reissued` of the certificates are issued anew by the plan; `left` names some of the others, of
    `places` and `branches` there are the fullest.
    """

    address: str
    generation: int
    revoked: bool = False
    certificates: int
    reissued: int
    first_end: Instant | None = None
    places: tuple[PlaceCount, ...] = ()
    place_count: int = 0
    left: tuple[LeftBehind, ...] = ()
    branches: tuple[ImpactBranch, ...] = ()


class Plan(Data):
    """Everything one apply would do, and what it was derived from."""

    format_version: str = FORMAT_VERSION
    kind: Literal["plan"] = "plan"
    certform_version: str
    project: str
    lineage: str
    revision: str | None = None
    """The commit the documents were read from; None where there is none yet."""
    base: str | None = None
    """The commit they are proposed against, which also says who was spoken to; None without one."""
    uncommitted: bool = False
    """Whether the documents lie in a working tree that was changed since that commit."""
    ledger_tip: str
    created_at: Instant
    looks_ahead: bool = False
    """Whether `created_at` is still to come: what will be due then, if nothing is applied before."""
    selection: tuple[str, ...] = ()
    targets: tuple[TargetReport, ...] = ()
    issuers: tuple[IssuerReport, ...] = ()
    """The CAs of others that are asked for certificates, or were a while ago, as far as quotas count them."""
    changes: tuple[Change, ...] = ()
    certificates: int = 0
    next_expiry: Expiry | None = None
    impacts: tuple[ImpactReport, ...] | None = None
    """What hangs by the CAs that are revoked or replaced; None where none is."""
    moves: tuple[MoveReport, ...] = ()
    """What goes to another CA, and what that means."""
    digest: str = Field(default="")
    """128 bits over the fingerprints in order of address."""
