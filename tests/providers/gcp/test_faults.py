"""What goes wrong on the way is told for what it is, never done twice, and never shows a key."""

import logging
import traceback
from collections.abc import Callable

import pytest
from certificate_manager_emulator import CertificateManagerEmulator
from certificate_manager_errors import Refusal
from certificate_manager_rig import PARENT, Rig
from google.auth.exceptions import RefreshError
from wire import Request, Response, Way, Wire

from providers.abilities import RelabelRequest
from providers.conformance import shows
from providers.errors import (
    Ambiguous,
    Conflict,
    Denied,
    ProviderError,
    QuotaExceeded,
    Rejected,
    Throttled,
    Transient,
    Unreachable,
)
from providers.gcp.errors import explain
from providers.gcp.manager import CertificateManagerTarget, paced_calls


def test_a_create_that_was_not_answered_is_looked_for_and_not_repeated(rig: Rig) -> None:
    rig.emulator.wire.fail("CreateCertificate", Way.UNANSWERED)
    target = rig.target()
    installed = target.install(rig.request("web"))
    assert rig.asked() == ["CreateCertificate", "GetCertificate"]
    assert list(target.observe()) == [installed]


def test_a_create_that_never_arrived_is_ambiguous_and_goes_through_the_next_time(rig: Rig) -> None:
    rig.emulator.wire.fail("CreateCertificate", Way.DROPPED)
    target, wanted = rig.target(), rig.request("web")
    with pytest.raises(Ambiguous):
        target.install(wanted)
    assert rig.asked("CreateCertificate") == ["CreateCertificate"]
    assert target.install(wanted) in target.observe()


@pytest.mark.parametrize("answer", [Response(500), Response(503), Response(502, b"<html>proxy")])
def test_a_patch_that_was_answered_with_5xx_is_looked_for(rig: Rig, answer: Response) -> None:
    target = rig.target()
    before = target.install(rig.request("web"))
    rig.emulator.wire.fail("UpdateCertificate", Way.MISANSWERED, answer)
    after = target.install(rig.request("web", predecessor=before))
    assert after.sha256 != before.sha256
    assert rig.asked("UpdateCertificate") == ["UpdateCertificate"]


def test_a_patch_that_failed_with_5xx_leaves_what_was_there(rig: Rig) -> None:
    target = rig.target()
    before = target.install(rig.request("web"))
    rig.emulator.wire.fail("UpdateCertificate", Way.REFUSED, Response(503))
    with pytest.raises(Ambiguous):
        target.install(rig.request("web", predecessor=before))
    assert list(target.observe()) == [before]


def test_a_relabelling_and_a_removal_that_were_not_answered_are_looked_for(rig: Rig) -> None:
    target = rig.target()
    before = target.install(rig.request("web"))
    rig.emulator.wire.fail("UpdateCertificate", Way.UNANSWERED)
    after = target.relabel(RelabelRequest(before, {**before.labels, "team": "web"}))
    rig.emulator.wire.fail("DeleteCertificate", Way.UNANSWERED)
    target.remove(after)
    assert rig.asked("UpdateCertificate", "DeleteCertificate") == [
        "UpdateCertificate",
        "DeleteCertificate",
    ]
    assert list(target.observe()) == []


def test_a_storm_of_429_is_waited_out_for_as_long_as_the_service_asks(rig: Rig) -> None:
    refusal = Refusal("RESOURCE_EXHAUSTED", "Quota exceeded", {"Retry-After": "7"}).response
    rig.emulator.wire.fail("CreateCertificate", Way.REFUSED, refusal, times=3)
    rig.target().install(rig.request("web"))
    assert rig.clock.slept == [7.0, 7.0, 7.0]


def test_the_quota_of_a_project_is_kept_to_when_it_pushes_back(rig: Rig) -> None:
    quota = rig.emulator.service.quota
    quota.per_minute, quota.clock = 5, rig.clock.time
    target = rig.target()
    for number in range(6):
        target.install(rig.request(f"web-{number}"))
    assert len(target.observe()) == 6
    assert len(rig.emulator.service.quota._at) <= 5


def test_a_service_that_asks_for_too_long_a_pause_is_given_up(rig: Rig) -> None:
    refusal = Refusal("RESOURCE_EXHAUSTED", "Quota exceeded", {"Retry-After": "3600"}).response
    rig.emulator.wire.fail("CreateCertificate", Way.REFUSED, refusal, times=None)
    with pytest.raises(Throttled):
        rig.target().install(rig.request("web"))
    assert rig.clock.slept == []


def test_a_quota_of_things_is_not_waited_for(rig: Rig) -> None:
    body = (
        b'{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "too many",'
        b' "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo",'
        b' "reason": "RATE_LIMIT_EXCEEDED",'
        b' "metadata": {"quota_limit": "CertificatesPerProject"}}]}}'
    )
    rig.emulator.wire.fail("CreateCertificate", Way.REFUSED, Response(429, body), times=None)
    with pytest.raises(QuotaExceeded, match="too many"):
        rig.target().install(rig.request("web"))
    assert rig.asked() == ["CreateCertificate"]


def test_an_operation_that_ends_in_an_error_says_why(rig: Rig) -> None:
    rig.emulator.service.operations.fail(
        "CreateCertificate", Refusal("INVALID_ARGUMENT", "The chain is too long.")
    )
    with pytest.raises(Rejected, match="too long"):
        rig.target().install(rig.request("web"))
    assert rig.emulator.resources == {}


def test_an_operation_that_ends_in_an_internal_error_is_looked_at(rig: Rig) -> None:
    rig.emulator.service.operations.fail("CreateCertificate", Refusal("INTERNAL", "Oops."))
    with pytest.raises(Ambiguous, match="Oops"):
        rig.target().install(rig.request("web"))
    assert rig.asked() == ["CreateCertificate", "GetCertificate"]


def test_an_operation_that_outlasts_patience_is_ambiguous(rig: Rig) -> None:
    rig.emulator.service.operations.polls = None
    target, wanted = rig.target(), rig.request("web")
    with pytest.raises(Ambiguous, match="under way"):
        target.install(wanted)
    assert 90 <= rig.clock.now < 100
    assert rig.asked("CreateCertificate") == ["CreateCertificate"]
    rig.emulator.service.operations.finish()
    assert target.install(wanted) in target.observe()


def test_an_operation_that_cannot_be_asked_for_is_asked_for_again(rig: Rig) -> None:
    rig.emulator.service.operations.polls = 2
    rig.emulator.wire.fail("GetOperation", Way.DROPPED, times=2)
    rig.emulator.wire.fail("GetOperation", Way.REFUSED, Response(503))
    assert rig.target().install(rig.request("web"))


@pytest.mark.parametrize(
    "permission", ["certificatemanager.certs.update", "certificatemanager.operations.get"]
)
def test_a_permission_that_is_lost_midway_is_named(rig: Rig, permission: str) -> None:
    target = rig.target()
    before = target.install(rig.request("web"))
    rig.emulator.service.operations.polls = 3
    rig.emulator.service.denied.add(permission)
    with pytest.raises(Denied, match=permission.replace(".", r"\.")):
        target.install(rig.request("web", predecessor=before))


def test_a_token_that_is_refused_midway_is_told(rig: Rig) -> None:
    target = rig.target()
    before = target.install(rig.request("web"))
    rig.emulator.service.tokens.refuse_all = True
    with pytest.raises(Denied, match="credentials"):
        target.remove(before)
    rig.emulator.service.tokens.refuse_all = False
    target.remove(before)
    assert rig.emulator.resources == {}


def test_an_operation_under_way_stands_in_the_way_of_the_next(rig: Rig) -> None:
    target = rig.target()
    before = target.install(rig.request("web"))
    rig.emulator.service.operations.polls = None
    with pytest.raises(Ambiguous):
        target.relabel(RelabelRequest(before, {**before.labels, "team": "web"}))
    with pytest.raises(ProviderError):
        target.install(rig.request("web", predecessor=before))
    with pytest.raises(Conflict):
        target.install(rig.request("web"))


@pytest.mark.parametrize(
    "way", [Way.DROPPED, Way.UNANSWERED, Way.REFUSED, Way.MISANSWERED], ids=lambda way: way.name
)
def test_no_key_is_logged_or_told_whatever_goes_wrong(
    rig: Rig, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    for name in (None, "google", "urllib3"):
        caplog.set_level(logging.DEBUG, name)
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
    wanted = rig.request("web")
    pem = wanted.bundle.held_key.reveal().decode()
    quoted = Refusal("INVALID_ARGUMENT", f"bad certificate: {pem}").response
    rig.emulator.wire.fail("CreateCertificate", way, quoted)
    told = ""
    try:
        rig.target().install(wanted)
    except ProviderError as error:
        told = "".join(traceback.format_exception(error))
    rig.target().observe()
    logged = "\n".join(str(vars(record)) + record.getMessage() for record in caplog.records)
    assert "ListCertificates" in logged
    assert not shows(wanted.bundle, logged)
    assert not shows(wanted.bundle, told)


@pytest.mark.parametrize("body", [b"<html>not found", b"[]", b'{"error": "not found"}'])
def test_what_a_proxy_does_not_find_is_not_taken_for_gone(rig: Rig, body: bytes) -> None:
    rig.patience = 0.1
    target = rig.target(certificateMap="front")
    installed = target.install(rig.request("web"))
    rig.emulator.wire.fail("*", Way.REFUSED, Response(404, body), times=None)
    with pytest.raises(Ambiguous):
        target.find(installed.id)
    with pytest.raises(Ambiguous):
        target.remove(installed)
    with pytest.raises(Unreachable):
        target.observe()
    rig.emulator.wire.heal()
    assert target.find(installed.id) == installed


@pytest.mark.parametrize(
    "body",
    [
        b"<html>please log in",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b'{"error": {"code": 401}}',
        b'{"name": 3}',
        b'{"done": true}',
        b'{"certificates": [{}]}',
        b'{"certificates": [{"name": "projects/p/locations/elsewhere/certificates/web"}]}',
    ],
)
def test_what_a_proxy_answers_in_googles_place_is_neither_absence_nor_success(
    rig: Rig, body: bytes
) -> None:
    rig.patience = 0.01
    target = rig.target(certificateMap="front")
    installed = target.install(rig.request("web"))
    rig.emulator.wire.fail("*", Way.REFUSED, Response(200, body), times=None)
    with pytest.raises(Unreachable, match="proxy"):
        target.observe()
    verbs: tuple[Callable[[], object], ...] = (
        lambda: target.find(installed.id),
        lambda: target.install(rig.request("other")),
        lambda: target.install(rig.request("web", predecessor=installed)),
        lambda: target.remove(installed),
    )
    for verb in verbs:
        with pytest.raises(Ambiguous, match="proxy"):
            verb()
    rig.emulator.wire.heal()
    assert list(target.observe()) == [installed]


def test_a_last_page_that_a_proxy_answered_is_no_end(rig: Rig) -> None:
    rig.patience = 0.01
    target, service = rig.target(), rig.emulator.service
    for name in ("one", "two"):
        target.install(rig.request(name))
    service.page_cap = 1
    serve = rig.emulator.wire.service
    first: list[Request] = []

    def lose_all_but_the_first(request: Request) -> Response:
        first.append(request)
        return serve(request) if len(first) == 1 else Response(200, b"{}")

    rig.emulator.wire.service = lose_all_but_the_first
    with pytest.raises(Unreachable, match="proxy"):
        target.observe()


def test_pages_that_never_end_are_no_answer(rig: Rig) -> None:
    answer = Response(200, b'{"nextPageToken": "1"}')
    rig.emulator.wire.fail("ListCertificates", Way.REFUSED, answer, times=None)
    with pytest.raises(Unreachable, match="proxy"):
        rig.target().observe()
    assert rig.asked() == ["ListCertificates"] * 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_key_is_never_carried_on_to_another_address(
    rig: Rig, emulator: CertificateManagerEmulator, status: int
) -> None:
    rig.patience = 0.01
    elsewhere = Wire(lambda _: Response(200, b"{}"), lambda request: request.method)
    with elsewhere.running():
        moved = Response(status, b"", {"Location": f"{elsewhere.url}/v1/certificates"})
        emulator.wire.fail("*", Way.REFUSED, moved, times=None)
        with pytest.raises(Ambiguous, match="proxy"):
            rig.target().install(rig.request("web"))
        with pytest.raises(Unreachable, match="proxy"):
            rig.target().observe()
    assert elsewhere.asked == []


@pytest.mark.parametrize(
    ("status", "error"), [(400, Rejected), (401, Denied), (403, Denied), (429, Throttled)]
)
def test_an_answer_without_words_of_google_is_told_by_its_number(
    rig: Rig, status: int, error: type[ProviderError]
) -> None:
    rig.patience = 0.1
    rig.emulator.wire.fail("CreateCertificate", Way.REFUSED, Response(status), times=None)
    with pytest.raises(error):
        rig.target().install(rig.request("web"))


def test_a_token_that_could_not_be_had_just_now_is_asked_for_again() -> None:
    failed: Callable[..., Exception] = RefreshError
    assert isinstance(explain(failed("503", retryable=True)), Transient)
    assert isinstance(explain(failed("invalid_grant")), Denied)


def test_what_is_not_googles_is_not_explained() -> None:
    assert explain(ValueError("ours")) is None


def test_changes_are_paced_as_the_quota_allows(rig: Rig) -> None:
    assert paced_calls().pace.per_second == 5.0
    assert CertificateManagerTarget.capabilities.limits.installs_per_second == 5.0


def test_the_path_of_a_certificate_is_its_identity(rig: Rig) -> None:
    assert rig.target().install(rig.request("web")).id == f"{PARENT}/certificates/web"
