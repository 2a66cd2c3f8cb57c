"""Documents: which YAML in a repository is ours, of which kind, and whether it may stand there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from reconciler.diagnostics import Diagnostic, error
from reconciler.load.files import Files, claims, is_guarded
from reconciler.load.suggest import nearest
from reconciler.load.yaml import Refusal, Step, Tree, Value, parse
from schemas.document import API_VERSION, SPECS
from schemas.plan import Source

MAX_DOCUMENTS = 200_000


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


def read_documents(files: Files) -> tuple[tuple[Document, ...], tuple[Diagnostic, ...]]:
    """Return every document of ours, in order of files, and what is wrong with the YAML."""
    found = list(files.diagnostics)
    documents: list[Document] = []
    for path in sorted(files.texts):
        documents += _in_file(path, files.texts[path], found)
        if len(documents) > MAX_DOCUMENTS:
            found.append(error(f"there are more than {MAX_DOCUMENTS:,} documents here"))
            break
    return tuple(documents), tuple(found)


def _in_file(path: str, text: str, found: list[Diagnostic]) -> Iterator[Document]:
    trees, failure = parse(text)
    if failure is not None and (is_guarded(path) or claims(text)):
        found.append(_refused(path, failure))
    for tree in trees:
        document = _ours(path, tree, found)
        if document is not None:
            yield document


def _refused(path: str, refusal: Refusal) -> Diagnostic:
    source = Source(file=path, line=refusal.line, column=refusal.column)
    return error(refusal.summary, source, hint=refusal.hint)


def _ours(path: str, tree: Tree, found: list[Diagnostic]) -> Document | None:
    data = tree.data
    if data is None and not tree.refusals:
        return None
    guarded = is_guarded(path)
    if not guarded and not (isinstance(data, dict) and _claimed(data)):
        return None
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
    version = data.get("apiVersion")
    if version is not None:
        return isinstance(version, str) and version.startswith("certform.dev/")
    kind = data.get("kind")
    return (isinstance(kind, str) and kind in SPECS) or {"metadata", "spec"} <= data.keys()


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
    "Policy": "below config/",
    "Profile": "below config/",
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
