"""Google Cloud DNS v1 on loopback, for the official client: managed zones, record sets, and changes of them.

`pending` is how often a new change is not done yet. What others do, `put` does behind the client's back.
https://cloud.google.com/dns/docs/reference/rest/v1
"""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from certificate_manager_errors import Refusal as Unknown
from certificate_manager_tokens import Tokens
from wire import Request, Response, Wire

PROJECT = "example-project"
_ROOT = f"/dns/v1/projects/{PROJECT}/managedZones"
_PATH = re.compile(rf"{_ROOT}(?:/(?P<zone>[a-z0-9-]+)/(?P<kind>rrsets|changes)(?:/(?P<id>\d+))?)?")
_PERMISSIONS = {
    "ListZones": "dns.managedZones.list",
    "ListRecordSets": "dns.resourceRecordSets.list",
    "CreateChange": "dns.changes.create",
    "GetChange": "dns.changes.get",
}
_STRINGS = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_HTTP = {"forbidden": 403, "notFound": 404, "alreadyExists": 409, "conditionNotMet": 412}

Key = tuple[str, str]
RecordSet = dict[str, Any]


class Refusal(Exception):
    """A refusal as Cloud DNS words it: with a reason, and most often without a canonical code."""

    def __init__(self, reason: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        code = status or _HTTP.get(reason, 400)
        first = {"message": message, "domain": "global", "reason": reason}
        error = {"code": code, "message": message, "errors": [first]}
        self.response = _answer({"error": error}, code)


@dataclass(slots=True)
class Zone:
    """A managed zone and its record sets, by name and type; `changes` are how often each is yet pending."""

    name: str
    dns_name: str
    visibility: str = "public"
    records: dict[Key, RecordSet] = field(default_factory=dict)
    changes: list[int] = field(default_factory=list)


@dataclass(slots=True)
class CloudDns:
    """The service. `denied` are permissions that nobody has; `page` is how many zones a page holds."""

    tokens: Tokens = field(default_factory=Tokens)
    zones: list[Zone] = field(default_factory=list)
    denied: set[str] = field(default_factory=set)
    page: int = 100
    pending: int = 0
    wire: Wire = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.wire = Wire(self.serve, operation)

    @classmethod
    @contextmanager
    def made(cls) -> Iterator["CloudDns"]:
        """Serve one project until the end of the context."""
        service = cls()
        with service.wire.running():
            yield service

    def environment(self, folder: Path) -> Mapping[str, str]:
        """Return what leads a process to it; the account's key file is written to `folder`."""
        file = folder / "service-account.json"
        self.tokens.write_credentials(file, f"{self.wire.url}/token")
        return {"GOOGLE_APPLICATION_CREDENTIALS": str(file), "NO_GCE_CHECK": "true"}

    def zone(self, dns_name: str, visibility: str = "public") -> Zone:
        """Make a zone; its name in Cloud DNS is its number here."""
        self.zones.append(Zone(f"zone-{len(self.zones)}", f"{dns_name}.", visibility))
        return self.zones[-1]

    def put(self, zone: Zone, name: str, *datas: str, kind: str = "TXT", ttl: int = 300) -> None:
        """Let somebody else write a record set."""
        told = {"name": f"{name}.", "type": kind, "ttl": ttl, "rrdatas": [*datas]}
        zone.records[f"{name}.", kind] = {"kind": "dns#resourceRecordSet", **told}

    def serve(self, request: Request) -> Response:
        """Answer one request, as the service would."""
        if request.path == "/token":
            return self.tokens.issue(request)
        try:
            self.tokens.check(request)
            with self._lock:
                return _answer(self._told(request))
        except (Refusal, Unknown) as refusal:
            return refusal.response

    def _told(self, request: Request) -> dict[str, Any]:
        found, name = _PATH.fullmatch(request.path), operation(request)
        if found is None:
            raise Refusal("notFound", "Not Found")
        if _PERMISSIONS[name] in self.denied:
            raise Refusal("forbidden", "Forbidden")
        if name == "ListZones":
            return self._listed(request)
        zone = self._zone(found["zone"])
        match name:
            case "ListRecordSets":
                return _record_sets(zone, request.query)
            case "CreateChange":
                return self._change(zone, json.loads(request.body))
        return _change_told(zone, found["id"])

    def _listed(self, request: Request) -> dict[str, Any]:
        start = int(request.query.get("pageToken", "0"))
        zones = [
            {
                "kind": "dns#managedZone",
                "name": zone.name,
                "dnsName": zone.dns_name,
                "id": "1",
                "visibility": zone.visibility,
            }
            for zone in self.zones[start : start + self.page]
        ]
        told: dict[str, Any] = {"kind": "dns#managedZonesListResponse", "managedZones": zones}
        if start + self.page < len(self.zones):
            told["nextPageToken"] = str(start + self.page)
        return told

    def _zone(self, name: str) -> Zone:
        for zone in self.zones:
            if zone.name == name:
                return zone
        raise Refusal(
            "notFound", f"The 'parameters.managedZone' resource named '{name}' does not exist."
        )

    def _change(self, zone: Zone, asked: dict[str, Any]) -> dict[str, Any]:
        """Do all of a change, or nothing: what is to go has to be exactly what is there."""
        left = dict(zone.records)
        for place, each in enumerate(asked.get("deletions", [])):
            _delete(left, _canonical(each), f"'entity.change.deletions[{place}]'")
        for place, each in enumerate(asked.get("additions", [])):
            _add(zone, left, _canonical(each), f"'entity.change.additions[{place}]'")
        zone.records = left
        zone.changes.append(self.pending)
        return _change_told(zone, str(len(zone.changes)), pending=True)


def operation(request: Request) -> str:
    """Return what a request asks for; the token endpoint is `Token`."""
    found = _PATH.fullmatch(request.path)
    if request.path == "/token" or found is None:
        return "Token" if request.path == "/token" else "Unknown"
    if found["zone"] is None:
        return "ListZones"
    if found["kind"] == "rrsets":
        return "ListRecordSets"
    return "CreateChange" if request.method == "POST" else "GetChange"


def _record_sets(zone: Zone, query: Mapping[str, str]) -> dict[str, Any]:
    wanted = query.get("name"), query.get("type")
    found = [
        {**each, "signatureRrdatas": []}
        for key, each in sorted(zone.records.items())
        if all(asked in (None, told) for asked, told in zip(wanted, key, strict=True))
    ]
    return {"kind": "dns#resourceRecordSetsListResponse", "rrsets": found}


def _change_told(zone: Zone, id_: str, *, pending: bool = False) -> dict[str, Any]:
    if not 1 <= int(id_) <= len(zone.changes):
        raise Refusal(
            "notFound", f"The 'parameters.changeId' resource named '{id_}' does not exist."
        )
    left = zone.changes[int(id_) - 1]
    if not pending:
        zone.changes[int(id_) - 1] = max(0, left - 1)
    status = "pending" if pending or left else "done"
    return {"kind": "dns#change", "id": id_, "status": status}


def _canonical(given: dict[str, Any]) -> RecordSet:
    """Return a record set as Cloud DNS keeps it: the strings of TXT in quotes, the TTL a number."""
    datas = [*given["rrdatas"]]
    if given["type"] == "TXT":
        parts = [[quoted or bare for quoted, bare in _STRINGS.findall(each)] for each in datas]
        if any(len(text) > 255 for each in parts for text in each):
            raise Refusal("invalid", "Invalid value for 'entity.change.additions[0].rrdata[0]'")
        datas = [" ".join(f'"{text}"' for text in each) for each in parts]
    told = {"name": given["name"], "type": given["type"], "ttl": int(given["ttl"])}
    return {"kind": "dns#resourceRecordSet", **told, "rrdatas": datas}


def _delete(left: dict[Key, RecordSet], asked: RecordSet, place: str) -> None:
    key = asked["name"], asked["type"]
    there = left.get(key)
    if there is None:
        raise Refusal(
            "notFound", f"The {place} resource named '{key[0]} ({key[1]})' does not exist."
        )
    same = (there["ttl"], sorted(there["rrdatas"])) == (asked["ttl"], sorted(asked["rrdatas"]))
    if not same:
        raise Refusal("conditionNotMet", f"Precondition not met for {place}")
    del left[key]


def _add(zone: Zone, left: dict[Key, RecordSet], asked: RecordSet, place: str) -> None:
    key = name, kind = asked["name"], asked["type"]
    if not f".{name}".endswith(f".{zone.dns_name}") or not asked["rrdatas"]:
        raise Refusal("invalid", f"Invalid value for {place}: '{name}'")
    if key in left:
        said = f"The resource {place} named '{name} ({kind})' already exists"
        raise Refusal("alreadyExists", said)
    if kind != "CNAME" and (name, "CNAME") in left:
        said = f"The resource record set {place} is invalid because a CNAME is at '{name}'."
        raise Refusal("cnameResourceRecordSetConflict", said)
    left[key] = asked


def _answer(body: Mapping[str, object], status: int = 200) -> Response:
    return Response(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
