"""Let's Encrypt's limits at a door before Pebble, by a clock that is not Pebble's.

Orders, proofs and finalizing are Pebble's. The certificates are forged and dated by the clock, since
Pebble knows none but the real one; a name that is not `proved` is never shown to Pebble, which takes all.
"""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from acme_door import Door
from acme_forge import Forge, Wanted
from acme_front import payload, problem
from token_buckets import Buckets
from wire import Request, Response

NOT_PROVED = {
    "type": "urn:ietf:params:acme:error:connection",
    "detail": "nobody answers there",
    "status": 400,
}


@dataclass
class Limits:
    """What one account may do at the door. `life` is how long a certificate for some names lives."""

    door: Door
    clock: Callable[[], datetime]
    forge: Forge
    life: Callable[[Collection[str]], timedelta]
    proves: Callable[[str, datetime], bool] = lambda _name, _now: True
    buckets: Buckets = field(default_factory=Buckets)
    asked: list[tuple[str, datetime]] = field(default_factory=list)
    """Every order that was taken, by its set of names."""
    sold: list[tuple[str, datetime]] = field(default_factory=list)
    _names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _challenges: dict[str, str] = field(default_factory=dict)
    _failed: set[str] = field(default_factory=set)

    def guard(self) -> None:
        """Let all that matters pass by here."""
        self.door.answers = {
            "newOrder": self._order,
            "authorization": self._authorization,
            "challenge": self._challenge,
            "finalize": self._finalize,
            "certificate": self._certificate,
        }

    def _order(self, request: Request) -> Response | None:
        names = tuple(sorted(each["value"] for each in payload(request)["identifiers"]))
        refusal = self.buckets.order(names, self.clock())
        if refusal is not None:
            seconds = "" if refusal.retry_after is None else f"{refusal.retry_after:.0f}"
            return problem(429, "rateLimited", refusal.why, Retry_After=seconds)
        answer = self.door.passed(request)
        if answer.status == 201:
            self._names[_last(answer.headers["Location"])] = names
            self.asked.append((" ".join(names), self.clock()))
        return answer

    def _authorization(self, request: Request) -> Response:
        answer = self.door.passed(request)
        if answer.status != 200:
            return answer
        said: dict[str, Any] = json.loads(answer.body)
        name = said["identifier"]["value"]
        for each in said["challenges"]:
            self._challenges[_last(each["url"])] = name
            if _last(each["url"]) in self._failed:
                each.update(status="invalid", error=NOT_PROVED)
                said["status"] = "invalid"
        return Response(200, json.dumps(said).encode(), answer.headers)

    def _challenge(self, request: Request) -> Response | None:
        """Look for a proof; what is not there is not asked of Pebble."""
        key = _last(request.path)
        name, now = self._challenges[key], self.clock()
        if self.proves(name, now):
            return None
        self._failed.add(key)
        self.buckets.fail(name, now)
        said = {"type": "http-01", "url": f"{self.door.wire.url}{request.path}"}
        return Response(200, json.dumps({**said, "status": "processing"}).encode())

    def _finalize(self, request: Request) -> Response:
        answer = self.door.passed(request)
        if answer.status == 200:
            names, now = self._names[_last(request.path)], self.clock()
            self.buckets.issue(names, now)
            self.sold.append((" ".join(names), now))
        return answer

    def _certificate(self, request: Request) -> Response:
        answer, csr = self.door.passed(request), self.door.requested[-1]
        wanted = Wanted(start=self.clock(), life=self.life(self.sold[-1][0].split()))
        return Response(answer.status, self.forge.sell(csr, wanted), answer.headers)


def _last(url: str) -> str:
    return url.rpartition("/")[2]
