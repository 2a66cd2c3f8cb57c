"""Installing in ACM: into the same ARN, without tags, paced, and never twice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from acm_others import Others
from aws_emulator import AwsEmulator
from wire import Request, Response, Way

from providers import x509
from providers.aws.acm import AcmTarget
from providers.aws.importing import LARGEST_CERTIFICATE, LARGEST_CHAIN
from providers.aws.tags import REPLACES
from providers.base import NAME, OWNER, SPEC, Bundle, TargetConfig
from providers.conformance import labels, request
from providers.errors import Ambiguous, Conflict, QuotaExceeded, Rejected
from providers.seal import CONTENT
from schemas.certificate import Algorithm
from schemas.request import KeyType

Make = Callable[[], Bundle]
RSA = KeyType(algorithm=Algorithm.RSA, size=2048)


def test_what_is_there_already_is_not_sent_again(
    target: AcmTarget, aws: AwsEmulator, bundle: Make
) -> None:
    wanted = request("web", bundle())
    first = target.install(wanted)
    again = replace(wanted, predecessor=first)
    assert target.install(wanted) == target.install(again) == first
    assert aws.wire.counts["ImportCertificate"] == 1
    assert aws.wire.counts["AddTagsToCertificate"] == 0


def test_a_new_object_has_its_labels_and_its_seal_from_the_start(
    target: AcmTarget, others: Others, aws: AwsEmulator, bundle: Make
) -> None:
    installed = target.install(request("web", bundle()))
    (held,) = others.held()
    assert held.tags.keys() == {OWNER, NAME, SPEC, CONTENT}
    assert f"/{installed.serial}/" in held.tags[CONTENT]
    assert aws.wire.counts["AddTagsToCertificate"] == 0


def test_an_update_goes_into_the_same_arn_and_leaves_the_tags_of_others(
    target: AcmTarget, others: Others, bundle: Make
) -> None:
    before = target.install(request("web", bundle()))
    others.held()[0].tags["team"] = "payments"
    changed = {**labels("web"), SPEC: "f" * 32}
    wanted = bundle()
    after = target.install(replace(request("web", wanted, before), labels=changed))
    assert (after.id, after.labels) == (before.id, {**changed, "team": "payments"})
    assert after.trust == x509.trust_digest(wanted.chain, wanted.anchors)
    assert list(target.observe()) == [after]


def test_a_chain_is_sent_as_it_is_and_can_be_left_out(
    target: AcmTarget, others: Others, bundle: Make
) -> None:
    made = bundle()
    target.install(request("web", made))
    target.install(request("bare", replace(bundle(), chain=(), anchors=())))
    chains = {each.tags[NAME]: each.chain for each in others.held()}
    assert chains == {"web": made.chain[0], "bare": None}


def test_a_renamed_certificate_stays_where_it_is(target: AcmTarget, bundle: Make) -> None:
    before = target.install(request("old", bundle()))
    after = target.install(request("new", bundle(), before))
    assert (after.id, after.name, after.labels[NAME]) == (before.id, "new", "new")
    assert list(target.observe()) == [after]


def test_another_kind_of_key_is_refused_by_acm_in_place(
    target: AcmTarget, bundle: Make, make: Callable[[KeyType], Bundle]
) -> None:
    before = target.install(request("web", bundle()))
    with pytest.raises(Rejected, match="key type"):
        target.install(request("web", make(RSA), before))
    assert list(target.observe()) == [before]


def test_a_replacement_is_a_new_object_and_the_old_one_steps_aside(
    target: AcmTarget, others: Others, bundle: Make, make: Callable[[KeyType], Bundle]
) -> None:
    before = target.install(request("web", bundle()))
    wanted = replace(request("web", make(RSA), before), replace=True)
    after = target.install(wanted)
    old = before.id.rpartition("/")[2]
    assert after.id != before.id
    assert after.labels == labels("web")
    assert {each.tags.get(REPLACES) for each in others.held()} == {None, old}
    seen = {each.id: each.name for each in target.observe()}
    assert seen == {before.id: f"web~{old[:8]}", after.id: "web"}
    assert target.install(wanted) == after


def test_what_was_superseded_can_be_removed_and_a_further_replacement_follows(
    target: AcmTarget, bundle: Make
) -> None:
    first = target.install(request("web", bundle()))
    second = target.install(replace(request("web", bundle(), first), replace=True))
    third = target.install(replace(request("web", bundle(), second), replace=True))
    assert sorted(len(each.name) for each in target.observe()) == [3, 12, 12]
    for each in target.observe():
        if each.name != "web":
            target.remove(each)
    assert list(target.observe()) == [third]


def test_a_replacement_of_what_was_changed_meanwhile_is_refused(
    target: AcmTarget, others: Others, bundle: Make
) -> None:
    before = target.install(request("web", bundle()))
    others.reimport(before.id, bundle())
    with pytest.raises(Conflict):
        target.install(replace(request("web", bundle(), before), replace=True))
    assert len(others.held()) == 1


def test_of_two_under_one_name_the_newer_keeps_it(
    target: AcmTarget, others: Others, aws: AwsEmulator, bundle: Make
) -> None:
    target.install(request("web", bundle()))
    earlier = others.put(bundle(), labels("web"))
    earlier.created_at = datetime(2020, 1, 1, tzinfo=UTC)
    assert [each.name for each in target.observe() if each.id == earlier.arn] == [
        f"web~{earlier.arn.rpartition('/')[2][:8]}"
    ]
    assert "web" in [each.name for each in target.observe()]


def test_a_key_that_is_not_at_hand_is_said(
    target: AcmTarget, aws: AwsEmulator, bundle: Make
) -> None:
    with pytest.raises(Rejected, match="key"):
        target.install(request("web", replace(bundle(), private_key=None)))
    assert not aws.wire.asked


@pytest.mark.parametrize("part", ["certificate", "chain"])
def test_what_is_too_large_for_acm_is_not_sent(
    target: AcmTarget, aws: AwsEmulator, bundle: Make, part: str
) -> None:
    made = bundle()
    if part == "certificate":
        padded = replace(made, certificate=made.certificate + b"\n" * LARGEST_CERTIFICATE)
    else:
        padded = replace(made, chain=(made.chain[0] + b"\n" * LARGEST_CHAIN,))
    with pytest.raises(Rejected, match="larger than ACM takes"):
        target.install(request("web", padded))
    assert not aws.wire.asked


def test_a_quota_that_is_used_up_is_said(target: AcmTarget, aws: AwsEmulator, bundle: Make) -> None:
    aws.store().quotas.imports = 1
    before = target.install(request("web", bundle()))
    with pytest.raises(QuotaExceeded, match=r"ImportCertificate.*have the quota raised"):
        target.install(request("web", bundle(), before))


def test_imports_are_a_second_apart(aws: AwsEmulator, config: TargetConfig, bundle: Make) -> None:
    pauses: list[float] = []
    target = AcmTarget(config, sleep=pauses.append)
    for name in ("one", "two", "three"):
        target.install(request(name, bundle()))
    assert [round(each + 0.4) for each in pauses] == [1, 2]


def test_an_import_whose_answer_was_lost_is_found_not_repeated(
    target: AcmTarget, aws: AwsEmulator, others: Others, bundle: Make
) -> None:
    aws.wire.fail("ImportCertificate", Way.UNANSWERED)
    installed = target.install(request("web", bundle()))
    assert list(target.observe()) == [installed]
    assert (aws.wire.counts["ImportCertificate"], len(others.held())) == (1, 1)


def test_an_import_whose_answer_was_lost_is_found_although_listings_lag(
    target: AcmTarget, aws: AwsEmulator, others: Others, bundle: Make
) -> None:
    aws.store().lag = 3
    aws.wire.fail("ImportCertificate", Way.MISANSWERED, Response(503))
    target.install(request("web", bundle()))
    assert (aws.wire.counts["ImportCertificate"], len(others.held())) == (1, 1)


def test_an_import_that_cannot_be_found_is_left_to_the_next_plan(
    target: AcmTarget, aws: AwsEmulator, others: Others, bundle: Make
) -> None:
    aws.store().lag = 1_000
    aws.wire.fail("ImportCertificate", Way.UNANSWERED)
    wanted = request("web", bundle())
    with pytest.raises(Ambiguous, match="next plan"):
        target.install(wanted)
    aws.store().settle()
    (seen,) = target.observe()
    assert target.install(wanted) == seen
    assert (aws.wire.counts["ImportCertificate"], len(others.held())) == (1, 1)


def test_an_import_that_certainly_did_not_happen_is_left_to_the_next_plan_too(
    target: AcmTarget, aws: AwsEmulator, bundle: Make
) -> None:
    aws.wire.fail("ImportCertificate", Way.DROPPED)
    wanted = request("web", bundle())
    with pytest.raises(Ambiguous):
        target.install(wanted)
    assert [target.install(wanted)] == list(target.observe())


@pytest.mark.parametrize(("way", "sent"), [(Way.UNANSWERED, 1), (Way.DROPPED, 2)])
def test_an_update_whose_answer_was_lost_is_read_back(
    target: AcmTarget, aws: AwsEmulator, bundle: Make, way: Way, sent: int
) -> None:
    before = target.install(request("web", bundle()))
    aws.wire.fail("ImportCertificate", way)
    after = target.install(request("web", bundle(), before))
    assert list(target.observe()) == [after]
    assert aws.wire.counts["ImportCertificate"] == 1 + sent


def test_an_update_that_fails_twice_without_an_answer_is_ambiguous(
    target: AcmTarget, aws: AwsEmulator, bundle: Make
) -> None:
    before = target.install(request("web", bundle()))
    aws.wire.fail("ImportCertificate", Way.DROPPED, times=2)
    with pytest.raises(Ambiguous):
        target.install(request("web", bundle(), before))
    assert list(target.observe()) == [before]


@pytest.mark.parametrize("way", [Way.DROPPED, Way.UNANSWERED])
def test_what_somebody_else_imported_meanwhile_is_not_overwritten_by_a_second_try(
    target: AcmTarget, aws: AwsEmulator, others: Others, bundle: Make, way: Way
) -> None:
    before = target.install(request("web", bundle()))
    by_hand, service = bundle(), aws.wire.service

    def answer(asked: Request) -> Response:
        if aws.wire.counts["ImportCertificate"] == 2 and aws.wire.asked[-1] != "ImportCertificate":
            others.reimport(before.id, by_hand)
        return service(asked)

    aws.wire.service = answer
    aws.wire.fail("ImportCertificate", way)
    with pytest.raises(Conflict, match="as was observed"):
        target.install(request("web", bundle(), before))
    assert aws.wire.counts["ImportCertificate"] == 2
    (held,) = others.held()
    assert held.parsed is not None
    assert held.parsed.pem == by_hand.certificate


def test_what_would_have_too_many_tags_is_not_imported(
    target: AcmTarget, aws: AwsEmulator, others: Others, bundle: Make
) -> None:
    before = target.install(request("web", bundle()))
    others.held()[0].tags |= {f"theirs-{n}": "" for n in range(46)}
    wanted = request("web", bundle(), before)
    with pytest.raises(QuotaExceeded, match="50 tags"):
        target.install(replace(wanted, labels={**wanted.labels, "team": "web"}))
    assert aws.wire.counts["ImportCertificate"] == 1


def test_throttling_is_waited_out(target: AcmTarget, aws: AwsEmulator, bundle: Make) -> None:
    storm = Response(400, b'{"__type": "ThrottlingException", "message": "Rate exceeded"}')
    aws.wire.fail("*", Way.REFUSED, storm, times=12)
    installed = target.install(request("web", bundle()))
    aws.wire.fail("ImportCertificate", Way.REFUSED, storm, times=5)
    after = target.install(request("web", bundle(), installed))
    assert list(target.observe()) == [after]


def test_an_update_that_died_before_its_tags_were_set_is_taken_up_again(
    target: AcmTarget, aws: AwsEmulator, bundle: Make
) -> None:
    before = target.install(request("web", bundle()))
    wanted = request("web", bundle(), before)
    aws.denied.add("AddTagsToCertificate")
    with pytest.raises(Exception, match="acm:AddTagsToCertificate"):
        target.install(wanted)
    aws.denied.clear()
    (seen,) = target.observe()
    assert (seen.id, seen.trust) == (before.id, None)
    assert seen.sha256 == x509.facts(wanted.bundle.certificate).sha256
    after = target.install(replace(wanted, predecessor=seen))
    assert after.trust is not None
    assert list(target.observe()) == [after]
    assert aws.wire.counts["ImportCertificate"] == 2


def test_a_new_arn_that_cannot_be_described_yet_is_waited_for(
    target: AcmTarget, aws: AwsEmulator, bundle: Make
) -> None:
    aws.store().delay = 3
    installed = target.install(request("web", bundle()))
    assert list(target.observe()) == [installed]
