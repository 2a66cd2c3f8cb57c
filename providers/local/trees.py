"""Trees of files in a published directory, each shown by one link, which is what is switched.

    DIRECTORY/ocsp/services-g1 -> services-g1.5f3a90c1
    DIRECTORY/ocsp/services-g1.5f3a90c1/MFUwUz.../...    what is shown
    DIRECTORY/ocsp/services-g1.0b7e44d2/...              what was shown before

A rename of a link is atomic on every file system; two folders can be exchanged on some alone. What was
shown before stays until the next switch, for readers that looked the link up and are on their way. The
link is relative and stays in its folder, so that the directory can be copied as it is; no dot stands in
front of what it leads to, as where documents are read such a link is refused.
"""

import errno
import os
import re
import secrets
from collections.abc import Iterator, Mapping

from providers.base import Tree
from providers.errors import Rejected
from providers.failpoints import reach
from providers.local.folder import PUBLIC, Folder

_NAME = re.compile(r"(?P<above>[a-z0-9-]+)/(?P<own>[a-z0-9][a-z0-9-]*)")
_SEGMENT = re.compile(r"[A-Za-z0-9+=_-][A-Za-z0-9+=_.-]{0,254}")
_RANDOM = r"[0-9a-f]{8}"
_NOT_OURS = (errno.EINVAL, errno.ELOOP, errno.ENXIO)
"""What reading anything but a regular file ends with."""


def read_tree(folder: Folder, name: str) -> Tree | None:
    """Return what a tree shows, None where it shows nothing; raises OSError.

    What is no regular file is shown as an empty one: no tree of ours holds either.
    """
    above, own = split_name(name)
    try:
        with folder.enter(above) as outer:
            shown = _shown(outer, own)
            if shown is None:
                return Tree(name, {}) if outer.has(own) else None
            with outer.enter(shown) as inner:
                return Tree(name, dict(_read(inner)))
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return None
        raise


def read_file(folder: Folder, name: str, path: str) -> bytes:
    """Return one file that a tree shows; raises OSError, also for what is no regular file.

    Only a link that certform made is followed, and none below it.
    """
    above, own = split_name(name)
    with folder.enter(above) as outer:
        shown = _shown(outer, own)
        if shown is None:
            raise FileNotFoundError(name)
        with outer.enter(shown) as inner:
            return _read_below(inner, path.split("/"))


def write_tree(folder: Folder, tree: Tree) -> None:
    """Write a tree beside the one that is shown, make it durable, then switch; raises OSError."""
    above, own = split_name(tree.name)
    _check(tree)
    with _made(folder, above) as outer:
        shown = _shown(outer, own)
        _sweep(outer, own, {shown})
        fresh = f"{own}.{secrets.token_hex(4)}"
        reach("tree.write")
        with outer.make(fresh) as inner:
            _write(inner, tree.files)
        outer.sync()
        reach("tree.switch")
        if shown is None:
            _set_aside(outer, own)
        outer.link(own, fresh)
        outer.commit()
        reach("tree.sweep")
        _sweep(outer, own, {shown, fresh})


def tree_names(folder: Folder, above: str) -> Iterator[str]:
    """Yield the trees that are shown in a folder; raises OSError."""
    try:
        with folder.enter(above) as outer:
            yield from (f"{above}/{own}" for own in outer.names() if _shown(outer, own))
    except FileNotFoundError:
        return


def split_name(name: str) -> tuple[str, str]:
    """Return the folder that a tree is in, and its own name there; raises `Rejected` for other names."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise Rejected(f"{name!r} is not the name of a tree")
    return found["above"], found["own"]


def _check(tree: Tree) -> None:
    for path in tree.files:
        if not all(_SEGMENT.fullmatch(part) for part in path.split("/")):
            raise Rejected(f"{path!r} is not the path of a file in a tree")


def _shown(outer: Folder, own: str) -> str | None:
    """Return the folder that a tree's link points at; None where there is no link that certform made."""
    target = outer.target(own)
    ours = target is not None and re.fullmatch(rf"{re.escape(own)}\.{_RANDOM}", target)
    return target if ours else None


def _made(folder: Folder, name: str) -> Folder:
    try:
        return folder.enter(name)
    except FileNotFoundError:
        made = folder.make(name)
        folder.commit()
        return made


def _set_aside(outer: Folder, own: str) -> None:
    """Make room for the link where there is a folder instead: a link cannot take its place in one step."""
    if outer.has(own) and outer.target(own) is None:
        outer.rename(own, f"{own}.{secrets.token_hex(4)}")


def _sweep(outer: Folder, own: str, kept: set[str | None]) -> None:
    """Delete what neither is shown nor was shown last, such as what a run that died left half written."""
    ours = re.compile(rf"{re.escape(own)}\.{_RANDOM}|\.{re.escape(own)}\.new")
    for name in outer.names():
        if ours.fullmatch(name) and name not in kept:
            outer.discard(name)


def _write(folder: Folder, files: Mapping[str, bytes]) -> None:
    below: dict[str, dict[str, bytes]] = {}
    for path, content in files.items():
        first, _, rest = path.partition("/")
        if rest:
            below.setdefault(first, {})[rest] = content
        else:
            folder.write(first, content, PUBLIC)
    for name, inner in below.items():
        with folder.make(name) as deeper:
            _write(deeper, inner)


def _read(folder: Folder, above: str = "") -> Iterator[tuple[str, bytes]]:
    with os.scandir(folder.fd) as entries:
        listed = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in listed:
        if is_folder:
            with folder.enter(name) as deeper:
                yield from _read(deeper, f"{above}{name}/")
        else:
            yield f"{above}{name}", _content(folder, name)


def _content(folder: Folder, name: str) -> bytes:
    try:
        return folder.read(name)[0]
    except OSError as error:
        if error.errno in _NOT_OURS:
            return b""
        raise


def _read_below(folder: Folder, parts: list[str]) -> bytes:
    if len(parts) == 1:
        return folder.read(parts[0])[0]
    with folder.enter(parts[0]) as deeper:
        return _read_below(deeper, parts[1:])
