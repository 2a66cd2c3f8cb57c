"""A door before Pebble with a TLS key of its own: what passes it is Pebble's, but for what a test asks.

A change is made of what one kind of request is answered with (`tell`), or a request is answered in
Pebble's place (`answer`), which never hears of it. Certificates of the door's own making are handed out in
place of Pebble's (`sell`), for the key of the signing request that Pebble got.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

from acme_front import Answered, Front, payload, purpose
from cryptography import x509
from josepy.json_util import decode_b64jose
from name_server_ports import HOST
from pebble import Pebble
from wire import Request, Response, Tls, Wire

Told = Callable[[Any], Any]
"""Changes the JSON of an answer."""
Sold = Callable[[x509.CertificateSigningRequest, bytes], bytes]
"""Makes PEM for a signing request; the second argument is what the CA would have sent."""
_OWN = frozenset({"connection", "accept-encoding", "content-length"})


@dataclass
class Door(Front):
    """A door that is open. `changes` and `answers` are by what is asked for, such as `newOrder`."""

    tls: Tls = field(kw_only=True)
    changes: dict[str, Callable[[Response], Response]] = field(default_factory=dict)
    answers: dict[str, Answered] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    """How often Pebble did what it was asked for."""
    requested: list[x509.CertificateSigningRequest] = field(default_factory=list)
    """The signing requests that came through, in order."""
    _lines: threading.local = field(default_factory=threading.local)
    _open: list[HTTPSConnection] = field(default_factory=list)

    @classmethod
    @contextmanager
    def before(cls, ca: Pebble, folder: Path) -> Iterator["Door"]:
        """Open a door until the end of the context; its key is made in `folder`."""
        door = cls(ca, tls=Tls.made(folder))
        door.instead = door._instead
        door.wire = Wire(door._serve, purpose, door.tls)
        try:
            with door.wire.running():
                yield door
        finally:
            for line in door._open:
                line.close()

    @property
    def anchors(self) -> bytes:
        return self.tls.authority.read_bytes()

    def heal(self) -> None:
        """Let all pass as it comes from now on."""
        self.changes.clear()
        self.answers.clear()
        self.wire.heal()

    def change(self, what: str, **headers: str) -> None:
        """Have answers carry other headers; `_` stands for a hyphen."""
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        self.changes[what] = lambda answer: replace(answer, headers=_with(answer.headers, said))

    def tell(self, what: str, told: Told) -> None:
        """Have the JSON of answers changed."""

        def changed(answer: Response) -> Response:
            if not 200 <= answer.status < 300:
                return answer
            return replace(answer, body=json.dumps(told(json.loads(answer.body))).encode())

        self.changes[what] = changed

    def answer(self, what: str, response: Response) -> None:
        """Answer in the CA's place."""
        self.answers[what] = lambda _: response

    def sell(self, made: Sold) -> None:
        """Hand out other certificates."""
        self.changes["certificate"] = lambda answer: replace(
            answer, body=made(self.requested[-1], answer.body)
        )

    def _instead(self, request: Request) -> Response | None:
        what = purpose(request)
        if what == "finalize":
            csr = decode_b64jose(payload(request)["csr"])
            self.requested.append(x509.load_der_x509_csr(csr))
        answered = self.answers[what](request) if what in self.answers else None
        if answered is None and what in self.changes:
            return self.changes[what](self.passed(request))
        return answered

    def passed(self, request: Request) -> Response:
        """Ask the CA, and return its answer; one line to it is kept for each that is kept to us."""
        line = self._line()
        kept = {name: value for name, value in request.headers.items() if name not in _OWN}
        line.request(request.method, request.target, request.body or None, kept)
        answer = line.getresponse()
        self.done[purpose(request)] += answer.status < 300
        return Response(answer.status, answer.read(), dict(answer.headers.items()))

    def _line(self) -> HTTPSConnection:
        if not hasattr(self._lines, "line"):
            context = self.ca.tls.client()
            self._lines.line = HTTPSConnection(HOST, self.ca.port, timeout=30, context=context)
            self._open.append(self._lines.line)
        line: HTTPSConnection = self._lines.line
        return line


def _with(headers: Mapping[str, str], said: Mapping[str, str]) -> dict[str, str]:
    """Return headers with others in their place, whatever their case."""
    other = {name.lower() for name in said}
    return {**{n: v for n, v in headers.items() if n.lower() not in other}, **said}
