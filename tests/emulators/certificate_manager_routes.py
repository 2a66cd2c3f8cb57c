"""The REST routes of Certificate Manager v1, told from the client's own transcoding rules."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.cloud import certificate_manager_v1 as api
from google.cloud.certificate_manager_v1.services.certificate_manager.transports import rest_base
from wire import Request

_BASE = rest_base._BaseCertificateManagerRestTransport
_VARIABLE = re.compile(r"\{([a-z_.]+)=([^}]*)\}")
_VERB = re.compile("List|Get|Create|Update|Delete|Cancel")


@dataclass(frozen=True, slots=True)
class Route:
    """One method; `operation` is its name, `verb` the first word of that."""

    operation: str
    verb: str
    method: str
    path: re.Pattern[str]
    variables: tuple[str, ...]
    body: str | None

    def read(self, request: Request) -> Any:
        """Return the request message; what it does not know it refuses with ValueError."""
        found = self.path.fullmatch(request.path)
        assert found is not None
        fields: dict[str, Any] = {k: v for k, v in request.query.items() if k != "$alt"}
        if self.body is not None:
            fields[self.body] = json.loads(request.body or b"{}")
        for variable, value in zip(self.variables, found.groups(), strict=True):
            *parents, last = variable.split(".")
            inner = fields
            for parent in parents:
                inner = inner.setdefault(parent, {})
            inner[last] = value
        return getattr(api, f"{self.operation}Request").from_json(json.dumps(fields))


def route_of(request: Request) -> Route | None:
    """Return what a request asks for, None for what the service does not have."""
    for route in _routes():
        if route.method == request.method and route.path.fullmatch(request.path):
            return route
    return None


@cache
def _routes() -> tuple[Route, ...]:
    return tuple(_every())


def _every() -> Iterator[Route]:
    for name, base in vars(_BASE).items():
        if not name.startswith("_Base") or not _VERB.match(name.removeprefix("_Base")):
            continue
        operation = name.removeprefix("_Base")
        for option in base._get_http_options():
            yield _route(operation, option)


def _route(operation: str, option: dict[str, str]) -> Route:
    verb = _VERB.match(operation)
    assert verb is not None
    template = option["uri"]
    variables = tuple(found.group(1) for found in _VARIABLE.finditer(template))
    pattern = _VARIABLE.sub(lambda found: f"({found.group(2).replace('*', '[^/]+')})", template)
    method = option["method"].upper()
    return Route(operation, verb[0], method, re.compile(pattern), variables, option.get("body"))
