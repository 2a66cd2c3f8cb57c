"""A run that died between two calls is taken up by the next: nothing twice, nothing half."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest
from acm_others import Others
from aws_emulator import AwsEmulator

from providers import failpoints
from providers.abilities import AdoptRequest
from providers.aws.acm import AcmTarget
from providers.base import Bundle
from providers.conformance import labels, request

Make = Callable[[], Bundle]


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], object]], None]:
    """Do something that dies at a point."""

    def die(point: str, deed: Callable[[], object]) -> None:
        with monkeypatch.context() as patch:
            failing = failpoints._Failpoint(point, 1, "raise", None, count(1))
            patch.setattr(failpoints, "_FAILPOINT", failing)
            with pytest.raises(OSError, match="failpoint"):
                deed()

    return die


Dying = Callable[[str, Callable[[], object]], None]


def test_after_a_first_import(
    target: AcmTarget, aws: AwsEmulator, bundle: Make, dying: Dying
) -> None:
    wanted = request("web", bundle())
    dying("aws.imported", lambda: target.install(wanted))
    (seen,) = target.observe()
    assert target.install(wanted) == target.install(replace(wanted, predecessor=seen)) == seen
    assert aws.wire.counts["ImportCertificate"] == 1


@pytest.mark.parametrize("point", ["aws.imported", "aws.labelled"])
def test_within_an_update(
    target: AcmTarget, aws: AwsEmulator, bundle: Make, dying: Dying, point: str
) -> None:
    before = target.install(request("web", bundle()))
    wanted = request("web", bundle(), before)
    dying(point, lambda: target.install(wanted))
    (seen,) = target.observe()
    assert (seen.id, seen.name, seen.drift) == (before.id, "web", ())
    after = target.install(wanted)
    assert list(target.observe()) == [after]
    assert aws.wire.counts["ImportCertificate"] == 2


def test_after_a_replacement(
    target: AcmTarget, aws: AwsEmulator, bundle: Make, dying: Dying
) -> None:
    before = target.install(request("web", bundle()))
    wanted = replace(request("web", bundle(), before), replace=True)
    dying("aws.imported", lambda: target.install(wanted))
    seen = {each.name: each.id for each in target.observe()}
    assert seen.pop("web") == target.install(wanted).id
    assert list(seen.values()) == [before.id]
    assert aws.wire.counts["ImportCertificate"] == 2


def test_within_an_adoption(target: AcmTarget, others: Others, bundle: Make, dying: Dying) -> None:
    held = others.put(bundle())
    wanted = AdoptRequest(held.arn, "web", labels("web"))
    dying("aws.adopted", lambda: target.adopt(wanted))
    assert [target.adopt(wanted)] == list(target.observe())
