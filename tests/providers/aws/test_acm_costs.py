"""What docs/aws-acm.md says that each change costs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from acm_others import Others
from aws_emulator import AwsEmulator

from providers.abilities import AdoptRequest, HostRequest, RelabelRequest
from providers.aws.acm import AcmTarget
from providers.base import SPEC, Bundle
from providers.conformance import labels, request
from providers.specimens import P256
from schemas.certificate import Usage
from schemas.issuer import AmazonIssuer
from schemas.request import LeafRequest

DOCUMENT = Path(__file__).parents[3] / "docs" / "aws-acm.md"
Deed = Callable[[], object]


@pytest.fixture
def cost(aws: AwsEmulator) -> Callable[[Deed], int]:
    def count(deed: Deed) -> int:
        aws.wire.asked.clear()
        deed()
        return len(aws.wire.asked)

    return count


def test_what_changes_cost_is_documented(
    target: AcmTarget,
    others: Others,
    bundle: Callable[[], Bundle],
    cost: Callable[[Deed], int],
) -> None:
    first = cost(lambda: target.install(request("web", bundle())))
    (web,) = target.observe()
    update = cost(lambda: target.install(request("web", bundle(), web)))
    (web,) = target.observe()
    superseding = replace(request("web", bundle(), web), replace=True)
    replacement = cost(lambda: target.install(superseding))
    web = next(each for each in target.observe() if each.name == "web")
    other = {**labels("web"), SPEC: "f" * 32}
    relabelling = cost(lambda: target.relabel(RelabelRequest(web, other)))
    arn = others.put(bundle()).arn
    adoption = cost(lambda: target.adopt(AdoptRequest(arn, "api", labels("api"))))
    removal = cost(lambda: target.remove(web))
    leaf = LeafRequest(
        issuer="amazon",
        issuer_generation=1,
        dns_names=("example.com",),
        usages=(Usage.SERVER_AUTH,),
        key=P256,
        duration=86_400,
    )
    asked = HostRequest("site", leaf, labels("site"), AmazonIssuer())
    requesting = cost(lambda: target.host(asked))
    told = DOCUMENT.read_text()
    assert f"| {first}, {update}, {replacement} calls, one of them an import |" in told
    assert f"| {relabelling}, {adoption}, {removal}, {requesting} calls |" in told
