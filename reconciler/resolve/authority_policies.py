"""What policies say of CAs: of their own certificates, and of how they tell what they revoked."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from reconciler.baseline import LONGEST_CRL_OF_CAS, crl_problems, key_problem, ocsp_problems
from reconciler.diagnostics import Diagnostic
from reconciler.limits import Limits
from reconciler.resolve.authorities import CRL_LIFETIME, Family
from reconciler.resolve.keys import key_type
from reconciler.resolve.leaves import Leaf
from reconciler.resolve.objections import Objection, bounds
from reconciler.resolve.policies import Rule, Rules, accepted, excused, judgements, refused
from schemas.authority import AuthoritySpec
from schemas.policy import Governed, PolicySpec
from schemas.scalars import format_duration


def check_authorities(families: Mapping[str, Family], rules: Rules) -> Iterator[Diagnostic]:
    """Yield what policies do not allow CAs, at the words that ask for it."""
    for name in sorted(families):
        for rule in governing(families[name], rules):
            if rule.exemption(Governed.AUTHORITY, name) is None:
                for objection in _objections(families[name], rule.entry.spec):
                    yield refused(rule, objection, families[name].entry.document)


def governing(family: Family, rules: Rules) -> tuple[Rule, ...]:
    """Return the policies that select a CA's file."""
    return rules.selecting((family.entry.document.file,), Governed.AUTHORITY)


def limits_of_authority(family: Family, rules: Rules) -> Limits:
    """Return what policies say of a CA that the day decides, or a linter."""
    selecting, name, place = governing(family, rules), family.entry.name, family.entry.document
    dated = tuple(
        excused(rule, excuse, each.problem, place.at(*each.path))
        for rule in selecting
        if (excuse := rule.exemption(Governed.AUTHORITY, name)) is not None
        for each in _objections(family, rule.entry.spec)
    )
    return Limits(dated, judgements(selecting, Governed.AUTHORITY, name), accepted(selecting))


def _objections(family: Family, policy: PolicySpec) -> Iterator[Objection]:
    spec, allowed = family.entry.spec, policy.allowed.issuers
    if allowed is not None and spec.parent_ref is not None and spec.parent_ref not in allowed:
        yield Objection(("spec", "parentRef"), f"the parent {spec.parent_ref} is not allowed")
    key = key_type(spec.private_key.algorithm, spec.private_key.size)
    yield from bounds(family.lifetime, key, policy.constraints)
    if policy.baseline is not None and (problem := key_problem(key)):
        yield Objection(("spec", "privateKey", "algorithm"), f"{problem} ({policy.baseline})")


def check_publishing(
    leaves: Iterable[Leaf], families: Mapping[str, Family], rules: Rules
) -> Iterator[Diagnostic]:
    """Yield what of the CRLs and OCSP responses of CAs is not as the rules ask that bind their leaves."""
    told = {
        (leaf.spec.issuer_ref, rule.entry.name, rule.commit): rule
        for leaf in leaves
        if leaf.spec.issuer_ref in families
        for rule in rules.selecting(leaf.draft.paths)
        if rule.entry.spec.baseline and rule.exemption(Governed.CERTIFICATE, leaf.name) is None
    }
    for (name, _, _), rule in sorted(told.items(), key=lambda item: item[0]):
        yield from _publishing(families[name], rule)


def _publishing(family: Family, rule: Rule) -> Iterator[Diagnostic]:
    for objection in _of_leaves(family.entry.spec):
        words = f"{objection.problem} ({rule.entry.spec.baseline}, for what it issues)"
        yield refused(rule, Objection(objection.path, words), family.entry.document)
    for above in family.ancestors:
        life = above.spec.crl.duration or timedelta()
        if life > LONGEST_CRL_OF_CAS:
            most = format_duration(LONGEST_CRL_OF_CAS)
            words = f"{format_duration(life)} is longer than {most} ({rule.entry.spec.baseline})"
            yield refused(rule, Objection(("spec", "crl", "duration"), words), above.document)


def _of_leaves(spec: AuthoritySpec) -> Iterator[Objection]:
    key = key_type(spec.private_key.algorithm, spec.private_key.size)
    if problem := key_problem(key):
        yield Objection(("spec", "privateKey", "algorithm"), problem)
    life = spec.crl.duration or CRL_LIFETIME
    every = life - (spec.crl.refresh_before or life / 2)
    for problem in crl_problems(life, every, ocsp=spec.ocsp is not None):
        yield Objection(("spec", "crl", "duration"), problem)
    for problem in ocsp_problems(spec.ocsp) if spec.ocsp else ():
        yield Objection(("spec", "ocsp"), problem)
