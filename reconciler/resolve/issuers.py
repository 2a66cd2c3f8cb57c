"""CAs of others, and what places issue by themselves: whether a leaf may ask them for what it asks."""

from collections.abc import Iterator, Mapping

from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.load.yaml import Step, Value
from reconciler.resolve.catalogue import Catalogue, Entry, Shelf
from reconciler.resolve.drafts import section
from reconciler.resolve.keystores import HINT, SealedFiles
from reconciler.resolve.leaves import Leaf
from reconciler.resolve.solvers import check_provable
from reconciler.state import DesiredIssuer
from schemas.base import digest
from schemas.certificate import Custody, OnRemove, RotationPolicy
from schemas.issuer import NAME_FIELDS, REQUEST_FIELDS, IssuerSpec
from schemas.request import LeafRequest
from schemas.secrets import SecretReference
from schemas.target import TargetSpec

_WRITTEN: Mapping[str, tuple[Step, ...]] = {
    "common_name": ("commonName",),
    "dns_names": ("dnsNames",),
    "ip_addresses": ("ipAddresses",),
    "uris": ("uris",),
    "email_addresses": ("emailAddresses",),
    "subject": ("subject",),
    "usages": ("usages",),
    "key": ("privateKey", "algorithm"),
    "duration": ("duration",),
}
"""Where a field of a LeafRequest is written."""


def check_names(catalogue: Catalogue) -> Iterator[Diagnostic]:
    """Yield a finding at both places where an Authority and an Issuer have one name."""
    both = catalogue.authorities.entries.keys() & catalogue.issuers.entries.keys()
    for name in sorted(both):
        ours = catalogue.authorities.entries[name].document.at("metadata", "name")
        theirs = catalogue.issuers.entries[name].document.at("metadata", "name")
        hint = "give one of them another name: issuerRef could mean either"
        yield error(f'there is an Issuer called "{name}" too, at {theirs}', ours, hint=hint)
        yield error(f'there is an Authority called "{name}" too, at {ours}', theirs, hint=hint)


def desired_issuer(entry: Entry[IssuerSpec], files: Mapping[str, bytes]) -> DesiredIssuer:
    """Return an issuer as it is wanted, with what it names of `files`."""
    spec = entry.spec
    names = {*(reference.name for reference in spec.secrets), *filter(None, (spec.ca_bundle,))}
    mine = {name: files[name] for name in sorted(names) if name in files}
    return DesiredIssuer(entry.name, entry.document.at(), spec, mine)


def check_secrets(entry: Entry[IssuerSpec], sealed: SealedFiles) -> Iterator[Diagnostic]:
    """Yield what is wrong with an issuer's secrets; a file that cannot be read was told already."""
    for reference in entry.spec.secrets:
        if reference.name in sealed.files and sealed.ciphertext(reference) is None:
            summary = f"{reference.name} holds no secret under {reference.key} that sops encrypted"
            place = next(_mentions(entry.document.data.get("spec"), reference, ("spec",)), ())
            yield error(summary, entry.document.at(*place), hint=HINT)


def _mentions(
    node: Value, reference: SecretReference, path: tuple[Step, ...]
) -> Iterator[tuple[Step, ...]]:
    """Yield where a secret is named below a node of a document."""
    if isinstance(node, dict):
        if (node.get("name"), node.get("key")) == (reference.name, reference.key):
            yield (*path, "key")
        for step, item in node.items():
            yield from _mentions(item, reference, (*path, step))
    elif isinstance(node, tuple):
        for index, item in enumerate(node):
            yield from _mentions(item, reference, (*path, index))


def request_digest(request: LeafRequest, spec: IssuerSpec | None) -> str:
    """Return the digest of a request: what its issuer does not honour is no part of it."""
    ignored = REQUEST_FIELDS - spec.capabilities.honours if spec else frozenset[str]()
    said = request.model_dump(mode="json", exclude_none=True, exclude=set(ignored))
    return digest(said)


def check_issuer(
    leaf: Leaf, entry: Entry[IssuerSpec], targets: Shelf[TargetSpec]
) -> Iterator[Diagnostic]:
    """Yield everything that an issuer would not do for a leaf."""
    spec = entry.spec
    who = f"the issuer {entry.name} ({spec.kind})"
    yield from _check_names(leaf, spec, who)
    yield from _check_key(leaf, spec, who)
    yield from _check_usages(leaf, spec, who)
    yield from _check_ignored(leaf, spec, who)
    if spec.acme is not None:
        yield from check_provable(leaf, spec.acme, entry.name)
    if leaf.spec.on_remove is OnRemove.REVOKE and not spec.capabilities.revokes:
        place = leaf.draft.at("spec", "onRemove")
        yield error(f"{who} cannot revoke", place, hint="write `onRemove: remove`")
    if spec.capabilities.hosted:
        yield from _check_place(leaf, spec, who, targets)
        yield from _check_custody(leaf, who)


def _check_names(leaf: Leaf, spec: IssuerSpec, who: str) -> Iterator[Diagnostic]:
    for field in NAME_FIELDS:
        if getattr(leaf.spec, field) and field not in spec.capabilities.names:
            place = leaf.draft.at("spec", *_WRITTEN[field])
            yield error(f"{who} takes no {_WRITTEN[field][0]}", place)
    if spec.capabilities.hosted and not leaf.spec.dns_names:
        yield error(f"{who} issues for dnsNames, and there are none", leaf.draft.at("spec"))


def _check_key(leaf: Leaf, spec: IssuerSpec, who: str) -> Iterator[Diagnostic]:
    keys = spec.capabilities.keys
    if keys is not None and leaf.key not in keys:
        place = leaf.draft.at("spec", "privateKey", "algorithm")
        offered = ", ".join(map(str, keys))
        yield error(f"{who} takes no key of type {leaf.key}", place, hint=f"it takes {offered}")


def _check_usages(leaf: Leaf, spec: IssuerSpec, who: str) -> Iterator[Diagnostic]:
    lacking = sorted(set(leaf.spec.usages) - (spec.usages or set(leaf.spec.usages)))
    if lacking:
        given = ", ".join(sorted(spec.usages or ()))
        hint = (
            "set the issuer's template: BlankEndEntityCertificate_CSRPassthrough/V1 gives any usage"
        )
        summary = f"{who} does not give {', '.join(lacking)}; its template gives {given}"
        yield error(summary, leaf.draft.at("spec", "usages"), hint=hint)


def _check_ignored(leaf: Leaf, spec: IssuerSpec, who: str) -> Iterator[Diagnostic]:
    """Yield a warning for every field that is written and that the issuer does not obey."""
    written = section(leaf.draft.data, "spec")
    for field in sorted(REQUEST_FIELDS - spec.capabilities.honours - set(NAME_FIELDS)):
        path = _WRITTEN[field]
        if _is_written(written, path):
            word = ".".join(map(str, path))
            summary = f"{who} does not obey {word}: it chooses by itself"
            yield warning(summary, leaf.draft.at("spec", *path), hint="leave it out")


def _is_written(written: object, path: tuple[Step, ...]) -> bool:
    for step in path:
        if not isinstance(written, dict) or step not in written:
            return False
        written = written[step]
    return True


def _check_place(
    leaf: Leaf, spec: IssuerSpec, who: str, targets: Shelf[TargetSpec]
) -> Iterator[Diagnostic]:
    """Yield why a place cannot issue by itself: such a certificate has one place, and never leaves it."""
    places = leaf.draft.at("spec", "targets")
    known = [e for t in leaf.spec.targets if (e := targets.entries.get(t.target_ref))]
    if len(leaf.spec.targets) != 1 or any(len(entry.spec.places()) != 1 for entry in known):
        hint = (
            "name one target with one region or location; another place takes another Certificate"
        )
        yield error(f"{who} issues in one place only", places, hint=hint)
    for index, entry in enumerate(leaf.spec.targets):
        target, place = (
            targets.entries.get(entry.target_ref),
            leaf.draft.at("spec", "targets", index),
        )
        if target is not None and target.spec.kind != spec.kind:
            summary = (
                f"{who} issues for targets of kind {spec.kind}; {target.name} is {target.spec.kind}"
            )
            yield error(summary, place)
        if entry.adopt:
            yield error(f"{who} makes a certificate of its own: `adopt` means nothing", place)


def _check_custody(leaf: Leaf, who: str) -> Iterator[Diagnostic]:
    key = leaf.spec.private_key
    if key.custody is not Custody.UNTIL_INSTALLED:
        place = leaf.draft.at("spec", "privateKey", "custody")
        yield error(f"{who} keeps the key: custody means nothing", place, hint="leave it out")
    if key.rotation_policy is RotationPolicy.NEVER:
        place = leaf.draft.at("spec", "privateKey", "rotationPolicy")
        yield error(f"{who} makes a key when it renews", place, hint="leave rotationPolicy out")
