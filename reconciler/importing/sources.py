"""Files of others, read with care: nobody vouches for them."""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from providers.secret import Secret
from providers.system import open_to_read
from reconciler.diagnostics import Diagnostic, error
from reconciler.load.trees import MAX_BYTES
from reconciler.load.yaml import Refusal, Step, Tree, Value, parse
from schemas.plan import Source

MOST_FILES = 20_000
"""Files that are read of one folder."""
_HELM = re.compile(r"\{\{-?\s*(?:[.$(]|include|if|range|with|end|define|template|toYaml|tpl)")
HELM = (
    "it is a Helm template: render it first, `helm template CHART | certform import cert-manager -`"
)


@dataclass(frozen=True, slots=True, eq=False)
class YamlWords:
    """One document of a YAML or JSON file, with a place for each word."""

    file: str
    data: Mapping[str, Value] = field(repr=False)
    tree: Tree = field(repr=False)

    def at(self, *path: Step, key: bool = False) -> Source:
        """Return the place of the value at a path, or of the nearest one above it."""
        line, column = self.tree.locate(path, key=key)
        return Source(file=self.file, line=line, column=column)


class Unread(Exception):
    """A file that cannot be read; `finding` says why, and where."""

    def __init__(self, finding: Diagnostic) -> None:
        super().__init__(finding.summary)
        self.finding = finding


def inside(root: Path, *steps: str) -> Path | None:
    """Return a path below a folder; None where a step of it is a link, or leads elsewhere."""
    path = root
    for step in steps:
        if step in {"", ".", ".."} or "/" in step or "\0" in step:
            return None
        path /= step
        if path.is_symlink():
            return None
    return path


def host_and_path(url: str) -> tuple[str, str]:
    """Return a URL's host with its port, and its path; both empty for what is no URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.netloc, parts.path


def read_bytes(path: Path, limit: int = MAX_BYTES) -> bytes:
    """Return the content of a plain file; raises `Unread` for a link, a device, or one too large."""
    place = Source(file=str(path))
    try:
        with open_to_read(path) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Unread(error("is no plain file", place))
            content = file.read(limit + 1)
    except OSError as why:
        said = "links are not followed" if path.is_symlink() else why.strerror or str(why)
        raise Unread(error(f"the file cannot be read: {said}", place)) from None
    if len(content) > limit:
        raise Unread(error(f"the file is larger than {limit >> 20} MiB", place))
    return content


def read_secret(path: Path) -> Secret:
    """Return the content of a file with a key; raises `Unread`, which tells nothing of it."""
    return Secret(read_bytes(path))


def as_text(file: str, content: bytes) -> str:
    """Return a file's text; raises `Unread` where it has none."""
    try:
        text = content.decode()
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise Unread(error("the file is not UTF-8", Source(file=file, line=line))) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise Unread(error("the file is no text", Source(file=file, line=line)))
    return text.removeprefix("\ufeff")


def read_text(path: Path, limit: int = MAX_BYTES) -> str:
    """Return the text of a plain file; raises `Unread`."""
    return as_text(str(path), read_bytes(path, limit))


def yaml_documents(file: str, text: str) -> tuple[YamlWords, ...]:
    """Return the documents of a file, those that say nothing left out; raises `Unread`."""
    if found := _HELM.search(text):
        at = found.start()
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        raise Unread(
            error("a template is not read", Source(file=file, line=line, column=column), hint=HELM)
        )
    trees, failure = parse(text)
    refusals = [failure] if failure else [each for tree in trees for each in tree.refusals]
    if refusals:
        raise Unread(_refused(file, refusals[0]))
    return tuple(words_of(file, tree) for tree in trees if tree.data is not None)


def yaml_document(file: str, text: str) -> YamlWords:
    """Return the one document of a file; raises `Unread`."""
    found = yaml_documents(file, text)
    if len(found) != 1:
        raise Unread(error("there is not one document in it", Source(file=file)))
    return found[0]


def words_of(file: str, tree: Tree) -> YamlWords:
    """Return a document that is a mapping; raises `Unread` for any other."""
    if not isinstance(tree.data, dict):
        line, column = tree.locate(())
        source = Source(file=file, line=line, column=column)
        raise Unread(error("a document must be a mapping", source))
    return YamlWords(file, tree.data, tree)


def _refused(file: str, refusal: Refusal) -> Diagnostic:
    source = Source(file=file, line=refusal.line, column=refusal.column)
    return error(refusal.summary, source, hint=refusal.hint)
