"""What a run and its children asked the system for, as strace tells it."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

WRITES = (
    *("mkdir", "mkdirat", "mknod", "mknodat", "unlink", "unlinkat", "rmdir", "rename", "renameat"),
    *(
        "renameat2",
        "symlink",
        "symlinkat",
        "link",
        "linkat",
        "chmod",
        "fchmod",
        "fchmodat",
        "chown",
    ),
    *("lchown", "fchownat", "truncate", "utimensat", "setxattr", "mount"),
)
"""What changes a file system, apart from opening a file to write to it."""
OPENS = ("open", "openat", "openat2", "creat")
PROGRAMS = ("execve", "execveat")
_NETWORK = (
    "socket",
    "connect",
    "bind",
    "listen",
    "accept",
    "accept4",
    "sendto",
    "sendmsg",
    "sendmmsg",
)
OPTIONS = (
    "-f",
    "-y",
    "-s",
    "4096",
    "-e",
    f"trace={','.join((*PROGRAMS, *OPENS, *WRITES, *_NETWORK))}",
)
"""What strace is to be asked for."""
_CALL = re.compile(r"^(?P<pid>\d+) +(?P<name>\w+)\((?P<rest>.*)$")
_PATH = re.compile(r'(?:(?:AT_FDCWD|\d+)<(?P<folder>[^>]*)>, )?"(?P<path>(?:[^"\\]|\\.)*)"')
_OPENED = re.compile(r"= \d+<(?P<path>/[^>]*)>$")
_TO_WRITE = re.compile(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)")


@dataclass(frozen=True, slots=True)
class Call:
    """One call; `paths` are those it names, from the root, and the one that was really opened."""

    pid: int
    name: str
    paths: tuple[str, ...]
    text: str

    @property
    def is_network(self) -> bool:
        """Whether it is about a socket."""
        return self.name in _NETWORK

    @property
    def is_write(self) -> bool:
        """Whether it changes something, or opens it to."""
        return self.name in WRITES or (self.name in OPENS and bool(_TO_WRITE.search(self.text)))


def calls(log: Path) -> Iterator[Call]:
    """Yield what a log of strace tells."""
    for line in log.read_text(errors="replace").splitlines():
        found = _CALL.match(line)
        if found is not None:
            paths = tuple(_paths(found["name"], found["rest"]))
            yield Call(int(found["pid"]), found["name"], paths, found["rest"])


def _paths(name: str, rest: str) -> Iterator[str]:
    named = list(_PATH.finditer(rest))
    for match in named[:1] if name in (*OPENS, *PROGRAMS) else named:
        yield posixpath.normpath(posixpath.join(match["folder"] or "/nowhere", match["path"]))
    if opened := _OPENED.search(rest):
        yield opened["path"]
