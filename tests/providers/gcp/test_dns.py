"""Cloud DNS: a change deletes exactly what was read; what became of a lost answer is looked up."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from dns_google import PROJECT, CloudDns, Refusal, Zone
from wire import Request, Response, Way

from providers.errors import (
    Ambiguous,
    Conflict,
    Denied,
    NotFound,
    QuotaExceeded,
    Rejected,
    Unreachable,
)
from providers.gcp.dns import CloudDnsSolver
from providers.solver_conformance import DnsSolverConformance, Values, proof
from providers.solving import DnsSolver, SolverConfig, TxtRecord
from schemas.solvers import CloudDns as Settings

NAME = "_acme-challenge.www.example.com"
KEY = f"{NAME}.", "TXT"
ONE, OTHER = TxtRecord(NAME, proof("one")), TxtRecord(NAME, proof("other"))
THEIRS = ('"v=spf1 -all" " \\"two\\" strings"', '"another"')


def prove(solver: CloudDnsSolver) -> None:
    """Have a value at every name server."""
    solver.present(ONE)
    solver.settle()


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudDns]:
    with CloudDns.made() as made:
        for name, value in made.environment(tmp_path).items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def zone(service: CloudDns) -> Zone:
    return service.zone("example.com")


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def google(service: CloudDns, slept: list[float]) -> CloudDnsSolver:
    return CloudDnsSolver(settings(service), sleep=slept.append)


def settings(service: CloudDns, **more: Any) -> Settings:
    return Settings.model_validate({"project": PROJECT, "endpoint": service.wire.url, **more})


def solver_of(service: CloudDns, **more: Any) -> CloudDnsSolver:
    return CloudDnsSolver(settings(service, **more), sleep=lambda _: None)


def held(zone: Zone, name: str = NAME) -> tuple[tuple[str, ...], int]:
    """Return the TXT values at a name, and their TTL."""
    found = zone.records.get((f"{name}.", "TXT"), {"rrdatas": [], "ttl": 0})
    return tuple(found["rrdatas"]), found["ttl"]


def texts(zone: Zone, name: str = NAME) -> frozenset[str]:
    return frozenset(each.strip('"') for each in held(zone, name)[0])


def meddle(service: CloudDns, deed: Callable[[], None]) -> None:
    """Let others do something between what we read and what we change, once."""
    serve, left = service.wire.service, [deed]

    def meddled(request: Request) -> Response:
        if request.method == "POST" and request.path != "/token" and left:
            left.pop()()
        return serve(request)

    service.wire.service = meddled


class TestConformance(DnsSolverConformance):
    @pytest.fixture
    def solver(self, google: CloudDnsSolver) -> DnsSolver:
        return google

    @pytest.fixture
    def again(self, service: CloudDns) -> DnsSolver:
        return CloudDnsSolver.from_config(SolverConfig(settings(service)))

    @pytest.fixture
    def values(self, zone: Zone) -> Values:
        return lambda name: texts(zone, name)


class TestConformanceInANamedZone(TestConformance):
    @pytest.fixture
    def solver(self, service: CloudDns, zone: Zone) -> DnsSolver:
        return solver_of(service, zone=zone.name)


def test_what_others_put_there_is_given_back_as_it_was(
    service: CloudDns, zone: Zone, google: CloudDnsSolver
) -> None:
    service.put(zone, NAME, *THEIRS)
    google.present(ONE)
    assert held(zone) == ((*THEIRS, f'"{ONE.value}"'), 300)
    google.clean_up(ONE)
    assert held(zone) == (THEIRS, 300)


@pytest.mark.parametrize("there", [(), THEIRS])
def test_what_others_change_meanwhile_is_kept(
    service: CloudDns, zone: Zone, google: CloudDnsSolver, there: tuple[str, ...]
) -> None:
    if there:
        service.put(zone, NAME, *there)
    other = solver_of(service)
    meddle(service, lambda: other.present(OTHER))
    google.present(ONE)
    assert held(zone)[0] == (*there, f'"{OTHER.value}"', f'"{ONE.value}"')
    meddle(service, lambda: other.clean_up(OTHER))
    google.clean_up(ONE)
    assert held(zone)[0] == there


def test_a_record_set_that_somebody_deletes_meanwhile_is_gone(
    service: CloudDns, zone: Zone, google: CloudDnsSolver
) -> None:
    google.present(ONE)
    meddle(service, zone.records.clear)
    google.clean_up(ONE)
    assert zone.records == {}


def test_many_challenges_of_one_name_at_once_all_get_through(service: CloudDns, zone: Zone) -> None:
    records = [TxtRecord(NAME, proof(str(number))) for number in range(6)]
    solvers = [CloudDnsSolver(settings(service)) for _ in records]
    with ThreadPoolExecutor(len(records)) as pool:
        list(pool.map(CloudDnsSolver.present, solvers, records))
        assert texts(zone) == {record.value for record in records}
        list(pool.map(CloudDnsSolver.clean_up, solvers, records))
    assert zone.records == {}


@pytest.mark.parametrize(("way", "changes"), [(Way.UNANSWERED, 1), (Way.DROPPED, 2)])
def test_a_change_whose_answer_is_lost_is_read_back_and_not_made_twice(
    service: CloudDns, zone: Zone, google: CloudDnsSolver, way: Way, changes: int
) -> None:
    service.wire.fail("CreateChange", way)
    google.present(ONE)
    assert held(zone)[0] == (f'"{ONE.value}"',)
    service.wire.fail("CreateChange", way)
    google.clean_up(ONE)
    assert zone.records == {}
    assert service.wire.counts["CreateChange"] == 2 * changes


@pytest.mark.parametrize(
    ("reason", "status"), [("rateLimitExceeded", 403), ("userRateLimitExceeded", 429)]
)
def test_being_too_fast_is_no_failure(
    service: CloudDns, zone: Zone, google: CloudDnsSolver, reason: str, status: int
) -> None:
    refused = Refusal(reason, "Rate Limit Exceeded", status).response
    for operation in ("ListZones", "ListRecordSets", "CreateChange", "GetChange"):
        service.wire.fail(operation, Way.REFUSED, refused, times=2)
    google.present(ONE)
    assert texts(zone) == {ONE.value}


def test_a_quota_that_is_used_up_is_told(
    service: CloudDns, zone: Zone, google: CloudDnsSolver
) -> None:
    refused = Refusal("quotaExceeded", "Quota Exceeded", 403).response
    service.wire.fail("CreateChange", Way.REFUSED, refused)
    with pytest.raises(QuotaExceeded, match="Quota Exceeded"):
        google.present(ONE)


@pytest.mark.parametrize(
    "permission",
    [
        "dns.managedZones.list",
        "dns.resourceRecordSets.list",
        "dns.changes.create",
        "dns.changes.get",
    ],
)
def test_a_permission_that_is_missing_is_named_though_google_does_not(
    service: CloudDns, zone: Zone, google: CloudDnsSolver, permission: str
) -> None:
    service.denied = {permission}
    with pytest.raises(Denied, match=f"Forbidden: certform needs {permission}.* {PROJECT}"):
        prove(google)


def test_credentials_that_are_not_taken_are_told(
    service: CloudDns, zone: Zone, google: CloudDnsSolver
) -> None:
    service.tokens.refuse_all = True
    with pytest.raises(Denied, match="no valid Google credentials"):
        google.present(ONE)


def test_a_change_is_waited_for_until_it_is_done(
    service: CloudDns, zone: Zone, google: CloudDnsSolver, slept: list[float]
) -> None:
    service.pending = 3
    google.present(ONE)
    google.present(OTHER)
    google.settle()
    assert service.wire.counts["GetChange"] == 8
    assert slept == [1, 1.5, 2.25] * 2
    google.settle()
    assert service.wire.counts["GetChange"] == 8


def test_a_change_that_is_never_done_is_not_waited_for_for_ever(
    service: CloudDns, zone: Zone, google: CloudDnsSolver, slept: list[float]
) -> None:
    service.pending = 1_000_000
    google.present(ONE)
    with pytest.raises(Ambiguous, match="the change 1 of Cloud DNS is still under way"):
        google.settle()
    assert 180 <= sum(slept) <= 190


def test_the_nearest_public_zone_is_chosen_label_by_label_wherever_it_is_listed(
    service: CloudDns, zone: Zone, google: CloudDnsSolver
) -> None:
    for name in ("com", "ww.example.com", "ge.www.example.com", "xample.com", ""):
        service.zone(name)
    private = service.zone("_acme-challenge.www.example.com", "private")
    nearer = service.zone("www.example.com")
    service.page = 2
    google.present(ONE)
    assert texts(nearer) == {ONE.value}
    assert (zone.records, private.records) == ({}, {})
    google.clean_up(ONE)
    assert service.wire.counts["ListZones"] == 4


def test_a_name_without_a_zone_is_told(zone: Zone, google: CloudDnsSolver) -> None:
    with pytest.raises(NotFound, match="no public zone of the project example-project holds"):
        google.present(TxtRecord("www.example.org", "x"))


def test_of_two_zones_of_one_name_somebody_has_to_choose(
    service: CloudDns, zone: Zone, google: CloudDnsSolver
) -> None:
    second = service.zone("example.com")
    with pytest.raises(Conflict, match=rf"2 public zones called example\.com \(.*{second.name}\)"):
        google.present(ONE)


def test_a_zone_that_is_named_and_not_there_is_told(service: CloudDns) -> None:
    with pytest.raises(NotFound, match="named 'mine' does not exist"):
        solver_of(service, zone="mine").present(ONE)


@pytest.mark.parametrize("name", ["../../other", "a/b", "a?b", "Zone"])
def test_a_zone_whose_name_is_none_is_not_asked_for(service: CloudDns, name: str) -> None:
    with pytest.raises(Rejected, match="no managed zone's name"):
        solver_of(service, zone=name).present(ONE)
    assert service.wire.asked == []


def json_answer(body: str) -> Response:
    return Response(200, body.encode(), {"content-type": "application/json"})


def test_a_listing_without_end_is_given_up(
    service: CloudDns, zone: Zone, google: CloudDnsSolver
) -> None:
    endless = '{"kind": "dns#managedZonesListResponse", "nextPageToken": "1"}'
    service.wire.fail("ListZones", Way.REFUSED, json_answer(endless), times=None)
    with pytest.raises(Unreachable, match="does not end"):
        google.present(ONE)


@pytest.mark.parametrize(
    "body",
    [
        "<html>Please log in</html>",
        "{}",
        "[]",
        '{"kind": "dns#x", "managedZones": [{}], "rrsets": [1], "id": ""}',
    ],
)
def test_an_answer_of_somebody_else_is_none(
    service: CloudDns, zone: Zone, google: CloudDnsSolver, body: str
) -> None:
    for operation in ("ListZones", "ListRecordSets", "CreateChange", "GetChange"):
        service.wire.fail(operation, Way.REFUSED, json_answer(body))
    google.present(ONE)
    assert texts(zone) == {ONE.value}


def test_a_redirect_is_not_followed(service: CloudDns, zone: Zone, google: CloudDnsSolver) -> None:
    away = Response(307, b"", {"location": f"{service.wire.url}/elsewhere"})
    service.wire.fail("CreateChange", Way.REFUSED, away)
    google.present(ONE)
    assert "Unknown" not in service.wire.counts


def test_a_cname_in_the_way_is_told(service: CloudDns, zone: Zone, google: CloudDnsSolver) -> None:
    service.put(zone, NAME, "elsewhere.example.net.", kind="CNAME")
    with pytest.raises(Rejected, match="a CNAME is at"):
        google.present(ONE)


def test_records_with_a_routing_policy_are_left_alone(
    service: CloudDns, zone: Zone, google: CloudDnsSolver
) -> None:
    zone.records[KEY] = {"name": KEY[0], "type": "TXT", "ttl": 60, "routingPolicy": {"wrr": {}}}
    with pytest.raises(Conflict, match="have a routing policy"):
        google.present(ONE)
    assert service.wire.counts["CreateChange"] == 0
