"""What a plan costs in a place with limits, and what it would do beyond them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from fleet import Fleet
from fleet_documents import HERE, Leaf, at

from providers.base import Hosting, HostingState
from reconciler.diff import World, diff
from reconciler.diff.quotas import budgets
from reconciler.planning import make_plan
from reconciler.render.text import costs
from reconciler.state import DesiredIssuer, Observation
from schemas.clouds import AcmQuotas, AwsAcm
from schemas.issuer import AmazonIssuer, IssuerSpec
from schemas.plan import Action, Budget, Reason
from schemas.target import TargetSpec

World_ = Callable[..., World]


@pytest.fixture
def world() -> World_:
    """Three certificates, one of them installed, in a region with quotas."""

    def make(certificates: int = 2_500, imports: int = 5_000, days_ago: int = 10) -> World:
        fleet = Fleet(leaves={"one": Leaf(targets=at("a"))}, targets=("a",)).converge()
        held = fleet.store("a").objects["one"]
        moment = fleet.now - timedelta(days=days_ago)
        fleet.store("a").objects["one"] = replace(
            held, installed=replace(held.installed, installed_at=moment)
        )
        fleet.leaves |= {"two": Leaf(targets=at("a")), "three": Leaf(targets=at("a"))}
        found = fleet.world()
        quotas = AcmQuotas(certificates=certificates, imports_per_year=imports)
        spec = TargetSpec(aws_acm=AwsAcm(regions=("eu-west-1",), quotas=quotas))
        target = replace(found.desired.targets["a"], spec=spec)
        return replace(found, desired=replace(found.desired, targets={"a": target}))

    return make


@pytest.mark.parametrize(("days_ago", "year"), [(10, 3), (366, 2)])
def test_a_plan_knows_what_it_costs(world: World_, days_ago: int, year: int) -> None:
    (report,) = make_plan(world(days_ago=days_ago)).targets
    assert report.budget == Budget(
        installs=2, seconds=2, objects=3, objects_limit=2_500, year=year, year_limit=5_000
    )
    assert list(costs(report.budget)) == []


def test_it_tells_of_a_long_wait_and_of_quotas_that_are_nearly_used_up() -> None:
    budget = Budget(
        installs=90, seconds=90, objects=2_000, objects_limit=2_500, year=4_000, year_limit=5_000
    )
    assert list(costs(budget)) == [
        "90 installs take at least 90 s",
        "then 2,000 of 2,500 certificates",
        "at least 4,000 of 5,000 imports within a year",
    ]


def test_a_place_without_limits_has_no_budget() -> None:
    fleet = Fleet(leaves={"one": Leaf()})
    found = fleet.world()
    assert budgets(found, diff(found)) == {}


@pytest.mark.parametrize(
    ("quotas", "words"),
    [
        ({"certificates": 2}, "it would hold 3 certificates, the quota is 2"),
        ({"imports": 2}, "3 imports within a year, the quota is 2"),
        ({"certificates": 3, "imports": 3}, ""),
    ],
)
def test_what_goes_beyond_a_quota_is_told(
    world: World_, quotas: dict[str, int], words: str
) -> None:
    steps = [step for step in diff(world(**quotas)) if step.address == "target/a"]
    assert [(step.action, step.reason) for step in steps] == (
        [(Action.BLOCKED, Reason.QUOTA)] if words else []
    )
    assert all(words in step.message for step in steps)


def test_what_a_place_issues_by_itself_is_held_and_not_imported(world: World_) -> None:
    found = world()
    issuer = DesiredIssuer("amazon", HERE, IssuerSpec(aws_acm=AmazonIssuer()))
    two = found.desired.certificates["two"]
    theirs = two.request.model_copy(update={"issuer": "amazon", "issuer_id": "aws-acm"})
    certificates = {**found.desired.certificates, "two": replace(two, request=theirs)}
    there = found.observed.targets["a"].installed["one"]
    seen = Observation("observed", {"one": replace(there, hosting=Hosting(HostingState.ACTIVE))})
    cost = budgets(
        replace(
            found,
            desired=replace(found.desired, issuers={"amazon": issuer}, certificates=certificates),
            observed=replace(found.observed, targets={"a": seen}),
        ),
        diff(found),
    )["a"]
    assert (cost.objects, cost.year) == (3, 1)
