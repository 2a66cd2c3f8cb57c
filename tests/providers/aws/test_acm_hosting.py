"""Public certificates that ACM issues and renews by itself."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import acm_issuance
import pytest
from acm_others import Others
from aws_emulator import AwsEmulator
from wire import Way

from providers.abilities import HostRequest, RelabelRequest
from providers.aws.acm import AcmTarget
from providers.aws.tags import REPLACES
from providers.base import SPEC, Bundle, HostingState, Installed
from providers.conformance import labels, request
from providers.errors import Conflict, InUse, ProviderError, Rejected
from schemas.certificate import Algorithm, Usage
from schemas.request import KeyType, LeafRequest

Make = Callable[[], Bundle]
P256 = KeyType(algorithm=Algorithm.ECDSA, size=256)
RSA = KeyType(algorithm=Algorithm.RSA, size=2048)


@dataclass(frozen=True)
class Settings:
    """What an Issuer document may say."""

    exportable: bool = False


def wanted(*names: str, key: KeyType = P256, **more: Any) -> HostRequest:
    leaf = LeafRequest(
        issuer="amazon",
        issuer_generation=1,
        dns_names=names or ("example.com", "*.example.com"),
        usages=(Usage.SERVER_AUTH,),
        key=key,
        duration=86_400,
    )
    return replace(HostRequest("web", leaf, labels("web"), Settings()), **more)


def seen(target: AcmTarget) -> dict[str, Installed]:
    return {each.name: each for each in target.observe()}


def test_a_request_is_pending_and_says_which_records_it_waits_for(
    target: AcmTarget, others: Others
) -> None:
    hosted = target.host(wanted())
    assert hosted.hosting is not None
    assert hosted.hosting.state is HostingState.PENDING
    (record,) = hosted.hosting.records
    assert (record.type, record.name.endswith(".example.com.")) == ("CNAME", True)
    assert record.value.endswith(".acm-validations.aws.")
    observed = seen(target)["web"]
    assert (observed.id, observed.hosting, observed.labels) == (
        hosted.id,
        hosted.hosting,
        labels("web"),
    )
    assert (observed.serial, observed.drift) == (None, ())
    (held,) = others.held()
    assert (held.names, held.key_algorithm, held.export) == (
        ("example.com", "*.example.com"),
        "EC_prime256v1",
        "DISABLED",
    )


@pytest.mark.parametrize("key", [P256, RSA], ids=str)
def test_asking_twice_is_asking_once(
    target: AcmTarget, aws: AwsEmulator, others: Others, key: KeyType
) -> None:
    first = target.host(wanted(key=key))
    assert target.host(wanted(key=key)) == first
    assert target.host(wanted(key=key, predecessor=first)) == first
    assert (len(others.held()), aws.wire.counts["RequestCertificate"]) == (1, 1)


def test_what_is_asked_for_while_listings_lag_is_the_same_request(
    target: AcmTarget, aws: AwsEmulator, others: Others
) -> None:
    aws.store().lag = 1_000
    first = target.host(wanted())
    assert target.host(wanted()) == first
    assert (len(others.held()), aws.wire.counts["RequestCertificate"]) == (1, 2)


@pytest.mark.parametrize("way", [Way.UNANSWERED, Way.DROPPED])
def test_a_request_whose_answer_was_lost_is_made_once(
    target: AcmTarget, aws: AwsEmulator, others: Others, way: Way
) -> None:
    aws.wire.fail("RequestCertificate", way)
    aws.store().delay = 2
    hosted = target.host(wanted())
    assert [each.arn for each in others.held()] == [hosted.id]


def test_what_is_issued_is_active_and_costs_no_further_calls(
    target: AcmTarget, aws: AwsEmulator, others: Others
) -> None:
    target.host(wanted())
    acm_issuance.issue(others.held()[0], aws.acm.now())
    aws.wire.asked.clear()
    observed = seen(target)["web"]
    assert observed.hosting is not None
    assert (observed.hosting.state, observed.hosting.records) == (HostingState.ACTIVE, ())
    assert observed.serial is not None
    assert dict(aws.wire.counts) == {"SearchCertificates": 1, "GetResources": 1}


def test_a_renewal_by_aws_is_no_drift_and_no_conflict(
    target: AcmTarget, aws: AwsEmulator, others: Others
) -> None:
    target.host(wanted())
    (held,) = others.held()
    acm_issuance.issue(held, aws.acm.now())
    before = seen(target)["web"]
    acm_issuance.issue(held, aws.acm.now() + timedelta(hours=1))
    after = seen(target)["web"]
    assert (after.id, after.drift) == (before.id, ())
    assert after.serial != before.serial
    target.relabel(RelabelRequest(before, {**labels("web"), SPEC: "f" * 32}))
    target.remove(before)
    assert seen(target) == {}


def test_a_renewal_that_waits_for_its_records_says_so(
    target: AcmTarget, aws: AwsEmulator, others: Others
) -> None:
    target.host(wanted())
    (held,) = others.held()
    acm_issuance.issue(held, aws.acm.now())
    held.renewal = "PENDING_VALIDATION"
    hosting = seen(target)["web"].hosting
    assert hosting is not None
    assert hosting.state is HostingState.ACTIVE
    assert "renewal" in hosting.detail
    assert len(hosting.records) == 1


def test_a_request_that_fails_says_why_and_is_replaced(target: AcmTarget, others: Others) -> None:
    first = target.host(wanted())
    acm_issuance.refuse(others.held()[0], "CAA_ERROR")
    failed = seen(target)["web"]
    assert failed.hosting is not None
    assert failed.hosting.state is HostingState.FAILED
    assert "CAA_ERROR" in failed.hosting.detail
    second = target.host(wanted(predecessor=failed, replace=True))
    assert second.id != first.id
    assert second.hosting is not None
    assert second.hosting.state is HostingState.PENDING
    assert set(seen(target)) == {"web", f"web~{first.id.rpartition('/')[2][:8]}"}
    assert target.host(wanted(predecessor=failed, replace=True)) == second


def test_what_was_replaced_and_failed_again_is_not_taken_for_the_next_one(
    target: AcmTarget, others: Others
) -> None:
    first = target.host(wanted())
    acm_issuance.refuse(others.held()[0], "CAA_ERROR")
    second = target.host(wanted(predecessor=seen(target)["web"], replace=True))
    acm_issuance.refuse(others.held()[1], "CAA_ERROR")
    third = target.host(wanted(predecessor=seen(target)["web"], replace=True))
    assert len({first.id, second.id, third.id}) == 3
    assert seen(target)["web"].id == third.id


def test_a_renewal_of_what_was_superseded_does_not_take_the_name_back(
    target: AcmTarget, aws: AwsEmulator, others: Others
) -> None:
    target.host(wanted())
    (oldest,) = others.held()
    acm_issuance.issue(oldest, aws.acm.now())
    for number in (1, 2):
        target.host(wanted(f"{number}.example.com", predecessor=seen(target)["web"], replace=True))
    newest = seen(target)["web"]
    target.remove(next(each for each in target.observe() if each.id == others.held()[1].arn))
    acm_issuance.issue(oldest, aws.acm.now() + timedelta(days=100))
    assert seen(target)["web"].id == newest.id


def test_other_names_or_another_key_are_a_new_request_beside_the_old(
    target: AcmTarget, aws: AwsEmulator, others: Others
) -> None:
    first = target.host(wanted())
    acm_issuance.issue(others.held()[0], aws.acm.now())
    before = seen(target)["web"]
    other = wanted("www.example.com", predecessor=before)
    with pytest.raises(Conflict, match="takes a new one"):
        target.host(other)
    second = target.host(replace(other, replace=True))
    assert others.held()[1].tags[REPLACES] == first.id.rpartition("/")[2]
    aws.use(first.id, "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/front/1")
    old = seen(target)[f"web~{first.id.rpartition('/')[2][:8]}"]
    with pytest.raises(InUse, match="front"):
        target.remove(old)
    assert seen(target)["web"].id == second.id


def test_an_imported_certificate_is_in_the_way_of_a_request(
    target: AcmTarget, bundle: Make
) -> None:
    imported = target.install(request("web", bundle()))
    for attempt in (wanted(), wanted(predecessor=imported)):
        with pytest.raises(Conflict):
            target.host(attempt)
    replaced = target.host(wanted(predecessor=imported, replace=True))
    assert replaced.id != imported.id


def test_an_export_is_asked_for_where_the_issuer_says_so(target: AcmTarget, others: Others) -> None:
    target.host(wanted(settings=Settings(exportable=True)))
    assert others.held()[0].export == "ENABLED"


def test_a_long_name_does_not_come_first(target: AcmTarget, others: Others) -> None:
    long = f"{'a' * 60}.example.com"
    target.host(wanted(long, "short.example.com"))
    assert others.held()[0].names == ("short.example.com", long)
    with pytest.raises(Rejected, match="64 characters"):
        target.host(replace(wanted(long), name="other", labels=labels("other")))


def test_what_acm_does_not_issue_is_refused(target: AcmTarget, others: Others) -> None:
    addressed = wanted()
    leaf = addressed.request.model_copy(update={"ip_addresses": ("192.0.2.1",)})
    rsa = KeyType(algorithm=Algorithm.RSA, size=4096)
    ed25519 = KeyType(algorithm=Algorithm.ED25519, size=256)
    for attempt in (replace(addressed, request=leaf), wanted(key=rsa), wanted(key=ed25519)):
        with pytest.raises(ProviderError):
            target.host(attempt)
    assert others.held() == []


def test_what_amazon_issued_for_others_is_foreign(
    target: AcmTarget, aws: AwsEmulator, others: Others
) -> None:
    hosted = target.host(wanted())
    (held,) = others.held()
    held.tags.clear()
    aws.wire.asked.clear()
    observed = seen(target)[hosted.id]
    assert observed.hosting is not None
    assert observed.hosting.state is HostingState.PENDING
    assert aws.wire.counts["DescribeCertificate"] == 0
    assert datetime.now(UTC) - held.created_at < timedelta(minutes=5)
