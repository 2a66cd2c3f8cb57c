"""What a web server shows of a published directory: the files that certform names, and OCSP by POST as well.

Nothing that somebody asks for becomes a path unless it has the form that certform gives its own names.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from providers import x509
from providers.errors import ProviderError
from providers.local.folder import Folder
from providers.local.location import Location
from providers.local.trees import read_file, tree_names
from providers.x509.ocsp import (
    Freshness,
    freshness_of,
    malformed,
    plain_request,
    request_path,
    served_path,
    unauthorized,
)

_FILE = re.compile(r"/(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{0,200}\.(?P<kind>crl|crt))")
_RESPONSE = re.compile(
    r"/(?P<tree>ocsp/[a-z0-9][a-z0-9-]{0,80})/(?P<base64>[A-Za-z0-9+/=]{1,1024})"
)
_TYPES = {"crl": "application/pkix-crl", "crt": "application/pkix-cert"}
"""RFC 5280 section 4.2.1.13 and RFC 2585 section 4."""
_OCSP = "application/ocsp-response"
_LIMIT = 1 << 28
_DAY = 86400


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP."""

    status: HTTPStatus
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shown:
    """One published file, and from when to when it is to be believed; None where it does not say."""

    content: bytes
    media: str
    freshness: Freshness | None = None

    @property
    def tag(self) -> str:
        """Its ETag (RFC 9110 section 8.8.3)."""
        return f'"{hashlib.sha256(self.content).hexdigest()}"'

    def headers(self, now: datetime) -> Mapping[str, str]:
        """Return what a cache has to know (RFC 5019 section 6.2): it may keep it until nextUpdate."""
        same = {"Content-Type": self.media, "ETag": self.tag}
        if self.freshness is None:
            return {**same, "Cache-Control": f"public, max-age={_DAY}"}
        since, until = self.freshness.this_update, self.freshness.next_update
        left = max(0, int((until - now).total_seconds()))
        return {
            **same,
            "Last-Modified": format_datetime(since, usegmt=True),
            "Expires": format_datetime(until, usegmt=True),
            "Cache-Control": f"max-age={left}, public, no-transform, must-revalidate",
        }


@dataclass(frozen=True, slots=True)
class Showcase:
    """A published directory as it is shown, also below `prefix`: the path of the URL it is published at."""

    location: Location
    prefix: str = ""

    def get(self, target: str, now: datetime, known: str = "") -> Answer:
        """Answer a GET; `known` are the ETags of what who asks has already."""
        shown = self._shown(self._path(target))
        if shown is None:
            return Answer(HTTPStatus.NOT_FOUND, b"not found\n", {"Content-Type": "text/plain"})
        if shown.tag in known:
            return Answer(HTTPStatus.NOT_MODIFIED, b"", shown.headers(now))
        return Answer(HTTPStatus.OK, shown.content, shown.headers(now))

    def post(self, request: bytes) -> Answer:
        """Answer an OCSP request as a GET would be, at whatever path; a nonce is passed over (RFC 8954)."""
        try:
            path = request_path(plain_request(request))
        except ValueError:
            return Answer(HTTPStatus.OK, malformed(), {"Content-Type": _OCSP})
        body = self._anywhere(path)
        return Answer(HTTPStatus.OK, body or unauthorized(), {"Content-Type": _OCSP})

    def _path(self, target: str) -> str:
        """Return the path that is asked for, decoded once; empty for one that is no plain text."""
        try:
            path = unquote_to_bytes(target.partition("?")[0]).decode("ascii")
        except UnicodeError:
            return ""
        within = self.prefix and path.startswith(f"{self.prefix}/")
        return path.removeprefix(self.prefix) if within else path

    def _shown(self, path: str) -> Shown | None:
        """Return what a path shows; only here does what was asked for become a name."""
        with self._opened() as folder:
            if folder is None:
                return None
            if found := _FILE.fullmatch(path):
                return _file(folder, found["name"], found["kind"])
            if found := _RESPONSE.fullmatch(path):
                return _response(folder, found["tree"], served_path(found["base64"]))
        return None

    def _anywhere(self, path: str) -> bytes | None:
        """Return a response from whichever CA's it is: the path says who issued what is asked about."""
        with self._opened() as folder:
            names = tuple(tree_names(folder, "ocsp")) if folder else ()
            found = (_response(folder, name, path) for name in names if folder)
            return next((shown.content for shown in found if shown), None)

    @contextmanager
    def _opened(self) -> Iterator[Folder | None]:
        try:
            folder = self.location.open()
        except (OSError, ProviderError):
            yield None
            return
        with folder:
            yield folder


def _file(folder: Folder, name: str, kind: str) -> Shown | None:
    try:
        content, _ = folder.read(name, _LIMIT)
    except OSError:
        return None
    freshness = None
    if kind == "crl":
        with suppress(ValueError):
            since, until = x509.crl_dates(content)
            freshness = Freshness(since, until) if until else None
    return Shown(content, _TYPES[kind], freshness)


def _response(folder: Folder, tree: str, path: str) -> Shown | None:
    try:
        content = read_file(folder, tree, path)
    except OSError:
        return None
    freshness = None
    with suppress(ValueError):
        freshness = freshness_of(content)
    return Shown(content, _OCSP, freshness)
