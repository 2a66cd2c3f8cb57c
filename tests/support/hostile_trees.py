"""Git objects as no git would make them: trees of any names and modes, written straight into a repository."""

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

WHO = b"A Stranger <stranger@example.com> 1700000000 +0000"


@dataclass(frozen=True, slots=True)
class Node:
    """A blob, a link or a submodule; `object_id` is of one that is there already, or nowhere."""

    content: bytes = b""
    mode: bytes = b"100644"
    object_id: str = ""


Entry = tuple[bytes, bytes, str]
"""Mode, name and object id, as a tree holds them."""
Folder: TypeAlias = "dict[bytes, Node | Folder]"


def link(target: bytes) -> Node:
    """A symbolic link."""
    return Node(target, b"120000")


def submodule() -> Node:
    """A commit of somebody else's repository."""
    return Node(mode=b"160000", object_id="1" * 40)


@dataclass(slots=True)
class Objects:
    """Writes loose objects, each once."""

    git: Path
    known: dict[bytes, str] = field(default_factory=dict)

    def write(self, kind: bytes, content: bytes) -> str:
        """Return the id of an object, written if it is new."""
        whole = kind + b" %d\0" % len(content) + content
        digest = hashlib.sha1(whole, usedforsecurity=False)
        if digest.digest() not in self.known:
            object_id = self.known[digest.digest()] = digest.hexdigest()
            file = self.git / "objects" / object_id[:2] / object_id[2:]
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(zlib.compress(whole, 1))
        return self.known[digest.digest()]

    def entry(self, name: bytes, node: "Node | Folder") -> Entry:
        """Return what a tree holds of a name."""
        if isinstance(node, dict):
            return b"40000", name, self.folder(node)
        return node.mode, name, node.object_id or self.write(b"blob", node.content)

    def folder(self, nodes: "Folder", more: Iterable[Entry] = ()) -> str:
        """Return the id of a tree; `more` are entries that a folder cannot have."""
        entries = [*(self.entry(name, node) for name, node in nodes.items()), *more]
        entries.sort(key=lambda each: each[1] + (b"/" if each[0] == b"40000" else b""))
        return self.write(b"tree", b"".join(map(_line, entries)))

    def commit(self, tree: str, *parents: str, message: bytes = b"head\n") -> str:
        """Return the id of a commit."""
        above = b"".join(b"parent %s\n" % parent.encode() for parent in parents)
        said = b"tree %s\n%sauthor %s\ncommitter %s\n\n%s"
        return self.write(b"commit", said % (tree.encode(), above, WHO, WHO, message))


def _line(entry: Entry) -> bytes:
    mode, name, object_id = entry
    return mode + b" " + name + b"\0" + bytes.fromhex(object_id)


def folders(files: Mapping[str, "Node | None"]) -> Folder:
    """Return files by path as folders; a path may hold anything that UTF-8 or surrogates write."""
    root: Folder = {}
    for path, node in files.items():
        *above, name = path.encode("utf-8", "surrogateescape").split(b"/")
        here = root
        for part in above:
            inner = here.setdefault(part, {})
            assert isinstance(inner, dict), path
            here = inner
        if node is not None:
            here[name] = node
    return root
