"""Asking CAs of others when they want their certificates renewed: side by side, and within bounds."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from providers.errors import ProviderError
from providers.issuing import Issuer, IssuerConfig, RenewalAdvisor
from providers.x509 import to_der
from reconciler.advice import (
    AFTER_FAILURE,
    Answers,
    Question,
    advised,
    changed,
    is_meant,
    merged,
    questions,
    unanswered,
)
from reconciler.diagnostics import Diagnostic, warning
from reconciler.diff.world import World
from reconciler.ledger.contract import Wave
from reconciler.ledger.issuing import AdviceRecord, Advised
from reconciler.state import DesiredIssuer
from reconciler.threads import side_by_side

SIDE_BY_SIDE = 16
"""How many questions are asked at once: at 50 ms each a third of what Let's Encrypt answers."""
AT_ONCE = 32
"""After how many questions a run shows that it lives, and looks for a signal: each may take minutes."""
ENOUGH = 300.0
"""Seconds after which nothing more is asked; the next run goes on from there."""
FAILURES = 16
"""How many failures in a row tell that a CA does not answer: nothing more is asked of it in this run."""

Opener = Callable[[DesiredIssuer], Issuer]
"""Makes the issuer that a document describes; raises ProviderError."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How CAs are asked. `pause` is called between two batches; where it raises, nothing was changed."""

    open_issuer: Opener
    pause: Callable[[], None] = lambda: None
    clock: Callable[[], float] = time.monotonic


@dataclass(slots=True)
class _Desk:
    """One CA while it is asked. `failed` counts failures in a row, `missing` all, and what was not asked.

    `silent` tells that it gives no advice at all, `problem` why it did not answer first.
    """

    advisor: RenewalAdvisor | None
    failed: int = 0
    missing: int = 0
    silent: bool = False
    problem: str = ""
    said: dict[str, Advised] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fail(self, said: Advised, why: str) -> None:
        """Note that there was no answer of use."""
        with self.lock:
            self.failed += 1
            self.missing += 1
            self.problem = self.problem or why
            self.said[said.serial] = said

    def answer(self, said: Advised) -> None:
        """Note what it said."""
        with self.lock:
            self.failed = 0
            self.said[said.serial] = said


def ask(
    asked: Sequence[Question], now: datetime, asking: Asking
) -> tuple[Answers, tuple[Diagnostic, ...]]:
    """Return what CAs said, and a warning for each that did not answer: that never stops a run."""
    desks = _desks(asked, asking.open_issuer)
    until = asking.clock() + ENOUGH
    for first in range(0, len(asked), AT_ONCE):
        if asking.clock() > until:
            break
        batch = asked[first : first + AT_ONCE]
        side_by_side(lambda question: _put(question, desks, now), batch, SIDE_BY_SIDE)
        asking.pause()
    answers = {name: None if desk.silent else desk.said for name, desk in desks.items()}
    return answers, tuple(_warnings(desks))


def _desks(asked: Sequence[Question], open_issuer: Opener) -> Mapping[str, _Desk]:
    desks: dict[str, _Desk] = {}
    for question in asked:
        name = question.issuer.name
        if name not in desks:
            desks[name] = _desk(question.issuer, open_issuer)
    return desks


def _desk(issuer: DesiredIssuer, open_issuer: Opener) -> _Desk:
    try:
        found = open_issuer(issuer)
    except ProviderError as why:
        return _Desk(None, FAILURES, problem=str(why))
    advisor = found if isinstance(found, RenewalAdvisor) else None
    return _Desk(advisor, silent=advisor is None)


def _put(question: Question, desks: Mapping[str, _Desk], now: datetime) -> None:
    """Ask about one certificate; where a CA does not answer, that is kept as an answer."""
    desk = desks[question.issuer.name]
    if desk.silent:
        return
    later = now + AFTER_FAILURE
    if desk.advisor is None or desk.failed >= FAILURES:
        desk.fail(unanswered(question, later, now), desk.problem)
        return
    try:
        answer = desk.advisor.advise(to_der((question.issuance.certificate or "").encode()))
    except ProviderError as why:
        desk.fail(unanswered(question, later, now), str(why))
        return
    if answer is None:
        desk.silent = True
    elif is_meant(answer, now):
        desk.answer(advised(question, answer, now))
    else:
        desk.fail(unanswered(question, answer.ask_again, now), "it gave no window of time")


def _warnings(desks: Mapping[str, _Desk]) -> Iterator[Diagnostic]:
    for name, desk in desks.items():
        if desk.missing and not desk.silent:
            number = f"{desk.missing:,} of {len(desk.said):,}"
            summary = f"the issuer {name} did not say when it wants {number} certificates renewed"
            hint = (
                "what it said before counts, and else how long they live; it is asked again later"
            )
            yield warning(summary, detail=desk.problem, hint=hint)


@dataclass(frozen=True, slots=True)
class Advising:
    """What came of asking: the world as it is with that, and what is to be recorded of it."""

    world: World
    records: tuple[AdviceRecord, ...] = ()
    gone: tuple[str, ...] = ()
    remarks: tuple[Diagnostic, ...] = ()
    asked: int = 0

    @property
    def wave(self) -> Wave | None:
        """What makes it durable; None where nobody was asked."""
        if not self.asked or not (self.records or self.gone):
            return None
        message = f"Note when CAs want certificates renewed ({self.asked} asked about)"
        return Wave(message=message, advice=self.records, gone_advice=self.gone)


def advise(world: World, issuers: Sequence[DesiredIssuer], asking: Asking) -> Advising:
    """Ask `issuers` what is to be asked by now; no question, no issuer is made."""
    asked = questions(world.desired, world.ledger, world.now, issuers)
    if not asked:
        return Advising(world)
    answers, remarks = ask(asked, world.now, asking)
    records, gone = changed(world.desired, world.ledger, answers)
    kept = merged(world.desired, world.ledger, answers)
    told = replace(world, ledger=replace(world.ledger, advice=kept))
    return Advising(told, records, gone, remarks, len(asked))


def opener(make: Callable[[IssuerConfig], Issuer], world: World, root: Path) -> Opener:
    """Return how issuers are made that are asked for advice only: no secret is opened for that."""

    def made(issuer: DesiredIssuer) -> Issuer:
        owner = world.ledger.lineage.owner
        return make(IssuerConfig(issuer.name, issuer.spec, owner, root, files=issuer.files))

    return made
