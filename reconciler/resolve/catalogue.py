"""The documents of a repository by kind and name, each validated; whom a reference means."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic

from pydantic import ValidationError

from reconciler.diagnostics import Diagnostic, error
from reconciler.load.documents import Document, Place
from reconciler.load.suggest import nearest
from reconciler.load.wording import dotted, worded
from reconciler.load.yaml import Step, Value
from schemas.authority import AuthoritySpec
from schemas.bundle import BundleSpec
from schemas.certificate import CertificateSetSpec, ProfileSpec
from schemas.document import Envelope, Spec
from schemas.issuer import IssuerSpec
from schemas.policy import PolicySpec
from schemas.project import ProjectSpec
from schemas.revocation import RevocationSpec
from schemas.target import TargetSpec

_MOST = 50
"""How many fields without a value one document is told of."""


@dataclass(frozen=True, slots=True)
class Entry(Generic[Spec]):
    """One valid document."""

    document: Document
    content: Envelope[Spec]

    @property
    def name(self) -> str:
        """What it is called."""
        return self.content.metadata.name

    @property
    def spec(self) -> Spec:
        """What it says."""
        return self.content.spec


@dataclass(frozen=True, slots=True)
class Shelf(Generic[Spec]):
    """All documents of one kind. `names` holds those that are not valid, too."""

    kind: str
    entries: Mapping[str, Entry[Spec]]
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every document but the certificates, which wait for their profiles."""

    projects: Shelf[ProjectSpec]
    authorities: Shelf[AuthoritySpec]
    issuers: Shelf[IssuerSpec]
    profiles: Shelf[ProfileSpec]
    targets: Shelf[TargetSpec]
    bundles: Shelf[BundleSpec]
    policies: Shelf[PolicySpec]
    revocations: Shelf[RevocationSpec]
    sets: Shelf[CertificateSetSpec]
    certificates: tuple[Document, ...]


def catalogue(documents: Iterable[Document], found: list[Diagnostic]) -> Catalogue:
    """Sort and validate documents."""
    by_kind: dict[str, list[Document]] = {}
    for document in documents:
        by_kind.setdefault(document.kind, []).append(document)

    def shelf(kind: str, model: type[Envelope[Spec]]) -> Shelf[Spec]:
        return _shelf(kind, by_kind.get(kind, ()), model, found)

    return Catalogue(
        projects=shelf("Project", Envelope[ProjectSpec]),
        authorities=shelf("Authority", Envelope[AuthoritySpec]),
        issuers=shelf("Issuer", Envelope[IssuerSpec]),
        profiles=shelf("Profile", Envelope[ProfileSpec]),
        targets=shelf("Target", Envelope[TargetSpec]),
        bundles=shelf("Bundle", Envelope[BundleSpec]),
        policies=shelf("Policy", Envelope[PolicySpec]),
        revocations=shelf("Revocation", Envelope[RevocationSpec]),
        sets=shelf("CertificateSet", Envelope[CertificateSetSpec]),
        certificates=tuple(by_kind.get("Certificate", ())),
    )


def _shelf(
    kind: str,
    documents: Sequence[Document],
    model: type[Envelope[Spec]],
    found: list[Diagnostic],
) -> Shelf[Spec]:
    first: dict[str, Document] = {}
    entries: dict[str, Entry[Spec]] = {}
    for document in documents:
        earlier = first.setdefault(document.name or "", document)
        if earlier is not document and document.name:
            found.append(repeated(kind, document.name, document, earlier))
        content = validate(document.data, model, document, found)
        blanks = _blanks(document)
        found += blanks
        if content is not None and not blanks:
            entries[content.metadata.name] = Entry(document, content)
    return Shelf(kind, entries, frozenset(first))


def repeated(kind: str, name: str, place: Place, earlier: Place) -> Diagnostic:
    """Return the finding that a name is taken."""
    there = earlier.at("metadata", "name")
    summary = f'there is another {kind} called "{name}", at {there}'
    return error(summary, place.at("metadata", "name"), hint="names are unique within a kind")


def validate(
    data: Mapping[str, Value], model: type[Envelope[Spec]], place: Place, found: list[Diagnostic]
) -> Envelope[Spec] | None:
    """Return a document as its model, or None after saying what is wrong with it."""
    try:
        return model.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as problem:
        found += worded(problem, model, place)
        return None


def _blanks(document: Document) -> list[Diagnostic]:
    """Return a finding for every field without a value; a profile may take one back with it."""
    if document.kind == "Profile":
        return []
    hint = "leave the field out, or write [] or {} for nothing"
    return [
        error(f"{dotted(path)} has no value", document.at(*path), hint=hint)
        for path in islice(_empty(document.data, ()), _MOST)
        if path[:2] != ("spec", "template")
    ]


def _empty(node: Value, path: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    if node is None:
        yield path
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _empty(value, (*path, key))
    elif isinstance(node, tuple):
        for index, value in enumerate(node):
            yield from _empty(value, (*path, index))


def unknown(kind: str, name: str, names: Iterable[str], source: Place, *path: Step) -> Diagnostic:
    """Return the finding that a reference leads nowhere."""
    summary = f'{dotted(path)}: there is no {kind} called "{name}"'
    return error(summary, source.at(*path), hint=nearest(name, names))
