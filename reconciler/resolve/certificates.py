"""All leaves together: each validated once, judged, resolved, and told apart from the others."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

from reconciler.diagnostics import MOST_FINDINGS, Diagnostic, error, has_errors
from reconciler.resolve.authority_policies import check_publishing
from reconciler.resolve.catalogue import repeated, validate
from reconciler.resolve.drafts import Draft, section
from reconciler.resolve.issuers import check_issuer, request_digest
from reconciler.resolve.keystores import desired_keystores
from reconciler.resolve.leaves import Leaf, Surroundings, check_leaf, leaf_of, renew_before
from reconciler.resolve.policies import Rules, check_policy, limits_of
from reconciler.state import DesiredCertificate, DesiredInstall
from schemas.certificate import CertificateSpec
from schemas.document import Envelope
from schemas.issuer import REQUEST_FIELDS
from schemas.request import LeafRequest

_LEAF = Envelope[CertificateSpec]
_NAMED = 5
"""How many certificates a finding in their profile names before the rest is a number."""
_MOST = 50
"""How many mistakes one certificate is told of."""
_Word = TypeVar("_Word", bound=str)


def resolve_certificates(
    drafts: Iterable[Draft], around: Surroundings, rules: Rules, found: list[Diagnostic]
) -> Mapping[str, DesiredCertificate]:
    """Return every sound certificate by name; what is wrong with the others is added to `found`."""
    leaves: dict[str, Leaf] = {}
    problems = _Problems()
    for draft in drafts:
        objections: list[Diagnostic] = []
        content = validate(draft.data, _LEAF, draft, objections)
        problems.add(draft, objections)
        if problems.enough:
            break
        if content is None:
            continue
        leaf = leaf_of(content.metadata, content.spec, draft)
        earlier = leaves.setdefault(leaf.name, leaf)
        if earlier is not leaf:
            found.append(repeated("Certificate", leaf.name, draft, earlier.draft))
    ordered = list(leaves.values())
    for leaf in ordered:
        if not problems.enough:
            problems.add(leaf.draft, islice(_judge(leaf, around, rules), _MOST))
    found += _attributed(problems.every, frozenset(found))
    found += _check_former_names(ordered)
    found += _check_object_names(ordered)
    found += check_publishing(ordered, around.families, rules)
    if has_errors(found):
        return {}
    return {name: _desired(leaves[name], around, rules) for name in sorted(leaves)}


@dataclass(slots=True)
class _Problems:
    """What is wrong with drafts; one mistake in a profile may be many certificates' problem."""

    every: list[tuple[Draft, Diagnostic]] = field(default_factory=list)
    told: set[Diagnostic] = field(default_factory=set)

    @property
    def enough(self) -> bool:
        """Whether there are more mistakes than are told."""
        return len(self.told) > MOST_FINDINGS

    def add(self, draft: Draft, problems: Iterable[Diagnostic]) -> None:
        """Take in what is wrong with one."""
        for problem in problems:
            self.every.append((draft, problem))
            self.told.add(problem)


def _judge(leaf: Leaf, around: Surroundings, rules: Rules) -> Iterator[Diagnostic]:
    yield from check_leaf(leaf, around)
    if issuer := around.issuers.entries.get(leaf.spec.issuer_ref):
        yield from check_issuer(leaf, issuer, around.targets)
    for policy in rules.selecting(leaf.draft.paths):
        yield from check_policy(leaf, policy, _honoured(leaf, around))


def _honoured(leaf: Leaf, around: Surroundings) -> frozenset[str]:
    theirs = around.issuers.entries.get(leaf.spec.issuer_ref)
    return theirs.spec.capabilities.honours if theirs else REQUEST_FIELDS


def _attributed(
    problems: Iterable[tuple[Draft, Diagnostic]], known: frozenset[Diagnostic]
) -> Iterator[Diagnostic]:
    """Yield each finding once; one that stands in a profile names the certificates it is about.

    `known` is what was found in the profiles already, and is about every certificate.
    """
    concerned: dict[Diagnostic, list[str]] = {}
    for draft, problem in problems:
        names = concerned.setdefault(problem, [])
        if problem.source and problem.source.file not in draft.paths:
            names.append(str(section(draft.data, "metadata").get("name")))
    for problem, names in concerned.items():
        if not names:
            yield problem
        elif problem not in known:
            yield replace(problem, detail="\n".join(filter(None, (problem.detail, _about(names)))))


def _about(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"It concerns certificate {', '.join(names[:_NAMED])}{more}."


def _check_former_names(leaves: Sequence[Leaf]) -> Iterator[Diagnostic]:
    names = {leaf.name for leaf in leaves}
    heirs: dict[str, str] = {}
    for leaf in leaves:
        for index, former in enumerate(leaf.metadata.formerly):
            if former in names:
                summary = f'there still is a Certificate called "{former}"'
            elif heirs.setdefault(former, leaf.name) != leaf.name:
                summary = f'{heirs[former]} was formerly called "{former}" too'
            else:
                continue
            yield error(summary, leaf.draft.at("metadata", "formerly", index))


def _check_object_names(leaves: Sequence[Leaf]) -> Iterator[Diagnostic]:
    taken: dict[tuple[str, str], Leaf] = {}
    for leaf in leaves:
        for entry in leaf.spec.targets:
            where = (entry.target_ref, entry.object_name or leaf.name)
            holder = taken.setdefault(where, leaf)
            if holder is not leaf:
                # the one that chose the name is at fault, not the one that goes by its own
                chose, other = (leaf, holder) if where[1] != leaf.name else (holder, leaf)
                yield _occupied(chose, other, where)


def _occupied(leaf: Leaf, other: Leaf, where: tuple[str, str]) -> Diagnostic:
    target, name = where
    entries = enumerate(leaf.spec.targets)
    index = next((i for i, entry in entries if entry.object_name == name), 0)
    summary = f'{other.name} is called "{name}" in target {target}, too'
    place = leaf.draft.at("spec", "targets", index, "objectName")
    return error(summary, place, hint="give one of them another objectName")


def _desired(leaf: Leaf, around: Surroundings, rules: Rules) -> DesiredCertificate:
    spec, metadata = leaf.spec, leaf.metadata
    theirs = around.issuers.entries.get(spec.issuer_ref)
    issuer = theirs.spec if theirs else None
    generation = 0 if issuer else around.families[spec.issuer_ref].generation
    request = _request(leaf, generation, issuer.identity if issuer else None)
    return DesiredCertificate(
        name=metadata.name,
        source=leaf.draft.source,
        labels=metadata.labels,
        formerly=metadata.formerly,
        request=request,
        digest=request_digest(request, issuer),
        renew_before=renew_before(spec, theirs=issuer is not None),
        custody=spec.private_key.custody,
        rotation_policy=spec.private_key.rotation_policy,
        on_remove=spec.on_remove,
        rollout=spec.rollout,
        installs=tuple(
            _installs(leaf, around, hosted=issuer is not None and issuer.capabilities.hosted)
        ),
        limits=limits_of(leaf, rules.selecting(leaf.draft.paths), _honoured(leaf, around)),
    )


def _installs(leaf: Leaf, around: Surroundings, *, hosted: bool) -> Iterator[DesiredInstall]:
    """Yield an install for each place of each target."""
    for entry in leaf.spec.targets:
        spec, former = around.targets.entries[entry.target_ref].spec, leaf.metadata.formerly
        if former and spec.capabilities.names_objects:
            former = ()
        for suffix in spec.places():
            yield DesiredInstall(
                entry.target_ref + suffix,
                entry.object_name or leaf.name,
                entry.additional_output_formats,
                former,
                entry.adopt,
                hosted,
                desired_keystores(entry, around.sealed),
            )


def _request(leaf: Leaf, issuer_generation: int, issuer_id: str | None) -> LeafRequest:
    spec = leaf.spec
    return LeafRequest(
        issuer=spec.issuer_ref,
        issuer_generation=issuer_generation,
        common_name=spec.common_name,
        subject=spec.subject,
        dns_names=_set(spec.dns_names),
        ip_addresses=_set(spec.ip_addresses),
        uris=_set(spec.uris),
        email_addresses=_set(spec.email_addresses),
        usages=_set(spec.usages),
        key=leaf.key,
        duration=int(spec.duration.total_seconds()),
        issuer_id=issuer_id,
    )


def _set(values: tuple[_Word, ...]) -> tuple[_Word, ...]:
    return values if len(values) < 2 else tuple(sorted(set(values)))
