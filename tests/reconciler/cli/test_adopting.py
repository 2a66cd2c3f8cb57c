"""From what nobody manages to a certificate of ours, by the commands alone, in ACM on loopback."""

from collections.abc import Iterator
from dataclasses import replace
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
def pki(applied: Repository, aws: AwsEmulator) -> Repository:
    """A repository with a Target in ACM and no Policy."""
    (applied.root / "config" / "policies.yaml").unlink()
    (applied.root / "config" / "acm.yaml").write_text(ACM)
    return replace(applied, environment={**applied.environment, **aws.environment()})


def test_discover_write_plan_apply_and_nothing_is_left(pki: Repository, aws: AwsEmulator) -> None:
    bundle = Specimens.make(NOW).bundle("shop.svc.internal", NOW)
    arn = Others(aws).put(bundle, {"team": "shop"}).arn
    assert f"acm/eu-west-1  {arn}" in pki.run("discover").stdout
    pki.run("discover", "--write", pki.root / "adopted")
    assert f'adopt: "{arn}"' in (pki.root / "adopted" / "acm.yaml").read_text()
    pki.run("validate")
    shown = pki.run("plan").stdout
    assert "certificate/shop-svc-internal will be adopted in acm/eu-west-1: key unknown" in shown
    assert "Plan: 1 to adopt." in shown
    done = pki.run("apply", "--auto-approve")
    assert "Apply complete: 1 adopted." in done.stderr
    assert "No changes." in pki.run("plan").stdout
    assert "Nothing was found" in pki.run("discover").stderr
    assert "  adopted  " in pki.run("inventory").stdout
    pki.run("renew")
    (pki.root / "adopted" / "acm.yaml").unlink()
    given_back = pki.run("apply", "--auto-approve")
    assert "Apply complete: 1 forgotten." in given_back.stderr
    (held,) = Others(aws).held()
    assert held.tags == {"team": "shop"}


def test_a_reviewed_adoption_is_of_that_very_certificate(pki: Repository, aws: AwsEmulator) -> None:
    others, specimens = Others(aws), Specimens.make(NOW)
    arn = others.put(specimens.bundle("shop.svc.internal", NOW)).arn
    pki.run("discover", "--write", pki.root / "adopted")
    plan = pki.root / "plan.json"
    pki.run("plan", "--out", plan)
    others.reimport(arn, specimens.bundle("shop.svc.internal", NOW))
    refused = pki.run("apply", plan, "--auto-approve", code=3).stderr
    assert "adopt certificate/shop-svc-internal@acm/eu-west-1" in refused
    assert others.held()[0].tags == {}
