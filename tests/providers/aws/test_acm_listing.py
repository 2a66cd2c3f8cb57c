"""Observing ACM: everything, for as many calls as there are pages, or nothing at all."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil

import acm_issuance
import pytest
from acm_others import Others
from aws_emulator import AwsEmulator
from wire import Request, Response, Way

from providers import x509
from providers.abilities import AdoptRequest
from providers.aws.acm import AcmTarget
from providers.base import Bundle, Installed
from providers.conformance import labels, request
from providers.errors import Rejected, Unreachable
from providers.pairing import Pairing
from providers.seal import CONTENT, Seal
from providers.specimens import Specimens
from schemas.certificate import Algorithm
from schemas.request import KeyType

Make = Callable[[], Bundle]
MANY = 1_203
_FAILED = Response(400, b'{"__type": "ValidationException", "message": "no such page"}')


def tags_of(name: str, bundle: Bundle) -> dict[str, str]:
    """The tags of an object that was installed by certform."""
    pair = Pairing().check(bundle)
    return {**labels(name), CONTENT: str(Seal.of(pair, pair.serial))}


def fill(others: Others, made: Sequence[Bundle]) -> None:
    for number, bundle in enumerate(made):
        others.put(bundle, tags_of(f"web-{number}", bundle))


@pytest.fixture
def many(specimens: Specimens) -> list[Bundle]:
    now = datetime.now(UTC)
    return [specimens.bundle(f"www-{n}.example.com", now) for n in range(MANY)]


def test_calls_grow_with_pages_not_with_certificates(
    target: AcmTarget, aws: AwsEmulator, others: Others, many: list[Bundle]
) -> None:
    fill(others, many)
    observed = target.observe()
    assert len(observed) == MANY
    assert {each.trust for each in observed} == {x509.trust_digest(many[0].chain, many[0].anchors)}
    assert None not in {each.sha256 for each in observed}
    assert len(aws.wire.asked) <= ceil(MANY / 500) + ceil(MANY / 100) + 2


def test_nothing_of_what_has_settled_costs_a_call_of_its_own(
    target: AcmTarget, aws: AwsEmulator, others: Others, bundle: Make
) -> None:
    first = target.install(request("web", bundle()))
    second = target.install(replace(request("web", bundle(), first), replace=True))
    adopted = target.adopt(AdoptRequest(others.put(bundle()).arn, "api", labels("api")))
    by_hand, theirs = others.put(bundle()), others.put(bundle(), {"team": "payments"})
    requested, issued = (others.put_requested(f"{n}.example.com") for n in ("one", "two"))
    acm_issuance.issue(issued, aws.acm.now())
    kept = target.adopt(AdoptRequest(issued.arn, "issued", labels("issued")))
    aws.acm.now = lambda: datetime.now(UTC) + timedelta(days=30)  # the imported ones have expired
    aws.wire.asked.clear()
    there = {each.arn for each in (by_hand, theirs, requested)}
    assert {each.id for each in target.observe()} == there | {
        each.id for each in (first, second, adopted, kept)
    }
    assert dict(aws.wire.counts) == {"SearchCertificates": 1, "GetResources": 1}


@pytest.mark.parametrize("operation", ["SearchCertificates", "GetResources"])
def test_a_listing_that_breaks_off_is_unreachable(
    target: AcmTarget, aws: AwsEmulator, others: Others, many: list[Bundle], operation: str
) -> None:
    fill(others, many[:501])
    service = aws.wire.service

    def answer(request: Request) -> Response:
        second = aws.wire.counts[operation] > 1 and aws.wire.asked[-1] == operation
        return _FAILED if second else service(request)

    aws.wire.service = answer
    with pytest.raises(Unreachable, match="eu-west-1"):
        target.observe()


def test_a_listing_that_never_ends_is_unreachable(
    target: AcmTarget, aws: AwsEmulator, others: Others, bundle: Make
) -> None:
    others.put(bundle())
    again = Response(200, b'{"Results": [], "NextToken": "again"}')
    aws.wire.fail("SearchCertificates", Way.REFUSED, again, times=None)
    with pytest.raises(Unreachable, match="same page"):
        target.observe()


def test_what_is_listed_twice_is_there_once_and_keeps_its_name(
    target: AcmTarget, aws: AwsEmulator, bundle: Make
) -> None:
    installed = target.install(request("web", bundle()))
    service = aws.wire.service

    def answer(asked: Request) -> Response:
        told = service(asked)
        if aws.wire.asked[-1] != "SearchCertificates":
            return told
        body = json.loads(told.body)
        return Response(200, json.dumps({"Results": body["Results"] * 2}).encode())

    aws.wire.service = answer
    assert list(target.observe()) == [installed]


def test_what_is_made_while_it_is_listed_is_ours_or_not_there(
    target: AcmTarget, aws: AwsEmulator, others: Others, bundle: Make
) -> None:
    made, service = bundle(), aws.wire.service

    def answer(asked: Request) -> Response:
        told = service(asked)
        if len(aws.wire.asked) == 1:
            others.put(made, tags_of("web", made))
        return told

    aws.wire.service = answer
    assert [each.name for each in target.observe()] in ([], ["web"])


def test_everything_is_listed_whatever_its_key_or_kind(
    target: AcmTarget, aws: AwsEmulator, others: Others, specimens: Specimens
) -> None:
    for size in (2048, 3072, 4096):
        kind = KeyType(algorithm=Algorithm.RSA, size=size)
        others.put(specimens.bundle("rsa.example.com", datetime.now(UTC), kind))
    for size in (256, 384, 521):
        kind = KeyType(algorithm=Algorithm.ECDSA, size=size)
        others.put(specimens.bundle("ec.example.com", datetime.now(UTC), kind))
    others.held()[0].origin = "ACME"
    searched = target.observe()
    aws.unknown.add("SearchCertificates")
    listed = target.observe()
    assert [each.name for each in searched] == sorted(each.arn for each in others.held())
    assert [each.id for each in listed] == [each.id for each in searched]
    keys = {str(each.content.key) for each in searched if each.content}
    assert keys == {"RSA 2048", "RSA 3072", "RSA 4096", "ECDSA 256", "ECDSA 384", "ECDSA 521"}


def test_what_a_listing_tells_is_what_the_certificate_says(target: AcmTarget, bundle: Make) -> None:
    installed = target.install(request("web", bundle()))
    (observed,) = target.observe()
    assert observed.content == installed.content
    assert observed.content is not None
    assert observed.content.dns_names == ("www.example.com",)
    assert observed.content.issuer == "CN=Specimen CA"
    assert observed.content.usages == ("server auth",)
    assert observed.installed_at is not None


@pytest.mark.parametrize("setting", ["unknown", "denied"])
def test_where_there_is_no_search_the_older_listing_serves(
    target: AcmTarget, aws: AwsEmulator, others: Others, bundle: Make, setting: str
) -> None:
    installed = target.install(request("web", bundle()))
    foreign = others.put(bundle())
    getattr(aws, setting).add("SearchCertificates")
    seen = {each.id: each for each in target.observe()}
    assert identity(seen[installed.id]) == identity(installed)
    assert seen[foreign.arn].serial is None
    assert target.install(request("web", bundle(), installed)).id == installed.id


def test_where_there_is_no_search_what_others_imported_is_seen(
    target: AcmTarget, aws: AwsEmulator, others: Others, bundle: Make
) -> None:
    installed, by_hand = target.install(request("web", bundle())), bundle()
    aws.unknown.add("SearchCertificates")
    others.reimport(installed.id, by_hand)
    (seen,) = target.observe()
    assert seen.sha256 == x509.facts(by_hand.certificate).sha256


def test_what_others_imported_into_our_arn_is_read(
    target: AcmTarget, aws: AwsEmulator, others: Others, bundle: Make
) -> None:
    ours = [target.install(request(name, bundle())) for name in ("one", "two", "three")]
    by_hand = bundle()
    others.reimport(ours[1].id, by_hand)
    aws.wire.asked.clear()
    seen = {each.name: each for each in target.observe()}
    facts = x509.facts(by_hand.certificate)
    assert (seen["two"].serial, seen["two"].sha256, seen["two"].trust) == (
        facts.serial,
        facts.sha256,
        None,
    )
    assert (seen["one"], seen["three"]) == (ours[0], ours[2])
    assert aws.wire.counts["GetCertificate"] == 1


def test_what_has_expired_or_was_revoked_is_drift_of_ours(
    target: AcmTarget, aws: AwsEmulator, others: Others, bundle: Make
) -> None:
    target.install(request("web", bundle()))
    others.put(bundle())
    aws.acm.now = lambda: datetime.now(UTC) + timedelta(days=30)
    drifts = [each.drift for each in target.observe()]
    assert sorted(drifts) == [(), ("ACM says that it is expired",)]


def test_what_is_in_use_says_so_and_by_what_when_asked(
    target: AcmTarget, aws: AwsEmulator, bundle: Make
) -> None:
    installed = target.install(request("web", bundle()))
    balancer = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/front/1"
    aws.use(installed.id, balancer)
    (seen,) = target.observe()
    assert len(seen.used_by) == 1
    assert target.inspect(seen).used_by == (balancer,)


def test_what_a_listing_leaves_out_of_a_foreign_one_is_told_when_asked(
    target: AcmTarget, aws: AwsEmulator, others: Others, bundle: Make
) -> None:
    made = bundle()
    others.put(made)
    aws.unknown.add("SearchCertificates")
    (seen,) = target.observe()
    facts, told = x509.facts(made.certificate), target.inspect(seen)
    assert (seen.serial, seen.sha256) == (None, None)
    assert (told.name, told.serial, told.sha256) == (seen.name, facts.serial, facts.sha256)


def test_what_listings_do_not_show_yet_can_be_found(
    target: AcmTarget, aws: AwsEmulator, bundle: Make
) -> None:
    aws.store().lag = 1_000
    installed = target.install(request("web", bundle()))
    assert list(target.observe()) == []
    assert target.find(installed.id) == installed
    target.remove(installed)
    assert target.find(installed.id) is None


def test_an_operation_that_an_endpoint_does_not_know_is_no_proof_that_anything_is_gone(
    target: AcmTarget, aws: AwsEmulator, bundle: Make
) -> None:
    installed = target.install(request("web", bundle()))
    for operation in ("DescribeCertificate", "ListTagsForCertificate"):
        aws.unknown = {operation}
        with pytest.raises(Rejected, match=operation):
            target.find(installed.id)
        with pytest.raises(Rejected, match=operation):
            target.remove(installed)


def test_what_is_superseded_is_found_under_the_name_it_is_listed_under(
    target: AcmTarget, aws: AwsEmulator, bundle: Make
) -> None:
    first = target.install(request("web", bundle()))
    second = target.install(replace(request("web", bundle(), first), replace=True))
    listed = {each.id: each.name for each in target.observe()}
    found = [target.find(each.id) for each in (first, second)]
    assert {each.id: each.name for each in found if each} == listed


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("SubjectAlternativeNames", [{"IpAddress": "192.0.2.0/24"}]),
        ("SerialNumber", "not a number"),
    ],
)
def test_what_cannot_be_understood_of_one_does_not_hide_the_others(
    target: AcmTarget, aws: AwsEmulator, others: Others, bundle: Make, attribute: str, value: object
) -> None:
    installed = target.install(request("web", bundle()))
    odd, service = others.put(bundle()), aws.wire.service

    def answer(asked: Request) -> Response:
        told = service(asked)
        if aws.wire.asked[-1] != "SearchCertificates":
            return told
        body = json.loads(told.body)
        for each in body["Results"]:
            if each["CertificateArn"] == odd.arn:
                each["X509Attributes"][attribute] = value
        return Response(200, json.dumps(body).encode())

    aws.wire.service = answer
    assert {each.id for each in target.observe()} == {installed.id, odd.arn}


def test_another_owners_objects_are_foreign(
    target: AcmTarget, others: Others, bundle: Make
) -> None:
    theirs = {**labels("web"), "certform-owner": "somebody_else"}
    arn = others.put(bundle(), theirs).arn
    (seen,) = target.observe()
    assert (seen.name, seen.labels) == (arn, theirs)


def test_what_was_deleted_while_it_was_listed_is_not_there(
    target: AcmTarget, aws: AwsEmulator, others: Others, bundle: Make
) -> None:
    installed = target.install(request("web", bundle()))
    others.reimport(installed.id, bundle())
    gone = Response(400, b'{"__type": "ResourceNotFoundException", "message": "gone"}')
    aws.wire.fail("GetCertificate", Way.REFUSED, gone)
    assert list(target.observe()) == []


def identity(installed: Installed) -> tuple[object, ...]:
    return installed.id, installed.name, installed.serial, installed.sha256, installed.trust
