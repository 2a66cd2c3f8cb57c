"""The YAML and CSV files of a repository, from its working tree or from a commit without checkout.

Both read the same: nothing below a dot-folder, no symbolic link, no submodule, no `*.sops.yaml`.
"""

import hashlib
import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Protocol

from reconciler.diagnostics import Diagnostic, error
from reconciler.errors import InvalidInput
from reconciler.git import Git
from schemas.plan import Source

MAX_BYTES = 1 << 20
MAX_TOTAL_BYTES = 256 << 20
MAX_FILES = 50_000
GUARDED = ("config/", "authorities/")
"""Folders where every YAML file must be ours."""

ELSEWHERE = (
    "if it is not certform's, give it another suffix or a folder whose name begins with a dot"
)

_SUFFIXES = (".yaml", ".yml")
_READ_SUFFIXES = (*_SUFFIXES, ".csv")
_SEALED = (".sops.yaml", ".sops.yml")
_ANY_VERSION = re.compile(r"^apiVersion:", re.MULTILINE)
_ODD = re.compile("[\x00-\x1f\x7f-\x9f\\\\\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class Sort(Enum):
    """What stands under a path."""

    FILE = auto()
    LINK = auto()
    REPOSITORY = auto()


@dataclass(frozen=True, slots=True)
class Entry:
    """One path below the root. `size` is in bytes; `blob` is set at a commit only."""

    path: str
    sort: Sort
    size: int = 0
    blob: str = ""


class Tree(Protocol):
    """Where files are read from; `revision` is the full commit id, None for a working tree."""

    @property
    def revision(self) -> str | None:
        """The commit the files are of."""
        ...

    def entries(self) -> Iterator[Entry]:
        """Yield every path outside dot-folders."""
        ...

    def read(self, entries: Sequence[Entry], /) -> list[bytes]:
        """Return the contents of files, in order; one that cannot be read raises OSError."""
        ...


@dataclass(frozen=True, slots=True)
class WorkingTree:
    """The files as they lie on disk."""

    root: Path
    revision: None = None

    def entries(self) -> Iterator[Entry]:
        """Yield every path outside dot-folders and nested repositories."""
        waiting = [("", _children(str(self.root)))]
        while waiting:
            folder, children = waiting.pop()
            for child in children:
                path = folder + child.name
                if child.is_symlink():
                    yield Entry(path, Sort.LINK)
                elif child.is_file(follow_symlinks=False):
                    if path.endswith(_READ_SUFFIXES):
                        yield Entry(path, Sort.FILE, child.stat(follow_symlinks=False).st_size)
                elif child.is_dir(follow_symlinks=False) and not child.name.startswith("."):
                    inside = _children(child.path)
                    if any(grandchild.name == ".git" for grandchild in inside):
                        yield Entry(path, Sort.REPOSITORY)
                    else:
                        waiting.append((f"{path}/", inside))

    def read(self, entries: Sequence[Entry], /) -> list[bytes]:
        """Return the contents of files, in order; a link or device is never opened."""
        return [_read(self.root / entry.path) for entry in entries]


def _children(folder: str) -> list["os.DirEntry[str]"]:
    with os.scandir(folder) as found:
        return list(found)


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path.name} is not a plain file")
        return file.read(MAX_BYTES + 1)


@dataclass(frozen=True, slots=True)
class Commit:
    """The files of one commit, below the folder git runs in; nothing is checked out."""

    git: Git
    revision: str

    def entries(self) -> Iterator[Entry]:
        """Yield every path below the folder, as git records it."""
        listing = self.git.run("ls-tree", "-r", "-l", "-z", self.revision)
        for line in filter(None, listing.split(b"\0")):
            facts, _, name = line.partition(b"\t")
            mode, _, blob, size = facts.decode().split()
            yield Entry(os.fsdecode(name), _sort(mode), int(size) if size != "-" else 0, blob)

    def read(self, entries: Sequence[Entry], /) -> list[bytes]:
        """Return the contents of files, in order, with one git process."""
        return self.git.blobs([entry.blob for entry in entries])


def _sort(mode: str) -> Sort:
    return {"120000": Sort.LINK, "160000": Sort.REPOSITORY}.get(mode, Sort.FILE)


def open_tree(root: Path, ref: str | None) -> Tree:
    """Return the working tree at `root`, or a commit's files there; InvalidInput without either."""
    if not root.is_dir():
        raise InvalidInput([error(f"{root} is not a folder")])
    if ref is None:
        return WorkingTree(root)
    git = Git(root)
    revision = git.commit(ref)
    if revision is None:
        hint = "name a branch, a tag or a commit of the git repository here"
        raise InvalidInput([error(f'there is no commit "{ref}" in {root}', hint=hint)])
    return Commit(git, revision)


def changed_since(commit: Commit, root: Path, texts: Mapping[str, str]) -> bool:
    """Whether the files read from the working tree at `root` are others than those of a commit."""
    committed = {e.path: e.blob for e in commit.entries() if _is_open(e) and _admit(e, [])}
    if any(not _is_blob(committed.get(path, ""), text) for path, text in texts.items()):
        return True
    return any(not (root / path).is_file() for path in committed.keys() - texts.keys())


def _is_blob(blob: str, text: str) -> bool:
    """Whether a text is what git stores under an id (gitformat-pack: its kind and length, then it)."""
    content = text.encode()
    make = hashlib.sha256 if len(blob) == 64 else hashlib.sha1
    return make(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == blob


@dataclass(frozen=True, slots=True)
class Files:
    """The contents of every YAML file, and the CSV files that may be asked for."""

    texts: Mapping[str, str]
    tables: Mapping[str, Entry]
    diagnostics: tuple[Diagnostic, ...]


def read_files(tree: Tree) -> Files:
    """Read every YAML file; what is refused becomes a diagnostic."""
    found: list[Diagnostic] = []
    entries = [entry for entry in _listed(tree) if _is_open(entry)]
    kept = [entry for entry in entries if _admit(entry, found)]
    found += _clashes(kept)
    documents = [e for e in kept if e.path.endswith(_SUFFIXES)]
    tables = {e.path: e for e in kept if e.path.endswith(".csv")}
    if len(documents) > MAX_FILES or sum(e.size for e in documents) > MAX_TOTAL_BYTES:
        limit = f"{MAX_FILES:,} files and {MAX_TOTAL_BYTES >> 20} MiB"
        return Files({}, {}, (error(f"there is more YAML here than {limit}"),))
    return Files(_decode(documents, tree, found), tables, tuple(found))


def _is_open(entry: Entry) -> bool:
    """Whether a path lies outside dot-folders, and is no dot-file."""
    return "/." not in f"/{entry.path}"


def _listed(tree: Tree) -> list[Entry]:
    try:
        return sorted(tree.entries(), key=lambda entry: entry.path)
    except OSError as problem:
        said = f"{problem.filename}: {problem.strerror}"
        raise InvalidInput([error(f"a folder cannot be listed: {said}")]) from None


def is_guarded(path: str) -> bool:
    """Whether everything in a file must be ours."""
    return path == "certform.yaml" or f"{path}/".startswith(GUARDED)


def is_foreign(path: str, text: str) -> bool:
    """Whether a file that cannot be read says by an `apiVersion` that it is somebody else's.

    Any other may hold a certificate, and what is skipped would be taken for removed.
    """
    return not is_guarded(path) and "certform" not in text and bool(_ANY_VERSION.search(text))


def _admit(entry: Entry, found: list[Diagnostic]) -> bool:
    path, ours = entry.path, entry.path.endswith(_SUFFIXES) and not entry.path.endswith(_SEALED)
    if not ours and not (is_guarded(path) and entry.sort is not Sort.FILE):
        return entry.sort is Sort.FILE and path.endswith(".csv") and not _ODD.search(path)
    source = Source(file=_ODD.sub("?", path))
    if _ODD.search(path):
        found.append(error("the file's name holds a character that is not allowed", source))
    elif entry.sort is Sort.LINK:
        hint = "put the file itself here"
        found.append(error("symbolic links are not followed", source, hint=hint))
    elif entry.sort is Sort.REPOSITORY:
        found.append(error("submodules and nested repositories are not read", source))
    else:
        return True
    return False


def _clashes(entries: Iterable[Entry]) -> Iterator[Diagnostic]:
    seen: dict[str, str] = {}
    for entry in entries:
        path = entry.path
        first = seen.setdefault(unicodedata.normalize("NFC", path).casefold(), path)
        if first != path:
            hint = "rename one: some file systems cannot hold both"
            yield error(f"differs from {first} only in case", Source(file=path), hint=hint)


def _decode(entries: Sequence[Entry], tree: Tree, found: list[Diagnostic]) -> dict[str, str]:
    small = [entry for entry in entries if entry.size <= MAX_BYTES]
    texts: dict[str, str] = {}
    for entry, content in zip(small, _contents(small, tree, found), strict=True):
        text = None if content is None else _ours(entry.path, content, found)
        if text is not None:
            texts[entry.path] = text
    found += [_too_large(entry.path) for entry in entries if entry.size > MAX_BYTES]
    return texts


def _ours(path: str, content: bytes, found: list[Diagnostic]) -> str | None:
    problems: list[Diagnostic] = []
    text = decode(path, content, problems)
    if not is_foreign(path, content.decode(errors="replace")):
        found += problems
    return text


def _contents(
    entries: Sequence[Entry], tree: Tree, found: list[Diagnostic]
) -> Iterator[bytes | None]:
    for start in range(0, len(entries), 10_000):
        batch = entries[start : start + 10_000]
        try:
            yield from tree.read(batch)
        except OSError:
            yield from (read_one(tree, entry, found) for entry in batch)


def read_one(tree: Tree, entry: Entry, found: list[Diagnostic]) -> bytes | None:
    """Return one file's content, or None after saying why it cannot be read."""
    try:
        return tree.read([entry])[0]
    except OSError as problem:
        said = problem.strerror or str(problem)
        found.append(error(f"the file cannot be read: {said}", Source(file=entry.path)))
        return None


def decode(path: str, content: bytes, found: list[Diagnostic]) -> str | None:
    """Return a file's text, or None after saying why it has none."""
    if len(content) > MAX_BYTES:
        found.append(_too_large(path))
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        found.append(error("the file is not UTF-8", Source(file=path, line=line), hint=ELSEWHERE))
        return None
    if text.startswith("\ufeff"):
        hint = "save it as UTF-8 without a byte order mark"
        found.append(error("the file begins with a byte order mark", Source(file=path), hint=hint))
        return None
    return text


def _too_large(path: str) -> Diagnostic:
    summary = f"the file is larger than {MAX_BYTES >> 20} MiB and was not read"
    return error(summary, Source(file=path), hint=f"split it; {ELSEWHERE}")
