"""Route 53 as it really behaves: no other's value is lost, and what became of a lost answer is looked up."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from aws_emulator import AwsEmulator
from aws_errors import Refusal
from dns_route53 import Route53 as Service
from wire import Request, Response, Way

from providers.aws.route53 import Route53Solver
from providers.errors import Ambiguous, Conflict, Denied, NotFound, Unreachable
from providers.solver_conformance import DnsSolverConformance, Values, proof
from providers.solving import DnsSolver, SolverConfig, TxtRecord
from schemas.solvers import Route53

if TYPE_CHECKING:
    from mypy_boto3_route53.client import Route53Client
    from mypy_boto3_route53.literals import RRTypeType

NAME = "_acme-challenge.www.example.com"
CHANGE = "ChangeResourceRecordSets"
ONE, OTHER = TxtRecord(NAME, proof("one")), TxtRecord(NAME, proof("other"))
THEIRS = ('"v=spf1 -all" " \\"two\\" strings"', '"another"')
PRIVATE = {
    "HostedZoneConfig": {"PrivateZone": True},
    "VPC": {"VPCRegion": "eu-west-1", "VPCId": "vpc-1"},
}


def prove(solver: Route53Solver) -> None:
    """Have a value at every name server."""
    solver.present(ONE)
    solver.settle()


@pytest.fixture
def client(aws: AwsEmulator) -> "Route53Client":
    """Somebody else, who has the same account."""
    return boto3.client("route53")


@pytest.fixture
def zone(client: "Route53Client") -> str:
    return made(client, "example.com")


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def route53(zone: str, slept: list[float]) -> Route53Solver:
    return Route53Solver(Route53(), sleep=slept.append)


def made(client: "Route53Client", name: str, **private: Any) -> str:
    """Make a zone and return its id."""
    reference = f"{name}{len(client.list_hosted_zones()['HostedZones'])}"
    zone = client.create_hosted_zone(Name=name, CallerReference=reference, **private)
    return zone["HostedZone"]["Id"].removeprefix("/hostedzone/")


def held(client: "Route53Client", zone: str, name: str = NAME) -> tuple[tuple[str, ...], int]:
    """Return the TXT values at a name, and their TTL."""
    for each in client.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]:
        if (each["Name"], each["Type"]) == (f"{name}.", "TXT"):
            return tuple(value["Value"] for value in each["ResourceRecords"]), each["TTL"]
    return (), 0


def texts(client: "Route53Client", zone: str, name: str = NAME) -> frozenset[str]:
    return frozenset(text.strip('"') for text in held(client, zone, name)[0])


def put(client: "Route53Client", zone: str, *values: str, kind: "RRTypeType" = "TXT") -> None:
    """Let somebody else set a record set at the name, for five minutes."""
    records = [{"Value": value} for value in values]
    changed: Any = {"Name": NAME, "Type": kind, "TTL": 300, "ResourceRecords": records}
    batch: Any = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": changed}]}
    client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)


def delay(aws: AwsEmulator, looks: int) -> None:
    """Let new changes be pending for so many looks."""
    service = aws.services["route53"]
    assert isinstance(service, Service)
    service.slow = looks


def meddle(aws: AwsEmulator, *deeds: Callable[[], None]) -> None:
    """Let others do something between what we read and what we change, once for each deed."""
    service, left = aws.services["route53"], [*deeds]

    def meddled(request: Request) -> Response:
        if request.path.endswith("/rrset/") and left and request.method == "POST":
            left.pop(0)()
        return service(request)

    aws.services["route53"] = meddled


class TestConformance(DnsSolverConformance):
    @pytest.fixture
    def solver(self, route53: Route53Solver) -> DnsSolver:
        return route53

    @pytest.fixture
    def again(self) -> DnsSolver:
        return Route53Solver.from_config(SolverConfig(Route53()))

    @pytest.fixture
    def values(self, client: "Route53Client", zone: str) -> Values:
        return lambda name: texts(client, zone, name)


class TestConformanceInANamedZone(TestConformance):
    @pytest.fixture
    def solver(self, zone: str) -> DnsSolver:
        return Route53Solver(Route53.model_validate({"hostedZoneID": zone}), sleep=lambda _: None)


def test_what_others_put_there_is_given_back_as_it_was(
    client: "Route53Client", zone: str, route53: Route53Solver
) -> None:
    put(client, zone, *THEIRS)
    route53.present(ONE)
    assert held(client, zone) == ((*THEIRS, f'"{ONE.value}"'), 300)
    route53.clean_up(ONE)
    assert held(client, zone) == (THEIRS, 300)


def test_what_others_change_meanwhile_is_kept(
    aws: AwsEmulator, client: "Route53Client", zone: str, route53: Route53Solver
) -> None:
    other = Route53Solver(Route53(), sleep=lambda _: None)
    meddle(aws, lambda: other.present(OTHER))
    route53.present(ONE)
    assert texts(client, zone) == {ONE.value, OTHER.value}
    meddle(aws, lambda: other.clean_up(OTHER))
    route53.clean_up(ONE)
    assert held(client, zone) == ((), 0)


def test_many_challenges_of_one_name_at_once_all_get_through(
    client: "Route53Client", zone: str
) -> None:
    records = [TxtRecord(NAME, proof(str(number))) for number in range(8)]
    solvers = [Route53Solver(Route53()) for _ in records]
    with ThreadPoolExecutor(len(records)) as pool:
        list(pool.map(Route53Solver.present, solvers, records))
        assert texts(client, zone) == {record.value for record in records}
        list(pool.map(Route53Solver.clean_up, solvers, records))
    assert held(client, zone) == ((), 0)


@pytest.mark.parametrize(("way", "changes"), [(Way.UNANSWERED, 1), (Way.DROPPED, 2)])
def test_a_change_whose_answer_is_lost_is_read_back_and_not_made_twice(
    aws: AwsEmulator,
    client: "Route53Client",
    zone: str,
    route53: Route53Solver,
    way: Way,
    changes: int,
) -> None:
    aws.wire.fail(CHANGE, way)
    route53.present(ONE)
    assert held(client, zone)[0] == (f'"{ONE.value}"',)
    assert aws.wire.counts[CHANGE] == changes
    aws.wire.fail(CHANGE, way)
    route53.clean_up(ONE)
    assert held(client, zone) == ((), 0)
    assert aws.wire.counts[CHANGE] == 2 * changes


@pytest.mark.parametrize("code", ["Throttling", "PriorRequestNotComplete"])
def test_being_too_fast_is_no_failure(
    aws: AwsEmulator, client: "Route53Client", zone: str, route53: Route53Solver, code: str
) -> None:
    aws.wire.fail(CHANGE, Way.REFUSED, Refusal(code, "Rate exceeded").as_query(), times=2)
    route53.present(ONE)
    assert texts(client, zone) == {ONE.value}


@pytest.mark.parametrize(
    "operation", ["ListHostedZones", "ListResourceRecordSets", CHANGE, "GetChange"]
)
def test_a_permission_that_is_missing_is_named(
    aws: AwsEmulator, route53: Route53Solver, operation: str
) -> None:
    aws.denied = {operation}
    with pytest.raises(Denied, match=f"lack route53:{operation}"):
        prove(route53)


def test_a_change_is_waited_for_until_every_name_server_has_it(
    aws: AwsEmulator, zone: str, route53: Route53Solver, slept: list[float]
) -> None:
    delay(aws, 3)
    route53.present(ONE)
    route53.present(OTHER)
    route53.settle()
    assert aws.wire.counts["GetChange"] == 8
    assert slept == [1, 1.5, 2.25] * 2
    route53.settle()
    assert aws.wire.counts["GetChange"] == 8


def test_a_change_that_never_gets_through_is_not_waited_for_for_ever(
    aws: AwsEmulator, route53: Route53Solver, slept: list[float]
) -> None:
    delay(aws, 1_000_000)
    route53.present(ONE)
    with pytest.raises(Ambiguous, match="of Route 53 is still under way"):
        route53.settle()
    assert 180 <= sum(slept) <= 190


def test_the_nearest_public_zone_is_chosen_label_by_label(
    aws: AwsEmulator, client: "Route53Client", zone: str, route53: Route53Solver
) -> None:
    for name in ("com", "ww.example.com", "ge.www.example.com", "a.www.example.com"):
        made(client, name)
    made(client, "www.example.com", **PRIVATE)
    nearer = made(client, "WWW.Example.com")
    route53.present(ONE)
    assert texts(client, nearer) == {ONE.value}
    assert texts(client, zone) == frozenset()
    route53.clean_up(ONE)
    assert aws.wire.counts["ListHostedZones"] == 6 + 1 + 1


def test_a_zone_on_a_later_page_is_found(
    aws: AwsEmulator, client: "Route53Client", route53: Route53Solver, zone: str
) -> None:
    for number in range(100):
        client.create_hosted_zone(Name=f"{number}.example", CallerReference=str(number))
    last = client.create_hosted_zone(Name="www.example.com", CallerReference="last")
    before = aws.wire.counts["ListHostedZones"]
    route53.present(ONE)
    assert texts(client, last["HostedZone"]["Id"]) == {ONE.value}
    assert aws.wire.counts["ListHostedZones"] == before + 2


def test_a_name_without_a_zone_is_told(zone: str, route53: Route53Solver) -> None:
    with pytest.raises(NotFound, match=r"no public zone of the account holds www\.example\.org"):
        route53.present(TxtRecord("www.example.org", "x"))


def test_of_two_zones_of_one_name_somebody_has_to_choose(
    client: "Route53Client", zone: str, route53: Route53Solver
) -> None:
    second = made(client, "example.com")
    with pytest.raises(Conflict, match=r"2 public zones called example\.com") as told:
        route53.present(ONE)
    assert zone in str(told.value)
    assert second in str(told.value)


def listing(zones: str, rest: str) -> Response:
    body = f"<ListHostedZonesResponse><HostedZones>{zones}</HostedZones>{rest}</ListHostedZonesResponse>"
    return Response(200, body.encode(), {"content-type": "text/xml"})


def test_a_listing_without_end_is_given_up(aws: AwsEmulator, route53: Route53Solver) -> None:
    endless = listing("", "<IsTruncated>true</IsTruncated><NextMarker>m</NextMarker>")
    aws.wire.fail("ListHostedZones", Way.REFUSED, endless, times=None)
    with pytest.raises(Unreachable, match="does not end"):
        route53.present(ONE)


def test_zones_that_are_none_are_passed_over(aws: AwsEmulator, route53: Route53Solver) -> None:
    zones = "".join(
        f"<HostedZone><Id>{id_}</Id><Name>{name}</Name></HostedZone>"
        for id_, name in [
            ("/hostedzone/../change", "www.example.com."),
            ("/hostedzone/Z1", "."),
            ("/hostedzone/Z2", r"\052.example.com."),
            ("/hostedzone/Z3", "xample.com."),
        ]
    )
    answer = listing(zones, "<IsTruncated>false</IsTruncated>")
    aws.wire.fail("ListHostedZones", Way.REFUSED, answer)
    with pytest.raises(NotFound, match="no public zone"):
        route53.present(ONE)


def test_a_page_of_a_proxy_is_no_answer(
    aws: AwsEmulator, client: "Route53Client", zone: str, route53: Route53Solver
) -> None:
    page = Response(200, b"<html>Please log in</html>", {"content-type": "text/html"})
    for operation in ("ListHostedZones", "ListResourceRecordSets", CHANGE):
        aws.wire.fail(operation, Way.REFUSED, page)
    route53.present(ONE)
    assert texts(client, zone) == {ONE.value}


def test_a_cname_in_the_way_is_told_and_not_tried_for_ever(
    aws: AwsEmulator, client: "Route53Client", zone: str, route53: Route53Solver
) -> None:
    put(client, zone, "elsewhere.example.net.", kind="CNAME")
    before = aws.wire.counts[CHANGE]
    with pytest.raises(Conflict, match="conflicting RRSet of type CNAME"):
        route53.present(ONE)
    assert aws.wire.counts[CHANGE] == before + 3


def test_records_with_a_routing_policy_are_left_alone(
    aws: AwsEmulator, zone: str, route53: Route53Solver
) -> None:
    records = (
        f"<ResourceRecordSet><Name>{NAME}.</Name><Type>TXT</Type><SetIdentifier>a</SetIdentifier>"
        "<Weight>1</Weight><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>&quot;a&quot;</Value>"
        "</ResourceRecord></ResourceRecords></ResourceRecordSet>"
    )
    body = (
        f"<R><ResourceRecordSets>{records}</ResourceRecordSets><IsTruncated>false</IsTruncated></R>"
    )
    aws.wire.fail("ListResourceRecordSets", Way.REFUSED, Response(200, body.encode()))
    with pytest.raises(Conflict, match="are not plain ones"):
        route53.present(ONE)
    assert aws.wire.counts[CHANGE] == 0


def test_a_zone_that_is_named_and_not_there_is_told(aws: AwsEmulator) -> None:
    solver = Route53Solver(Route53.model_validate({"hostedZoneID": "Z0123"}))
    with pytest.raises(NotFound, match="No hosted zone found"):
        solver.present(ONE)


def test_a_role_is_assumed_for_it(aws: AwsEmulator, zone: str) -> None:
    role = "arn:aws:iam::222222222222:role/dns"
    with pytest.raises(NotFound, match="no public zone"):  # the other account has none
        Route53Solver(Route53(role=role)).present(ONE)
    assert aws.wire.counts["AssumeRole"] == 1


def test_a_role_in_china_is_for_the_zones_there(aws: AwsEmulator) -> None:
    solver = Route53Solver(Route53(role="arn:aws-cn:iam::222222222222:role/dns"))
    assert solver._client.meta.partition == "aws-cn"


@pytest.mark.parametrize(
    ("messages", "told"), [(("one",), "one"), (("one", "two"), "the SDK tells no more")]
)
def test_a_refusal_in_the_form_that_the_sdk_does_not_read_is_understood(
    aws: AwsEmulator, zone: str, route53: Route53Solver, messages: tuple[str, ...], told: str
) -> None:
    said = "".join(f"<Message>{each}</Message>" for each in messages)
    body = f"<InvalidChangeBatch><Messages>{said}</Messages></InvalidChangeBatch>".encode()
    aws.wire.fail(CHANGE, Way.REFUSED, Response(400, body), times=4)
    with pytest.raises(Conflict, match=f"InvalidChangeBatch: {told}"):
        route53.present(ONE)
    route53.present(ONE)  # the fourth refusal is one of somebody's who was faster
    assert aws.wire.counts[CHANGE] == 5
