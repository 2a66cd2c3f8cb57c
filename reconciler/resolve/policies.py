"""Policies: which of them bind what a file asks for, whether it is allowed, and what only the day decides."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.limits import NO_LIMITS, Judgement, Limit, Limits
from reconciler.load.documents import Document, Place
from reconciler.load.suggest import nearest
from reconciler.resolve.catalogue import Catalogue, Entry, catalogue, unknown
from reconciler.resolve.globs import Globs, globs
from reconciler.resolve.leaves import Leaf
from reconciler.resolve.objections import Objection, objections
from schemas.issuer import REQUEST_FIELDS
from schemas.plan import Source
from schemas.policy import Exemption, Governed, PolicySpec


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy and the paths it looks at; `commit` is where it stands, if not among the documents at hand.

    `stands` tells that it is in force already, and not only proposed.
    """

    entry: Entry[PolicySpec]
    paths: Globs
    commit: str = ""
    stands: bool = True

    @property
    def where(self) -> Source:
        """Where it says which rules of others it holds to."""
        return self.entry.document.at("spec", "baseline")

    def exemption(self, kind: Governed, name: str) -> Exemption | None:
        """Return the exception that excuses a document the longest."""
        held = (
            each
            for each in self.entry.spec.exceptions
            if name in (each.certificates if kind is Governed.CERTIFICATE else each.authorities)
        )
        return max(held, key=lambda each: each.until, default=None)


@dataclass(frozen=True, slots=True)
class Standing:
    """The policies in force at the commit that documents are proposed against."""

    commit: str
    entries: tuple[Entry[PolicySpec], ...] = ()

    @classmethod
    def of(cls, documents: Iterable[Document], commit: str) -> "Standing":
        """Return the valid ones among documents; what is wrong with the others is that commit's affair."""
        policies = (document for document in documents if document.kind == "Policy")
        return cls(commit, tuple(catalogue(policies, []).policies.entries.values()))


class Rules:
    """The policies of a repository, by the files they select; those in force that it would change, too."""

    def __init__(
        self, entries: Collection[Entry[PolicySpec]], standing: Standing | None = None
    ) -> None:
        said = [entry.spec for entry in entries]
        former = [e for e in standing.entries if e.spec not in said] if standing else []
        known = [e.spec for e in standing.entries] if standing else said
        commit = standing.commit if standing else ""
        self._rules = (
            *(Rule(e, globs(e.spec.selector.paths), stands=e.spec in known) for e in entries),
            *(Rule(e, globs(e.spec.selector.paths), commit) for e in former),
        )
        self._selected: dict[tuple[Governed, tuple[str, ...]], tuple[Rule, ...]] = {}

    def selecting(
        self, paths: tuple[str, ...], kind: Governed = Governed.CERTIFICATE
    ) -> tuple[Rule, ...]:
        """Return every policy that selects one of the files a document of a kind comes from."""
        known = self._selected.get((kind, paths))
        if known is None:
            known = self._selected[kind, paths] = tuple(
                rule
                for rule in self._rules
                if rule.entry.spec.selector.kind is kind and any(map(rule.paths.match, paths))
            )
        return known


def check_references(everything: Catalogue) -> Iterator[Diagnostic]:
    """Yield a finding for every policy that speaks of an issuer or target there is none of."""
    for entry in everything.policies.entries.values():
        spec, place = entry.spec, entry.document
        issuers = everything.authorities.names | everything.issuers.names
        for index, name in enumerate(spec.allowed.issuers or ()):
            if name not in issuers:
                path = ("spec", "allowed", "issuers", index)
                yield unknown("Authority or Issuer", name, issuers, place, *path)
        for field, targets in (
            ("allowed", spec.allowed.targets),
            ("required", spec.required.targets),
        ):
            for index, name in enumerate(targets or ()):
                if name not in everything.targets.names:
                    path = ("spec", field, "targets", index)
                    yield unknown("Target", name, everything.targets.names, place, *path)
        yield from _unsaid(entry)


def _unsaid(entry: Entry[PolicySpec]) -> Iterator[Diagnostic]:
    """Yield what a policy of Authorities says that is only about certificates, and the other way round."""
    spec, of_cas = entry.spec, entry.spec.selector.kind is Governed.AUTHORITY
    named = spec.allowed.model_fields_set - {"issuers"}
    for said, path in (
        (of_cas and bool(named), ("spec", "allowed")),
        (of_cas and bool(spec.required.model_fields_set), ("spec", "required")),
    ):
        if said:
            hint = "an Authority has allowed.issuers, constraints, baseline, lint and exceptions"
            summary = f"a policy of kind Authority says nothing of {'.'.join(path[1:])}"
            yield error(summary, entry.document.at(*path), hint=hint)
    for index, each in enumerate(spec.exceptions):
        if each.certificates if of_cas else each.authorities:
            field = "certificates" if of_cas else "authorities"
            place = entry.document.at("spec", "exceptions", index, field)
            summary = f"a policy of kind {spec.selector.kind} has no exceptions for {field}"
            yield error(summary, place)


def check_exceptions(everything: Catalogue, certificates: Collection[str]) -> Iterator[Diagnostic]:
    """Yield a warning for every name in an exception that nothing has: it may be gone, or misspelt."""
    for entry in everything.policies.entries.values():
        for index, each in enumerate(entry.spec.exceptions):
            for field, kind, known in (
                ("certificates", "Certificate", certificates),
                ("authorities", "Authority", everything.authorities.names),
            ):
                for n, name in enumerate(getattr(each, field)):
                    if name not in known:
                        place = entry.document.at("spec", "exceptions", index, field, n)
                        hint = nearest(name, known)
                        yield warning(f'there is no {kind} called "{name}"', place, hint=hint)


def check_policy(
    leaf: Leaf, rule: Rule, honours: frozenset[str] = REQUEST_FIELDS
) -> Iterator[Diagnostic]:
    """Yield everything a policy does not allow a leaf, at the words that ask for it; none it excuses.

    `honours` are the fields of a request that its issuer obeys.
    """
    if rule.exemption(Governed.CERTIFICATE, leaf.name) is None:
        for objection in objections(leaf, rule.entry.spec, honours):
            yield refused(rule, objection, leaf.draft)


def refused(rule: Rule, objection: Objection, place: Place) -> Diagnostic:
    """Return the finding that a policy does not allow something."""
    where = f"The policy is at {rule.entry.document.at()}"
    summary, source = f"{objection.problem}: policy {rule.entry.name}", place.at(*objection.path)
    if not rule.commit:
        return error(summary, source, detail=f"{where}.")
    detail = f"{where} of commit {rule.commit[:12]}, which this is proposed against."
    hint = "have the change of the policy merged first, by itself"
    return error(f"{summary}, as it is in force", source, detail=detail, hint=hint)


def limits_of(
    leaf: Leaf, selecting: Iterable[Rule], honours: frozenset[str] = REQUEST_FIELDS
) -> Limits:
    """Return what policies say of a leaf that the day decides, or a linter."""
    rules = tuple(selecting)
    if not rules:
        return NO_LIMITS
    dated = tuple(limit for rule in rules for limit in _dated(leaf, rule, honours))
    return Limits(dated, judgements(rules, Governed.CERTIFICATE, leaf.name), accepted(rules))


def _dated(leaf: Leaf, rule: Rule, honours: frozenset[str]) -> Iterator[Limit]:
    excuse, spec = rule.exemption(Governed.CERTIFICATE, leaf.name), rule.entry.spec
    if excuse is not None:
        for each in objections(leaf, spec, honours):
            yield excused(rule, excuse, each.problem, leaf.draft.at(*each.path))
    if spec.baseline is not None and "duration" in honours:
        until, reason = (excuse.until, excuse.reason) if excuse else (None, "")
        yield Limit(
            rule.entry.name,
            rule.where,
            leaf.draft.at("spec", "duration"),
            baseline=spec.baseline,
            until=until,
            reason=reason,
            commit=rule.commit,
        )


def excused(rule: Rule, excuse: Exemption, problem: str, source: Source) -> Limit:
    """Return a problem that a policy excuses until a day."""
    name, at = rule.entry.name, exception_at(rule.entry, excuse)
    return Limit(
        name, at, source, problem, until=excuse.until, reason=excuse.reason, commit=rule.commit
    )


def exception_at(entry: Entry[PolicySpec], excuse: Exemption) -> Source:
    """Return where a policy makes an exception."""
    return entry.document.at("spec", "exceptions", entry.spec.exceptions.index(excuse))


def judgements(rules: Iterable[Rule], kind: Governed, name: str) -> tuple[Judgement, ...]:
    """Return the rules of others that something is linted by."""
    return tuple(
        Judgement(baseline, rule.entry.name, rule.where, excuse.until if excuse else None)
        for rule in rules
        if (baseline := rule.entry.spec.baseline) is not None
        for excuse in (rule.exemption(kind, name),)
    )


def accepted(rules: Collection[Rule]) -> frozenset[str]:
    """Return the findings of a linter that are accepted: here, and by what is in force already."""
    proposed = {code for r in rules if not r.commit for code in r.entry.spec.lint.accept}
    standing = {code for r in rules if r.stands for code in r.entry.spec.lint.accept}
    return frozenset(proposed & standing)
