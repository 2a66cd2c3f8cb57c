"""One address of GitHub, spoken to by PyGithub: the only module that imports it.

Its requester sends, waits and repeats. Its objects are not used: they ask again for what an answer lacks.
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import requests
from github.Auth import Token
from github.GithubException import GithubException
from github.GithubRetry import GithubRetry
from github.Requester import Requester
from requests.utils import parse_header_links
from urllib3.exceptions import HTTPError, MaxRetryError, ResponseError

from providers.secret import Secret
from reconciler.github.errors import ForgeError, ForgeUnsure
from reconciler.github.refusal import refused
from reconciler.render.escape import flowing

Read = TypeVar("Read")
TIMEOUT = 20
"""Seconds without a byte after which an answer is given up; GitHub itself gives up after ten."""
PATIENCE = 70.0
"""Seconds waited altogether, whatever is asked: one pause of a minute, as GitHub may want, and short ones."""
PER_PAGE = 100
_MOST_PAGES = 1_000
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LIMITED = frozenset({403, 429})
_REPEATED = [202, 429, *range(500, 600)]
"""Beside 403, of which GithubRetry looks what it means."""
_NOT_GITHUB = (KeyError, TypeError, AttributeError, ValueError, AssertionError, RuntimeError)
"""What an answer of somebody else ends in: PyGithub raises some of these, reading a page the others."""
_FAILURES = (ForgeError, GithubException, requests.RequestException, HTTPError, *_NOT_GITHUB)


@dataclass(slots=True)
class Patience:
    """Seconds that may still be waited."""

    left: float = PATIENCE

    def spend(self, seconds: float) -> bool:
        """Whether there is time for a pause, which is taken off if so."""
        if seconds > self.left:
            return False
        self.left -= seconds
        return True


class _Retry(GithubRetry):
    """Repeats what is worth it while patience lasts, and follows nobody anywhere.

    What makes something (POST) is repeated only where it certainly was not made: there was no connection,
    or a limit of requests. https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """

    def __init__(self, *, patience: Patience, **settings: Any) -> None:
        super().__init__(**settings)
        self._patience = patience

    @classmethod
    def within(cls, patience: Patience) -> Self:
        return cls(
            patience=patience,
            total=8,
            connect=3,
            other=0,  # a certificate that is not trusted will not be so in a second
            backoff_factor=0.5,
            backoff_max=16,
            backoff_jitter=0.5,
            status_forcelist=_REPEATED,
            allowed_methods={"GET", "PATCH"},
            raise_on_status=False,
        )

    def new(self, **kw: Any) -> Self:
        return super().new(patience=self._patience, **kw)

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        if status_code in _REDIRECTS:
            return True
        if method == "POST":
            return status_code in _LIMITED
        return super().is_retry(method, status_code, has_retry_after)

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: Any = None,  # the two classes above disagree about its type
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: TracebackType | None = None,
    ) -> Any:
        if response is not None and response.status in _REDIRECTS:
            response.close()
            raise GithubException(response.status, {"message": "the page has moved"})
        following = super().increment(method, url, response, error, _pool, _stacktrace)
        asked = self.get_retry_after(response) if response is not None else None
        if not self._patience.spend(asked or following.get_backoff_time()):
            raise MaxRetryError(_pool, url, error or ResponseError("patience is at its end"))
        return following


class Rest:
    """An address, and the token that goes there and nowhere else. A path is below the address.

    `read` turns an answer's JSON into what is wanted; it may raise KeyError and TypeError.
    """

    def __init__(self, address: str, token: Secret, patience: Patience) -> None:
        if _origin(address) is None:
            raise ForgeError(f"{flowing(address)} is no address of GitHub's API")
        logging.getLogger("github").handlers.clear()  # PyGithub's own, which writes to stderr
        self.address = address.rstrip("/")
        self._token = token
        self._requester = Requester(
            auth=Token(_text(token)),
            base_url=self.address,
            timeout=TIMEOUT,
            user_agent="certform",
            per_page=PER_PAGE,
            verify=True,
            retry=_Retry.within(patience),
            pool_size=None,
            seconds_between_writes=0,  # a run writes a handful of pages; GitHub's limits are obeyed
        )

    def get(self, path: str, read: Callable[[Any], Read], **parameters: str) -> Read:
        """Return one page's content."""
        with self._explained("GET", path):
            return read(self._ask("GET", path, parameters)[1])

    def each(
        self, path: str, read: Callable[[Any], Read], key: str = "", **parameters: str
    ) -> Iterator[Read]:
        """Yield what all pages list, page by page as far as it is asked; `key` is what holds the list."""
        url, asked = path, {**parameters, "per_page": str(PER_PAGE)}
        for _ in range(_MOST_PAGES):
            with self._explained("GET", path):
                headers, data = self._ask("GET", url, asked)
                rows = [read(each) for each in _list(data[key] if key else data)]
            yield from rows
            following = self._following(headers.get("link", ""))
            if not following:
                return
            url, asked = following, {}
        raise ForgeError(f"GitHub's list at {path} has no end")

    def send(
        self, verb: str, path: str, read: Callable[[Any], Read], data: Mapping[str, Any]
    ) -> Read:
        """Make (POST) or change (PATCH) something; raises `ForgeUnsure` where it may have been made."""
        with self._explained(verb, path):
            return read(self._ask(verb, path, {}, data)[1])

    def _ask(
        self, verb: str, url: str, parameters: dict[str, Any], data: Mapping[str, Any] | None = None
    ) -> tuple[Mapping[str, str], Any]:
        headers, answer = self._requester.requestJsonAndCheck(
            verb, url, parameters, {"Accept": "application/vnd.github+json"}, data
        )
        kind = headers.get("content-type", "nothing")
        if "json" not in kind:
            raise ForgeError(f"{self.address} answers with {flowing(kind)}: it is not GitHub's API")
        return headers, answer

    def _following(self, links: str) -> str:
        """Return the address of the next page; a page elsewhere would be handed the token."""
        found = [each["url"] for each in parse_header_links(links) if each.get("rel") == "next"]
        if found and not self._is_below(found[0]):
            raise ForgeError(f"the next page is not below {self.address}, and was not asked for")
        return found[0] if found else ""

    def _is_below(self, url: str) -> bool:
        same = _origin(url) == _origin(self.address)
        return same and urlsplit(url).path.startswith(f"{urlsplit(self.address).path}/")

    @contextmanager
    def _explained(self, verb: str, path: str) -> Iterator[None]:
        try:
            yield
        except _FAILURES as error:
            raise self._masked(self._told(error, verb, path)) from None

    def _told(self, error: Exception, verb: str, path: str) -> ForgeError:
        making = verb == "POST"
        if isinstance(error, ForgeError):
            return error
        if isinstance(error, GithubException):
            headers = {name.lower(): value for name, value in (error.headers or {}).items()}
            found = refused(error.status, error.data, headers, path)
            return ForgeUnsure(str(found)) if making and error.status >= 500 else found
        if isinstance(error, requests.RequestException | HTTPError):
            text = f"{self.address} cannot be reached: {_cause(error)}"
            return ForgeUnsure(text) if making and _was_sent(error) else ForgeError(text)
        return ForgeError(f"{self.address} answers in a way that GitHub does not ({path})")

    def _masked(self, error: ForgeError) -> ForgeError:
        """Return an error that is silent about the token, even if an answer quotes it."""
        text = str(error).replace(_text(self._token), "(secret)")
        return type(error)(text, detail=error.detail, hint=error.hint)


def _text(token: Secret) -> str:
    text = token.reveal().decode(errors="replace")
    if not re.fullmatch(r"[!-~]+", text):
        raise ForgeError("the input `token` is no token: it has spaces, line ends or other signs")
    return text


def _origin(url: str) -> tuple[str, str, int] | None:
    """Return who is spoken to at an address; None where it is no plain address of HTTP."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}[parts.scheme]
    except (ValueError, KeyError):
        return None
    if not parts.hostname or parts.username is not None:
        return None
    return parts.scheme, parts.hostname, port


def _list(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise TypeError("an answer without a list is none that says: nothing")
    return data


def _was_sent(error: Exception) -> bool:
    """Whether a request that failed may have arrived."""
    return not (error.args and isinstance(error.args[0], MaxRetryError))


def _cause(error: BaseException) -> str:
    """Return why a connection failed, without the layers that passed it on."""
    for inner in (getattr(error, "reason", None), *error.args[:1]):
        if isinstance(inner, BaseException):
            return _cause(inner)
    said = re.sub(r"^HTTPS?Connection(Pool)?\(.*?\): ", "", str(error))
    if "certificate verify failed" in said:
        said += "; if its authority is one of your own, let REQUESTS_CA_BUNDLE name a file with it"
    return flowing(said or type(error).__name__)
