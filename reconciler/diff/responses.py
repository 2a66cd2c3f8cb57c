"""OCSP responses: when those of a CA's generation must be signed anew, and after what."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from reconciler.chains import Generation
from reconciler.checks import Finding
from reconciler.diff.changes import blocked, change, change_id
from reconciler.diff.lists import Signing, kept_where
from reconciler.diff.revocations import Wanted
from reconciler.diff.world import World
from reconciler.ledger.publications import OcspRecord, OcspTerms
from reconciler.published_names import file_name
from reconciler.response_terms import (
    are_named,
    refresh_time,
    statuses,
    tree_name,
    wanted_terms,
)
from reconciler.schedule import is_ahead
from reconciler.state import PublishedFile
from schemas.custody import Kept
from schemas.plan import Action, Change, FieldChange, Reason, Source
from schemas.scalars import format_duration


@dataclass(frozen=True, slots=True)
class Causes:
    """What is about to be revoked and issued, by the CA's generation whose responses have to tell of it."""

    revoking: Mapping[Generation, tuple[str, ...]] = field(default_factory=dict)
    issuing: Mapping[Generation, tuple[Change, ...]] = field(default_factory=dict)


def causes_of(world: World, revoking: Mapping[str, Wanted], planned: Collection[Change]) -> Causes:
    """Return what makes responses change in this plan; nothing where no CA answers."""
    answers = any(ca.ocsp is not None for ca in world.desired.authorities.values())
    if not answers and not world.ledger.ocsp:
        return Causes()
    told: dict[Generation, tuple[str, ...]] = {}
    for item in revoking.values():
        request = item.issuance.request
        key = (str(request.issuer), request.issuer_generation or 0)
        told[key] = (*told.get(key, ()), change_id(Action.REVOKE, item.address))
    coming: dict[Generation, list[Change]] = {}
    for step in planned:
        if step.action is Action.ISSUE and (signer := _signer(world, step)) is not None:
            coming.setdefault(signer, []).append(step)
    return Causes(told, {key: tuple(steps) for key, steps in coming.items()})


def _signer(world: World, step: Change) -> Generation | None:
    """Return the CA and generation that a change lets sign; None for one of others, and for a root itself."""
    kind, _, name = step.address.partition("/")
    stem, _, number = name.rpartition("-g")
    if kind == "cross":
        return stem, int(number) - 1
    if kind == "certificate":
        leaf = world.desired.certificates[name].request
        return None if leaf.issuer_id is not None else (leaf.issuer, leaf.issuer_generation)
    ca = world.desired.authorities[stem if kind == "standby" else name]
    request = (ca.standby if kind == "standby" else None) or ca.request
    return (request.issuer, request.issuer_generation or 0) if request.issuer else None


@dataclass(frozen=True)
class _Answers:
    """The responses of one CA's generation: what the ledger has of them, and what they have to tell."""

    world: World
    signing: Signing
    causes: Causes
    source: Source | None

    @property
    def name(self) -> str:
        """What they are called."""
        return tree_name(*self.signing.key)

    @property
    def record(self) -> OcspRecord | None:
        """What is recorded of those that were made last."""
        return self.world.ledger.ocsp.get(self.signing.key)

    @property
    def published(self) -> PublishedFile | None:
        """What was found of them."""
        return (self.world.observed.published or {}).get(self.name)

    @property
    def wanted(self) -> OcspTerms | None:
        """The terms that the documents ask for."""
        return wanted_terms(self.world.desired.authorities.get(self.signing.name))

    @cached_property
    def are_named(self) -> bool:
        """Whether somebody may look for them."""
        return are_named(self.world.ledger, *self.signing.key, self.world.now)

    @property
    def revoking(self) -> tuple[str, ...]:
        """The ids of the changes that revoke what they are of."""
        return self.causes.revoking.get(self.signing.key, ())

    @property
    def issuing(self) -> tuple[Change, ...]:
        """The changes that issue what they have to be of as well."""
        return self.causes.issuing.get(self.signing.key, ())

    @property
    def need(self) -> Finding | None:
        """Why they must be signed: what this plan revokes or issues, or else what they lack already."""
        if self.revoking:
            return _revoked(len(self.revoking))
        return self.upkeep or (_unanswered(len(self.issuing)) if self.issuing else None)

    @cached_property
    def upkeep(self) -> Finding | None:
        """Why they must be signed anew even if nothing is revoked or issued now."""
        told = statuses(self.world.ledger, *self.signing.key, self.world.now)
        record, published = self.record, self.published
        revoked = {serial for serial, entry in told.items() if entry} | self._listed & told.keys()
        if not told:
            return None
        if published and (missing := revoked - published.revoked):
            return _revoked(len(missing))
        if record is None or published is None:
            return self._unpublished()
        if published.sha256 != record.sha256:
            return _differing(record)
        if missing := told.keys() - published.serials:
            return _unanswered(len(missing))
        return _dated(record, self.world.now)

    @property
    def _listed(self) -> frozenset[str]:
        """The serials that the published list revokes, also where the ledger was rolled back."""
        file = file_name(*self.signing.key, "crl")
        found = (self.world.observed.published or {}).get(file)
        return found.revoked if found else frozenset()

    def _unpublished(self) -> Finding:
        done = self.record is not None and self.record.sha256 is not None
        if not done or self.world.publishes_elsewhere:
            return Finding(Reason.NOT_FOUND, "not published yet")
        return Finding(Reason.NOT_FOUND, "no longer published", outside=True)


def response_changes(
    world: World, signing: Signing, causes: Causes, source: Source | None
) -> Iterator[Change]:
    """Yield what the responses of a CA's generation need.

    Where the documents ask for none any more, they go on while a certificate says where its own one is.
    """
    answers = _Answers(world, signing, causes, source)
    if answers.wanted is None and (answers.record is None or not answers.are_named):
        return
    if kept_where(world, signing) in (Kept.OFFLINE.reference, Kept.NONE.reference):
        yield from _waiting(answers)
        return
    edit = tuple(_edits(answers))
    yield from edit
    need = answers.need
    if need is None and edit:
        need = Finding(Reason.SPEC_CHANGED, "made by other terms")
    if need is not None:
        yield _publish(answers, need, edit)


def _waiting(answers: _Answers) -> Iterator[Change]:
    """Yield that nobody signs: the key of a CA may have been taken away since it was asked to answer."""
    if (need := answers.need) is not None:
        message = f"{need.message}; its key is not at hand, and responses are signed every few days"
        yield blocked(answers.name, Reason.CEREMONY, message, source=answers.source)


def _edits(answers: _Answers) -> Iterator[Change]:
    """Yield the change that settles other terms: what time asks for meanwhile goes by the old ones."""
    had, want = answers.record.terms if answers.record else None, answers.wanted
    if had is None or want is None or had == want:
        return
    fields = tuple(_fields(had, want))
    yield change(
        answers.name,
        Action.CONFIGURE,
        Reason.SPEC_CHANGED,
        f"{', '.join(field.path for field in fields)} changed",
        identity={"after": want.to_json()},
        source=answers.source,
        fields=fields,
    )


def _fields(had: OcspTerms, want: OcspTerms) -> Iterator[FieldChange]:
    before, after = _worded(had), _worded(want)
    for path in before:
        if before[path] != after[path]:
            yield FieldChange(path=path, before=before[path], after=after[path])


def _worded(terms: OcspTerms) -> Mapping[str, str]:
    before = terms.refresh_before
    return {
        "ocsp.duration": _span(terms.duration),
        "ocsp.refreshBefore": "half" if before is None else _span(before),
    }


def _span(seconds: int) -> str:
    return format_duration(timedelta(seconds=seconds))


def _revoked(count: int) -> Finding:
    return Finding(Reason.REVOCATION_ADDED, f"{count} revoked since the last ones")


def _unanswered(count: int) -> Finding:
    what = "1 certificate has" if count == 1 else f"{count} certificates have"
    return Finding(Reason.NOT_FOUND, f"{what} no response yet")


def _differing(record: OcspRecord) -> Finding:
    if record.sha256 is None:
        return Finding(Reason.RESUMING, "begun, not yet published")
    words = "the published responses are not those that were signed last"
    return Finding(Reason.DRIFTED, words, outside=True)


def _dated(record: OcspRecord, now: datetime) -> Finding | None:
    if is_ahead(record.this_update, now):
        made = f"they say that they were made at {record.this_update:%Y-%m-%d}"
        return Finding(Reason.EXPIRING, made)
    if refresh_time(record) <= now:
        return Finding(Reason.EXPIRING, f"next update {record.next_update:%Y-%m-%d}")
    return None


def _publish(answers: _Answers, need: Finding, edit: tuple[Change, ...]) -> Change:
    """Return the change; it tells of what succeeds, so nothing that it follows holds it back."""
    settling = tuple(step.id for step in edit)
    first = () if answers.signing.issuance else answers.signing.coming
    due = _is_due(answers)
    after_those = (*answers.revoking, *(step.id for step in answers.issuing))
    return change(
        answers.name,
        Action.PUBLISH,
        need.reason,
        need.message,
        identity={"tree": answers.name},
        requires=(*first, *(() if due else settling)),
        follows=(*(id_ for id_ in after_those if id_ not in first), *(settling if due else ())),
        source=answers.source,
        after={"file": answers.name},
        due=due,
        outside=need.outside,
    )


def _is_due(answers: _Answers) -> bool:
    """Whether responses are signed whatever was reviewed: to tell what happened needs no review.

    That a CA answers at all does, once: it is known where responses were made or certificates name them.
    """
    if answers.record is None and not answers.are_named:
        return False
    return answers.upkeep is not None or any(step.due for step in answers.issuing)
