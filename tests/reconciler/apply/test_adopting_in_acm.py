"""Adopting ARNs, in two regions of ACM on loopback."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from acm_others import Others
from aws_emulator import AwsEmulator
from cloud_fleet import OWNER_LABEL, CloudFleet
from fleet_documents import Leaf, at
from fleet_sights import reasons, shown

from providers.aws.acm import AcmTarget
from providers.base import NAME, OWNER, Installed, Target, TargetConfig
from providers.specimens import P256, Specimens
from schemas.certificate import Algorithm
from schemas.clouds import AwsAcm
from schemas.plan import Action, Reason
from schemas.request import KeyType
from schemas.target import TargetSpec

WEB = "certificate/web"
REGIONS = ("eu-west-1", "us-east-1")
EU, US = (f"acm/{region}" for region in REGIONS)
RSA = KeyType(algorithm=Algorithm.RSA, size=2048)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsEmulator]:
    with AwsEmulator().running() as emulator:
        for name, value in emulator.environment().items():
            monkeypatch.setenv(name, value)
        yield emulator


@pytest.fixture
def fleet(aws: AwsEmulator, tmp_path: Path) -> CloudFleet:
    def make(name: str, spec: TargetSpec) -> Target:
        return AcmTarget(TargetConfig(name, spec, OWNER_LABEL, tmp_path), sleep=lambda _: None)

    places = {f"acm/{r}": TargetSpec(aws_acm=AwsAcm(regions=(r,))) for r in REGIONS}
    return CloudFleet(places=places, make=make, publish=False)


def put(aws: AwsEmulator, region: str = "eu-west-1", kind: KeyType = P256) -> str:
    """Import a certificate by hand; it lives a week."""
    now = datetime.now(UTC)
    bundle = Specimens.make(now).bundle("www.example.com", now, kind)
    return Others(aws, region).put(bundle, {"team": "shop"}).arn


def adopting(*arns: str, targets: tuple[str, ...] = (EU,)) -> Leaf:
    return Leaf(targets=at(*targets), adopt=dict.fromkeys(targets, arns), renew_before=3)


def objects(fleet: CloudFleet, place: str = EU) -> dict[str, Installed]:
    return dict(fleet.world().observation(place).installed)


def test_an_arn_is_labelled_then_imported_over_and_stays_the_same(
    fleet: CloudFleet, aws: AwsEmulator
) -> None:
    arn = put(aws)
    fleet.leaves["web"] = adopting(arn)
    rows = [row for row in shown(fleet.plan()) if row[1].startswith(WEB)]
    assert rows == [("adopt", f"{WEB}@{EU}", "Requested")]
    fleet.converge()
    labels = objects(fleet)["web"].labels
    assert (labels[OWNER], labels[NAME], labels["team"]) == (OWNER_LABEL, "web", "shop")
    assert fleet.journal.state.certificates["web"].issuances == ()
    fleet.edit("web", names=("new.example.com", "www.example.com"))
    assert reasons(fleet.plan(), WEB) == {Action.ISSUE: Reason.SPEC_CHANGED}
    fleet.converge()
    (held,) = objects(fleet).values()
    assert (held.id, held.serial) == (arn, fleet.current("web").serial)
    assert held.labels["team"] == "shop"


def test_each_region_has_an_arn_of_its_own(fleet: CloudFleet, aws: AwsEmulator) -> None:
    arns = [put(aws, region) for region in REGIONS]
    fleet.leaves["web"] = adopting(*arns, targets=(EU, US))
    fleet.converge()
    assert [objects(fleet, place)["web"].id for place in (EU, US)] == arns
    assert fleet.journal.state.certificates["web"].issuances == ()


def test_a_region_without_one_gets_a_certificate_and_so_does_the_other(
    fleet: CloudFleet, aws: AwsEmulator
) -> None:
    arn = put(aws)
    fleet.leaves["web"] = adopting(arn, targets=(EU, US))
    fleet.converge()
    eu, us = (objects(fleet, place)["web"] for place in (EU, US))
    assert (eu.id, eu.serial) == (arn, fleet.current("web").serial)
    assert us.serial == eu.serial


def test_a_key_type_that_cannot_change_means_a_new_arn_and_the_old_one_is_given_back(
    fleet: CloudFleet, aws: AwsEmulator
) -> None:
    arn = put(aws, kind=RSA)
    fleet.leaves["web"] = adopting(arn)
    assert reasons(fleet.plan(), WEB) == {Action.ISSUE: Reason.SPEC_CHANGED}
    fleet.converge()
    assert objects(fleet)["web"].serial == fleet.current("web").serial
    assert {found.labels[OWNER] for found in objects(fleet).values()} == {OWNER_LABEL}
    fleet.edit("web", adopt={})
    assert [row[0] for row in shown(fleet.plan())] == ["forget"]
    fleet.converge()
    held = {found.id: found for found in objects(fleet).values()}
    assert dict(held.pop(arn).labels) == {"team": "shop"}
    (ours,) = held.values()
    assert ours.serial == fleet.current("web").serial


def test_what_is_given_back_keeps_the_tags_of_others(fleet: CloudFleet, aws: AwsEmulator) -> None:
    arn = put(aws)
    fleet.leaves["web"] = adopting(arn)
    fleet.converge()
    del fleet.leaves["web"]
    fleet.converge()
    (held,) = objects(fleet).values()
    assert (held.id, dict(held.labels)) == (arn, {"team": "shop"})
    assert "web" not in fleet.journal.state.certificates
