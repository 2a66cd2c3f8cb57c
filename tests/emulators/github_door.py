"""The emulated GitHub's door: who is let in, whether a request is as described, and how an answer is sent."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from github_bare import Bare
from github_description import Operation, description
from github_service import SERVE, Ask, Listing, Refusal
from github_state import State
from github_tokens import NEEDS, Token, Tokens
from wire import Request, Response

GRAPHQL = "graphql"
UNKNOWN = "unknown"
DOCS = "https://docs.github.com/rest"
FORBIDDEN = "Resource not accessible by integration"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it was answered; `operation` is GitHub's id of it."""

    operation: str
    method: str
    target: str
    status: int
    login: str
    body: Any = field(repr=False)


@dataclass(slots=True)
class Door:
    """Answers what comes below `rest`, and GraphQL.

    `violations` is what GitHub does not describe, or does not serve; `asked` is all that came.
    """

    state: State
    bare: Bare
    tokens: Tokens = field(default_factory=Tokens)
    rest: str = ""
    graphql: str = "/graphql"
    url: str = ""
    violations: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def operation(self, request: Request) -> str:
        """Return GitHub's id of what is asked."""
        if request.path == self.graphql:
            return GRAPHQL
        found = description().find(request.method, request.path.removeprefix(self.rest))
        return found[0].id if found and request.path.startswith(f"{self.rest}/") else UNKNOWN

    def serve(self, request: Request) -> Response:
        """Answer a request."""
        body = json.loads(request.body) if request.body else None
        token = self.tokens.of(request.headers.get("authorization", ""))
        try:
            answered = self._answered(request, token, body)
        except Refusal as refusal:
            answered = _response(refusal.status, _told(refusal), self._headers(request))
        login = token.login if token else ""
        name = self.operation(request)
        self.asked.append(Asked(name, request.method, request.target, answered.status, login, body))
        return answered

    def _headers(self, request: Request) -> dict[str, str]:
        needed = NEEDS.get(self.operation(request))
        limits = {"x-ratelimit-limit": "1000", "x-ratelimit-remaining": "999"}
        return {**limits, **({"x-accepted-github-permissions": needed} if needed else {})}

    def _answered(self, request: Request, token: Token | None, body: Any) -> Response:
        if token is None:
            known = "authorization" in request.headers
            raise Refusal(401, "Bad credentials" if known else "Requires authentication")
        if request.path == self.graphql:
            return self._viewer(token, body)
        path = request.path.removeprefix(self.rest)
        found = description().find(request.method, path)
        if found is None or not request.path.startswith(f"{self.rest}/"):
            self.violations.append(f"{request.method} {request.target} is not served here")
            raise Refusal(404, "Not Found")
        operation, named = found
        self._let_in(operation, named, token)
        wrong = list(description().complaints(operation, request.query, body))
        if wrong:
            self.violations.extend(f"{operation.id}: {each}" for each in wrong)
            raise Refusal(422, f"Invalid request.\n\n{'; '.join(wrong)}")
        ask = Ask(self.state, self.bare, token, named, request.query, body or {})
        status, serve = SERVE[operation.id]
        answer = serve(ask)
        headers = self._headers(request)
        if isinstance(answer, Listing):
            answer, link = self._page(answer, request)
            headers |= {"Link": link} if link else {}
        return _response(status, description().completed(operation, status, answer), headers)

    def _let_in(self, operation: Operation, named: Mapping[str, str], token: Token) -> None:
        here = f"{named['owner']}/{named['repo']}".lower() == self.state.name.lower()
        if not here or not token.known:
            raise Refusal(404, "Not Found")
        needed = NEEDS[operation.id]
        if (
            named.get("issue_number", "").isdecimal()
            and int(named["issue_number"]) in self.state.issues
        ):
            needed = needed.partition(";")[0]  # of an issue, rights on pull requests are none
        if not token.may(needed, public=not self.state.private):
            raise Refusal(403, FORBIDDEN)

    def _page(self, listing: Listing, request: Request) -> tuple[Any, str]:
        """Return one page of a list, and the Link header that names the others."""
        size = min(100, int(request.query.get("per_page", "30")))
        page = int(request.query.get("page", "1"))
        last = max(1, -(-len(listing.items) // size))
        shown = listing.show(listing.items[(page - 1) * size : page * size])
        links = {"prev": page - 1, "next": page + 1, "first": 1, "last": last}
        told = [
            f'<{self.url}{request.path}?{urlencode({**request.query, "page": number})}>; rel="{name}"'
            for name, number in links.items()
            if 1 <= number <= last and (name in ("prev", "next") or number != page) and last > 1
        ]
        key = listing.key
        return {"total_count": len(listing.items), key: shown} if key else shown, ", ".join(told)

    def _viewer(self, token: Token, body: Any) -> Response:
        """The one query that is asked; https://docs.github.com/graphql/reference/queries."""
        words = (
            "".join((body or {}).get("query", "")).replace("{", " { ").replace("}", " } ").split()
        )
        if words != ["query", "{", "viewer", "{", "login", "}", "}"]:
            self.violations.append(f"GraphQL: {' '.join(words)}")
            return _response(200, {"errors": [{"message": "not served here"}]}, {})
        if not token.known:
            error = {"type": "FORBIDDEN", "path": ["viewer"], "message": FORBIDDEN}
            return _response(200, {"data": {"viewer": None}, "errors": [error]}, {})
        return _response(200, {"data": {"viewer": {"login": token.login}}}, {})


def _told(refusal: Refusal) -> Mapping[str, Any]:
    told = {"message": str(refusal), "documentation_url": DOCS, "status": str(refusal.status)}
    return {**told, **({"errors": list(refusal.errors)} if refusal.errors else {})}


def _response(status: int, data: Any, headers: Mapping[str, str]) -> Response:
    told = {"Content-Type": "application/json; charset=utf-8", **headers}
    return Response(status, json.dumps(data).encode(), told)
