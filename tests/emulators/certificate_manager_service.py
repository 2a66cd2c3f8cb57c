"""Certificate Manager v1 as a function from request to response: list, get, create, patch, delete."""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from certificate_manager_errors import Refusal, invalid, missing, precondition
from certificate_manager_kinds import Kind, kind_of_operation, permission_of
from certificate_manager_operations import Operations
from certificate_manager_routes import Route, route_of
from certificate_manager_rules import Rules, etag_of
from certificate_manager_tokens import Tokens
from google.cloud import certificate_manager_v1 as api
from wire import Request, Response


@dataclass(slots=True)
class Quota:
    """At most so many requests in any 60 seconds; None for any number."""

    per_minute: int | None = None
    clock: Callable[[], float] = time.monotonic
    _at: deque[float] = field(default_factory=deque)

    def take(self) -> None:
        if self.per_minute is None:
            return
        now = self.clock()
        while self._at and self._at[0] <= now - 60:
            self._at.popleft()
        if len(self._at) >= self.per_minute:
            wait = max(1, round(self._at[0] + 60 - now + 0.5))
            message = "Quota exceeded for quota metric 'API requests' and limit 'per minute'"
            raise Refusal("RESOURCE_EXHAUSTED", message, {"Retry-After": str(wait)})
        self._at.append(now)


@dataclass(slots=True)
class Service:
    """`denied` holds permissions that the account lacks, `unreachable` locations that lists leave out.

    `page_cap` is the largest page that is given, whatever was asked for. `numbers` maps projects, by
    their ids, to the numbers that references are told by; a request may name a project in both ways.
    """

    tokens: Tokens = field(default_factory=Tokens)
    rules: Rules = field(default_factory=Rules)
    operations: Operations = field(default_factory=Operations)
    quota: Quota = field(default_factory=Quota)
    denied: set[str] = field(default_factory=set)
    unreachable: list[str] = field(default_factory=list)
    page_cap: int = 1000
    numbers: dict[str, int] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __call__(self, request: Request) -> Response:
        if request.path == "/token":
            return self.tokens.issue(request)
        with self._lock:
            try:
                return self._answer(self._by_id(request))
            except Refusal as refusal:
                return refusal.response

    def _answer(self, request: Request) -> Response:
        route = route_of(request)
        if route is None:
            raise Refusal("NOT_FOUND", "Method not found.")
        self.tokens.check(request)
        self.quota.take()
        self._permit(permission_of(route.verb, route.operation), request.path)
        if route.operation == "GetOperation":
            return self.operations.poll(request.path.removeprefix("/v1/"))
        if route.operation.endswith(("Operation", "Operations", "Location", "Locations")):
            return self.operations.listed()
        return self._resource(route, _read(route, request))

    def _resource(self, route: Route, message: Any) -> Response:
        kind = kind_of_operation(route.operation)
        match route.verb:
            case "List":
                return self._list(route, kind, message)
            case "Get":
                return _json(self._shown(message.name))
            case "Create":
                return self._create(route, kind, message)
            case "Update":
                return self._update(route, kind, message)
        return self._delete(route, message)

    def _by_id(self, request: Request) -> Request:
        target, body = request.target, request.body
        for project, number in self.numbers.items():
            target = target.replace(f"projects/{number}/", f"projects/{project}/")
            body = body.replace(f"projects/{number}/".encode(), f"projects/{project}/".encode())
        return replace(request, target=target, body=body)

    def _told(self, names: Iterable[str]) -> list[str]:
        """Return references as they are shown."""
        split = (name.split("/", 2) for name in names)
        return [
            "/".join((head, str(self.numbers.get(id_, id_)), rest)) for head, id_, rest in split
        ]

    def _permit(self, permission: str, path: str) -> None:
        if permission in self.denied:
            resource = f"//certificatemanager.googleapis.com{path.removeprefix('/v1')}"
            text = (
                f"Permission '{permission}' denied on resource '{resource}' (or it may not exist)."
            )
            raise Refusal("PERMISSION_DENIED", text)

    def _list(self, route: Route, kind: Kind, message: Any) -> Response:
        prefix = f"{message.parent}/{kind.collection}/"
        if (
            "/" in message.parent.split("/locations/")[1]
            and message.parent not in self.rules.resources
        ):
            raise missing(message.parent)
        names = sorted(name for name in self.rules.resources if name.startswith(prefix))
        start = int(message.page_token or 0)
        end = start + min(message.page_size or 100, self.page_cap)
        users = self.rules.users()
        answer = getattr(api, f"{route.operation}Response")(
            next_page_token=str(end) if end < len(names) else "",
            unreachable=self.unreachable,
            **{kind.many: [self._shown(name, users) for name in names[start:end]]},
        )
        return _json(answer)

    def _create(self, route: Route, kind: Kind, message: Any) -> Response:
        resource = getattr(message, kind.field)
        name = f"{message.parent}/{kind.collection}/{getattr(message, f'{kind.field}_id')}"
        if name in self.rules.resources or self.operations.under_way(name):
            raise Refusal("ALREADY_EXISTS", f"Resource '{name}' already exists")
        self._permit_use(resource, name)
        self.rules.check_created(name, resource)
        resource.name = name
        resource.create_time = resource.update_time = datetime.now(UTC)
        return self.operations.start(route.operation, route.verb, name, lambda: self._put(resource))

    def _update(self, route: Route, kind: Kind, message: Any) -> Response:
        given = getattr(message, kind.field)
        old, paths = self._existing(given.name), list(message.update_mask.paths)
        if not paths:
            raise invalid("update_mask must be given.")
        if fixed := [path for path in paths if path not in kind.changeable]:
            raise invalid(f"Field {fixed[0]} is immutable.")
        self._permit_use(given, given.name)
        new = kind.message(old)
        for path in paths:
            setattr(new, path, getattr(given, path))
        if kind.message is api.TrustConfig:
            new.etag = given.etag
        self.rules.check_updated(old, new, paths)
        new.update_time = datetime.now(UTC)
        return self.operations.start(
            route.operation, route.verb, given.name, lambda: self._put(new)
        )

    def _delete(self, route: Route, message: Any) -> Response:
        self._existing(message.name)
        self.rules.check_deleted(message.name, getattr(message, "etag", ""))

        def apply() -> None:
            del self.rules.resources[message.name]

        return self.operations.start(route.operation, route.verb, message.name, apply)

    def _permit_use(self, resource: Any, path: str) -> None:
        if isinstance(resource, api.CertificateMapEntry):
            self._permit("certificatemanager.certs.use", f"/{path}")
        if isinstance(resource, api.Certificate) and resource.managed.dns_authorizations:
            self._permit("certificatemanager.dnsauthorizations.use", f"/{path}")

    def _existing(self, name: str) -> Any:
        self._shown(name)
        if self.operations.under_way(name):
            raise precondition(f"An operation on {name} is under way")
        return self.rules.resources[name]

    def _put(self, resource: Any) -> Any:
        self.rules.resources[resource.name] = resource
        return type(resource).pb(self._shown(resource.name))

    def _shown(self, name: str, users: dict[str, list[str]] | None = None) -> Any:
        if name not in self.rules.resources:
            raise missing(name)
        resource = self.rules.resources[name]
        shown = type(resource)(resource)
        if isinstance(shown, api.TrustConfig):
            shown.etag = etag_of(resource)
        if isinstance(shown, api.Certificate):
            known = self.rules.users() if users is None else users
            told = self._told(known.get(name, []))
            shown.used_by = [api.Certificate.UsedBy(name=user) for user in told]
        if isinstance(shown, api.CertificateMapEntry):
            shown.certificates = self._told(shown.certificates)
        return shown


def _read(route: Route, request: Request) -> Any:
    try:
        return route.read(request)
    except (ValueError, json.JSONDecodeError):
        raise invalid("Invalid JSON payload received.") from None


def _json(message: Any) -> Response:
    text = type(message).to_json(message, use_integers_for_enums=True, indent=None)
    return Response(200, text.encode(), {"Content-Type": "application/json"})
