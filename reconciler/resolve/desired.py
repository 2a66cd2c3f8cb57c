"""The whole: documents in, what is desired and every finding out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from reconciler.diagnostics import (
    Diagnostic,
    Findings,
    TooMany,
    error,
    has_errors,
    in_order,
)
from reconciler.load.documents import Document
from reconciler.resolve import bundles
from reconciler.resolve.authorities import resolve_authorities
from reconciler.resolve.authority_policies import check_authorities, limits_of_authority
from reconciler.resolve.catalogue import Catalogue, Entry, catalogue
from reconciler.resolve.ceremonies import check_offline
from reconciler.resolve.certificates import resolve_certificates
from reconciler.resolve.crls import check_crls
from reconciler.resolve.directories import check_directories
from reconciler.resolve.drafts import Draft, Room, inherit, inheritances, section
from reconciler.resolve.generations import check_lives, with_renewals
from reconciler.resolve.issuers import check_names, check_secrets, desired_issuer
from reconciler.resolve.keystores import SealedFiles
from reconciler.resolve.leaves import Surroundings
from reconciler.resolve.mounts import check_mounted
from reconciler.resolve.plugins import check_plugins, plugged
from reconciler.resolve.policies import (
    Rules,
    Standing,
    check_exceptions,
    check_references,
    exception_at,
)
from reconciler.resolve.revocations import check_revocations, desired_revocation
from reconciler.resolve.sets import expand
from reconciler.resolve.solvers import check_solvers
from reconciler.resolve.takeovers import check_anchors, takeovers
from reconciler.state import (
    Desired,
    DesiredAuthority,
    DesiredBundle,
    DesiredCertificate,
    DesiredException,
    DesiredTarget,
)
from schemas.base import digest
from schemas.custody import SopsKey
from schemas.document import API_VERSION
from schemas.plan import Source
from schemas.project import ProjectSpec
from schemas.target import TargetSpec


@dataclass(frozen=True, slots=True)
class Named:
    """The files that documents name: the CSV tables of sets, None where one cannot be read, and any other."""

    tables: Mapping[str, str | None] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


def resolve(
    documents: Iterable[Document],
    named: Named,
    revision: str | None,
    earlier: Iterable[Diagnostic] = (),
    root: PurePath | None = None,
    standing: Standing | None = None,
) -> tuple[Desired | None, tuple[Diagnostic, ...]]:
    """Return what the documents ask for, None when anything is wrong, and all findings.

    `named` are the files that documents refer to, by path; `earlier` what loading found already;
    `root` is where relative paths begin, if that is known; `standing` are policies that bind as well.
    """
    found = Findings(earlier)
    try:
        desired = _resolved(documents, named, revision, found, root, standing)
    except TooMany:
        desired = None
    return desired, in_order(found)


def _resolved(
    documents: Iterable[Document],
    named: Named,
    revision: str | None,
    found: list[Diagnostic],
    root: PurePath | None,
    standing: Standing | None,
) -> Desired | None:
    read = catalogue(documents, found)
    everything = replace(read, targets=plugged(read.targets, found))
    project = _project(everything, found)
    drafts = list(drafts_of(everything, named.tables, found))
    issuers = frozenset(str(section(draft.data, "spec").get("issuerRef")) for draft in drafts)
    existing = takeovers(everything.authorities, named.files, found)
    authorities, families = resolve_authorities(everything, issuers, found, existing)
    found += _check_keys(authorities, everything, drafts, named.files)
    authorities = {n: _sealed(ca, named.files) for n, ca in authorities.items()}
    found += check_references(everything)
    found += bundles.check_bundles(everything, named.files)
    found += bundles.check_told(everything, authorities.values())
    found += check_directories(everything, root)
    sealed = SealedFiles(named.files)
    found += _check_issuers(everything, sealed)
    around = Surroundings(
        everything.authorities, families, everything.targets, everything.issuers, sealed
    )
    rules = Rules(everything.policies.entries.values(), standing)
    found += check_authorities(families, rules)
    certificates = resolve_certificates(drafts, around, rules, found)
    found += bundles.check_names(everything, certificates.values())
    found += check_revocations(everything, _names(drafts), families)
    found += check_crls(everything, authorities)
    found += check_lives(authorities, certificates.values(), everything.authorities.entries)
    found += check_exceptions(everything, _names(drafts))
    if project is None or has_errors(found):
        return None
    limited = {
        name: replace(authority, limits=limits_of_authority(families[name], rules))
        for name, authority in authorities.items()
    }
    renewed = with_renewals(limited, certificates.values())
    desired = _desired(project, revision, everything, renewed, certificates)
    return replace(
        desired,
        bundles=_bundles(everything, named.files),
        issuers={
            name: desired_issuer(entry, named.files)
            for name, entry in sorted(everything.issuers.entries.items())
        },
    )


def _check_keys(
    authorities: Mapping[str, DesiredAuthority],
    everything: Catalogue,
    drafts: Sequence[Draft],
    files: Mapping[str, bytes],
) -> Iterator[Diagnostic]:
    """Yield what is asked of CAs whose keys are not at hand."""
    yield from check_anchors(authorities, everything.authorities, drafts)
    yield from check_offline(authorities, everything.authorities, drafts)
    yield from check_mounted(authorities, everything, drafts, files)


def _check_issuers(everything: Catalogue, sealed: SealedFiles) -> Iterator[Diagnostic]:
    yield from check_names(everything)
    for entry in everything.issuers.entries.values():
        yield from check_secrets(entry, sealed)
        yield from check_solvers(entry)
        yield from check_plugins(entry)


def _desired(
    project: Entry[ProjectSpec],
    revision: str | None,
    everything: Catalogue,
    authorities: Mapping[str, DesiredAuthority],
    certificates: Mapping[str, DesiredCertificate],
) -> Desired:
    spec = project.spec
    targets = sorted(everything.targets.entries.items())
    revocations = sorted(everything.revocations.entries.items())
    return Desired(
        project=project.name,
        revision=revision,
        keyring=spec.keyring,
        ledger=spec.ledger,
        guard=spec.guard,
        publish=spec.publish,
        authorities=authorities,
        certificates=certificates,
        targets={place.name: place for _, entry in targets for place in _places(entry)},
        revocations=tuple(desired_revocation(entry) for _, entry in revocations),
        exceptions=tuple(_exceptions(everything)),
        renewal_information=spec.renewal_information,
    )


def _bundles(everything: Catalogue, files: Mapping[str, bytes]) -> Mapping[str, DesiredBundle]:
    entries = sorted(everything.bundles.entries.items())
    return {name: bundles.desired_bundle(entry, files, everything) for name, entry in entries}


def _project(everything: Catalogue, found: list[Diagnostic]) -> Entry[ProjectSpec] | None:
    projects = list(everything.projects.entries.values())
    found += [error("there is another Project", other.document.at()) for other in projects[1:]]
    if not everything.projects.names:
        source = Source(file="certform.yaml")
        summary = f"there is no certform.yaml with a Project of apiVersion {API_VERSION}"
        found.append(error(summary, source, hint="`certform init` writes one"))
    return projects[0] if projects else None


def drafts_of(
    everything: Catalogue, tables: Mapping[str, str | None], found: list[Diagnostic]
) -> Iterator[Draft]:
    """Yield every certificate before validation, sets expanded and profiles merged in."""
    shelf = everything.profiles
    known = inheritances((entry.document for entry in shelf.entries.values()), shelf.names, found)
    room = Room(found)
    for document in everything.certificates:
        whole = Draft(document.data, (document,), document.at(), (document.file,))
        yield from filter(None, (inherit(whole, known, room),))
    for entry in everything.sets.entries.values():
        for draft in expand(entry, tables, room):
            yield from filter(None, (inherit(draft, known, room),))


def _sealed(authority: DesiredAuthority, files: Mapping[str, bytes]) -> DesiredAuthority:
    """Return a CA with the sops file that its custody names, opened by nobody yet."""
    custody = authority.custody
    path = custody.sops if isinstance(custody, SopsKey) else None
    if authority.remote and authority.remote.secret:
        path = authority.remote.secret.name
    named = authority.mounted.files if authority.mounted else ()
    mine = {name: files[name] for name in named if name in files}
    return replace(authority, sealed=files.get(path) if path else None, files=mine)


def _places(entry: Entry[TargetSpec]) -> Iterator[DesiredTarget]:
    """Yield each single place that a Target means: one for each of its regions."""
    for suffix, spec in entry.spec.places().items():
        settings = digest(spec.to_json())
        yield DesiredTarget(entry.name + suffix, entry.document.at(), spec, settings)


def _exceptions(everything: Catalogue) -> Iterator[DesiredException]:
    for _, entry in sorted(everything.policies.entries.items()):
        for each in entry.spec.exceptions:
            yield DesiredException(
                policy=entry.name,
                source=exception_at(entry, each),
                certificates=each.certificates,
                authorities=each.authorities,
                until=each.until,
                reason=each.reason,
            )


def _names(drafts: Iterable[Draft]) -> frozenset[str]:
    names = (section(draft.data, "metadata").get("name") for draft in drafts)
    return frozenset(name for name in names if isinstance(name, str))
