"""HTTP-01 by a file below a directory that a web server of this host serves (RFC 8555 section 8.3)."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from providers.errors import Conflict, NotFound, ProviderError, Rejected
from providers.local.folder import PUBLIC, Folder, fault
from providers.solving import SolverConfig, WebFile
from schemas.solvers import Webroot

FOLDERS = (".well-known", "acme-challenge")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")


def checked(file: WebFile) -> WebFile:
    """Return a file whose token is base64url and nothing else: a path is made of what a CA has chosen."""
    if not _TOKEN.fullmatch(file.token):
        raise Rejected("the CA's token is not base64url (RFC 8555 section 8.3): it is not used")
    return file


@dataclass(frozen=True, slots=True)
class WebrootSolver:
    """Writes files that some web server of this host answers with."""

    settings: Webroot

    @classmethod
    def from_config(cls, config: SolverConfig, /) -> Self:
        """Make the solver; reads nothing and connects nowhere."""
        return cls(config.of(Webroot))

    def present(self, file: WebFile, /) -> None:
        """Write the file, whole at once; the folders down to it are made where they are not there."""
        checked(file)
        with self._explained(), self._root() as root, _entered(root, FOLDERS) as folder:
            folder.replace(file.token, file.content.encode(), PUBLIC)

    def clean_up(self, file: WebFile, /) -> None:
        """Delete the file if it is the one that was presented; the folders stay."""
        checked(file)
        try:
            with (
                self._explained(),
                self._root() as root,
                _entered(root, FOLDERS, make=False) as folder,
            ):
                content, _ = folder.read(file.token)
                if content == file.content.encode():
                    folder.discard(file.token)
        except NotFound:
            return

    def _root(self) -> Folder:
        try:
            return Folder.open(Path(self.settings.path))
        except FileNotFoundError:
            said = f"{self.settings.path} is not there: this host does not serve it"
            raise NotFound(said) from None

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise _told(error, self.settings.path) from None


def _told(error: OSError, path: str) -> ProviderError:
    return fault(error, str(Path(path, *FOLDERS)))


@contextmanager
def _entered(folder: Folder, names: tuple[str, ...], *, make: bool = True) -> Iterator[Folder]:
    """Enter folders one by one, following no link, and leave them again."""
    if not names:
        yield folder
        return
    first, *rest = names
    with _below(folder, first, make=make) as inner, _entered(inner, tuple(rest), make=make) as last:
        yield last


def _below(folder: Folder, name: str, *, make: bool) -> Folder:
    try:
        return folder.enter(name)
    except FileNotFoundError:
        if not make:
            raise
    except NotADirectoryError:
        said = f"{name} in the webroot is a link or a file: it must be a directory"
        raise Conflict(said) from None
    try:
        return folder.make(name)
    except FileExistsError:  # another run was as quick
        return folder.enter(name)
