"""AWS Private CA as it really behaves: limits told before anything is paid for, every fault survived."""

import json
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aws_emulator import AwsEmulator
from private_ca import PrivateCa
from wire import Response, Way

from providers import x509
from providers.aws.private_ca import PrivateCaIssuer
from providers.errors import Denied, NotFound, Rejected, Throttled
from providers.issued import check
from providers.issuing import Issued, IssueRequest, RevokeRequest
from providers.specimens import P256
from providers.x509.ordering import signing_request
from schemas.certificate import Usage
from schemas.issuer import AwsPrivateCa
from schemas.request import LeafRequest
from schemas.revocation import RevocationReason

DAY = 86_400
BLANK = "BlankEndEntityCertificate_CSRPassthrough/V1"


@pytest.fixture
def cas(aws: AwsEmulator) -> PrivateCa:
    aws.services["acm-pca"] = made = PrivateCa()
    return made


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def issuer(cas: PrivateCa, slept: list[float]) -> PrivateCaIssuer:
    return PrivateCaIssuer(AwsPrivateCa(arn=cas.create()), sleep=slept.append)


def _request(noted: list[str] | None = None, **fields: object) -> IssueRequest:
    wanted = LeafRequest.model_validate(
        {
            "issuer": "theirs",
            "issuer_generation": 0,
            "dns_names": ("www.example.com",),
            "usages": (Usage.SERVER_AUTH,),
            "key": P256,
            "duration": 5 * DAY,
            **fields,
        }
    )
    csr = signing_request(wanted, x509.encode_key(x509.generate_key(P256)))
    start, end = x509.validity(datetime.now(UTC), wanted.duration)
    notes = noted if noted is not None else []
    return IssueRequest(csr, wanted, start, end, secrets.token_hex(16), notes.append)


def _issued(issuer: PrivateCaIssuer, request: IssueRequest) -> Issued:
    answer = issuer.issue(request)
    assert isinstance(answer, Issued)
    return answer


def test_the_ca_is_described_once_and_each_certificate_costs_two_calls(
    aws: AwsEmulator, issuer: PrivateCaIssuer
) -> None:
    for _ in range(3):
        _issued(issuer, _request())
    assert aws.wire.counts == {
        "DescribeCertificateAuthority": 1,
        "IssueCertificate": 3,
        "GetCertificate": 3,
    }


def test_an_order_is_noted_before_it_is_waited_for(
    aws: AwsEmulator, issuer: PrivateCaIssuer
) -> None:
    noted: list[str] = []
    aws.wire.fail("GetCertificate", Way.REFUSED, _refusal("ResourceNotFoundException"))
    with pytest.raises(NotFound):
        issuer.issue(_request(noted))
    (arn,) = noted
    assert arn.startswith(f"{issuer.settings.arn}/certificate/")


def test_what_is_not_ready_is_asked_for_again_a_second_apart(
    cas: PrivateCa, issuer: PrivateCaIssuer, slept: list[float]
) -> None:
    cas.slow = 3
    _issued(issuer, _request())
    assert slept == [1, 1, 1]


@pytest.mark.parametrize("way", [Way.DROPPED, Way.UNANSWERED])
def test_an_answer_that_is_lost_costs_no_second_certificate(
    aws: AwsEmulator, cas: PrivateCa, issuer: PrivateCaIssuer, way: Way
) -> None:
    aws.wire.fail("IssueCertificate", way)
    _issued(issuer, _request())
    assert len(cas.sold) == 1


@pytest.mark.parametrize("operation", ["IssueCertificate", "GetCertificate"])
def test_a_page_of_a_proxy_is_no_answer(
    aws: AwsEmulator, cas: PrivateCa, issuer: PrivateCaIssuer, operation: str
) -> None:
    page = Response(200, b"<html>Please log in</html>", {"content-type": "text/html"})
    aws.wire.fail(operation, Way.MISANSWERED, page)
    _issued(issuer, _request())
    assert len(cas.sold) == 1


def test_the_same_token_means_the_same_order_for_five_minutes_only(
    cas: PrivateCa, issuer: PrivateCaIssuer
) -> None:
    request = _request()
    first = _issued(issuer, request)
    assert _issued(issuer, request).certificate == first.certificate
    cas.clock = lambda: datetime.now(UTC) + timedelta(minutes=6)
    assert _issued(issuer, request).certificate != first.certificate
    assert len(cas.sold) == 2


def test_an_order_whose_name_is_known_is_not_made_again_however_late(
    aws: AwsEmulator, cas: PrivateCa, issuer: PrivateCaIssuer
) -> None:
    noted: list[str] = []
    request = _request(noted)
    first = _issued(issuer, request)
    cas.clock = lambda: datetime.now(UTC) + timedelta(days=1)
    again = _issued(issuer, replace(request, resume=noted[0]))
    assert again == first
    assert aws.wire.counts["IssueCertificate"] == 1


def test_a_template_that_passes_the_request_on_gives_any_usage(cas: PrivateCa) -> None:
    issuer = PrivateCaIssuer(AwsPrivateCa(arn=cas.create(), template=BLANK))
    request = _request(usages=(Usage.CODE_SIGNING, Usage.EMAIL_PROTECTION))
    check(_issued(issuer, request), request, issuer.honours, datetime.now(UTC))


def test_a_life_ends_with_its_ca(cas: PrivateCa) -> None:
    issuer = PrivateCaIssuer(AwsPrivateCa(arn=cas.create(days=2)))
    end = x509.facts(_issued(issuer, _request()).certificate).not_after
    assert end <= cas.cas[issuer.settings.arn].certificate.not_valid_after_utc


def test_a_short_lived_ca_says_what_to_do_before_anything_is_ordered(
    aws: AwsEmulator, cas: PrivateCa
) -> None:
    arn = cas.create(usage_mode="SHORT_LIVED_CERTIFICATE")
    issuer = PrivateCaIssuer(AwsPrivateCa(arn=arn))
    with pytest.raises(Rejected, match="at most 7 days: write duration: 7d"):
        issuer.issue(_request(duration=30 * DAY))
    assert aws.wire.counts["IssueCertificate"] == 0
    _issued(issuer, _request(duration=7 * DAY))


@pytest.mark.parametrize("status", ["DISABLED", "EXPIRED", "PENDING_CERTIFICATE", "DELETED"])
def test_a_ca_that_issues_nothing_says_so(
    cas: PrivateCa, issuer: PrivateCaIssuer, status: str
) -> None:
    cas.cas[issuer.settings.arn].status = status
    with pytest.raises(Rejected, match=f"the CA is {status}"):
        issuer.issue(_request())


def test_a_malformed_request_is_refused(issuer: PrivateCaIssuer) -> None:
    with pytest.raises(Rejected, match="MalformedCSRException"):
        issuer.issue(replace(_request(), csr=b"\x30\x00"))


def test_a_missing_permission_is_named(aws: AwsEmulator, issuer: PrivateCaIssuer) -> None:
    aws.denied = {"IssueCertificate"}
    with pytest.raises(Denied, match=r"lack acm-pca:IssueCertificate.*GetCertificate"):
        issuer.issue(_request())


def test_a_ca_that_is_not_there_is_told(cas: PrivateCa) -> None:
    arn = f"arn:aws:acm-pca:eu-west-1:123456789012:certificate-authority/{'0' * 36}"
    with pytest.raises(NotFound, match="acm-pca:DescribeCertificateAuthority"):
        PrivateCaIssuer(AwsPrivateCa(arn=arn)).issue(_request())


def test_being_too_fast_is_no_failure(aws: AwsEmulator, issuer: PrivateCaIssuer) -> None:
    aws.wire.fail("IssueCertificate", Way.REFUSED, _refusal("ThrottlingException"), times=2)
    _issued(issuer, _request())


def test_being_refused_for_good_is_told(aws: AwsEmulator, issuer: PrivateCaIssuer) -> None:
    answer = replace(_refusal("ThrottlingException"), headers={"retry-after": "3600"})
    aws.wire.fail("IssueCertificate", Way.REFUSED, answer, times=None)
    with pytest.raises(Throttled) as told:
        issuer.issue(_request())
    assert told.value.retry_after == 3600


def test_it_revokes_by_serial_also_when_the_answer_is_lost(
    aws: AwsEmulator, cas: PrivateCa, issuer: PrivateCaIssuer
) -> None:
    issued = _issued(issuer, _request())
    facts = x509.facts(issued.certificate)
    aws.wire.fail("RevokeCertificate", Way.UNANSWERED)
    reason = RevocationReason.KEY_COMPROMISE
    issuer.revoke(RevokeRequest(issued.certificate, facts.serial, reason))
    (sold,) = cas.sold.values()
    assert sold.revoked == "KEY_COMPROMISE"


def test_the_parts_of_an_error_that_may_quote_a_request_are_left_out(
    aws: AwsEmulator, issuer: PrivateCaIssuer
) -> None:
    body = json.dumps({"__type": "ValidationException", "message": "bad -----BEGIN X-----"})
    aws.wire.fail("IssueCertificate", Way.REFUSED, Response(400, body.encode()))
    with pytest.raises(Rejected) as told:
        issuer.issue(_request())
    assert "BEGIN" not in str(told.value)


def _refusal(code: str) -> Response:
    return Response(400, json.dumps({"__type": code, "message": "no"}).encode())
