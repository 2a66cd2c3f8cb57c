"""Policy: whether what a path may ask for covers what a certificate there asks."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from providers.constraints import Form, covers
from reconciler.diagnostics import Diagnostic, error
from reconciler.load.documents import Document
from reconciler.load.yaml import Step
from reconciler.resolve.catalogue import Catalogue, Entry, catalogue, unknown
from reconciler.resolve.globs import Globs, globs
from reconciler.resolve.leaves import Leaf, place_of
from schemas.certificate import Algorithm
from schemas.policy import Allowed, PolicySpec
from schemas.scalars import format_duration


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy and the paths it looks at; `commit` is where it stands, if not among the documents at hand."""

    entry: Entry[PolicySpec]
    paths: Globs
    commit: str = ""


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
        commit = standing.commit if standing else ""
        self._rules = (
            *(Rule(entry, globs(entry.spec.selector.paths)) for entry in entries),
            *(Rule(entry, globs(entry.spec.selector.paths), commit) for entry in former),
        )
        self._selected: dict[tuple[str, ...], tuple[Rule, ...]] = {}

    def selecting(self, paths: tuple[str, ...]) -> tuple[Rule, ...]:
        """Return every policy that selects one of the files a certificate comes from."""
        if paths not in self._selected:
            self._selected[paths] = tuple(
                rule for rule in self._rules if any(map(rule.paths.match, paths))
            )
        return self._selected[paths]


def check_references(everything: Catalogue) -> Iterator[Diagnostic]:
    """Yield a finding for every policy that speaks of an issuer or target there is none of."""
    for entry in everything.policies.entries.values():
        allowed, place = entry.spec.allowed, entry.document
        issuers = everything.authorities.names | everything.issuers.names
        for index, name in enumerate(allowed.issuers or ()):
            if name not in issuers:
                path = ("spec", "allowed", "issuers", index)
                yield unknown("Authority or Issuer", name, issuers, place, *path)
        for index, name in enumerate(allowed.targets or ()):
            if name not in everything.targets.names:
                path = ("spec", "allowed", "targets", index)
                yield unknown("Target", name, everything.targets.names, place, *path)


def check_policy(leaf: Leaf, rule: Rule) -> Iterator[Diagnostic]:
    """Yield everything a policy does not allow a leaf, at the words that ask for it."""
    policy, where = rule.entry, f"The policy is at {rule.entry.document.at()}"
    for path, problem in _objections(leaf, policy.spec):
        summary, place = f"{problem}: policy {policy.name}", leaf.draft.at(*path)
        if not rule.commit:
            yield error(summary, place, detail=f"{where}.")
            continue
        detail = f"{where} of commit {rule.commit[:12]}, which this is proposed against."
        hint = "have the change of the policy merged first, by itself"
        yield error(f"{summary}, as it is in force", place, detail=detail, hint=hint)


def _objections(leaf: Leaf, policy: PolicySpec) -> Iterator[tuple[tuple[Step, ...], str]]:
    allowed, spec = policy.allowed, leaf.spec
    if allowed.issuers is not None and spec.issuer_ref not in allowed.issuers:
        yield ("spec", "issuerRef"), f"the issuer {spec.issuer_ref} is not allowed"
    for index, entry in enumerate(spec.targets):
        if allowed.targets is not None and entry.target_ref not in allowed.targets:
            path = ("spec", "targets", index)
            yield path, f"the target {entry.target_ref} is not allowed"
        if entry.adopt and not allowed.adopt:
            yield (
                ("spec", "targets", index, "adopt"),
                "adopting is not allowed without `allowed.adopt: true`",
            )
    for form in leaf.forms:
        problem = _refused(form, allowed)
        if problem:
            yield place_of(form, spec), f"the {form.kind} {form.name} is {problem}"
    yield from _bounds(leaf, policy)


def _refused(form: Form, allowed: Allowed) -> str:
    lists = {
        "DNS name": allowed.dns_domains,
        "IP address": allowed.ip_ranges,
        "URI": allowed.uri_domains,
        "e-mail address": allowed.email_domains,
    }
    entries = lists[form.kind]
    if entries is not None and not covers(form, entries):
        return "not allowed"
    return "a wildcard" if form.subject.startswith("*.") and not allowed.wildcards else ""


def _bounds(leaf: Leaf, policy: PolicySpec) -> Iterator[tuple[tuple[Step, ...], str]]:
    bounds, lives = policy.constraints, leaf.spec.duration
    if bounds.max_duration is not None and lives > bounds.max_duration:
        most = format_duration(bounds.max_duration)
        yield ("spec", "duration"), f"{format_duration(lives)} is longer than {most}"
    if bounds.min_duration is not None and lives < bounds.min_duration:
        least = format_duration(bounds.min_duration)
        yield ("spec", "duration"), f"{format_duration(lives)} is shorter than {least}"
    keys = bounds.private_key
    if keys.algorithms is not None and leaf.key.algorithm not in keys.algorithms:
        yield ("spec", "privateKey", "algorithm"), f"{leaf.key.algorithm} keys are not allowed"
    sizes = {Algorithm.RSA: keys.min_size.rsa, Algorithm.ECDSA: keys.min_size.ecdsa}
    least_size = sizes.get(leaf.key.algorithm) or 0
    if leaf.key.size < least_size:
        yield ("spec", "privateKey", "size"), f"{leaf.key} is smaller than {least_size} bits"
