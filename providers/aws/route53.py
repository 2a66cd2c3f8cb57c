"""DNS-01 by Amazon Route 53: a record set is changed by deleting exactly what was read, and creating the new.

Both are one batch, which Route 53 does as a whole or refuses as a whole, so that no other's value is lost.
https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Self

from providers.aws.route53_errors import explain
from providers.aws.sessions import CONFIG, Access, shared
from providers.calls import Calls
from providers.errors import Ambiguous, Conflict
from providers.recordsets import Held, add, remove, taken, wait
from providers.solving import SolverConfig, TxtRecord
from providers.zones import Zone, closest, every, plain
from schemas.solvers import Route53

if TYPE_CHECKING:
    from mypy_boto3_route53.client import Route53Client
    from mypy_boto3_route53.literals import ChangeActionType
    from mypy_boto3_route53.type_defs import (
        ChangeTypeDef,
        HostedZoneTypeDef,
        ResourceRecordSetOutputTypeDef,
    )

_ID = re.compile(r"[A-Z0-9]{1,32}")
_HOMES = {"aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"}
"""The region that signs for Route 53 in partitions of AWS other than the usual one, us-east-1."""


@dataclass
class Route53Solver:
    """One account. `sleep` takes seconds."""

    settings: Route53
    sleep: Callable[[float], None] = time.sleep
    calls: Calls = field(init=False)
    changes: list[str] = field(default_factory=list)
    """What was changed and is not settled."""

    def __post_init__(self) -> None:
        self.calls = Calls(explain, sleep=self.sleep)

    @classmethod
    def from_config(cls, config: SolverConfig, /) -> Self:
        """Make the solver; reads nothing and connects nowhere."""
        return cls(config.of(Route53))

    def present(self, record: TxtRecord, /) -> None:
        """Add a value."""
        change = add(self._records(record), f'"{record.value}"', self.sleep)
        if change is not None:
            self.changes.append(change)

    def settle(self) -> None:
        """Wait until all of Route 53's name servers have what was presented."""
        for change in taken(self.changes):
            done = partial(self._is_in_sync, change)
            wait(done, f"the change {change} of Route 53", self.sleep)

    def clean_up(self, record: TxtRecord, /) -> None:
        """Take a value out, and nothing else."""
        remove(self._records(record), f'"{record.value}"', self.sleep)

    def _records(self, record: TxtRecord) -> "_Records":
        zone = self.settings.hosted_zone_id or closest(record.name, self._zones, "the account").id
        return _Records(self._client, self.calls, zone, f"{plain(record.name)}.")

    def _is_in_sync(self, change: str) -> bool:
        answer = self.calls.read(lambda: self._client.get_change(Id=change))
        return answer["ChangeInfo"]["Status"] == "INSYNC"

    @cached_property
    def _zones(self) -> tuple[Zone, ...]:
        """The public zones, listed once: Route 53 takes five calls a second of all who use an account."""
        found = every(self._page)
        return tuple(
            Zone(plain(each["Name"]), zone)
            for each in found
            if not each.get("Config", {}).get("PrivateZone")
            and _ID.fullmatch(zone := each["Id"].removeprefix("/hostedzone/"))
        )

    def _page(self, mark: str | None) -> "tuple[list[HostedZoneTypeDef], str | None]":
        client = self._client
        answer = self.calls.read(
            lambda: client.list_hosted_zones(Marker=mark) if mark else client.list_hosted_zones()
        )
        if answer["IsTruncated"] and not answer.get("NextMarker"):
            raise Ambiguous("Route 53's listing of zones breaks off")
        return answer["HostedZones"], answer["NextMarker"] if answer["IsTruncated"] else None

    @cached_property
    def _client(self) -> "Route53Client":
        role = self.settings.role
        home = _HOMES.get(role.split(":")[1], "us-east-1") if role else None
        client: Route53Client = shared().client(
            Access(home or "us-east-1", role, self.settings.external_id),
            lambda session: session.client("route53", region_name=home, config=CONFIG),
        )
        return client


@dataclass(frozen=True, slots=True)
class _Records:
    """The TXT records of a name; `rest` of what is held is the record set as it was listed."""

    client: "Route53Client"
    calls: Calls
    zone: str
    name: str

    def read(self) -> Held[str]:
        """Return what is there, whether all name servers have it yet or not."""
        answer = self.calls.read(
            lambda: self.client.list_resource_record_sets(
                HostedZoneId=self.zone,
                StartRecordName=self.name,
                StartRecordType="TXT",
                MaxItems="1",
            )
        )
        for found in answer["ResourceRecordSets"]:  # the next name's, where this one has none
            if found["Name"].lower() == self.name and found["Type"] == "TXT":
                return self._held(found)
        return Held()

    def _held(self, found: "ResourceRecordSetOutputTypeDef") -> Held[str]:
        if "SetIdentifier" in found or "TTL" not in found or len(found) > 4:
            raise Conflict(
                f"the TXT records of {self.name} are not plain ones (a routing policy, an alias or a health"
                " check goes with them): certform changes none of those"
            )
        return Held(tuple(each["Value"] for each in found["ResourceRecords"]), found["TTL"])

    def swap(self, held: Held[str], values: tuple[str, ...], /) -> str:
        """Delete exactly what was read, and create the new, in one batch; returns the change's id."""
        changes = [
            *self._change("DELETE", held.values, held),
            *self._change("CREATE", values, held),
        ]
        answer = self.calls.change(
            lambda: self.client.change_resource_record_sets(
                HostedZoneId=self.zone, ChangeBatch={"Changes": changes}
            )
        )
        return answer["ChangeInfo"]["Id"]

    def _change(
        self, action: "ChangeActionType", values: tuple[str, ...], held: Held[str]
    ) -> "Iterator[ChangeTypeDef]":
        if values:
            yield {
                "Action": action,
                "ResourceRecordSet": {
                    "Name": self.name,
                    "Type": "TXT",
                    "TTL": held.ttl,
                    "ResourceRecords": [{"Value": each} for each in values],
                },
            }
