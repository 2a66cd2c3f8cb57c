"""What a policy has against a leaf, each with the path of the words that ask for it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from providers.constraints import Form, covers
from reconciler.baseline import key_problem, name_problem, usage_problem
from reconciler.load.yaml import Step
from reconciler.resolve.leaves import Leaf, place_of
from schemas.certificate import Algorithm
from schemas.policy import Allowed, Constraints, PolicySpec, Required
from schemas.request import KeyType
from schemas.scalars import format_duration


@dataclass(frozen=True, slots=True)
class Objection:
    """One thing that is not allowed, in words, and where it was written."""

    path: tuple[Step, ...]
    problem: str


def objections(leaf: Leaf, policy: PolicySpec, honours: frozenset[str]) -> Iterator[Objection]:
    """Yield all that a policy has against a leaf, whatever the day.

    `honours` are the fields of a request that its issuer obeys: of others a baseline says nothing.
    """
    yield from _choices(leaf, policy.allowed)
    for form in leaf.forms:
        if problem := _refused(form, policy.allowed):
            yield _of_name(leaf, form, problem)
    yield from _lacking(leaf, policy.required)
    yield from bounds(leaf.spec.duration, leaf.key, policy.constraints)
    if policy.baseline is not None:
        rules = policy.baseline
        yield from (Objection(o.path, f"{o.problem} ({rules})") for o in _public(leaf, honours))


def _choices(leaf: Leaf, allowed: Allowed) -> Iterator[Objection]:
    spec = leaf.spec
    if allowed.issuers is not None and spec.issuer_ref not in allowed.issuers:
        problem = f"the issuer {spec.issuer_ref} is not allowed"
        yield Objection(("spec", "issuerRef"), problem)
    for index, entry in enumerate(spec.targets):
        if allowed.targets is not None and entry.target_ref not in allowed.targets:
            path = ("spec", "targets", index)
            yield Objection(path, f"the target {entry.target_ref} is not allowed")
        if entry.adopt and not allowed.adopt:
            yield Objection(
                ("spec", "targets", index, "adopt"),
                "adopting is not allowed without `allowed.adopt: true`",
            )
    for usage in spec.usages:
        if allowed.usages is not None and usage not in allowed.usages:
            yield Objection(("spec", "usages"), f"the usage {usage} is not allowed")


def _refused(form: Form, allowed: Allowed) -> str:
    lists = {
        "DNS name": allowed.dns_domains,
        "IP address": allowed.ip_ranges,
        "URI": allowed.uri_domains,
        "e-mail address": allowed.email_domains,
    }
    entries = lists[form.kind]
    if entries is not None and not covers(form, entries):
        return "is not allowed"
    return "is a wildcard" if form.subject.startswith("*.") and not allowed.wildcards else ""


def _of_name(leaf: Leaf, form: Form, problem: str) -> Objection:
    return Objection(place_of(form, leaf.spec), f"the {form.kind} {form.name} {problem}")


def _lacking(leaf: Leaf, required: Required) -> Iterator[Objection]:
    there = {entry.target_ref for entry in leaf.spec.targets}
    for name in required.targets:
        if name not in there:
            yield Objection(("spec", "targets"), f"the target {name} is missing, and is required")
    for usage in required.usages:
        if usage not in leaf.spec.usages:
            yield Objection(("spec", "usages"), f"the usage {usage} is missing, and is required")


def bounds(life: timedelta, key: KeyType, bounds: Constraints) -> Iterator[Objection]:
    """Yield what of a lifetime and a key is beyond bounds: a leaf's, or a CA's."""
    if bounds.max_duration is not None and life > bounds.max_duration:
        most = format_duration(bounds.max_duration)
        yield Objection(("spec", "duration"), f"{format_duration(life)} is longer than {most}")
    if bounds.min_duration is not None and life < bounds.min_duration:
        least = format_duration(bounds.min_duration)
        yield Objection(("spec", "duration"), f"{format_duration(life)} is shorter than {least}")
    keys = bounds.private_key
    if keys.algorithms is not None and key.algorithm not in keys.algorithms:
        path = ("spec", "privateKey", "algorithm")
        yield Objection(path, f"{key.algorithm} keys are not allowed")
    sizes = {Algorithm.RSA: keys.min_size.rsa, Algorithm.ECDSA: keys.min_size.ecdsa}
    least_size = sizes.get(key.algorithm) or 0
    if key.size < least_size:
        path = ("spec", "privateKey", "size")
        yield Objection(path, f"{key} is smaller than {least_size} bits")


def _public(leaf: Leaf, honours: frozenset[str]) -> Iterator[Objection]:
    """Yield why a leaf is none for public TLS."""
    if "key" in honours and (problem := key_problem(leaf.key)):
        yield Objection(("spec", "privateKey", "algorithm"), problem)
    if "usages" in honours and (problem := usage_problem(leaf.spec.usages)):
        yield Objection(("spec", "usages"), problem)
    for form in leaf.forms:
        if problem := name_problem(form.kind, form.subject):
            yield _of_name(leaf, form, problem)
    named: Iterable[str] = (*leaf.spec.dns_names, *leaf.spec.ip_addresses)
    common = leaf.spec.common_name
    if common is not None and "common_name" in honours and common not in named:
        path = ("spec", "commonName")
        yield Objection(path, f"the common name {common} is none of its dnsNames and ipAddresses")
