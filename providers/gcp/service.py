"""The connection to Certificate Manager over REST: no background threads, and retries by `Calls` alone.

https://cloud.google.com/certificate-manager/docs/reference/certificate-manager/rest
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from google.api_core.client_options import ClientOptions
from google.cloud import certificate_manager_v1 as api
from google.cloud.certificate_manager_v1.services.certificate_manager.transports import (
    CertificateManagerRestTransport,
)

from providers.calls import Calls
from providers.errors import Ambiguous, NotFound, Unreachable
from providers.gcp.credentials import credentials
from providers.gcp.errors import NOT_GOOGLE, explain_operation
from providers.gcp.naming import tail
from schemas.clouds import GcpCertificateManager

Result = TypeVar("Result")
PAGE = 1000
_TIMEOUT = 30.0
"""Seconds for one request: to connect, and between two reads."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
"""Seconds between two looks at an operation; each is half as long again as the one before."""


@dataclass(frozen=True, slots=True)
class Service:
    """One location of one project; `parent` is its resource name."""

    client: api.CertificateManagerClient
    calls: Calls
    parent: str

    def read(self, method: Callable[..., Any], name: str) -> Any:
        """Return a resource by its full name; who answers with anything else is not Google."""

        def ask() -> Any:
            found = method(request={"name": name}, retry=None, timeout=_TIMEOUT)
            if tail(found.name) != tail(name):
                raise Ambiguous(NOT_GOOGLE)
            return found

        return self.calls.read(ask)

    def find(self, method: Callable[..., Any], name: str) -> Any | None:
        """Return a resource by its full name, None when it is certainly not there."""
        try:
            return self.read(method, name)
        except NotFound:
            return None

    def every(self, method: Callable[..., Any], request: Any, field: str) -> Iterator[Any]:
        """Yield what is on every page; raises `Unreachable` where a location was left out."""
        request.page_size = PAGE
        while True:
            page = self._page(method, request, field)
            yield from getattr(page, field)
            if not page.next_page_token:
                return
            if page.next_page_token == request.page_token:
                raise Unreachable(NOT_GOOGLE)  # the same page again, for ever
            request.page_token = page.next_page_token

    def _page(self, method: Callable[..., Any], request: Any, field: str) -> Any:
        page = self.calls.read(lambda: method(request=request, retry=None, timeout=_TIMEOUT))
        if page.unreachable:
            raise Unreachable(
                f"Certificate Manager cannot reach {', '.join(page.unreachable)} just now:"
                " what is there is not known; plan again later"
            )
        within = f"{tail(request.parent)}/"
        if not all(tail(each.name).startswith(within) for each in getattr(page, field)):
            raise Ambiguous(NOT_GOOGLE)
        if not getattr(page, field) and not page.next_page_token:
            self._prove()
        return page

    def _prove(self) -> None:
        """Raise `Ambiguous` unless Google is at the other end: to an empty page `{}` is the whole answer.

        So is it for many a proxy, which does not know how Google says that something is not there.
        """
        self.find(self.client.get_certificate, f"{self.parent}/certificates/certform")

    def change(self, method: Callable[..., Any], request: Any, *, secretly: bool = False) -> None:
        """Change something and wait until it is done; a request that holds a key goes `secretly`."""
        make = self.calls.change_secretly if secretly else self.calls.change
        self._await(make(lambda: method(request=request, retry=None, timeout=_TIMEOUT)).operation)

    def settle(
        self, change: Callable[[], None], look: Callable[[], Result | None], what: str
    ) -> Result:
        """Change something, then return what is seen of it; None of it is `Ambiguous`, not a failure.

        What may or may not have happened is looked for in the same way, and never done again.
        """
        try:
            change()
        except Ambiguous:
            found = look()
            if found is None:
                raise
            return found
        found = look()
        if found is None:
            raise Ambiguous(f"{what} does not show yet what was changed; plan again")
        return found

    def pauses(self) -> Iterator[bool]:
        """Pause ever longer, and yield True after each, until the patience of `Calls` is used up."""
        pause, waited = _FIRST_PAUSE, 0.0
        while waited < self.calls.patience:
            self.calls.sleep(pause)
            yield True
            waited += pause
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _await(self, operation: Any) -> None:
        """Wait for a long-running operation (AIP-151); raises what it ended in, or `Ambiguous`."""
        name, pauses = operation.name, self.pauses()
        if not name:
            raise Ambiguous(NOT_GOOGLE)
        while not operation.done:
            if not next(pauses, False):
                raise Ambiguous(
                    f"{name} is still under way after {self.calls.patience:.0f} seconds"
                )
            operation = self.read(self.client.get_operation, name)
        if operation.HasField("error"):
            raise explain_operation(operation.error.code, operation.error.message)


def connect(settings: GcpCertificateManager, calls: Calls) -> Service:
    """Return the service of the one location that a target means; raises `Denied` without credentials."""
    (location,) = settings.locations
    parent = f"projects/{settings.project}/locations/{location}"
    return Service(calls.read(lambda: _client(settings.endpoint)), calls, parent)


def _client(endpoint: str | None) -> api.CertificateManagerClient:
    return api.CertificateManagerClient(
        credentials=credentials(),
        transport=_Unredirected,
        client_options=ClientOptions(api_endpoint=endpoint) if endpoint else None,
    )


class _Unredirected(CertificateManagerRestTransport):
    """REST that goes nowhere else: Google never redirects, and 307 would carry a key along."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._session.max_redirects = 0
