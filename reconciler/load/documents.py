"""Documents: which YAML in a repository is ours, of which kind, and whether it may stand there."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from providers.processes import spread
from reconciler.diagnostics import Diagnostic, Findings, TooMany, error
from reconciler.load.files import ELSEWHERE, Files, is_foreign, is_guarded, names_us
from reconciler.load.suggest import near, nearest
from reconciler.load.yaml import Refusal, Step, Tree, Value, parse
from schemas.document import API_VERSION, SPECS
from schemas.plan import Source

MAX_DOCUMENTS = 200_000
MAX_NODES = 3_000_000
"""Keys, values, lists and mappings in all files: each costs about 80 bytes of memory."""
_LARGE = 1 << 20
"""Characters of YAML from which several processes are faster than one."""
_HEADER = re.compile(r"^(kind|spec):", re.MULTILINE)
_WORDS = frozenset({"kind", "metadata", "spec"})


class Place(Protocol):
    """Where the words of a document, or of what one was made into, were written."""

    def at(self, *path: Step, key: bool = False) -> Source:
        """Return the place of the value at a path, of its key when `key` is set."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One document of ours: `data` is its mapping as written, not yet validated."""

    file: str
    kind: str
    data: dict[str, Value]
    tree: Tree

    def __reduce__(self) -> tuple[Any, ...]:
        """Come out of another process in a third of the time that a dataclass takes by itself."""
        return Document, (self.file, self.kind, self.data, self.tree)

    def at(self, *path: Step, key: bool = False) -> Source:
        """Return the place of the value at a path, or of the nearest one above it."""
        line, column = self.tree.locate(path, key=key)
        return Source(file=self.file, line=line, column=column)

    @property
    def name(self) -> str | None:
        """What the document calls itself, before that is validated."""
        metadata = self.data.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        return name if isinstance(name, str) else None


@dataclass(frozen=True, slots=True)
class Reading:
    """Every document of ours in order of files, what is wrong, and where there is what is not ours.

    `skipped` are documents beside one of ours as `FILE:LINE`, then files without one.
    """

    documents: tuple[Document, ...]
    diagnostics: tuple[Diagnostic, ...]
    skipped: tuple[str, ...]
    nodes: int = 0


def read_documents(files: Files) -> Reading:
    """Read the documents of ours out of files."""
    paths = sorted(files.texts)
    large = sum(map(len, files.texts.values())) >= _LARGE
    parts = spread(lambda part: [_read(files.texts, part)], paths, 2 if large else len(paths) + 1)
    documents = tuple(document for part in parts for document in part.documents)
    found = [*files.diagnostics, *(finding for part in parts for finding in part.diagnostics)]
    if len(documents) > MAX_DOCUMENTS:
        found.append(error(f"there are more than {MAX_DOCUMENTS:,} documents here"))
    if sum(part.nodes for part in parts) > MAX_NODES:
        found.append(error(f"there are more than {MAX_NODES:,} keys and values here"))
        documents = tuple(each for each in documents if each.kind == "Project")
    skipped = [*(place for part in parts for place in part.skipped), *files.foreign]
    whole = {*files.texts, *files.foreign}
    return Reading(documents, tuple(found), tuple(sorted(skipped, key=whole.__contains__)))


def _read(texts: Mapping[str, str], paths: Sequence[str]) -> Reading:
    found, documents, skipped, nodes = Findings(), list[Document](), list[str](), 0
    try:
        for path in paths:
            trees, failure = parse(texts[path])
            nodes += sum(len(tree.marks) for tree in trees)
            if nodes > MAX_NODES or len(documents) > MAX_DOCUMENTS:
                break
            documents += _in_file(path, texts[path], (trees, failure), found, skipped)
    except TooMany:
        pass
    return Reading(tuple(documents), tuple(found), tuple(skipped), nodes)


def _in_file(
    path: str,
    text: str,
    parsed: tuple[tuple[Tree, ...], Refusal | None],
    found: list[Diagnostic],
    skipped: list[str],
) -> Iterator[Document]:
    trees, failure = parsed
    ours = [tree for tree in trees if _is_ours(path, tree)]
    broken = failure if ours or not is_foreign(path, text) else None
    if broken is not None:
        refused = _refused(path, broken)
        strange = not broken.hint and not _HEADER.search(text)
        found.append(replace(refused, hint=ELSEWHERE) if strange else refused)
    if broken is None and not ours:
        skipped.append(path)
    elif len(ours) < len(trees):
        others = (tree for tree in trees if tree.data is not None and not _is_ours(path, tree))
        skipped += (f"{path}:{tree.locate(())[0]}" for tree in others)
    for tree in ours:
        document = _ours(path, tree, found)
        if document is not None:
            yield document


def _refused(path: str, refusal: Refusal) -> Diagnostic:
    source = Source(file=path, line=refusal.line, column=refusal.column)
    return error(refusal.summary, source, hint=refusal.hint)


def _is_ours(path: str, tree: Tree) -> bool:
    if tree.data is None and not tree.refusals:
        return False
    return is_guarded(path) or (isinstance(tree.data, dict) and _claimed(tree.data))


def _ours(path: str, tree: Tree, found: list[Diagnostic]) -> Document | None:
    data = tree.data
    problems = [_refused(path, refusal) for refusal in tree.refusals]
    if not problems and not isinstance(data, dict):
        line, column = tree.locate(())
        problems.append(_refused(path, Refusal(line, column, "a document must be a mapping")))
    if problems or not isinstance(data, dict):
        found += problems
        return None
    kind = data.get("kind")
    document = Document(path, kind if isinstance(kind, str) else "", data, tree)
    misplaced = list(_misplaced(document))
    found += misplaced
    return None if misplaced else document


def _claimed(data: dict[str, Value]) -> bool:
    """Whether a mapping is meant for us: one that lost or misspelt a word of its header still is."""
    version, kind = data.get("apiVersion"), data.get("kind")
    if isinstance(version, str):
        return names_us(version)
    header = len(_WORDS & data.keys()) > 1
    return header or (isinstance(kind, str) and bool(near(kind, SPECS, 0.8)))


def _misplaced(document: Document) -> Iterator[Diagnostic]:
    kind, version = document.kind, document.data.get("apiVersion")
    if version is not None and version != API_VERSION:
        place = document.at("apiVersion")
        yield error(f"apiVersion must be {API_VERSION}", place, detail=f"It is {version}.")
    elif version is None and kind == "Project":
        hint = f"begin the Project with `apiVersion: {API_VERSION}`"
        yield error("the Project has no apiVersion", document.at(), hint=hint)
    if kind not in SPECS:
        said = f'"{kind}" is not a kind' if kind else "the document has no kind"
        yield error(said, document.at("kind"), hint=nearest(kind, SPECS))
    elif kind not in _allowed(document.file):
        hint = f"put it {_home(kind)}"
        yield error(f"{kind} does not belong in {document.file}", document.at("kind"), hint=hint)


_HOMES = {
    "Project": "in certform.yaml",
    "Target": "below config/",
    "Issuer": "below config/",
    "Policy": "below config/",
    "Profile": "below config/",
    "Bundle": "below config/",
    "Authority": "below authorities/",
}


def _home(kind: str) -> str:
    return _HOMES.get(kind, "outside certform.yaml, config/ and authorities/")


def _allowed(path: str) -> frozenset[str]:
    if path == "certform.yaml":
        here = "in certform.yaml"
    else:
        top, slash, _ = path.partition("/")
        here = f"below {top}/" if slash and is_guarded(path) else _home("")
    return frozenset(kind for kind in SPECS if _home(kind) == here)
