"""What became of every change of an apply, and of the run as a whole. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reconciler.cli.running import Account
from reconciler.diagnostics import Diagnostic
from reconciler.errors import Interrupted
from reconciler.events import Event, EventStatus
from reconciler.github.action import reason_of
from reconciler.github.errors import findings_of
from reconciler.github.reviews import Reviews
from reconciler.render.vocabulary import COUNTED, kind_of
from reconciler.reviewing import is_under_way
from schemas.plan import Action, Change


class Fate(StrEnum):
    """What became of one change, the worst first."""

    FAILED = "failed"
    REFUSED = "refused"
    LEFT = "not started"
    BLOCKED = "blocked"
    UNDER_WAY = "under way"
    DONE = "applied"


@dataclass(frozen=True, slots=True)
class Deed:
    """One change, what became of it, and why where it was not made."""

    change: Change
    fate: Fate
    why: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: what it has come to, what it was allowed, and the failure that stopped it."""

    account: Account
    reviews: Reviews | None = None
    failure: BaseException | None = None

    @property
    def code(self) -> int:
        """The exit code."""
        if self.failure is None:
            return self.account.code
        interrupted = isinstance(self.failure, KeyboardInterrupt)
        return Interrupted.exit_code if interrupted else getattr(self.failure, "exit_code", 1)

    @property
    def applied(self) -> bool:
        """Whether nothing is left to do of what was reviewed, so that the next run starts from here."""
        return self.code == 0

    @property
    def reason(self) -> str:
        """Why it was not applied, a stable word for the output `failure-reason`; empty where it was."""
        if self.failure is not None:
            return reason_of(self.failure)
        return {0: "", 3: "unreviewed", 4: "partly-applied"}.get(self.code, "error")

    @property
    def digest(self) -> str:
        """The digest of the plan that was made; empty where none was."""
        return self.account.plan.digest if self.account.plan else ""

    @property
    def deeds(self) -> tuple[Deed, ...]:
        """What became of each change of the plan, the worst first."""
        rank = {fate: place for place, fate in enumerate(Fate)}
        return tuple(sorted(_deeds(self.account), key=lambda deed: rank[deed.fate]))

    @property
    def done(self) -> tuple[Change, ...]:
        """The changes that were made."""
        return tuple(deed.change for deed in self.deeds if deed.fate is Fate.DONE)

    @property
    def unseen(self) -> tuple[Change, ...]:
        """The changes that were made though no plan showed them, since time alone had made them due."""
        if self.reviews is None:
            return ()
        shown = self.reviews.fingerprints
        return tuple(step for step in self.done if step.due and step.fingerprint not in shown)

    @property
    def sentence(self) -> str:
        """How many changes met which fate, in one line without its stop."""
        fates = Counter(deed.fate for deed in self.deeds)
        done = fates.pop(Fate.DONE, 0)
        kinds = Counter(map(kind_of, self.done))
        by_kind = ", ".join(f"{kinds[k]:,} {k.value.done}" for k in COUNTED if kinds[k])
        parts = [f"{done:,} applied ({by_kind})"] if done else []
        parts += [f"{fates[fate]:,} {fate}" for fate in Fate if fates[fate]]
        if not parts:
            return "nothing was to be done" if self.failure is None else "nothing was applied"
        return ", ".join(parts)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The findings of the failure."""
        return findings_of(self.failure) if self.failure else ()

    @property
    def hint(self) -> str:
        """What to do next; empty where there is nothing to do."""
        if self.applied:
            return ""
        if self.reason in ("interrupted", "partly-applied"):
            return "Run the job again: it goes on from there, and what was reviewed stays so."
        if self.failure is not None:
            said = (found.hint for found in self.diagnostics if found.hint)
            return next(said, "Put that right and run the job again: what was reviewed stays so.")
        way = self.account.verdict.way_out if self.account.verdict else ""
        return f"{way[:1].upper()}{way[1:]}."


def _deeds(account: Account) -> Iterator[Deed]:
    if account.plan is None:
        return
    refused = {r.change.id: r.why for r in account.verdict.refused} if account.verdict else {}
    last = {(event.address, event.action): event for event in account.events}
    for change in account.plan.changes:
        if change.id in refused:
            yield Deed(change, Fate.REFUSED, f"{refused[change.id]}: {change.message}")
        elif change.action is Action.BLOCKED:
            waits = is_under_way(change)
            yield Deed(change, Fate.UNDER_WAY if waits else Fate.BLOCKED, change.message)
        else:
            yield _made(change, last)


def _made(change: Change, last: Mapping[tuple[str, Action], Event]) -> Deed:
    event = last.get((change.address, change.action))
    if event is None:
        return Deed(change, Fate.LEFT)
    match event.status:
        case EventStatus.DONE:
            return Deed(change, Fate.DONE, event.message)
        case EventStatus.SKIPPED:
            return Deed(change, Fate.LEFT, event.message)
        case EventStatus.POSTPONED:
            return Deed(change, Fate.UNDER_WAY, event.message)
        case EventStatus.FAILED:
            return Deed(change, Fate.FAILED, event.message)
        case _:
            return Deed(change, Fate.FAILED, "it was begun, and the run ended")


def counts(changes: Sequence[Change]) -> dict[str, int]:
    """Return how many changes there are of each action."""
    return dict(sorted(Counter(str(change.action) for change in changes).items()))
