"""Nothing is revoked while it is served, whatever fails; what is immediate says whom it takes down."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from fleet import Fleet
from fleet_documents import Ca, Leaf, at
from fleet_sights import named, revoked_now

from providers.errors import Transient
from reconciler.diff import revocation_warnings
from reconciler.ledger.records import LedgerState
from schemas.certificate import Custody
from schemas.plan import Action, Plan

OFTEN = 50
TREE = {"root": Ca(), "services": Ca(parent="root"), "edge": Ca(parent="services")}


def other_host(fleet: Fleet) -> None:
    fleet.away.add("b")


def unreadable(fleet: Fleet) -> None:
    fleet.store("b").reachable = False


def staging_fails(fleet: Fleet) -> None:
    fleet.store("b").fail("stage:web", *[Transient("no space left")] * OFTEN)


def verifying_fails(fleet: Fleet) -> None:
    fleet.store("b").fail("verify:web", *[Transient("the old one is served")] * OFTEN)


def keys_are_shut(fleet: Fleet) -> None:
    fleet.identities = ("age1nobody",)


def key_is_made_elsewhere(fleet: Fleet) -> None:
    fleet.edit("web", custody=Custody.TARGET).away.add("b")


def nobody_installs_there_now(fleet: Fleet) -> None:
    fleet.edit("web", targets=at("a")).away.add("b")


def a_name_is_taken(fleet: Fleet) -> None:
    fleet.leaves["web2"] = fleet.leaves.pop("web")
    fleet.foreign("b", "web2")


OBSTACLES = (
    other_host,
    unreadable,
    staging_fails,
    verifying_fails,
    keys_are_shut,
    key_is_made_elsewhere,
    nobody_installs_there_now,
    a_name_is_taken,
)


def serial_of_its_ca(fleet: Fleet) -> Fleet:
    current = fleet.journal.state.authorities["services"].issued(1)
    return fleet.revoke("inc", serials=(current.serial if current else "",))


REQUESTS: dict[str, Callable[[Fleet], Fleet]] = {
    "the CA": lambda fleet: fleet.compromise("services"),
    "the root": lambda fleet: fleet.compromise("root"),
    "both": lambda fleet: fleet.compromise("root").compromise("services"),
    "the name": lambda fleet: fleet.revoke("inc", "web"),
    "the serial": lambda fleet: fleet.revoke("inc", serials=(fleet.current("web").serial,)),
    "the serial of its CA": serial_of_its_ca,
}


def town() -> Fleet:
    leaves = {"web": Leaf(issuer="services", targets=at("a", "b")), "api": Leaf(issuer="edge")}
    return Fleet(cas=dict(TREE), leaves=leaves).converge().wait(1)


def served(fleet: Fleet) -> set[str]:
    """The serials that really stand in any place, looked at or not, and those of the CAs above them."""
    there = {held.installed.serial for _, held in fleet.ours()}
    known = [i for r in fleet.journal.state.certificates.values() for i in r.issuances]
    standing = [issuance for issuance in known if issuance.serial in there]
    above = {serial for issuance in standing for serial in fleet.world().above(issuance)}
    return above | {issuance.serial for issuance in standing}


def watched(fleet: Fleet) -> list[str]:
    """What was revoked while it was served; filled by every wave of an apply."""
    broken: list[str] = []

    def watch(before: LedgerState, after: LedgerState) -> None:
        broken.extend(i.serial for i in revoked_now(before, after) if i.serial in served(fleet))

    fleet.journal.watch = watch
    return broken


def ways() -> Iterator[tuple[str, Callable[[Fleet], None], str]]:
    for request in REQUESTS:
        for obstacle in OBSTACLES:
            yield f"{request}: {obstacle.__name__}", obstacle, request


def test_no_way_revokes_what_is_served(tell: Callable[[str], None]) -> None:
    refused, tried = 0, 0
    for way, obstacle, request in ways():
        fleet = town()
        obstacle(REQUESTS[request](fleet))
        broken = watched(fleet)
        for _ in range(2):
            fleet.apply()
        assert not broken, way
        tried, refused = tried + 1, refused + 1
    tell(f"Revoking before what is served was replaced: refused {refused} of {tried} ways")


def test_nothing_of_that_holds_back_what_can_be_replaced() -> None:
    for way, _, request in ways():
        fleet = REQUESTS[request](town())
        broken = watched(fleet)
        fleet.apply()
        assert not broken, way


def outage(plan: Plan) -> set[str]:
    steps = (c for c in plan.changes if c.action is Action.REVOKE)
    return {address for c in steps for address in (c.after or {}).get("outage", ())}


@pytest.mark.parametrize("obstacle", [other_host, unreadable, key_is_made_elsewhere])
def test_what_is_immediate_waits_for_nobody_and_says_for_whom(
    obstacle: Callable[[Fleet], None],
) -> None:
    fleet = town()
    obstacle(fleet.compromise("services", immediate=True))
    plan = fleet.plan()
    assert "certificate/web@b" in outage(plan)
    step = named(plan, Action.REVOKE, "certificate/web")
    assert step.message.startswith("OUTAGE of certificate/web@")
    told = [found.summary for found in revocation_warnings(fleet.world(), plan.changes)]
    assert any(said.startswith("OUTAGE of certificate/web@") for said in told)
    broken = watched(fleet)
    fleet.apply()
    assert broken, "what is served there was revoked: that is the outage"
    services = fleet.journal.state.authorities["services"].issued(1)
    assert services is not None
    assert services.revoked is not None
    assert services.serial in fleet.published()["root-g1.crl"].revoked


def test_what_is_immediate_still_comes_after_what_replaces_it() -> None:
    fleet = town().compromise("services", immediate=True)
    assert outage(fleet.plan()) == set()
    broken = watched(fleet)
    fleet.converge()
    assert not broken


def test_an_install_that_fails_holds_nothing_immediate_back() -> None:
    fleet = town().compromise("services", immediate=True)
    verifying_fails(fleet)
    fleet.apply()
    services = fleet.journal.state.authorities["services"].issued(1)
    assert services is not None
    assert services.revoked is not None


def test_a_ca_that_signs_still_is_not_revoked_by_its_serial() -> None:
    fleet = serial_of_its_ca(town())
    (stands,) = (c.message for c in fleet.plan().changes if c.action is Action.BLOCKED)
    assert "revoke its generation by authorityRef" in stands


def test_what_was_taken_down_is_put_right_as_soon_as_it_can_be() -> None:
    fleet = town()
    other_host(fleet.compromise("services", immediate=True))
    fleet.apply()
    fleet.away.clear()
    fleet.converge()
    assert fleet.installed("b", "web").serial == fleet.current("web").serial


def test_a_retired_ca_is_revoked_once_nothing_hangs_by_it() -> None:
    fleet = town()
    fleet.cas["old"] = Ca(parent="root")
    fleet.edit("web", issuer="old").edit("api", issuer="services").converge()
    fleet.cas["old"] = replace(fleet.cas["old"], retired=True)
    fleet.edit("web", issuer="services")
    fleet.compromise("old").converge()
    old = fleet.journal.state.authorities["old"].issued(1)
    assert old is not None
    assert old.revoked is not None
