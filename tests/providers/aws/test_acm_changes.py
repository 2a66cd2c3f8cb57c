"""Labels, adoption and removal in ACM: only of what is ours, and still what was observed."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from acm_others import Others
from aws_emulator import AwsEmulator
from wire import Request, Response, Way

from providers.abilities import AdoptRequest, RelabelRequest
from providers.aws.acm import AcmTarget
from providers.base import NAME, OWNER, SPEC, Bundle
from providers.conformance import labels, request
from providers.errors import (
    Conflict,
    Denied,
    InUse,
    NotFound,
    ProviderError,
    QuotaExceeded,
    Rejected,
)

Make = Callable[[], Bundle]


def test_only_labels_that_differ_are_set_and_those_of_others_stay(
    target: AcmTarget, aws: AwsEmulator, others: Others, bundle: Make
) -> None:
    installed = target.install(request("web", bundle()))
    others.held()[0].tags["team"] = "payments"
    target.relabel(RelabelRequest(installed, labels("web")))
    assert aws.wire.counts["AddTagsToCertificate"] == 0
    changed = {**labels("web"), SPEC: "f" * 32}
    relabelled = target.relabel(RelabelRequest(installed, changed))
    assert relabelled.labels == {**changed, "team": "payments"}
    assert list(target.observe()) == [relabelled]


def test_what_is_forgotten_loses_our_labels_and_nothing_else(
    target: AcmTarget, others: Others, bundle: Make
) -> None:
    installed = target.install(request("web", bundle()))
    others.held()[0].tags["team"] = "payments"
    forgotten = target.relabel(RelabelRequest(installed, {"team": "payments"}))
    assert others.held()[0].tags == {"team": "payments"}
    assert (forgotten.name, forgotten.labels) == (installed.id, {"team": "payments"})
    (seen,) = target.observe()
    assert (seen.name, seen.serial) == (installed.id, installed.serial)


def test_labels_that_are_left_out_go_and_those_that_came_since_stay(
    target: AcmTarget, others: Others, bundle: Make
) -> None:
    target.install(replace(request("web", bundle()), labels={**labels("web"), "team": "web"}))
    others.held()[0].tags["aws:cloudformation:stack-name"] = "made-by-aws"
    (installed,) = target.observe()
    others.held()[0].tags["cost"] = "42"
    target.relabel(RelabelRequest(installed, labels("web")))
    (seen,) = target.observe()
    assert dict(seen.labels) == {
        **labels("web"),
        "aws:cloudformation:stack-name": "made-by-aws",
        "cost": "42",
    }


@pytest.mark.parametrize("way", [Way.UNANSWERED, Way.DROPPED])
def test_tags_whose_answer_was_lost_are_read_back(
    target: AcmTarget, aws: AwsEmulator, bundle: Make, way: Way
) -> None:
    installed = target.install(request("web", bundle()))
    aws.wire.fail("AddTagsToCertificate", way)
    changed = {**labels("web"), SPEC: "f" * 32}
    relabelled = target.relabel(RelabelRequest(installed, changed))
    assert list(target.observe()) == [relabelled]


def test_labels_that_acm_does_not_take_are_refused_by_it(target: AcmTarget, bundle: Make) -> None:
    installed = target.install(request("web", bundle()))
    for bad, error in (
        ({"note": "a|b"}, Rejected),
        ({f"key-{n}": "" for n in range(50)}, QuotaExceeded),
    ):
        with pytest.raises(error):
            target.relabel(RelabelRequest(installed, {**labels("web"), **bad}))
    assert list(target.observe()) == [installed]


def test_what_was_changed_meanwhile_is_neither_labelled_nor_removed(
    target: AcmTarget, others: Others, bundle: Make
) -> None:
    installed = target.install(request("web", bundle()))
    others.reimport(installed.id, bundle())
    for attempt in (
        lambda: target.remove(installed),
        lambda: target.relabel(RelabelRequest(installed, labels("web"))),
        lambda: target.install(request("web", bundle(), installed)),
    ):
        with pytest.raises(Conflict, match="as was observed"):
            attempt()


def test_what_somebody_else_took_over_meanwhile_is_theirs(
    target: AcmTarget, others: Others, bundle: Make
) -> None:
    installed = target.install(request("web", bundle()))
    others.held()[0].tags[OWNER] = "somebody_else"
    for attempt in (
        lambda: target.remove(installed),
        lambda: target.relabel(RelabelRequest(installed, labels("web"))),
        lambda: target.install(request("web", bundle(), installed)),
    ):
        with pytest.raises(Conflict, match="not ours"):
            attempt()


def test_what_is_in_use_is_not_deleted_and_its_users_are_named(
    target: AcmTarget, aws: AwsEmulator, bundle: Make
) -> None:
    installed = target.install(request("web", bundle()))
    aws.use(installed.id, "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/front/1")
    with pytest.raises(InUse, match="loadbalancer/app/front"):
        target.remove(installed)
    aws.use(installed.id)
    target.remove(installed)
    assert list(target.observe()) == []


@pytest.mark.parametrize("way", [Way.UNANSWERED, Way.DROPPED])
def test_a_deletion_whose_answer_was_lost_is_read_back(
    target: AcmTarget, aws: AwsEmulator, others: Others, bundle: Make, way: Way
) -> None:
    installed = target.install(request("web", bundle()))
    aws.wire.fail("DeleteCertificate", way)
    target.remove(installed)
    assert others.held() == []


def test_what_was_changed_meanwhile_is_not_deleted_by_a_second_try(
    target: AcmTarget, aws: AwsEmulator, others: Others, bundle: Make
) -> None:
    installed = target.install(request("web", bundle()))
    service = aws.wire.service

    def answer(asked: Request) -> Response:
        if aws.wire.asked[-2:] == ["DeleteCertificate", "DescribeCertificate"]:
            others.reimport(installed.id, bundle())
        return service(asked)

    aws.wire.service = answer
    aws.wire.fail("DeleteCertificate", Way.DROPPED)
    with pytest.raises(Conflict, match="as was observed"):
        target.remove(installed)
    assert len(others.held()) == 1


def test_what_somebody_else_imported_is_adopted_as_it_is(
    target: AcmTarget, aws: AwsEmulator, others: Others, bundle: Make
) -> None:
    held = others.put(bundle(), {"team": "payments"})
    adopted = target.adopt(AdoptRequest(held.arn, "web", labels("web")))
    assert (adopted.id, adopted.name) == (held.arn, "web")
    assert adopted.labels == {**labels("web"), "team": "payments"}
    assert target.adopt(AdoptRequest(held.arn, "web", labels("web"))) == adopted
    aws.wire.asked.clear()
    assert list(target.observe()) == [adopted]
    assert aws.wire.counts["GetCertificate"] == 0
    assert target.install(request("web", bundle(), adopted)).id == held.arn


def test_what_is_another_owners_or_not_there_is_not_adopted(
    target: AcmTarget, others: Others, bundle: Make
) -> None:
    theirs = others.put(bundle(), {OWNER: "somebody_else", NAME: "web"})
    ours = target.install(request("api", bundle()))
    absent = theirs.arn[:-12] + "0" * 12
    wanted: list[tuple[str, type[ProviderError]]] = [
        (theirs.arn, Conflict),
        (ours.id, Conflict),
        (absent, NotFound),
        ("no-arn-at-all-this-is-not", Rejected),
    ]
    for arn, error in wanted:
        with pytest.raises(error):
            target.adopt(AdoptRequest(arn, "web", labels("web")))
    assert theirs.tags == {OWNER: "somebody_else", NAME: "web"}


def test_a_permission_that_is_lacking_is_named(
    target: AcmTarget, aws: AwsEmulator, bundle: Make
) -> None:
    installed = target.install(request("web", bundle()))
    aws.denied |= {"ImportCertificate", "DeleteCertificate"}
    with pytest.raises(Denied, match="acm:ImportCertificate"):
        target.install(request("web", bundle(), installed))
    with pytest.raises(Denied, match="acm:DeleteCertificate"):
        target.remove(installed)
    assert target.find(installed.id) == installed
