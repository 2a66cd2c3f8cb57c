"""Whom we are to Google: the application default credentials, found once per process."""

from functools import cache
from os import environ
from typing import Any

import google.auth

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def credentials() -> Any:
    """Return the application default credentials; raises what finding them raises."""
    return _found(environ.get("GOOGLE_APPLICATION_CREDENTIALS"))


@cache
def _found(_file: str | None) -> Any:
    """One token serves all that a process does; a test's process has several files of credentials."""
    found, _ = google.auth.default(scopes=[_SCOPE])
    return found
