"""The owner marker: tells a directory of ours from a missing mount or somebody else's.

A directory that does not exist or is empty is new. One that holds anything must hold the marker
too: a file system that failed to mount, or a wrong path, must never read as "nothing is installed".
"""

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from providers.errors import Unreachable
from providers.local.folder import PUBLIC, Folder
from providers.local.layout import MARKER
from providers.local.location import Location

FORMAT = 1
_AS_GOOD_AS_EMPTY = ("lost+found", f".{MARKER}.new")
"""What mkfs leaves in an empty file system, and a run that died while marking one."""


@dataclass(frozen=True, slots=True)
class Marker:
    """Whose a directory is, and which target (or other use) it serves."""

    owner: str
    target: str

    def encode(self) -> bytes:
        """Return the marker file's content."""
        data = {"format": FORMAT, "owner": self.owner, "target": self.target}
        return json.dumps(data, sort_keys=True).encode() + b"\n"


def is_marked(folder: Folder, path: Path, marker: Marker) -> bool:
    """Whether a directory carries this marker; False when empty, else raises `Unreachable`."""
    try:
        content, _ = folder.read(MARKER)
    except FileNotFoundError:
        if all(name in _AS_GOOD_AS_EMPTY for name in folder.names()):
            return False
        raise Unreachable(
            f"{path} is not empty and has no {MARKER}: a file system may not be mounted, or the "
            "directory is used for something else. Name another path; or, if it is certform's, "
            f"put back {MARKER} with: {marker.encode().decode().strip()}"
        ) from None
    written = _decode(content)
    if written != marker:
        raise Unreachable(
            f"{path}/{MARKER} says the directory belongs to {_describe(written)}, "
            f"not to {_describe(marker)}. "
            f"Give each target a path of its own; if this one was renamed, edit {MARKER}"
        )
    return True


@contextmanager
def make_marked(location: Location, marker: Marker) -> Iterator[Folder]:
    """Open a directory of ours, made and marked where it is new; `Unreachable` for another's."""
    with location.make() as folder:
        if not is_marked(folder, location.path, marker):
            folder.replace(MARKER, marker.encode(), PUBLIC)
            folder.sync()
        yield folder


@contextmanager
def open_marked(location: Location, marker: Marker) -> Iterator[Folder | None]:
    """Open a directory of ours, None for a new one; raises OSError or `Unreachable`."""
    folder = None
    with suppress(FileNotFoundError):
        folder = location.open()
    with folder or nullcontext():
        ours = folder is not None and is_marked(folder, location.path, marker)
        yield folder if ours else None


def lost(location: Location, marker: Marker, what: str, hint: str = "") -> Unreachable:
    """Return what to say of a directory that is gone or empty, although there should be something."""
    path = shlex.quote(str(location.path))
    line = shlex.quote(marker.encode().decode().strip())
    return Unreachable(
        f"{location.path} is missing or empty, although {what} there: a file system may not be "
        f"mounted.{hint} If it is to be filled anew, say so with: "
        f"mkdir -p {path} && echo {line} > {path}/{MARKER}"
    )


def _decode(content: bytes) -> Marker | None:
    try:
        data = json.loads(content)
        return Marker(str(data["owner"]), str(data["target"])) if data["format"] == FORMAT else None
    except (ValueError, KeyError, TypeError):
        return None


def _describe(marker: Marker | None) -> str:
    if marker is None:
        return "an unknown owner"
    return f"owner {marker.owner}, target {marker.target}"
