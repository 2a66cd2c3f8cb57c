"""The linter of a plan: what it would have signed is built, judged, and refused where it is unsound."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from providers.x509 import IssuanceRefused
from reconciler.chains import Generation
from reconciler.diagnostics import Diagnostic, warning
from reconciler.diff import World
from reconciler.diff.prospects import Errand
from reconciler.explain import Origin
from reconciler.forewarning import named
from reconciler.limits import Refusal
from reconciler.lint.findings import Finding, Severity
from reconciler.lint.issues import Issue, entrusted, issues
from reconciler.lint.shapes import shape
from schemas.plan import Change, Source
from schemas.request import AuthorityRequest

if TYPE_CHECKING:
    from reconciler.lint.judges import Judges
    from reconciler.lint.specimens import Workshop

_TOLD = 3
"""How many findings of one certificate are told before the rest is a number."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is against a certificate, and what is only to be told of it."""

    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


@dataclass
class Linter:
    """Judges what plans would have signed. `origin` makes what finds the place of a document's field."""

    origin: Callable[[], Origin] | None = None
    told: dict[str, list[tuple[Issue, Finding]]] = field(default_factory=dict)
    """What is to be told, by code."""
    refused: dict[str, Refusal] = field(default_factory=dict)
    """All that must not be signed, by address."""

    def __call__(self, world: World, changes: Sequence[Change]) -> Mapping[str, Refusal]:
        """Return what must not be signed, by address, and why; nothing is loaded where nothing is issued."""
        return self._looked_at(
            world, [i for i in issues(world, changes) if i.address not in world.refused]
        )

    def before_ceremony(
        self, world: World, wanted: Sequence[Errand], earlier: Sequence[Errand]
    ) -> Mapping[str, Refusal]:
        """Return what no ceremony must be asked for, by address; `earlier` is asked for together with it."""
        asked, first = ([entrusted(world, errand) for errand in each] for each in (wanted, earlier))
        return self._looked_at(world, asked, first)

    def _looked_at(
        self, world: World, wanted: Sequence[Issue], earlier: Sequence[Issue] = ()
    ) -> Mapping[str, Refusal]:
        if not wanted:
            return {}
        from reconciler.lint.specimens import Workshop  # noqa: PLC0415 - a plan of nothing needs none

        coming = {ca: i for i in (*earlier, *wanted) if (ca := _generation(i))}
        found = dict(self._refusals(Workshop(world, coming), wanted))
        self.refused |= found
        return found

    @property
    def objections(self) -> tuple[Diagnostic, ...]:
        """One warning for each thing that a ceremony is not asked for."""
        return tuple(
            warning(f"{address} is not asked for: {why.message}", why.source)
            for address, why in sorted(self.refused.items())
        )

    @property
    def remarks(self) -> tuple[Diagnostic, ...]:
        """One warning for each code, with what it concerns."""
        return tuple(self._remark(code, found) for code, found in sorted(self.told.items()))

    def _refusals(
        self, workshop: "Workshop", wanted: Sequence[Issue]
    ) -> Iterator[tuple[str, Refusal]]:
        verdicts: dict[object, Verdict] = {}
        lost: set[Generation] = set()
        for issue in wanted:
            if not lost.isdisjoint(workshop.line(issue)):
                continue  # without that CA it may be planned below another one, and is looked at then
            if refused := self._refusal(workshop, issue, verdicts):
                lost |= {ca} if (ca := _generation(issue)) else set()
                yield issue.address, refused

    def _refusal(
        self, workshop: "Workshop", issue: Issue, verdicts: dict[object, Verdict]
    ) -> Refusal | None:
        if why := workshop.refusals(issue):
            return Refusal(f"it would be refused: {_list(why)}")
        alike = shape(issue)
        if alike not in verdicts:
            verdicts[alike] = self._judge(workshop, issue)
        for finding in verdicts[alike].warnings:
            self.told.setdefault(finding.code, []).append((issue, finding))
        if not (errors := verdicts[alike].errors):
            return None
        words = f"it would be unsound: {_list([str(each) for each in errors])}"
        return Refusal(words, self._place(issue, errors[0]))

    def _judge(self, workshop: "Workshop", issue: Issue) -> Verdict:
        if issue.request.issuer_id is not None:
            return Verdict()  # what others issue, they answer for
        try:
            specimen = workshop.make(issue)
        except IssuanceRefused:
            return Verdict()  # told by the refusals
        request = issue.request
        found = [
            *self._judges.pkix(specimen.der),
            *self._judges.pair(specimen.issuer, specimen.der),
        ]
        if issue.judged:
            organised = bool(request.subject.organizations)
            found += self._judges.tls(specimen.der, organised=organised)
        unique = dict.fromkeys(f for f in found if f.counts and f.code not in issue.accepted)
        return Verdict(
            tuple(each for each in unique if each.severity is Severity.ERROR),
            tuple(each for each in unique if each.severity is Severity.WARNING),
        )

    @cached_property
    def _judges(self) -> "Judges":
        from reconciler.lint.judges import Judges  # noqa: PLC0415 - takes a third of a second

        return Judges()

    @cached_property
    def _origin(self) -> Origin | None:
        return self.origin() if self.origin else None

    def _place(self, issue: Issue, finding: Finding) -> Source:
        field_ = finding.field
        found = self._origin(issue.kind, issue.name, field_) if self._origin and field_ else None
        return found or issue.source

    def _remark(self, code: str, found: Sequence[tuple[Issue, Finding]]) -> Diagnostic:
        issue, finding = found[0]
        names = list(dict.fromkeys(each.address for each, _ in found))
        return warning(
            f"what is to be issued is not as it should be: {finding}",
            self._place(issue, finding),
            detail=f"It concerns {named(names)}.",
            hint=f"a Policy can accept it: `lint: {{accept: [{code}]}}`",
        )


def _generation(issue: Issue) -> Generation | None:
    """Return which generation of a CA an issue is the certificate of; a cross-certificate is of none."""
    request = issue.request
    if not isinstance(request, AuthorityRequest) or request.issuer == issue.name:
        return None
    return issue.name, request.generation


def _list(words: Sequence[str]) -> str:
    more = f"; and {len(words) - _TOLD} more" if len(words) > _TOLD else ""
    return "; ".join(words[:_TOLD]) + more
