"""Route 53 on loopback: moto holds the zones and lists them, and changes are judged here as Route 53 does.

moto creates what is there already, deletes what is not there as it was, lets TXT records stand beside
a CNAME, and has every change in sync at once. `slow` is how often a new change is still pending.
https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
"""

import itertools
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

from aws_errors import Refusal
from moto.route53.models import route53_backends
from wire import Request, Response

_NS = "{https://route53.amazonaws.com/doc/2013-04-01/}"
_PATH = re.compile(r"/2013-04-01/(hostedzone|change)/?([A-Z0-9]*)(/rrset)?/?")
_NAMES = {
    ("GET", "hostedzone", False): "ListHostedZones",
    ("GET", "hostedzone", True): "ListResourceRecordSets",
    ("POST", "hostedzone", True): "ChangeResourceRecordSets",
    ("GET", "change", False): "GetChange",
}
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(?:\s+|$)')
_INFO = "<Id>{}</Id><Status>{}</Status><SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt>"


@dataclass(frozen=True, slots=True)
class Set:
    """One record set of a change."""

    name: str
    type: str
    ttl: int
    values: tuple[str, ...]

    @property
    def named(self) -> str:
        return f"[name='{self.name}', type='{self.type}']"


@dataclass
class Route53:
    """The service. `elsewhere` answers what is not judged here; `pending` are changes not yet in sync."""

    elsewhere: Callable[[Request], Response]
    account: Callable[[Request], str]
    slow: int = 0
    pending: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __call__(self, request: Request) -> Response:
        with self._lock:
            match operation(request):
                case "ChangeResourceRecordSets":
                    return self._change(request)
                case "GetChange":
                    return self._told(request.path.rpartition("/")[2])
            return self.elsewhere(request)

    def zone(self, request: Request, id_: str) -> Any:
        """Return moto's zone."""
        zones = route53_backends[self.account(request)]["aws"].zones
        if id_ not in zones:
            raise Refusal("NoSuchHostedZone", f"No hosted zone found with ID: {id_}", 404)
        return zones[id_]

    def _change(self, request: Request) -> Response:
        match = _PATH.fullmatch(request.path)
        assert match is not None
        zone = self.zone(request, match[2])
        held = {(each.name.lower(), each.type): _held(each) for each in zone.rrsets}
        problems = [*_apply(held, _changes(request.body), zone.name.lower())]
        if problems:
            raise Refusal("InvalidChangeBatch", f"[{', '.join(problems)}]")
        kept = [each for each in zone.rrsets if held.get(_key(each)) == _held(each)]
        kept_keys = {_key(each) for each in kept}
        zone.rrsets = kept
        for key in held.keys() - kept_keys:
            zone.add_rrset(_shown(held[key]))
        change = f"C{next(self._numbers):021d}"
        self.pending[change] = self.slow
        return _answer(
            "ChangeResourceRecordSetsResponse", _INFO.format(f"/change/{change}", "PENDING")
        )

    def _told(self, change: str) -> Response:
        if change not in self.pending:
            raise Refusal("NoSuchChange", f"A change with the ID {change} does not exist.", 404)
        status = "PENDING" if self.pending[change] else "INSYNC"
        self.pending[change] = max(0, self.pending[change] - 1)
        return _answer("GetChangeResponse", _INFO.format(f"/change/{change}", status))


def operation(request: Request) -> str:
    """Return what a request of Route 53 asks for, its method for what only a test's set-up asks."""
    match = _PATH.fullmatch(request.path)
    if match is None or (match[1] == "hostedzone" and bool(match[2]) != bool(match[3])):
        return request.method
    return _NAMES.get((request.method, match[1], bool(match[3])), request.method)


def _changes(body: bytes) -> Iterator[tuple[str, Set]]:
    for each in ET.fromstring(body).iter(f"{_NS}Change"):
        found = each.find(f"{_NS}ResourceRecordSet")
        assert found is not None
        texts = {child.tag.removeprefix(_NS): child.text or "" for child in found}
        name = texts["Name"].lower().removesuffix(".") + "."
        values = tuple(value.text or "" for value in found.iter(f"{_NS}Value"))
        yield each.findtext(f"{_NS}Action", ""), Set(name, texts["Type"], int(texts["TTL"]), values)


def _apply(
    held: dict[tuple[str, str], Set], changes: Iterable[tuple[str, Set]], zone: str
) -> Iterator[str]:
    """Make the changes one after the other, and yield what is wrong with them."""
    for action, new in changes:
        key, there = (new.name, new.type), held.get((new.name, new.type))
        if problem := _problem(action, new, there, zone):
            yield problem
        elif action == "DELETE":
            del held[key]
        else:
            held[key] = new
    for name, type_ in held:
        if type_ != "CNAME" and (name, "CNAME") in held:
            yield (
                f"RRSet of type {type_} with DNS name {name} is not permitted because a conflicting RRSet of"
                f" type CNAME with the same DNS name already exists in zone {zone}"
            )


def _problem(action: str, new: Set, there: Set | None, zone: str) -> str | None:
    if not f".{new.name}".endswith(f".{zone}"):
        return f"RRSet with DNS name {new.name} is not permitted in zone {zone}"
    if action == "DELETE" and there is None:
        return f"Tried to delete resource record set {new.named} but it was not found"
    if action == "DELETE" and there != new:
        return (
            f"Tried to delete resource record set {new.named} but the values provided do not match the"
            " current values"
        )
    if action == "CREATE" and there is not None:
        return f"Tried to create resource record set {new.named} but it already exists"
    return next(filter(None, map(_unquoted, new.values)), None) if new.type == "TXT" else None


def _unquoted(value: str) -> str | None:
    """Say what is wrong with the strings of a TXT value, if anything is."""
    if _STRING.sub("", value):
        return (
            "Invalid Resource Record: FATAL problem: InvalidCharacterString (Value should be enclosed in"
            f" quotation marks) encountered with '{value}'"
        )
    if any(len(text) > 255 for text in _STRING.findall(value)):
        return f"Invalid Resource Record: FATAL problem: CharacterStringTooLong encountered with '{value}'"
    return None


def _key(held: Any) -> tuple[str, str]:
    return held.name.lower(), held.type


def _held(held: Any) -> Set:
    return Set(held.name.lower(), held.type, int(held.ttl or 0), tuple(held.records or ()))


def _shown(made: Set) -> dict[str, Any]:
    values = [*made.values]
    return {"Name": made.name, "Type": made.type, "TTL": made.ttl, "ResourceRecords": values}


def _answer(name: str, info: str) -> Response:
    xmlns = _NS.strip("{}")
    body = f'<{name} xmlns="{xmlns}"><ChangeInfo>{info}</ChangeInfo></{name}>'
    return Response(200, body.encode(), {"content-type": "text/xml"})
