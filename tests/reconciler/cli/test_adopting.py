"""From what nobody manages to a certificate of ours, by the commands alone, in ACM on loopback."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import pytest
from acm_others import Others
from aws_emulator import AwsEmulator
from command_line import Repository

from providers.specimens import Specimens

NOW = datetime.now(UTC)
ACM = "kind: Target\nmetadata: {name: acm}\nspec: {aws-acm: {regions: [eu-west-1]}}\n"


@pytest.fixture
def aws() -> Iterator[AwsEmulator]:
    with AwsEmulator().running() as emulator:
        yield emulator


@pytest.fixture
def environment(aws: AwsEmulator) -> Mapping[str, str]:
    return dict(aws.environment())


def test_discover_write_plan_apply_and_nothing_is_left(
    applied: Repository, aws: AwsEmulator, environment: Mapping[str, str]
) -> None:
    (applied.root / "config" / "policies.yaml").unlink()
    (applied.root / "config" / "acm.yaml").write_text(ACM)
    bundle = Specimens.make(NOW).bundle("shop.svc.internal", NOW)
    arn = Others(aws).put(bundle, {"team": "shop"}).arn
    assert f"acm/eu-west-1  {arn}" in applied.run("discover", **environment).stdout
    applied.run("discover", "--write", applied.root / "adopted", **environment)
    assert f'adopt: "{arn}"' in (applied.root / "adopted" / "acm.yaml").read_text()
    applied.run("validate")
    shown = applied.run("plan", **environment).stdout
    assert "certificate/shop-svc-internal will be adopted in acm/eu-west-1: key unknown" in shown
    assert "Plan: 1 to adopt." in shown
    done = applied.run("apply", "--auto-approve", **environment)
    assert "Apply complete: 1 adopted." in done.stderr
    assert "No changes." in applied.run("plan", **environment).stdout
    assert "Nothing was found" in applied.run("discover", **environment).stderr
    assert "  adopted  " in applied.run("inventory", **environment).stdout
    applied.run("renew", **environment)
    (applied.root / "adopted" / "acm.yaml").unlink()
    given_back = applied.run("apply", "--auto-approve", **environment)
    assert "Apply complete: 1 forgotten." in given_back.stderr
    (held,) = Others(aws).held()
    assert held.tags == {"team": "shop"}


def test_a_reviewed_adoption_is_of_that_very_certificate(
    applied: Repository, aws: AwsEmulator, environment: Mapping[str, str]
) -> None:
    (applied.root / "config" / "policies.yaml").unlink()
    (applied.root / "config" / "acm.yaml").write_text(ACM)
    others, specimens = Others(aws), Specimens.make(NOW)
    arn = others.put(specimens.bundle("shop.svc.internal", NOW)).arn
    applied.run("discover", "--write", applied.root / "adopted", **environment)
    plan = applied.root / "plan.json"
    applied.run("plan", "--out", plan, **environment)
    others.reimport(arn, specimens.bundle("shop.svc.internal", NOW))
    refused = applied.run("apply", plan, "--auto-approve", code=3, **environment).stderr
    assert "adopt certificate/shop-svc-internal@acm/eu-west-1" in refused
    assert others.held()[0].tags == {}
