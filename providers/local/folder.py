"""An open directory: names are looked up in it alone, and no symbolic link is ever followed."""

import ctypes
import errno
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from providers.errors import Denied, NotFound, ProviderError, QuotaExceeded, Unreachable
from providers.system import READ_PLAIN, c_function, flags, require_folders

FILE_LIMIT = 1 << 20
"""Bytes; no certificate or key is near it, so a larger file is somebody else's."""
DIRECTORY_MODE = 0o755
# where one of these means nothing no folder is ever opened: `Folder.open` sees to that
_OPEN_DIRECTORY = flags("O_RDONLY", "O_DIRECTORY", "O_NOFOLLOW")
_READ = READ_PLAIN
_CREATE = flags("O_WRONLY", "O_CREAT", "O_EXCL", "O_NOFOLLOW")
_SYNCFS = c_function("syncfs")
_FULL = (errno.ENOSPC, errno.EDQUOT)
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)


def fault(error: OSError, place: str) -> ProviderError:
    """Return what an operating system's error means to certform; the text names place and cause."""
    cause = error.strerror or str(error)
    # a name is looked up in a directory held open, a path is whole already
    name = os.path.join(place, error.filename) if isinstance(error.filename, str) else place  # noqa: PTH118
    message = f"{name}: {cause}"
    if error.errno in _FULL:
        return QuotaExceeded(message)
    if error.errno in _REFUSED:
        return Denied(message)
    if error.errno == errno.ENOENT:
        return NotFound(message)
    return Unreachable(message)


@dataclass(frozen=True, slots=True)
class Attributes:
    """A file's permissions, owner and group; None leaves the owner or group as it is."""

    mode: int
    uid: int | None = None
    gid: int | None = None

    def fit(self, status: os.stat_result) -> bool:
        """Whether a file has them."""
        return (
            stat.S_IMODE(status.st_mode) == self.mode
            and self.uid in (None, status.st_uid)
            and self.gid in (None, status.st_gid)
        )


PUBLIC = Attributes(0o644)
"""What everybody may read and only its owner write."""


class Folder:
    """A directory held open. Every method raises OSError; `fault` says what that means."""

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        self.fd = fd

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a directory by path, the one place where a path's own links are followed.

        Raises `Unreachable` where this system knows no open directories.
        """
        require_folders()
        return cls(os.open(path, flags("O_RDONLY", "O_DIRECTORY")))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)

    def enter(self, name: str) -> "Folder":
        """Open a directory in this one."""
        return Folder(os.open(name, _OPEN_DIRECTORY, dir_fd=self.fd))

    def make(self, name: str) -> "Folder":
        """Create a directory and open it."""
        os.mkdir(name, DIRECTORY_MODE, dir_fd=self.fd)
        folder = self.enter(name)
        os.fchmod(folder.fd, DIRECTORY_MODE)  # whatever the umask took away
        return folder

    def names(self) -> list[str]:
        """Return what is in this directory, sorted."""
        return sorted(os.listdir(self.fd))  # noqa: PTH208  no path leads here, only a descriptor

    def has(self, name: str) -> bool:
        """Whether there is anything of that name in this directory."""
        try:
            os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def read(self, name: str, limit: int = FILE_LIMIT) -> tuple[bytes, os.stat_result]:
        """Return a regular file's content and status; anything else, or a huge one, is EINVAL."""
        fd = os.open(name, _READ, dir_fd=self.fd)
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
                raise OSError(errno.EINVAL, "not a regular file, or too large", name)
            return os.read(fd, status.st_size + 1), status
        finally:
            os.close(fd)

    def write(self, name: str, content: bytes, attributes: Attributes) -> None:
        """Create a file that must not exist; nobody else can read it before it has its owner."""
        fd = os.open(name, _CREATE, 0o600, dir_fd=self.fd)
        try:
            _write_all(fd, content)
            if attributes.uid is not None or attributes.gid is not None:
                os.fchown(fd, _or_same(attributes.uid), _or_same(attributes.gid))
            os.fchmod(fd, attributes.mode)
        finally:
            os.close(fd)

    def replace(self, name: str, content: bytes, attributes: Attributes) -> None:
        """Write a file whole and durably, then put it in place at once."""
        self.prepare(name, content, attributes)
        self.adopt(name)

    def prepare(self, name: str, content: bytes, attributes: Attributes) -> None:
        """Write a file durably under a hidden name, for `adopt`."""
        self.discard(_hidden(name))
        self.write(_hidden(name), content, attributes)
        self.flush(_hidden(name))

    def adopt(self, name: str) -> None:
        """Put what was prepared in its place, in one step."""
        self.rename(_hidden(name), name)

    def flush(self, name: str) -> None:
        """Make one file's content durable."""
        fd = os.open(name, _READ, dir_fd=self.fd)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def link(self, name: str, target: str) -> None:
        """Point a symbolic link at a target, replacing the one that is there in one step."""
        self.discard(_hidden(name))
        self.point(_hidden(name), target)
        self.adopt(name)

    def point(self, name: str, target: str) -> None:
        """Create a symbolic link that must not exist."""
        os.symlink(target, name, dir_fd=self.fd)

    def target(self, name: str) -> str | None:
        """Return where a symbolic link points; None when there is no link of that name."""
        try:
            return os.readlink(name, dir_fd=self.fd)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINVAL):
                return None
            raise

    def rename(self, old: str, new: str) -> None:
        """Rename within this directory, atomically."""
        os.rename(old, new, src_dir_fd=self.fd, dst_dir_fd=self.fd)

    def discard(self, name: str) -> None:
        """Delete a file, a link or a whole tree; what is gone already is no error.

        Keys are unlinked, not overwritten first: a journaling or copy-on-write file system, or a
        flash disk, writes new blocks and leaves the old ones, so overwriting only looks thorough.
        """
        try:
            os.unlink(name, dir_fd=self.fd)
        except FileNotFoundError:
            return
        except (IsADirectoryError, PermissionError):  # Linux says the one, macOS the other
            if not self._is_directory(name):
                raise
            shutil.rmtree(name, dir_fd=self.fd)

    def _is_directory(self, name: str) -> bool:
        return stat.S_ISDIR(os.stat(name, dir_fd=self.fd, follow_symlinks=False).st_mode)

    def commit(self) -> None:
        """Make renames in this directory durable."""
        os.fsync(self.fd)

    def sync(self) -> None:
        """Make everything on this file system durable (syncfs(2)), however many files it is."""
        if _SYNCFS is None:  # only Linux has it
            os.sync()
            os.fsync(self.fd)
        elif _SYNCFS(self.fd) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


def _hidden(name: str) -> str:
    return f".{name}.new"


def _or_same(number: int | None) -> int:
    return -1 if number is None else number


def _write_all(fd: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]
