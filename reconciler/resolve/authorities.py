"""The tree of CAs: parents, depths, path lengths, lifetimes and constraints."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from providers.constraints import widenings
from reconciler.diagnostics import Diagnostic, error
from reconciler.load.documents import Place
from reconciler.resolve.catalogue import Catalogue, Entry, Shelf, unknown
from reconciler.resolve.generations import check_generations
from reconciler.resolve.keys import check_custody, check_size, key_type
from reconciler.resolve.outside import check_outside
from reconciler.resolve.responses import check_ocsp
from reconciler.state import DesiredAuthority
from reconciler.takeover import Takeover
from schemas.authority import AuthoritySpec, NameConstraints
from schemas.base import digest
from schemas.custody import Kept, RemoteKey
from schemas.issuer import IssuerSpec
from schemas.project import Recipient
from schemas.request import AuthorityRequest
from schemas.scalars import format_duration

ROOT_LIFETIME = timedelta(days=3650)
INTERMEDIATE_LIFETIME = timedelta(days=1825)
CRL_LIFETIME = timedelta(days=7)
CRL_LIFETIME_OF_CAS = timedelta(days=180)
"""For a CA that signs only CAs: its key is seldom at hand."""
_MAX_COMMON_NAME = 64
_DEEPEST = 16
"""CAs above one; nobody needs half as many."""
_NONE: Shelf[IssuerSpec] = Shelf("Issuer", MappingProxyType({}), frozenset())


@dataclass(frozen=True, slots=True)
class Family:
    """One CA in the tree. `ancestors` run from its parent to the root; `reach` counts CA levels below.

    `revoked` are the generations that a Revocation names, `constraints` every one on what it issues, its
    own and its ancestors', by CA. One that existed before has `existing`, one that a CA of others signs
    `theirs`.
    """

    entry: Entry[AuthoritySpec]
    ancestors: tuple[Entry[AuthoritySpec], ...]
    children: tuple[str, ...]
    reach: int
    revoked: frozenset[int] = frozenset()
    constraints: tuple[tuple[str, NameConstraints], ...] = ()
    existing: Takeover | None = None
    theirs: Entry[IssuerSpec] | None = None

    @property
    def depth(self) -> int:
        """How many CAs are above, as far as the documents say; 0 for a root."""
        top = (self.entry, *self.ancestors)[-1]
        return len(self.ancestors) + (top.spec.parent_ref is not None)

    @property
    def parent(self) -> Entry[AuthoritySpec] | None:
        """The CA of ours that signs this one; None for a root, and where one of others does."""
        return self.ancestors[0] if self.ancestors else None

    @property
    def generation(self) -> int:
        """The generation that is to issue: as given, or the first after it that no Revocation names."""
        return _effective(self.entry.spec, self.revoked)

    @property
    def ready(self) -> int | None:
        """The generation to be kept ready, the first after that one that no Revocation names, or none."""
        after = self.generation + 1
        return _unnamed(after, self.revoked) if self.entry.spec.standby else None

    @property
    def inherited(self) -> AuthorityRequest | None:
        """What the CA says that existed before, if that is the one that is to issue."""
        existing = self.existing
        return existing.request if existing and existing.generation == self.generation else None

    @property
    def path_length(self) -> int | None:
        """CA levels that may stand below: as given, else as the tree needs; roots are left open."""
        given = self.entry.spec.path_length
        return given if given is not None or not self.depth else self.reach

    @property
    def lifetime(self) -> timedelta:
        """How long its certificate lives."""
        if self.inherited is not None:
            return timedelta(seconds=self.inherited.duration)
        default = INTERMEDIATE_LIFETIME if self.depth else ROOT_LIFETIME
        return self.entry.spec.duration or default


def _effective(spec: AuthoritySpec, revoked: frozenset[int]) -> int:
    return spec.generation if spec.retired else _unnamed(spec.generation, revoked)


def _unnamed(number: int, revoked: frozenset[int]) -> int:
    """Return the first generation from one on that no Revocation names."""
    while number in revoked:
        number += 1
    return number


def _constrained(
    entry: Entry[AuthoritySpec], revoked: frozenset[int], existing: Takeover | None
) -> NameConstraints | None:
    """Return what a CA may name: as its certificate says, where that existed before."""
    if existing is not None and existing.generation == _effective(entry.spec, revoked):
        return existing.request.name_constraints
    return entry.spec.name_constraints


def _revoked(catalogue: Catalogue) -> Mapping[str, frozenset[int]]:
    """Return the generations that Revocations name, by CA."""
    named: dict[str, frozenset[int]] = {}
    for entry in catalogue.revocations.entries.values():
        name, number = entry.spec.authority_ref, entry.spec.generation
        if name is not None and number is not None:
            named[name] = named.get(name, frozenset()) | {number}
    return named


def families(
    shelf: Shelf[AuthoritySpec],
    found: list[Diagnostic],
    revoked: Mapping[str, frozenset[int]] = MappingProxyType({}),
    existing: Mapping[str, Takeover] = MappingProxyType({}),
    issuers: Shelf[IssuerSpec] = _NONE,
) -> Mapping[str, Family]:
    """Return every CA whose line of parents leads to a root, or to a CA of others."""
    none = frozenset[int]()
    limits = {
        name: _constrained(entry, revoked.get(name, none), existing.get(name))
        for name, entry in shelf.entries.items()
    }
    lines = {name: _line(entry, shelf, issuers, found) for name, entry in shelf.entries.items()}
    rooted = {name: line for name, line in lines.items() if line is not None}
    children: dict[str, tuple[str, ...]] = {}
    for name, line in rooted.items():
        for parent in line[:1]:
            children[parent.name] = (*children.get(parent.name, ()), name)
    deepest_first = sorted(rooted, key=lambda name: -len(rooted[name]))
    result: dict[str, Family] = {}
    for name in deepest_first:
        below = children.get(name, ())
        reach = max((1 + _needs(result[child]) for child in below), default=0)
        names = (name, *(above.name for above in rooted[name]))
        result[name] = Family(
            shelf.entries[name],
            rooted[name],
            below,
            reach,
            revoked.get(name, none),
            tuple((each, said) for each in names if (said := limits[each]) is not None),
            existing.get(name),
            issuers.entries.get(shelf.entries[name].spec.parent_ref or ""),
        )
    return result


def _needs(family: Family) -> int:
    return max(family.reach, family.entry.spec.path_length or 0)


def _line(
    entry: Entry[AuthoritySpec],
    shelf: Shelf[AuthoritySpec],
    issuers: Shelf[IssuerSpec],
    found: list[Diagnostic],
) -> tuple[Entry[AuthoritySpec], ...] | None:
    line: list[Entry[AuthoritySpec]] = []
    here = entry
    while (parent := here.spec.parent_ref) is not None and parent not in issuers.entries:
        if parent not in shelf.entries:
            names = shelf.names | issuers.names
            if here is entry and parent not in names:
                place = entry.document
                found.append(unknown("Authority", parent, names, place, "spec", "parentRef"))
            return None
        here = shelf.entries[parent]
        if here is entry:
            circle = " -> ".join((entry.name, *(above.name for above in line), entry.name))
            summary = f"authorities sign each other in a circle: {circle}"
            found.append(error(summary, entry.document.at("spec", "parentRef")))
        if here is entry or any(here is above for above in line):
            return None
        line.append(here)
        if len(line) > _DEEPEST:
            summary = f"there are more than {_DEEPEST} CAs above {entry.name}"
            found.append(error(summary, entry.document.at("spec", "parentRef")))
            return None
    return tuple(line)


def resolve_authorities(
    catalogue: Catalogue,
    leaf_issuers: frozenset[str],
    found: list[Diagnostic],
    existing: Mapping[str, Takeover] = MappingProxyType({}),
) -> tuple[Mapping[str, DesiredAuthority], Mapping[str, Family]]:
    """Return every sound CA with its defaults filled in, and the tree they stand in."""
    shelf, issuers = catalogue.authorities, catalogue.issuers
    tree = families(shelf, found, _revoked(catalogue), existing, issuers)
    project = next(iter(catalogue.projects.entries.values()), None)
    keyring = project.spec.keyring if project else ()
    publishes = project is not None and project.spec.publish is not None
    for name in sorted(tree):
        found += _check(tree[name], tree)
        document = tree[name].entry.document
        found += check_ocsp(tree[name].entry.spec, document, publishes=publishes)
    found += _shared_keys(tree)
    parents = {name: tree[f.parent.name] if f.parent else None for name, f in tree.items()}
    desired = {
        name: _desired(tree[name], parents[name], leaf_issuers, keyring) for name in sorted(tree)
    }
    return desired, tree


def full_common_name(spec: AuthoritySpec, generation: int) -> str:
    """Return a CA's common name: a new generation is a new name, so that CRLs never mix."""
    return f"{spec.common_name} G{generation}"


def _desired(
    family: Family,
    parent: Family | None,
    leaf_issuers: frozenset[str],
    keyring: tuple[Recipient, ...],
) -> DesiredAuthority:
    entry, spec = family.entry, family.entry.spec
    custody = spec.private_key.custody
    if family.existing is not None and family.inherited is not None:
        custody = family.existing.custody
    request = _request(family, parent, family.generation)
    has_only_cas = bool(family.children) and entry.name not in leaf_issuers
    signs_only_cas = has_only_cas or custody is Kept.OFFLINE
    return DesiredAuthority(
        name=entry.name,
        source=entry.document.at(),
        labels=entry.content.metadata.labels,
        request=request,
        digest=digest(request.to_json()),
        recipients=() if spec.private_key.custody else spec.private_key.recipients or keyring,
        crl_duration=spec.crl.duration or (CRL_LIFETIME_OF_CAS if signs_only_cas else CRL_LIFETIME),
        depth=family.depth,
        retired=spec.retired,
        custody=custody,
        standby=_request(family, parent, family.ready) if family.ready else None,
        crossed=spec.cross_sign,
        renew_before=spec.renew_before or timedelta(),
        crl_refresh=spec.crl.refresh_before,
        crl_shards=spec.crl.shards,
        ocsp=spec.ocsp,
        existing=family.existing,
    )


def _request(family: Family, parent: Family | None, generation: int) -> AuthorityRequest:
    """Return what one generation of a CA is to say; one that existed before, what its certificate says."""
    existing, number = family.existing, parent.generation if parent else None
    theirs = family.theirs
    if existing is not None and existing.generation == generation:
        return existing.request.model_copy(update={"issuer_generation": number})
    spec, custody = family.entry.spec, family.entry.spec.private_key.custody
    return AuthorityRequest(
        issuer=spec.parent_ref,
        issuer_generation=0 if theirs else number,
        issuer_id=theirs.spec.authority_identity if theirs else None,
        generation=generation,
        common_name=full_common_name(spec, generation),
        subject=spec.subject,
        key=key_type(spec.private_key.algorithm, spec.private_key.size),
        duration=int(family.lifetime.total_seconds()),
        path_length=family.path_length,
        name_constraints=spec.name_constraints,
        key_ref=custody.reference if custody else None,
    )


def _check(family: Family, tree: Mapping[str, Family]) -> Iterator[Diagnostic]:
    spec, place = family.entry.spec, family.entry.document
    yield from check_size(key_type(spec.private_key.algorithm, spec.private_key.size), place)
    yield from check_custody(spec.private_key, place)
    if not family.inherited and len(full_common_name(spec, family.generation)) > _MAX_COMMON_NAME:
        whole = full_common_name(spec, family.generation)
        summary = f'the common name "{whole}" is longer than 64 characters'
        hint = "the generation is part of it"
        yield error(summary, place.at("spec", "commonName"), hint=hint)
    yield from _check_path_length(family, place)
    if family.entry.content.metadata.formerly:
        place_of = place.at("metadata", "formerly")
        yield error("an Authority cannot be renamed: its name is in what it signed", place_of)
    yield from check_generations(spec, family.lifetime, place)
    if family.theirs is not None:
        yield from check_outside(
            family.theirs, key_type(spec.private_key.algorithm, spec.private_key.size), place
        )
    yield from _check_against_parent(family, tree, place)


def _check_path_length(family: Family, place: Place) -> Iterator[Diagnostic]:
    inherited = family.inherited
    given = inherited.path_length if inherited else family.entry.spec.path_length
    if given is not None and given < family.reach:
        summary = f"pathLength {given} is too small: {family.reach} needed below"
        field = ("existing", "certificate") if inherited else ("pathLength",)
        yield error(summary, place.at("spec", *field))


def _shared_keys(tree: Mapping[str, Family]) -> Iterator[Diagnostic]:
    """Yield a finding for every CA whose key at a key service another one has."""
    first: dict[str, str] = {}
    for name in sorted(tree):
        entry = tree[name].entry
        custody = entry.spec.private_key.custody
        if not isinstance(custody, RemoteKey):
            continue
        if (other := first.setdefault(custody.reference, name)) != name:
            summary = f"the key of {name} is that of {other}, too"
            hint = "every CA has a key of its own: make another one at the key service"
            yield error(summary, entry.document.at("spec", "privateKey", "custody"), hint=hint)


def _check_against_parent(
    family: Family, tree: Mapping[str, Family], place: Place
) -> Iterator[Diagnostic]:
    parent, spec = family.parent, family.entry.spec
    if parent is None:
        return
    above = tree[parent.name].lifetime
    if family.lifetime > above:
        lives, ends = format_duration(family.lifetime), format_duration(above)
        summary = f"lives {lives}, longer than its parent {parent.name} ({ends})"
        yield error(summary, place.at("spec", "duration"))
    if parent.spec.retired and not spec.retired:
        summary = f"the parent {parent.name} is retired"
        hint = "refer to another parent, or retire this one too"
        yield error(summary, place.at("spec", "parentRef"), hint=hint)
    if spec.name_constraints is None:
        return
    for name, constraints in tree[parent.name].constraints:
        for problem in widenings(spec.name_constraints, constraints):
            yield error(f"{problem} ({name})", place.at("spec", "nameConstraints", "permitted"))
