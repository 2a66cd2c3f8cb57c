"""One leaf: its defaults, and everything about it that can be judged without asking anybody."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from providers.constraints import Form, forms, violation
from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.leads import Lead, Share, time_left
from reconciler.load.yaml import Step
from reconciler.resolve.authorities import Family
from reconciler.resolve.catalogue import Shelf, unknown
from reconciler.resolve.drafts import Draft
from reconciler.resolve.keys import check_size, holds, key_type
from reconciler.resolve.keystores import SealedFiles, check_keystores, wanted
from schemas.authority import AuthoritySpec
from schemas.capabilities import Capabilities, LabelRules
from schemas.certificate import (
    Algorithm,
    CertificateSpec,
    Custody,
    RotationPolicy,
    TargetEntry,
    Usage,
)
from schemas.document import Metadata
from schemas.issuer import IssuerSpec
from schemas.request import KeyType
from schemas.scalars import format_duration
from schemas.target import TargetSpec

MANY_NAMES = 100
OWN_LABELS = 5
"""The labels that certform itself puts on an object in a cloud, at the most."""
MAX_NAMES = 1000


@dataclass(frozen=True, slots=True)
class Leaf:
    """A valid certificate with its profile merged in; `forms` are its names as constraints see them."""

    metadata: Metadata
    spec: CertificateSpec
    key: KeyType
    forms: tuple[Form, ...]
    draft: Draft

    @property
    def name(self) -> str:
        """What it is called."""
        return self.metadata.name


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a leaf may refer to."""

    authorities: Shelf[AuthoritySpec]
    families: Mapping[str, Family]
    targets: Shelf[TargetSpec]
    issuers: Shelf[IssuerSpec]
    sealed: SealedFiles = field(default_factory=SealedFiles)


def leaf_of(metadata: Metadata, spec: CertificateSpec, draft: Draft) -> Leaf:
    """Return a leaf with its kind of key told."""
    key = key_type(spec.private_key.algorithm, spec.private_key.size)
    return Leaf(metadata, spec, key, tuple(forms(spec)), draft)


def renew_before(spec: CertificateSpec, *, theirs: bool = False) -> Lead:
    """Return how long before its end a certificate is renewed: a third, half of a short life.

    `theirs` tells that a CA of others issues it, which may give another life than is asked for.
    """
    if theirs:
        return Share(spec.renew_before_percentage, spec.renew_before)
    if spec.renew_before is not None:
        return spec.renew_before
    left = time_left(Share(spec.renew_before_percentage), spec.duration)
    return timedelta(seconds=int(left.total_seconds()))


def check_leaf(leaf: Leaf, around: Surroundings) -> Iterator[Diagnostic]:
    """Yield everything that is wrong with one leaf by itself."""
    yield from _check_names(leaf)
    yield from check_size(leaf.key, leaf.draft)
    yield from _check_renewal(leaf, around)
    yield from _check_key_rotation(leaf)
    yield from _check_key_place(leaf, around.targets)
    yield from _check_issuer(leaf, around)
    for index, entry in enumerate(leaf.spec.targets):
        yield from _check_target(leaf, index, entry, around)


def _check_names(leaf: Leaf) -> Iterator[Diagnostic]:
    spec, draft = leaf.spec, leaf.draft
    count = len(spec.dns_names) + len(spec.ip_addresses) + len(spec.uris)
    count += len(spec.email_addresses)
    if count == 0 and spec.common_name is None:
        hint = "add dnsNames, ipAddresses, uris or emailAddresses"
        yield error("the certificate has no name", draft.at("spec"), hint=hint)
    elif count == 0 and Usage.SERVER_AUTH in spec.usages:
        hint = "add the name to dnsNames: clients do not look at the common name"
        yield warning("a server needs more than a common name", draft.at("spec"), hint=hint)
    if count > MAX_NAMES:
        yield error(f"{count:,} names are more than {MAX_NAMES:,}", draft.at("spec"))
    elif count > MANY_NAMES:
        summary = f"{count} names make a large certificate, and many places refuse it"
        yield warning(summary, draft.at("spec"))
    for index, name in enumerate(spec.dns_names):
        if name.startswith("*.") and "." not in name[2:]:
            place = draft.at("spec", "dnsNames", index)
            yield error(f"{name} is a wildcard for a whole top-level domain", place)


def _check_renewal(leaf: Leaf, around: Surroundings) -> Iterator[Diagnostic]:
    spec, draft = leaf.spec, leaf.draft
    if spec.renew_before is not None and spec.renew_before_percentage is not None:
        hint = "write one; an inherited one is taken back with `renewBefore:` and no value"
        place = draft.at("spec", "renewBefore")
        yield error("both renewBefore and renewBeforePercentage are set", place, hint=hint)
        return
    early = time_left(renew_before(spec), spec.duration)
    known = spec.renew_before is None or _lives_as_asked(spec, around)
    if early <= timedelta() or (known and early >= spec.duration):
        field = "renewBefore" if spec.renew_before is not None else "renewBeforePercentage"
        whole = format_duration(spec.duration)
        summary = f"renewal {format_duration(early)} before the end does not fit a life of {whole}"
        yield error(summary, draft.at("spec", field))


def _lives_as_asked(spec: CertificateSpec, around: Surroundings) -> bool:
    """Whether the `duration` says how long the certificate will live: some issuers do not obey it."""
    issuer = around.issuers.entries.get(spec.issuer_ref)
    return issuer is None or "duration" in issuer.spec.capabilities.honours


def _check_key_rotation(leaf: Leaf) -> Iterator[Diagnostic]:
    key = leaf.spec.private_key
    if key.rotation_policy is RotationPolicy.NEVER and key.custody is not Custody.LEDGER:
        place = leaf.draft.at("spec", "privateKey", "rotationPolicy")
        hint = "write `custody: ledger`, or leave rotationPolicy out"
        yield error("a key that never changes must be kept", place, hint=hint)


def _check_key_place(leaf: Leaf, targets: Shelf[TargetSpec]) -> Iterator[Diagnostic]:
    """Yield why a key cannot be made in the certificate's target: it never leaves the place it is in."""
    if leaf.spec.private_key.custody is not Custody.TARGET:
        return
    place = leaf.draft.at("spec", "privateKey", "custody")
    known = [e for t in leaf.spec.targets if (e := targets.entries.get(t.target_ref))]
    if len(leaf.spec.targets) != 1 or any(len(entry.spec.places()) != 1 for entry in known):
        summary = "a key that is made in its target can be in one place only"
        hint = "name one target with one region, or write another custody"
        yield error(summary, place, hint=hint)
    for entry in known:
        if not entry.spec.capabilities.makes_keys:
            summary = f"the target {entry.name} ({entry.spec.kind}) makes no keys"
            yield error(summary, place, hint="leave custody out, or write `custody: ledger`")


def _check_issuer(leaf: Leaf, around: Surroundings) -> Iterator[Diagnostic]:
    name, draft = leaf.spec.issuer_ref, leaf.draft
    known = around.authorities.names | around.issuers.names
    if name not in known:
        yield unknown("Authority or Issuer", name, known, draft, "spec", "issuerRef")
        return
    family = around.families.get(name)
    if family is None:
        return
    if family.entry.spec.retired:
        yield error(f"the authority {name} is retired", draft.at("spec", "issuerRef"))
    if leaf.spec.duration > family.lifetime:
        lives, ends = format_duration(leaf.spec.duration), format_duration(family.lifetime)
        summary = f"lives {lives}, longer than its issuer {name} ({ends})"
        yield error(summary, draft.at("spec", "duration"))
    yield from _check_constraints(leaf, family)


def _check_constraints(leaf: Leaf, family: Family) -> Iterator[Diagnostic]:
    for authority, constraints in family.constraints:
        for form in leaf.forms:
            problem = violation(form, constraints)
            if problem:
                hint = f"see nameConstraints of {authority}"
                summary = f"{problem} by authority {authority}"
                yield error(summary, leaf.draft.at(*place_of(form, leaf.spec)), hint=hint)


def place_of(form: Form, spec: CertificateSpec) -> tuple[Step, ...]:
    """Return the path of the field a name comes from."""
    fields = {
        "DNS name": ("dnsNames", spec.dns_names),
        "IP address": ("ipAddresses", spec.ip_addresses),
        "URI": ("uris", spec.uris),
        "e-mail address": ("emailAddresses", spec.email_addresses),
    }
    field, names = fields[form.kind]
    if form.name in names:
        return ("spec", field, names.index(form.name))
    return ("spec", "commonName")


def _check_target(
    leaf: Leaf, index: int, entry: TargetEntry, around: Surroundings
) -> Iterator[Diagnostic]:
    targets, name, path = around.targets, entry.target_ref, ("spec", "targets", index)
    if name not in targets.names:
        yield unknown("Target", name, targets.names, leaf.draft, *path, "targetRef")
    elif name in targets.entries:
        spec = targets.entries[name].spec
        capabilities = spec.capabilities
        for problem in misfits(leaf.key, entry, leaf.name, capabilities):
            summary = f"the target {name} ({spec.kind}) {problem}"
            yield error(summary, leaf.draft.at(*path))
        if capabilities.labels is not None:
            yield from _check_labels(leaf, name, spec, capabilities.labels)
    yield from check_keystores(entry, around.sealed, leaf.draft, path)
    if any(earlier.target_ref == name for earlier in leaf.spec.targets[:index]):
        yield error(f"the target {name} is listed twice", leaf.draft.at(*path))


def _check_labels(
    leaf: Leaf, name: str, spec: TargetSpec, rules: LabelRules
) -> Iterator[Diagnostic]:
    """Yield the labels that a target does not take, its own tags among them."""
    labels = {**leaf.metadata.labels, **spec.tags}
    where = f"the target {name} ({spec.kind})"
    most = rules.most - OWN_LABELS
    if len(labels) > most:
        summary = f"{where} takes {most} labels beside those of certform, not {len(labels)}"
        yield error(summary, leaf.draft.at("metadata", "labels"))
    for key, value in labels.items():
        if not (re.fullmatch(rules.key, key) and re.fullmatch(rules.value, value)):
            summary = f"{where} does not take the label {key}: {value}"
            hint = f"there a key must be like {rules.key} and a value like {rules.value}"
            yield error(summary, leaf.draft.at("metadata", "labels", key), hint=hint)


def misfits(
    key: KeyType, entry: TargetEntry, name: str, capabilities: Capabilities
) -> Iterator[str]:
    """Yield what a kind of target cannot do for an entry of the certificate `name`."""
    yield from _misnamed(entry, name, capabilities)
    if not holds(capabilities, key):
        yield f"cannot hold a key of type {key}"
    if entry.adopt and not capabilities.adopts:
        yield "takes nothing over: leave adopt out"
    if wanted(entry) and not capabilities.keystores:
        yield "writes no keystores: leave keystores out"
    elif wanted(entry) and key.algorithm is Algorithm.ML_DSA:
        yield f"puts no key of type {key} into keystores: leave keystores out"
    for output in entry.additional_output_formats:
        if output not in capabilities.output_formats:
            yield f"does not write {output}"


def _misnamed(entry: TargetEntry, name: str, capabilities: Capabilities) -> Iterator[str]:
    if entry.object_name and not capabilities.names_objects:
        yield "gives objects no names: leave objectName out"
    wanted, pattern = entry.object_name or name, capabilities.name_pattern
    if pattern and not re.fullmatch(pattern, wanted):
        yield f"cannot hold an object called {wanted} (it must be like {pattern}): choose an objectName"
