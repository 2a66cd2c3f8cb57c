"""Where files are read from: a working tree, or a commit without checkout."""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path
from typing import Protocol

from providers.system import open_to_read
from reconciler.diagnostics import error
from reconciler.errors import InvalidInput
from reconciler.git import Git

MAX_BYTES = 1 << 20
READ_SUFFIXES = (".yaml", ".yml", ".csv")
"""Which files are read at all, in small letters; a name may have large ones."""
_LINKED = "links and submodules are not followed"
_TOO_MUCH = "the files that documents name are too large together"
_LONGEST = 4096
"""The longest target that a link of Linux has, in bytes."""


class Sort(Enum):
    """What stands under a path."""

    FILE = auto()
    LINK = auto()
    AWAY = auto()
    """A link, not plainly to a file, behind which may be what is read at no other path."""
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

    def attachments(self, limits: Mapping[str, int], total: int, /) -> Mapping[str, bytes | str]:
        """Return the content of each file, whatever it is called, or why it cannot be read, in words.

        `limits` are the most bytes that each may have, `total` those of all; links are not followed.
        """
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
                if child.is_symlink() or _is_junction(child):
                    yield Entry(path, self._sort(path))
                elif child.is_file(follow_symlinks=False):
                    if path.lower().endswith(READ_SUFFIXES):
                        yield Entry(path, Sort.FILE, child.stat(follow_symlinks=False).st_size)
                elif child.is_dir(follow_symlinks=False) and not child.name.startswith("."):
                    inside = _children(child.path)
                    if any(grandchild.name == ".git" for grandchild in inside):
                        yield Entry(path, Sort.REPOSITORY)
                    else:
                        waiting.append((f"{path}/", inside))

    def _sort(self, path: str) -> Sort:
        link = self.root / path
        target = link.readlink()
        leads = target.is_absolute() or leads_away(path, target.as_posix())
        away = leads and not link.is_file()
        return Sort.AWAY if away else Sort.LINK

    def read(self, entries: Sequence[Entry], /) -> list[bytes]:
        """Return the contents of files, in order; a link or device is never opened."""
        return [_read(self.root / entry.path) for entry in entries]

    def attachments(self, limits: Mapping[str, int], total: int, /) -> Mapping[str, bytes | str]:
        """Return the content of each file, or why it cannot be read."""
        found: dict[str, bytes | str] = {}
        for path, limit in limits.items():
            content = self._attachment(path, limit) if total >= 0 else _TOO_MUCH
            total -= len(content) if isinstance(content, bytes) else 0
            found[path] = content if total >= 0 else _TOO_MUCH
        return found

    def _attachment(self, path: str, limit: int) -> bytes | str:
        steps = [Path(*Path(path).parts[: n + 1]) for n in range(len(Path(path).parts))]
        try:
            if any((self.root / step).is_symlink() for step in steps):
                return _LINKED
            content = _read(self.root / path, limit)
        except OSError as problem:
            return problem.strerror or str(problem)
        return content if len(content) <= limit else _too_large(limit)


def _is_junction(child: "os.DirEntry[str]") -> bool:
    """Whether it is what Windows has beside links: Python tells from 3.12 on."""
    return bool(getattr(child, "is_junction", bool)())


def _children(folder: str) -> list["os.DirEntry[str]"]:
    with os.scandir(folder) as found:
        return list(found)


def _too_large(limit: int) -> str:
    return f"it is larger than {limit >> 20} MiB"


def _read(path: Path, limit: int = MAX_BYTES) -> bytes:
    with open_to_read(path) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(f"{path.name} is not a plain file")
        return file.read(limit + 1)


@dataclass(frozen=True, slots=True)
class Commit:
    """The files of one commit, below the folder git runs in; nothing is checked out."""

    git: Git
    revision: str

    def entries(self) -> Iterator[Entry]:
        """Yield every path below the folder, as git records it."""
        links = []
        for entry in self._listed():
            if entry.sort is Sort.LINK:
                links.append(entry)
            else:
                yield entry
        targets = self.read([link for link in links if link.size <= _LONGEST])
        found = dict(zip((e.path for e in links if e.size <= _LONGEST), targets, strict=True))
        for link in links:
            away = link.path not in found or leads_away(link.path, _path(found[link.path]))
            yield replace(link, sort=Sort.AWAY) if away else link

    def _listed(self) -> Iterator[Entry]:
        listing = self.git.run("ls-tree", "-r", "-l", "-z", self.revision)
        for line in filter(None, listing.split(b"\0")):
            facts, _, name = line.partition(b"\t")
            mode, _, blob, size = facts.decode().split()
            if not size.isdecimal() and size != "-":
                hint = "use a clone that is whole: neither damaged nor made with --filter"
                said = f"git does not have all of commit {self.revision[:12]}: {blob} is missing"
                raise InvalidInput([error(said, hint=hint)])
            yield Entry(_path(name), _sort(mode), int(size) if size != "-" else 0, blob)

    def read(self, entries: Sequence[Entry], /) -> list[bytes]:
        """Return the contents of files, in order, with one git process."""
        return self.git.blobs([entry.blob for entry in entries])

    def attachments(self, limits: Mapping[str, int], total: int, /) -> Mapping[str, bytes | str]:
        """Return the content of each file, or why it cannot be read."""
        listed = {entry.path: entry for entry in self._listed() if entry.path in limits}
        found: dict[str, bytes | str] = dict.fromkeys(limits, "there is no such file")
        wanted: list[Entry] = []
        for path, entry in listed.items():
            if entry.sort is not Sort.FILE:
                found[path] = _LINKED
            elif entry.size > limits[path]:
                found[path] = _too_large(limits[path])
            else:
                total -= entry.size
                found[path] = _TOO_MUCH
                wanted += [entry] if total >= 0 else []
        contents = zip((entry.path for entry in wanted), self.read(wanted), strict=True)
        return {**found, **dict(contents)}


def _path(name: bytes) -> str:
    """Return a path as git records it; what is no UTF-8 in it is kept, and refused where it matters."""
    return name.decode(errors="surrogateescape")


def _sort(mode: str) -> Sort:
    return {"120000": Sort.LINK, "160000": Sort.REPOSITORY}.get(mode, Sort.FILE)


def leads_away(path: str, target: str) -> bool:
    """Whether a link at `path` leads out of the tree, or to where a name begins with a dot.

    Any other leads to what is read at its own path. Only climbing at its start is plain: after a
    name, which may be a link itself, nobody knows where `..` is.
    """
    steps = [step for step in target.split("/") if step not in ("", ".")]
    climbs = next((n for n, step in enumerate(steps) if step != ".."), len(steps))
    hidden = any(step.startswith(".") for step in steps[climbs:])
    return target.startswith("/") or climbs > path.count("/") or hidden


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
