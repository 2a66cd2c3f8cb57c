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
_LIMIT = 4096
"""Bytes; a marker names an owner and a target, and what it says may be shown."""
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
        content, _ = folder.read(MARKER, _LIMIT)
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


@dataclass(slots=True)
class Ground:
    """A directory and the marker that makes it ours; where it was seen once, it is not made anew."""

    location: Location
    marker: Marker
    seen: bool = False

    @contextmanager
    def opened(self) -> Iterator[Folder | None]:
        """Open the directory, None for a new one; raises OSError or `Unreachable`."""
        folder = None
        with suppress(FileNotFoundError):
            folder = self.location.open()
        with folder or nullcontext():
            ours = folder is not None and is_marked(folder, self.location.path, self.marker)
            self.seen = self.seen or ours
            yield folder if ours else None

    @contextmanager
    def made(self) -> Iterator[Folder]:
        """Open the directory, made and marked where it is new; `Unreachable` for another's."""
        if not self.seen:
            self._mark()
        with self.opened() as folder:
            if folder is None:
                # what a file system leaves that is unmounted while certform is at work
                raise Unreachable(f"{self.location.path} was certform's and is empty or gone")
            yield folder

    def _mark(self) -> None:
        with self.location.make() as folder:
            if not is_marked(folder, self.location.path, self.marker):
                folder.replace(MARKER, self.marker.encode(), PUBLIC)
                folder.sync()

    def lost(self, what: str, hint: str = "") -> Unreachable:
        """Return what to say where it is gone or empty, although there should be something."""
        path = shlex.quote(str(self.location.path))
        line = shlex.quote(self.marker.encode().decode().strip())
        return Unreachable(
            f"{self.location.path} is missing or empty, although {what}. "
            "If the path was changed, move the old directory here. "
            f"If a file system is not mounted, mount it.{hint} To fill it anew, run:\n"
            f"mkdir -p {path} && echo {line} > {path}/{MARKER}"
        )


def _decode(content: bytes) -> Marker | None:
    try:
        data = json.loads(content)
        marker = Marker(_word(data["owner"]), _word(data["target"]))
        return marker if data["format"] == FORMAT else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _word(value: str) -> str:
    """Return text that can be shown as it is; raises ValueError or TypeError for anything else."""
    if not str.isprintable(value):
        raise ValueError(value)
    return value


def _describe(marker: Marker | None) -> str:
    if marker is None:
        return "an unknown owner"
    return f"owner {marker.owner}, target {marker.target}"
