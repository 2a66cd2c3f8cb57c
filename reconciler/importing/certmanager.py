"""cert-manager: Certificate, Issuer and ClusterIssuer, as files or as `kubectl get -o yaml` prints them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from reconciler.diagnostics import Diagnostic, error
from reconciler.importing.certmanager_catalogue import Catalogue, Manifest, group_of
from reconciler.importing.certmanager_certificates import certificate
from reconciler.importing.certmanager_issuers import issuer
from reconciler.importing.naming import Names
from reconciler.importing.notes import Fate, Note
from reconciler.importing.outcome import Draft, Outcome
from reconciler.importing.sources import (
    Unread,
    YamlWords,
    as_text,
    read_text,
    words_of,
    yaml_documents,
)
from schemas.plan import Source

LARGEST = 16 << 20
"""Bytes of one file: `kubectl get -A -o yaml` of some thousands of Certificates."""
MOST = 20_000
"""Documents in all."""
_KINDS = frozenset({"Certificate", "Issuer", "ClusterIssuer"})
_LISTS = ("List", "CertificateList", "IssuerList", "ClusterIssuerList")
STANDARD_INPUT = "-"


def import_cert_manager(paths: Sequence[str], names: Names, given: bytes = b"") -> Outcome:
    """Return what manifests declare; `given` is what came on standard input, which `-` stands for."""
    broken: list[Diagnostic] = []
    documents = [each for path in paths for each in _read(path, given, broken)]
    if len(documents) > MOST:
        broken.append(error(f"there are more than {MOST:,} documents"))
        documents = []
    ours = [_manifest(words) for words in documents if _is_theirs(words)]
    notes = [_stranger(words) for words in documents if not _is_theirs(words)]
    catalogue = Catalogue(ours, names)
    drafts: list[Draft] = []
    files: dict[str, bytes] = {}
    for manifest in ours:
        survey = catalogue.survey(manifest)
        if manifest.kind == "Certificate":
            drafts += filter(None, (certificate(manifest, survey, catalogue),))
        else:
            drafts += filter(None, (issuer(manifest, survey, catalogue, files),))
        notes += survey.notes()
    return Outcome(
        "cert-manager",
        tuple(sorted(drafts, key=_order)),
        tuple(notes),
        files,
        (),
        len(ours),
        tuple(broken),
    )


def _order(draft: Draft) -> int:
    return ("Issuer", "Authority", "Certificate").index(draft.kind)


def _read(path: str, given: bytes, broken: list[Diagnostic]) -> Iterator[YamlWords]:
    name = "standard input" if path == STANDARD_INPUT else path
    try:
        given_here = path == STANDARD_INPUT
        text = as_text(name, _whole(given)) if given_here else read_text(Path(path), LARGEST)
        found = [item for words in yaml_documents(name, text) for item in _items(words)]
    except Unread as why:
        broken.append(why.finding)
        return
    yield from found


def _whole(given: bytes) -> bytes:
    if len(given) > LARGEST:
        source = Source(file="standard input")
        raise Unread(error(f"it is larger than {LARGEST >> 20} MiB", source))
    return given


def _items(words: YamlWords) -> Iterator[YamlWords]:
    if words.data.get("kind") in _LISTS and isinstance(words.data.get("items"), tuple):
        for tree in words.tree.items(("items",)):
            yield words_of(words.file, tree)
    else:
        yield words


def _is_theirs(words: YamlWords) -> bool:
    return words.data.get("kind") in _KINDS and group_of(words.data) == "cert-manager.io"


def _manifest(words: YamlWords) -> Manifest:
    metadata = words.data.get("metadata")
    said: Mapping[str, object] = metadata if isinstance(metadata, dict) else {}
    name, namespace = said.get("name"), said.get("namespace")
    return Manifest(
        str(words.data["kind"]),
        name if isinstance(name, str) else "unnamed",
        namespace if isinstance(namespace, str) else "",
        words,
    )


def _stranger(words: YamlWords) -> Note:
    kind = words.data.get("kind")
    shown = kind[:60] if isinstance(kind, str) else "a document without a kind"
    said = "is not of cert-manager.io: nothing was made of it"
    if group_of(words.data).endswith("cert-manager.io"):
        said = "is made by cert-manager itself, or another part of it: nothing was made of it"
    if shown in {"Ingress", "Gateway"}:
        said = "write a Certificate for the hosts that its annotations ask for"
    return Note(words.at("kind"), shown, Fate.LEFT, said)
