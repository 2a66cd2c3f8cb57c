"""Azure DNS on loopback, by way of Azure Resource Manager: public zones are listed, TXT record sets changed.

Talked to by the unmodified SDK. What others do, `put` and `records` do behind the client's back.
https://learn.microsoft.com/rest/api/dns/record-sets
"""

import json
import re
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keyvault_errors import answer
from keyvault_tokens import TENANT, Tokens, environment
from wire import Request, Response, Tls, Wire

SUBSCRIPTION = "00000000-1111-2222-3333-444444444444"
GROUP = "dns-example"
_ROOT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/"
_PATH = re.compile(
    rf"{_ROOT}(?P<group>[^/]+)/providers/Microsoft\.Network/dnsZones"
    r"(/(?P<zone>[^/]+)/(?P<type>TXT)/(?P<name>[^/]+))?"
)
_VERBS = {"GET": "read", "PUT": "write", "DELETE": "delete"}
_MOST_RECORDS, _MOST_OCTETS, _LONGEST_TTL = 20, 4096, 2_147_483_647


class Refusal(Exception):
    """An answer that is no success; what Resource Manager says itself comes in an envelope."""

    def __init__(self, status: int, code: str, message: str, *, manager: bool = False) -> None:
        super().__init__(message)
        said = {"code": code, "message": message}
        self.response = answer({"error": said} if manager else said, status)


@dataclass(slots=True)
class Zone:
    """One zone; `records` holds the bodies of its TXT record sets by name, `cnames` the names of CNAMEs."""

    name: str
    kind: str = "Public"
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    cnames: set[str] = field(default_factory=set)


@dataclass(slots=True)
class AzureDns:
    """The service. `denied` are actions that nobody may do; `page` is how many zones a page holds."""

    tls: Tls
    tokens: Tokens = field(default_factory=Tokens)
    zones: list[Zone] = field(default_factory=list)
    denied: set[str] = field(default_factory=set)
    page: int = 100
    wire: Wire = field(init=False)
    identity: Wire = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.wire = Wire(self.serve, operation, self.tls)
        self.identity = self.tokens.wire()

    @classmethod
    @contextmanager
    def made(cls, folder: Path) -> Iterator["AzureDns"]:
        """Serve one resource group until the end of the context; what clients trust goes into `folder`."""
        service = cls(Tls.made(folder))
        with service.wire.running(), service.identity.running():
            service.tokens.audience = service.wire.url
            yield service

    def environment(self) -> Mapping[str, str]:
        """Return what a process needs in its environment to get at it."""
        return environment(self.identity, self.tls)

    def zone(self, name: str, kind: str = "Public") -> Zone:
        """Make a zone."""
        self.zones.append(Zone(name, kind))
        return self.zones[-1]

    def put(self, zone: Zone, name: str, *records: tuple[str, ...], ttl: int = 300) -> None:
        """Let somebody else write a record set, with a note of theirs on it."""
        told = {"TTL": ttl, "TXTRecords": [{"value": [*each]} for each in records]}
        zone.records[name] = _made(zone, name, {**told, "metadata": {"team": "mail"}})

    def serve(self, request: Request) -> Response:
        """Answer one request, as the service would."""
        if self.tokens.fault(request.headers.get("authorization", "")) is not None:
            said = "The access token is invalid."
            return Refusal(401, "InvalidAuthenticationToken", said, manager=True).response
        try:
            with self._lock:
                return self._answer(request)
        except Refusal as refusal:
            return refusal.response

    def _answer(self, request: Request) -> Response:
        found = _PATH.fullmatch(request.path)
        if found is None or request.query.get("api-version") != "2018-05-01":
            raise Refusal(404, "InvalidResourceType", "There is no such type.", manager=True)
        self._permit(request, found)
        if found["group"].lower() != GROUP:
            said = f"Resource group '{found['group']}' could not be found."
            raise Refusal(404, "ResourceGroupNotFound", said, manager=True)
        if found["zone"] is None:
            return self._listed(request)
        zone = self._zone(found["zone"])
        match request.method:
            case "GET":
                return answer(self._held(zone, found["name"]))
            case "PUT":
                return self._write(zone, found["name"], request)
        return self._delete(zone, found["name"], request)

    def _permit(self, request: Request, found: re.Match[str]) -> None:
        kind = "dnsZones/TXT" if found["zone"] else "dnsZones"
        action = f"Microsoft.Network/{kind}/{_VERBS[request.method]}"
        if action in self.denied:
            said = (
                f"The client '{TENANT}' with object id '{TENANT}' does not have authorization to perform"
                f" action '{action}' over scope '{request.path}' or the scope is invalid."
            )
            raise Refusal(403, "AuthorizationFailed", said, manager=True)

    def _listed(self, request: Request) -> Response:
        start = int(request.query.get("$skipToken", "0"))
        zones = [_shown(zone) for zone in self.zones[start : start + self.page]]
        told: dict[str, Any] = {"value": zones}
        if start + self.page < len(self.zones):
            query = f"api-version=2018-05-01&%24skipToken={start + self.page}"
            told["nextLink"] = f"https://management.azure.com:443{request.path}?{query}"
        return answer(told)

    def _zone(self, name: str) -> Zone:
        for zone in self.zones:
            if zone.name.lower() == name.lower():
                return zone
        said = f"Failed to perform the operation: the parent resource '{name}' could not be found."
        raise Refusal(404, "ParentResourceNotFound", said, manager=True)

    def _held(self, zone: Zone, name: str) -> dict[str, Any]:
        if name.lower() not in zone.records:
            said = f"The resource record '{name}' does not exist in resource group '{GROUP}'."
            raise Refusal(404, "NotFound", said)
        return zone.records[name.lower()]

    def _write(self, zone: Zone, name: str, request: Request) -> Response:
        there = zone.records.get(name.lower())
        _check(there, request.headers)
        wanted = json.loads(request.body)["properties"]
        _check_records(wanted)
        if name.lower() in zone.cnames:
            said = f"The record '{name}' could not be created: a CNAME record has the same name."
            raise Refusal(400, "BadRequest", said)
        made = zone.records[name.lower()] = _made(zone, name, wanted)
        return answer(made, 201 if there is None else 200)

    def _delete(self, zone: Zone, name: str, request: Request) -> Response:
        there = zone.records.get(name.lower())
        if there is None:
            return Response(204)
        _check(there, request.headers)
        del zone.records[name.lower()]
        return Response(200)


def operation(request: Request) -> str:
    """Return what a request asks for, such as `write`; to list zones is `list`."""
    found = _PATH.fullmatch(request.path)
    if found is None:
        return "unknown"
    return _VERBS[request.method] if found["zone"] else "list"


def _check(there: dict[str, Any] | None, headers: Mapping[str, str]) -> None:
    """Refuse what was made from something else than what is there."""
    current = there["etag"] if there else None
    wanted, unwanted = headers.get("if-match"), headers.get("if-none-match")
    if (wanted is not None and wanted != current) or (unwanted == "*" and there is not None):
        name, value = ("If-Match", wanted) if wanted is not None else ("If-None-Match", unwanted)
        said = f"The condition '{value}' in the {name} header was not satisfied. The current was '{current}'."
        raise Refusal(412, "PreconditionFailed", said)


def _check_records(wanted: dict[str, Any]) -> None:
    records = wanted.get("TXTRecords") or []
    if not 1 <= wanted.get("TTL", 0) <= _LONGEST_TTL:
        raise Refusal(400, "BadRequest", f"The TTL must be from 1 to {_LONGEST_TTL}.")
    if len(records) > _MOST_RECORDS:
        said = f"The limit of {_MOST_RECORDS} records in a record set has been reached."
        raise Refusal(400, "RecordsPerRecordSetLimitReached", said)
    for each in records:
        strings = each["value"]
        if any(len(text) > 255 for text in strings) or len("".join(strings)) > _MOST_OCTETS:
            raise Refusal(400, "BadRequest", "A string of a TXT record has at most 255 characters.")


def _made(zone: Zone, name: str, wanted: dict[str, Any]) -> dict[str, Any]:
    kept = {key: wanted[key] for key in ("TTL", "TXTRecords", "metadata") if key in wanted}
    return {
        "id": f"{_ROOT}{GROUP}/providers/Microsoft.Network/dnszones/{zone.name}/TXT/{name}",
        "name": name,
        "type": "Microsoft.Network/dnszones/TXT",
        "etag": str(uuid.uuid4()),
        "properties": {**kept, "targetResource": {}, "provisioningState": "Succeeded"},
    }


def _shown(zone: Zone) -> dict[str, Any]:
    return {
        "id": f"{_ROOT}{GROUP}/providers/Microsoft.Network/dnszones/{zone.name}",
        "name": zone.name,
        "type": "Microsoft.Network/dnszones",
        "etag": "00000002-0000-0000-5ede-e1e3aa60d901",
        "location": "global",
        "properties": {"zoneType": zone.kind, "nameServers": ["ns1-07.azure-dns.com."]},
    }
