"""A line to a real OpenBao that can be cut, and on which its answers can be changed."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener
from urllib.request import Request as Asked

from bao import Bao
from wire import Request, Response, Wire

Change = Callable[[dict[str, Any], dict[str, Any]], object]


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
