"""Apply: makes the changes of a plan in their order, durably, and tells what became of each."""

import time
from collections.abc import Iterator, Sequence
from itertools import groupby

from reconciler.advice import changed
from reconciler.apply.adoption import adopt
from reconciler.apply.authorities import issue_authorities
from reconciler.apply.authority_orders import order_authorities
from reconciler.apply.bundles import (
    forget_bundles,
    install_bundles,
    note_anchors,
    note_idle,
    remove_trust,
)
from reconciler.apply.hosting import host
from reconciler.apply.installs import install
from reconciler.apply.leaves import issue_leaves
from reconciler.apply.mounts import hand_over
from reconciler.apply.orders import order_leaves
from reconciler.apply.publications import publish, settle_terms
from reconciler.apply.recipients import encrypt_anew
from reconciler.apply.removals import (
    forget,
    forget_authorities,
    forget_keys,
    note_endings,
    relabel,
    remove,
    rename,
)
from reconciler.apply.responses import publish_responses, settle_response_terms
from reconciler.apply.revocations import revoke
from reconciler.apply.session import Executor, Outcome, Session, place
from reconciler.apply.takeovers import revoke_past, take_over
from reconciler.diff.connections import KINDS
from reconciler.events import Event, EventStatus
from reconciler.ledger.contract import Wave
from reconciler.order import waves
from reconciler.response_terms import tree_key
from reconciler.retention import is_dead
from schemas.plan import Action, Change

__all__ = ["Session", "apply"]


def apply(session: Session, changes: Sequence[Change]) -> Iterator[Event]:
    """Make the changes, yielding how each begins and ends; a failure stops only what requires it."""
    session.planned = _planned(changes)
    session.answering = frozenset(_answering(changes))
    failed: set[str] = set()
    for wave in waves(changes):
        for _, group in groupby(wave, key=_kind):
            yield from _run(session, tuple(group), failed)
    _tidy(session)


def take_note(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:  # noqa: ARG001 - as all executors
    """Do nothing: who is spoken to is the documents' to say, and this run speaks with them already."""
    yield from map(Outcome, changes)


def _tidy(session: Session) -> None:
    """Drop the records of certificates that are gone and expired, where something was written anyway."""
    state, world = session.journal.state, session.world
    if state.tip == world.ledger.tip:
        return
    wanted = world.desired.certificates.keys() | world.renames.values()
    dead = [r.name for r in state.certificates.values() if is_dead(r, wanted, world)]
    _, silent = changed(world.desired, state, {})
    if dead or silent:
        message = f"Drop {len(dead)} records of certificates that are gone and expired"
        message = (
            message if dead else f"Drop what {', '.join(silent)} advised: nobody asks any more"
        )
        session.journal.write(Wave(message=message, gone=dead, gone_advice=silent))
    note_idle(session)


def _answering(changes: Sequence[Change]) -> Iterator[tuple[str, int]]:
    """Yield the CAs, and their generations, whose responses are to be made."""
    for step in changes:
        if step.action is Action.PUBLISH and step.address.startswith("ocsp/"):
            yield tree_key(step.address)


def _planned(changes: Sequence[Change]) -> dict[str, frozenset[str]]:
    """The targets each certificate is about to be installed in, by its address."""
    targets: dict[str, frozenset[str]] = {}
    for step in changes:
        if step.action is Action.INSTALL:
            address = step.address.partition("@")[0]
            targets[address] = targets.get(address, frozenset()) | {place(step)}
    return targets


def _run(session: Session, group: Sequence[Change], failed: set[str]) -> Iterator[Event]:
    """Make changes of one kind; those that require a failed one are skipped."""
    runnable = []
    for step in group:
        if lost := _lost(step, failed):
            failed.add(step.id)
            yield _event(step, EventStatus.SKIPPED, f"requires {lost.partition(':')[2]}")
        else:
            runnable.append(step)
    if not runnable:
        return
    yield from (_event(step, EventStatus.STARTED) for step in runnable)
    begun = time.monotonic()
    for outcome in EXECUTORS[_kind(group[0])](session, runnable):
        status = _status(outcome)
        if outcome.error:
            failed.add(outcome.change.id)
        said = outcome.error or outcome.remark
        yield _event(outcome.change, status, said, time.monotonic() - begun)


def _status(outcome: Outcome) -> EventStatus:
    if outcome.later:
        return EventStatus.POSTPONED
    return EventStatus.FAILED if outcome.error else EventStatus.DONE


def _lost(step: Change, failed: set[str]) -> str:
    """Name a failure that stops a step; empty when there is none.

    A CRL is published without the revocations that have to wait, if it has others to tell of or is
    due anyway.
    """
    told = {id_ for id_ in step.requires if id_.startswith(f"{Action.REVOKE}:")}
    spared = told if step.action is Action.PUBLISH and (step.due or told - failed) else set()
    return next((id_ for id_ in step.requires if id_ in failed - spared), "")


def _event(step: Change, status: EventStatus, message: str = "", elapsed: float = 0.0) -> Event:
    return Event(step.address, step.action, status, message, elapsed)


def _kind(step: Change) -> tuple[Action, str, bool]:
    """What decides who makes a change: its action, what it is of, and whether that is in a target."""
    return step.action, step.address.partition("/")[0], "@" in step.address


def issue_cas(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Issue CAs: those that CAs of ours sign together, then those of others one by one."""
    errands = session.prospects.errands
    theirs = [change for change in changes if errands[change.address].is_ordered]
    if ours := [change for change in changes if change not in theirs]:
        yield from issue_authorities(session, ours)
    yield from order_authorities(session, theirs)


def issue_certificates(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Issue leaves: those of our own CAs together, then those of others one by one."""
    theirs = [c for c in changes if session.desired(c).request.issuer_id is not None]
    if ours := [c for c in changes if session.desired(c).request.issuer_id is None]:
        yield from issue_leaves(session, ours)
    yield from order_leaves(session, theirs)


def install_certificates(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Install leaves, and ask for those that their places issue by themselves."""
    hosting = session.world.desired.hosting
    theirs = [c for c in changes if hosting(session.desired(c))]
    if ours := [c for c in changes if not hosting(session.desired(c))]:
        yield from install(session, ours)
    if theirs:
        yield from host(session, theirs)


EXECUTORS: dict[tuple[Action, str, bool], Executor] = {
    (Action.ISSUE, "authority", False): issue_cas,
    (Action.ISSUE, "cross", False): issue_authorities,
    (Action.ISSUE, "standby", False): issue_cas,
    (Action.ISSUE, "certificate", False): issue_certificates,
    (Action.INSTALL, "certificate", True): install_certificates,
    (Action.ADOPT, "certificate", True): adopt,
    (Action.ADOPT, "authority", False): take_over,
    (Action.RELABEL, "certificate", True): relabel,
    (Action.RELABEL, "certificate", False): rename,
    (Action.REMOVE, "certificate", True): remove,
    (Action.FORGET, "certificate", True): forget,
    (Action.FORGET, "authority", False): forget_authorities,
    (Action.FORGET, "key", False): forget_keys,
    (Action.INSTALL, "bundle", True): install_bundles,
    (Action.REMOVE, "bundle", True): remove_trust,
    (Action.FORGET, "bundle", True): forget_bundles,
    (Action.CONFIGURE, "bundle", False): note_anchors,
    (Action.REVOKE, "certificate", False): revoke,
    (Action.REVOKE, "authority", False): revoke,
    (Action.REVOKE, "past", False): revoke_past,
    (Action.CONFIGURE, "crl", False): settle_terms,
    (Action.PUBLISH, "crl", False): publish,
    (Action.PUBLISH, "ca", False): publish,
    (Action.PUBLISH, "mount", False): hand_over,
    (Action.PUBLISH, "ocsp", False): publish_responses,
    (Action.CONFIGURE, "ocsp", False): settle_response_terms,
    (Action.CONFIGURE, "keyring", False): encrypt_anew,
    (Action.CONFIGURE, "authority", False): encrypt_anew,
    (Action.CONFIGURE, "certificate", False): note_endings,
    **{(Action.CONFIGURE, kind, False): take_note for kind in KINDS},
}
