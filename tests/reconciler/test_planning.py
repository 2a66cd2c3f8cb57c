"""What a plan says about itself."""

import pytest
from fleet import Fleet
from fleet_documents import Leaf, at


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(
        leaves={"web": Leaf(targets=at("a", "b")), "api": Leaf(targets=at("a"))}
    ).converge()


def test_a_plan_says_how_every_target_was_found(fleet: Fleet) -> None:
    fleet.foreign("a", "theirs")
    fleet.away.add("b")
    a, b = fleet.plan().targets
    assert (a.status, a.certificates, a.foreign) == ("observed", 2, 1)
    assert (b.status, b.certificates, b.foreign) == ("not-here", 0, 0)


def test_a_plan_says_what_expires_next(fleet: Fleet) -> None:
    fleet.edit("api", days=10, renew_before=5).converge()
    expiry = fleet.plan().next_expiry
    assert expiry is not None
    assert expiry.address == "certificate/api"
