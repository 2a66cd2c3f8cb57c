"""The connection to Certificate Manager over REST: no background threads, and retries by `Calls` alone.

https://cloud.google.com/certificate-manager/docs/reference/certificate-manager/rest
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from os import environ
from typing import Any, TypeVar

import google.auth
from google.api_core.client_options import ClientOptions
from google.cloud import certificate_manager_v1 as api

from providers.calls import Calls
from providers.errors import Ambiguous, NotFound, Unreachable
from providers.gcp.errors import explain_operation
from schemas.clouds import GcpCertificateManager

Result = TypeVar("Result")
PAGE = 1000
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
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

    def read(self, method: Callable[..., Any], request: Any) -> Any:
        """Make a call that changes nothing."""
        return self.calls.read(lambda: method(request=request, retry=None, timeout=_TIMEOUT))

    def find(self, method: Callable[..., Any], name: str) -> Any | None:
        """Return a resource by its full name, None when it is certainly not there."""
        try:
            return self.read(method, {"name": name})
        except NotFound:
            return None

    def every(self, method: Callable[..., Any], request: Any, field: str) -> Iterator[Any]:
        """Yield what is on every page; raises `Unreachable` where a location was left out."""
        request.page_size = PAGE
        while True:
            page = self.read(method, request)
            if page.unreachable:
                raise Unreachable(
                    f"Certificate Manager cannot reach {', '.join(page.unreachable)} just now:"
                    " what is there is not known; plan again later"
                )
            yield from getattr(page, field)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

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
        while not operation.done:
            if not next(pauses, False):
                raise Ambiguous(
                    f"{name} is still under way after {self.calls.patience:.0f} seconds"
                )
            operation = self.read(self.client.get_operation, {"name": name})
        if operation.HasField("error"):
            raise explain_operation(operation.error.code, operation.error.message)


def connect(settings: GcpCertificateManager, calls: Calls) -> Service:
    """Return the service of the one location that a target means; raises `Denied` without credentials."""
    (location,) = settings.locations
    parent = f"projects/{settings.project}/locations/{location}"
    return Service(calls.read(lambda: _client(settings.endpoint)), calls, parent)


def _client(endpoint: str | None) -> api.CertificateManagerClient:
    credentials = _credentials(environ.get("GOOGLE_APPLICATION_CREDENTIALS"))
    return api.CertificateManagerClient(
        credentials=credentials,
        transport="rest",
        client_options=ClientOptions(api_endpoint=endpoint) if endpoint else None,
    )


@cache
def _credentials(_file: str | None) -> Any:
    """Return the application default credentials; one token serves all the targets of a process."""
    credentials, _ = google.auth.default(scopes=[_SCOPE])
    return credentials
