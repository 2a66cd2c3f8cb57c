"""A repository's documents, read and resolved: the way in from YAML to what is desired."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.diagnostics import Diagnostic, Severity, warning
from reconciler.errors import InvalidInput
from reconciler.git import Git
from reconciler.load.attachments import read_attachments
from reconciler.load.documents import Document, read_documents
from reconciler.load.files import Files, changed_since, decode, read_files, read_one
from reconciler.load.trees import Commit, Tree, open_tree
from reconciler.resolve.desired import Named, resolve
from reconciler.resolve.policies import Standing
from reconciler.resolve.sets import table_path
from reconciler.state import Desired, nothing


@dataclass(frozen=True, slots=True)
class Examination:
    """What a repository asks for, None when anything is wrong, with all findings.

    `sources` are the texts that findings point into, by file; `skipped` the places of
    YAML that is not ours: a document (`FILE:LINE`) beside one of ours, or a whole file.
    """

    desired: Desired | None
    diagnostics: tuple[Diagnostic, ...]
    documents: tuple[Document, ...]
    sources: Mapping[str, str]
    skipped: tuple[str, ...]

    def accepted(self) -> Desired:
        """Return what is asked for; raises `InvalidInput` with every finding when one is an error."""
        if self.desired is None:
            raise InvalidInput(self.diagnostics, self.sources)
        return self.desired


@dataclass(frozen=True, slots=True)
class Base:
    """A commit that documents are proposed against: it says who may be spoken to, and what is allowed.

    `remarks` tell why nobody may be, where it has no Project, or documents that are not valid; then
    `desired` asks for nothing.
    """

    desired: Desired
    standing: Standing
    remarks: tuple[Diagnostic, ...] = ()


def read_base(root: Path, ref: str) -> Base:
    """Return what a commit says, whatever is wrong with it; raises `InvalidInput` when there is none."""
    tree = open_tree(root, ref)
    with _uncollected():
        read = _examine(tree, root.absolute())
    commit = tree.revision or ref
    remarks = tuple(_remarks(read, commit))
    standing = Standing.of(read.documents, commit)
    return Base(nothing(commit) if read.desired is None else read.desired, standing, remarks)


def nobody() -> Base:
    """Return what trusts nobody: what comes before a repository's first commit."""
    return Base(nothing(None), Standing.of((), ""))


def _remarks(read: Examination, commit: str) -> Iterator[Diagnostic]:
    """Say why a commit names nobody who may be spoken to."""
    wrong = [d for d in read.diagnostics if d.severity is Severity.ERROR]
    founded = any(document.kind == "Project" for document in read.documents)
    if read.desired is None and (founded or len(wrong) > 1):
        first = f"{wrong[0].source}: {wrong[0].summary}" if wrong[0].source else wrong[0].summary
        summary = f"the documents at {commit[:12]}, which this is proposed against, are not valid"
        yield warning(f"{summary}: {_UNASKED}", detail=first, hint="have those corrected first")
    elif read.desired is None:
        yield warning(
            f"there is no Project at {commit[:12]}, which this is proposed against: {_UNASKED}",
            hint="look closely at who would be spoken to: that is what merging this begins with",
        )
    elif read.desired.ledger.public_key is None:
        yield warning(f"the Project at {commit[:12]} names no ledger (publicKey): {_UNASKED}")


_UNASKED = "nobody was asked anything; the ledger and every target are taken to be empty"


def load(root: Path, ref: str | None = None) -> Desired:
    """Return what the documents below `root` ask for, in the working tree or at a commit.

    Raises `InvalidInput` with every finding when one of them is an error.
    """
    return examine(root, ref).accepted()


def examine(root: Path, ref: str | None = None, base: Base | None = None) -> Examination:
    """Return what the documents below `root` ask for with warnings and errors alike.

    What the policies in force at `base` do not allow is an error, too. Raises `InvalidInput` only when
    there is no such folder or commit.
    """
    with _uncollected():
        return _examine(open_tree(root, ref), root.absolute(), base.standing if base else None)


def versioned(root: Path, examination: Examination) -> Desired:
    """Return what is asked for with the commit it was read from, or that it was changed since.

    Raises `InvalidInput` with every finding when one of them is an error.
    """
    desired = examination.accepted()
    git = Git(root)
    if desired.revision is not None or (head := git.commit("HEAD")) is None:
        return desired
    changed = changed_since(Commit(git, head), root, examination.sources)
    return replace(desired, revision=head, uncommitted=changed)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Hold the collector back: it would walk the growing pile again and again and find nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _examine(tree: Tree, root: Path, standing: Standing | None = None) -> Examination:
    files = read_files(tree)
    read = read_documents(files)
    tables, unread = _tables(read.documents, files, tree)
    attached = read_attachments(read.documents, tree, unread)
    found = (*read.diagnostics, *unread)
    named = Named(tables, attached)
    desired, diagnostics = resolve(read.documents, named, tree.revision, found, root, standing)
    texts = {path: text for path, text in tables.items() if text is not None}
    sources = {**files.texts, **texts}
    return Examination(desired, diagnostics, read.documents, sources, read.skipped)


def _tables(
    documents: tuple[Document, ...], files: Files, tree: Tree
) -> tuple[Mapping[str, str | None], list[Diagnostic]]:
    """Return the CSV files that sets refer to; one that is there but unreadable is None."""
    found: list[Diagnostic] = []
    sets = (document for document in documents if document.kind == "CertificateSet")
    wanted = {path for document in sets if (path := table_path(document)) is not None}
    tables: dict[str, str | None] = {}
    for path in sorted(wanted & files.tables.keys()):
        content = read_one(tree, files.tables[path], found)
        tables[path] = None if content is None else decode(path, content, found)
    return tables, found
