"""The YAML and CSV files of a repository, from its working tree or from a commit without checkout.

Both read the same: nothing below a dot-folder, no symbolic link, no submodule, no `*.sops.yaml`.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.diagnostics import Diagnostic, Findings, TooMany, error
from reconciler.errors import InvalidInput
from reconciler.load.suggest import near
from reconciler.load.trees import MAX_BYTES, Commit, Entry, Sort, Tree
from schemas.document import API_VERSION
from schemas.plan import Source

MAX_TOTAL_BYTES = 256 << 20
MAX_FILES = 50_000
GUARDED = ("config/", "authorities/")
"""Folders where every YAML file must be ours."""

ELSEWHERE = (
    "if it is not certform's, give it another suffix or a folder whose name begins with a dot"
)
_ASIDE = "if nothing in it is certform's, give it a name that begins with a dot"

_SUFFIXES = (".yaml", ".yml")
_SEALED = (".sops.yaml", ".sops.yml")
_VERSION = re.compile(r"^apiVersion:(.*)", re.MULTILINE)
_HEADER = re.compile(r"""^[ {]*["']?(kind|spec)["']?\s*:""", re.MULTILINE)
_BORDER = re.compile(r"^---", re.MULTILINE)
_ODD = re.compile("[\x00-\x1f\x7f-\x9f\\\\\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def changed_since(commit: Commit, root: Path, texts: Mapping[str, str]) -> bool:
    """Whether the files read from the working tree at `root` are others than those of a commit."""
    committed = {e.path: e.blob for e in commit.entries() if _is_open(e) and _admit(e, [])}
    if any(not _is_committed(committed.get(path, ""), text) for path, text in texts.items()):
        return True
    return any(not (root / path).is_file() for path in committed.keys() - texts.keys())


def _is_committed(blob: str, text: str) -> bool:
    """Whether a text is what was committed, whatever a checkout made of the ends of its lines."""
    return _is_blob(blob, text) or ("\r" in text and _is_blob(blob, text.replace("\r\n", "\n")))


def _is_blob(blob: str, text: str) -> bool:
    """Whether a text is what git stores under an id (gitformat-pack: its kind and length, then it)."""
    content = text.encode()
    make = hashlib.sha256 if len(blob) == 64 else hashlib.sha1
    return make(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == blob


@dataclass(frozen=True, slots=True)
class Files:
    """The contents of every YAML file, and the CSV files that may be asked for.

    `foreign` are files that cannot be read and are somebody else's.
    """

    texts: Mapping[str, str]
    tables: Mapping[str, Entry]
    diagnostics: tuple[Diagnostic, ...]
    foreign: tuple[str, ...] = ()


def read_files(tree: Tree) -> Files:
    """Read every YAML file; what is refused becomes a diagnostic."""
    found = Findings()
    try:
        return _read_files(tree, found)
    except TooMany:
        return Files({}, {}, tuple(found))


def _read_files(tree: Tree, found: list[Diagnostic]) -> Files:
    entries = [entry for entry in _listed(tree) if _is_open(entry)]
    kept = [entry for entry in entries if _admit(entry, found)]
    found += _clashes(kept)
    documents = [e for e in kept if e.path.lower().endswith(_SUFFIXES)]
    tables = {e.path: e for e in kept if e.path.lower().endswith(".csv")}
    if len(documents) > MAX_FILES or sum(e.size for e in documents) > MAX_TOTAL_BYTES:
        limit = f"{MAX_FILES:,} files and {MAX_TOTAL_BYTES >> 20} MiB"
        return Files({}, {}, (error(f"there is more YAML here than {limit}"),))
    foreign: list[str] = []
    texts = _decode(documents, tree, found, foreign)
    return Files(texts, tables, tuple(found), tuple(foreign))


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


def names_us(version: str) -> bool:
    """Whether an `apiVersion` is certform's, or was meant to be."""
    return "certform" in version.lower() or bool(near(version, (API_VERSION,), 0.8))


def is_foreign(path: str, text: str) -> bool:
    """Whether a file that cannot be read says by its `apiVersion`s that it is somebody else's.

    No part of it may have a header without one. Any other file may hold a certificate, and what is
    skipped would be taken for removed.
    """
    if is_guarded(path) or "certform" in text or not _VERSION.search(text):
        return False
    return all(map(_is_foreign, _BORDER.split(text)))


def _is_foreign(part: str) -> bool:
    versions = [version.strip(" \r\"'") for version in _VERSION.findall(part)]
    return not any(map(names_us, versions)) if versions else not _HEADER.search(part)


def _admit(entry: Entry, found: list[Diagnostic]) -> bool:
    path = entry.path
    ours = path.lower().endswith(_SUFFIXES) and not path.endswith(_SEALED)
    hides = entry.sort in (Sort.AWAY, Sort.REPOSITORY)
    if not ours and not hides and not (is_guarded(path) and entry.sort is not Sort.FILE):
        csv = path.lower().endswith(".csv")
        return entry.sort is Sort.FILE and csv and not _ODD.search(path)
    source = Source(file=_ODD.sub("?", path))
    if _ODD.search(path):
        found.append(error("the file's name holds a character that is not allowed", source))
    elif entry.sort is Sort.REPOSITORY:
        said = "submodules and nested repositories are not read"
        found.append(error(said, source, hint=f"put the files themselves here; {_ASIDE}"))
    elif entry.sort is not Sort.FILE:
        hint = f"put what it leads to here; {_ASIDE}" if hides else "put the file itself here"
        found.append(error("symbolic links are not followed", source, hint=hint))
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


def _decode(
    entries: Sequence[Entry], tree: Tree, found: list[Diagnostic], foreign: list[str]
) -> dict[str, str]:
    small = [entry for entry in entries if entry.size <= MAX_BYTES]
    texts: dict[str, str] = {}
    for entry, content in zip(small, _contents(small, tree, found), strict=True):
        text = None if content is None else _ours(entry.path, content, found, foreign)
        if text is not None:
            texts[entry.path] = text
    found += [_too_large(entry.path) for entry in entries if entry.size > MAX_BYTES]
    return texts


def _ours(path: str, content: bytes, found: list[Diagnostic], foreign: list[str]) -> str | None:
    problems: list[Diagnostic] = []
    text = decode(path, content, problems)
    if text is None and is_foreign(path, content.decode(errors="replace")):
        foreign.append(path)
    else:
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
