"""Azure DNS: a record set is changed only as it was read, and no token goes to another host."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from dns_azure import GROUP, SUBSCRIPTION, AzureDns, Refusal, Zone
from wire import Request, Response, Way

from providers.azure.dns import AzureDnsSolver
from providers.errors import Ambiguous, Conflict, Denied, NotFound, Rejected, Unreachable
from providers.solver_conformance import DnsSolverConformance, Values, proof
from providers.solving import DnsSolver, SolverConfig, TxtRecord
from schemas.solvers import AzureDns as Settings

BELOW = "_acme-challenge.www"
NAME = f"{BELOW}.example.com"
ONE, OTHER = TxtRecord(NAME, proof("one")), TxtRecord(NAME, proof("other"))
THEIRS = (("v=spf1 -all", ' "two" strings'), ("another",))


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AzureDns]:
    with AzureDns.made(tmp_path) as made:
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def zone(service: AzureDns) -> Zone:
    return service.zone("example.com")


@pytest.fixture
def azure(service: AzureDns) -> AzureDnsSolver:
    return solver_of(service)


def settings(service: AzureDns, **more: Any) -> Settings:
    told = {"subscriptionID": SUBSCRIPTION, "resourceGroup": GROUP, "endpoint": service.wire.url}
    return Settings.model_validate({**told, **more})


def solver_of(service: AzureDns, **more: Any) -> AzureDnsSolver:
    return AzureDnsSolver(settings(service, **more), sleep=lambda _: None)


def held(zone: Zone, below: str = BELOW) -> tuple[tuple[str, ...], ...]:
    records = zone.records.get(below, {"properties": {"TXTRecords": []}})
    return tuple(tuple(each["value"]) for each in records["properties"]["TXTRecords"])


def texts(zone: Zone, below: str = BELOW) -> frozenset[str]:
    return frozenset("".join(each) for each in held(zone, below))


def meddle(service: AzureDns, method: str, deed: Callable[[], None]) -> None:
    """Let others do something between what we read and what we change, once."""
    serve, left = service.wire.service, [deed]

    def meddled(request: Request) -> Response:
        if request.method == method and left:
            left.pop()()
        return serve(request)

    service.wire.service = meddled


class TestConformance(DnsSolverConformance):
    @pytest.fixture
    def solver(self, azure: AzureDnsSolver) -> DnsSolver:
        return azure

    @pytest.fixture
    def again(self, service: AzureDns) -> DnsSolver:
        return AzureDnsSolver.from_config(SolverConfig(settings(service)))

    @pytest.fixture
    def values(self, zone: Zone) -> Values:
        return lambda name: texts(zone, name.removesuffix(".example.com"))


@pytest.mark.usefixtures("zone")
class TestConformanceInANamedZone(TestConformance):
    @pytest.fixture
    def solver(self, service: AzureDns) -> DnsSolver:
        return solver_of(service, zone="example.com")


def test_what_others_put_there_is_given_back_as_it_was(
    service: AzureDns, zone: Zone, azure: AzureDnsSolver
) -> None:
    service.put(zone, BELOW, *THEIRS)
    azure.present(ONE)
    assert held(zone) == (*THEIRS, (ONE.value,))
    azure.clean_up(ONE)
    assert held(zone) == THEIRS
    kept = zone.records[BELOW]["properties"]
    assert (kept["TTL"], kept["metadata"]) == (300, {"team": "mail"})


def test_a_new_record_is_for_a_minute(zone: Zone, azure: AzureDnsSolver) -> None:
    azure.present(ONE)
    assert zone.records[BELOW]["properties"]["TTL"] == 60


def test_what_others_change_meanwhile_is_kept(
    service: AzureDns, zone: Zone, azure: AzureDnsSolver
) -> None:
    other = solver_of(service)
    meddle(service, "PUT", lambda: other.present(OTHER))
    azure.present(ONE)
    assert texts(zone) == {ONE.value, OTHER.value}
    meddle(service, "PUT", lambda: other.clean_up(OTHER))
    azure.clean_up(ONE)
    assert BELOW not in zone.records


def test_a_record_set_that_somebody_deletes_meanwhile_is_gone(
    service: AzureDns, zone: Zone, azure: AzureDnsSolver
) -> None:
    azure.present(ONE)
    meddle(service, "DELETE", zone.records.clear)
    azure.clean_up(ONE)
    assert zone.records == {}


def test_many_challenges_of_one_name_at_once_all_get_through(service: AzureDns, zone: Zone) -> None:
    records = [TxtRecord(NAME, proof(str(number))) for number in range(6)]
    solvers = [AzureDnsSolver(settings(service)) for _ in records]
    with ThreadPoolExecutor(len(records)) as pool:
        list(pool.map(AzureDnsSolver.present, solvers, records))
        assert texts(zone) == {record.value for record in records}
        list(pool.map(AzureDnsSolver.clean_up, solvers, records))
    assert zone.records == {}


@pytest.mark.parametrize(("way", "changes"), [(Way.UNANSWERED, 1), (Way.DROPPED, 2)])
def test_a_change_whose_answer_is_lost_is_read_back_and_not_made_twice(
    service: AzureDns, zone: Zone, azure: AzureDnsSolver, way: Way, changes: int
) -> None:
    service.wire.fail("write", way)
    azure.present(ONE)
    assert held(zone) == ((ONE.value,),)
    service.wire.fail("delete", way)
    azure.clean_up(ONE)
    assert zone.records == {}
    assert service.wire.counts["write"] == service.wire.counts["delete"] == changes


def test_being_too_fast_is_no_failure(service: AzureDns, zone: Zone, azure: AzureDnsSolver) -> None:
    answer = Refusal(429, "TooManyRequests", "Too many requests.", manager=True).response
    for operation in ("list", "read", "write"):
        service.wire.fail(operation, Way.REFUSED, answer, times=2)
    azure.present(ONE)
    assert texts(zone) == {ONE.value}


@pytest.mark.parametrize(
    "action", ["dnsZones/read", "dnsZones/TXT/read", "dnsZones/TXT/write", "dnsZones/TXT/delete"]
)
def test_a_permission_that_is_missing_is_named(
    service: AzureDns, zone: Zone, azure: AzureDnsSolver, action: str
) -> None:
    if action.endswith("delete"):
        azure.present(ONE)
    deed = azure.clean_up if action.endswith("delete") else azure.present
    service.denied = {f"Microsoft.Network/{action}"}
    with pytest.raises(Denied, match=f"the permission Microsoft.Network/{action} is missing"):
        deed(ONE)


def test_a_token_that_is_not_taken_is_told(
    service: AzureDns, zone: Zone, azure: AzureDnsSolver
) -> None:
    service.tokens.audience = "https://management.azure.com"
    with pytest.raises(Denied, match="Azure DNS does not take our token"):
        azure.present(ONE)


def test_the_nearest_public_zone_is_chosen_label_by_label_wherever_it_is_listed(
    service: AzureDns, zone: Zone, azure: AzureDnsSolver
) -> None:
    for name in ("com", "ww.example.com", "ge.www.example.com", "xample.com", ""):
        service.zone(name)
    private, nearer = (
        service.zone("_acme-challenge.www.example.com", "Private"),
        service.zone("WWW.Example.com"),
    )
    service.page = 2
    azure.present(ONE)
    assert texts(nearer, "_acme-challenge") == {ONE.value}
    assert (zone.records, private.records) == ({}, {})
    assert (
        service.wire.counts["list"] == 4
    )  # each page at our own name for Azure, wherever it is said to be
    azure.clean_up(ONE)
    assert service.wire.counts["list"] == 4


def test_a_challenge_at_the_top_of_a_zone_of_its_own_is_written_there(
    service: AzureDns, azure: AzureDnsSolver
) -> None:
    own = service.zone(NAME)
    azure.present(ONE)
    assert texts(own, "@") == {ONE.value}


def test_a_name_without_a_zone_is_told(zone: Zone, azure: AzureDnsSolver) -> None:
    with pytest.raises(NotFound, match="no public zone of the resource group dns-example holds"):
        azure.present(TxtRecord("www.example.org", "x"))


def test_a_name_outside_the_zone_that_is_named_is_told(service: AzureDns, zone: Zone) -> None:
    with pytest.raises(NotFound, match=r"is not in the zone xample\.com"):
        solver_of(service, zone="xample.com").present(ONE)
    assert service.wire.asked == []


def test_a_zone_that_is_named_and_not_there_is_told(service: AzureDns) -> None:
    with pytest.raises(NotFound, match="ParentResourceNotFound"):
        solver_of(service, zone="example.com").present(ONE)


def test_a_listing_without_end_is_given_up(
    service: AzureDns, zone: Zone, azure: AzureDnsSolver
) -> None:
    body = b'{"value": [], "nextLink": "https://elsewhere.example/dnszones?%24skipToken=1"}'
    endless = Response(200, body, {"content-type": "application/json"})
    service.wire.fail("*", Way.REFUSED, endless, times=None)
    with pytest.raises(Unreachable, match="does not end"):
        azure.present(ONE)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Please log in</html>",
        b"{}",
        b"[]",
        b'{"id": "somebody"}',
        b'{"value": [1]}',
        b'{"value": "x", "etag": "x", "properties": 5}',
    ],
)
def test_an_answer_of_somebody_else_is_none(
    service: AzureDns, zone: Zone, azure: AzureDnsSolver, body: bytes
) -> None:
    page = Response(200, body, {"content-type": "application/json"})
    for operation in ("list", "read", "write", "delete"):
        service.wire.fail(operation, Way.REFUSED, page)
    azure.present(ONE)
    azure.clean_up(ONE)
    assert zone.records == {}


def test_a_404_of_a_proxy_does_not_tell_that_nothing_is_there(
    service: AzureDns, zone: Zone, azure: AzureDnsSolver
) -> None:
    azure.present(ONE)
    service.wire.fail("read", Way.REFUSED, Response(404, b"<html>not here</html>"))
    azure.clean_up(ONE)
    assert zone.records == {}


def test_a_redirect_is_not_followed(service: AzureDns, zone: Zone, azure: AzureDnsSolver) -> None:
    away = Response(307, b"", {"location": f"{service.wire.url}/elsewhere"})
    service.wire.fail("write", Way.REFUSED, away, times=None)
    with pytest.raises(Rejected, match="Azure DNS refuses it"):
        azure.present(ONE)
    assert "unknown" not in service.wire.counts


def test_a_cname_in_the_way_is_told(service: AzureDns, zone: Zone, azure: AzureDnsSolver) -> None:
    zone.cnames.add(BELOW)
    with pytest.raises(Rejected, match="a CNAME record has the same name"):
        azure.present(ONE)


def test_a_record_set_that_is_never_what_was_read_is_not_tried_for_ever(
    service: AzureDns, zone: Zone, azure: AzureDnsSolver
) -> None:
    refused = Refusal(412, "PreconditionFailed", "It was not satisfied.").response
    service.wire.fail("write", Way.REFUSED, refused, times=None)
    with pytest.raises(Conflict, match="PreconditionFailed"):
        azure.present(ONE)
    assert service.wire.counts["write"] == 3


def test_a_service_that_is_down_is_told_so(
    service: AzureDns, zone: Zone, azure: AzureDnsSolver
) -> None:
    service.wire.fail("write", Way.REFUSED, Response(503), times=None)
    with pytest.raises(Ambiguous, match="Azure DNS failed"):
        azure.present(ONE)
