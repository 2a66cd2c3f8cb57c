"""A line to a real OpenBao that can be cut, and on which its answers can be changed."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener
from urllib.request import Request as Asked

from bao import Bao
from wire import Request, Response, Wire

INDEX = "X-Vault-Index"
Change = Callable[[dict[str, Any], dict[str, Any]], object]


@dataclass
class Cluster:
    """Two nodes on one address: one of them is read, and lags behind; it says so where it is told of more."""

    line: "Line"
    written: int = 0
    seen: int = 0
    lagged: int = 0

    def forward(self, request: Request) -> Response:
        """Pass writes to the one, and reads to the other."""
        known = int(request.headers.get(INDEX.lower(), "0"))
        bare = {n: v for n, v in request.headers.items() if n != INDEX.lower()}
        request = replace(request, headers=bare)
        if request.method == "POST":
            answer = self.line.forward(request)
            self.written += 1
            return replace(answer, headers={**answer.headers, INDEX: str(self.written)})
        if self.seen >= self.written:
            return self.line.forward(request)
        if known <= self.seen:
            return Response(404, b'{"errors":[]}')
        self.seen, self.lagged = self.written, self.lagged + 1
        return Response(412, b'{"errors":["required index state not present"]}')


@dataclass
class Line:
    """What stands before a server; `changes` are made to what an operation tells (`data`)."""

    bao: Bao
    changes: dict[str, Change] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def to(cls, bao: Bao) -> Iterator[tuple["Line", Wire]]:
        """Serve on a port of its own until the end of the context."""
        line = cls(bao)
        with Wire(line.forward, operation).running() as wire:
            yield line, wire

    def forward(self, request: Request) -> Response:
        """Pass a request on, and its answer back."""
        body = request.body or None
        kept = {n: v for n, v in request.headers.items() if n.startswith("x-vault")}
        asked = Asked(f"{self.bao.url}{request.target}", body, kept, method=request.method)
        try:
            with build_opener(ProxyHandler({})).open(asked, timeout=30) as answer:
                told, status = answer.read(), answer.status
        except HTTPError as why:
            with why:
                return Response(why.code, why.read(), {"Content-Type": "application/json"})
        change = self.changes.get(operation(request))
        if change:
            parsed = json.loads(told)
            change(parsed["data"], json.loads(request.body or b"{}"))
            told = json.dumps(parsed).encode()
        return Response(status, told, {"Content-Type": "application/json"})


def operation(request: Request) -> str:
    """What a request asks for: `sign`, `cert`, `crl`, `json`, `login`, `revoke` and so on."""
    parts = request.path.strip("/").split("/")
    named = {"sign": -2, "cert": -2}
    return next((name for name, at in named.items() if parts[at:][:1] == [name]), parts[-1])
