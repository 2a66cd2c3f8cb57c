"""A directory that a web server shows: CRLs, CA certificates and trees of responses, each replaced whole."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from providers.base import Publication, Tree
from providers.errors import Rejected, Unreachable
from providers.failpoints import reach
from providers.local.folder import PUBLIC, Folder, fault
from providers.local.location import Location
from providers.local.marker import Ground, Marker
from providers.local.trees import read_tree, write_tree

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}\.(crl|crt)")
"""Only such files are ours in a directory of ours; an index page beside them is left alone."""
_LIMIT = 1 << 28
"""Bytes: more than a CRL of five million entries."""
_USE = "publish"


class DirectoryPublisher:
    """Publishes into one directory, which carries the same owner marker as a target's."""

    def __init__(self, location: Location, owner: str) -> None:
        self._ground = Ground(location, Marker(owner, _USE))

    def confirm(self) -> None:
        """Raise `Unreachable` unless the directory carries our marker."""
        with self._reading() as folder:
            if folder is None:
                raise self._ground.lost("CRLs were published")

    def published(self) -> Mapping[str, bytes]:
        """Return every published file by name; nothing for a directory missing or empty."""
        with self._reading() as folder:
            if folder is None:
                return {}
            names = filter(_NAME.fullmatch, folder.names())
            return {name: folder.read(name, _LIMIT)[0] for name in names}

    def prepare(self) -> None:
        """Make the directory and mark it."""
        with self._writing():
            pass

    def publish(self, publications: Sequence[Publication], /) -> None:
        """Write all files under hidden names, make them durable, then put each in place."""
        for publication in publications:
            _check(publication.name)
        with self._writing() as folder:
            for publication in publications:
                reach("publish.write")
                folder.prepare(publication.name, publication.content, PUBLIC)
            for publication in publications:
                reach("publish.rename")
                folder.adopt(publication.name)
            folder.commit()

    def tree(self, name: str, /) -> Tree | None:
        """Return a tree as it is shown, None where there is none."""
        with self._reading() as folder:
            return None if folder is None else read_tree(folder, name)

    def publish_tree(self, tree: Tree, /) -> None:
        """Write a tree under a hidden name, make it durable, then let a link show it."""
        with self._writing() as folder:
            write_tree(folder, tree)

    @contextmanager
    def _reading(self) -> Iterator[Folder | None]:
        try:
            with self._ground.opened() as folder:
                yield folder
        except OSError as error:
            raise Unreachable(str(fault(error, str(self._ground.location.path)))) from None

    @contextmanager
    def _writing(self) -> Iterator[Folder]:
        try:
            with self._ground.made() as folder:
                yield folder
        except OSError as error:
            raise fault(error, str(self._ground.location.path)) from None


def _check(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Rejected(f"{name!r} is not the name of a .crl or .crt file")
