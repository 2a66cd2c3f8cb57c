"""Which command asks CAs when they want renewals, whom, and what it writes: no proposal decides that."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from advising_ca import advised_fleet, public_ca
from fleet import Fleet
from fleet_documents import Leaf
from fleet_sights import reasons

from providers.issuing import Issuer, IssuerConfig
from reconciler.boundary import reached_issuers
from reconciler.cli import advice as commands
from reconciler.cli.app import Console
from reconciler.cli.console import ColourOption
from reconciler.cli.options import Choice
from reconciler.cli.running import Limits, carry_out
from reconciler.errors import Unsafe
from reconciler.planning import make_plan
from schemas.plan import Action, Reason
from schemas.project import AdviceAsking

CONSOLE = Console(Path(), ColourOption.NEVER)
LIMITS = Limits(ask=False, mass=False)


def refuse(_config: IssuerConfig) -> Issuer:
    raise AssertionError("nobody may be asked")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[IssuerConfig], Issuer]], None]:
    return lambda make: monkeypatch.setattr("providers.registry.make_issuer", make)


def test_a_plan_asks_nobody_unless_the_project_says_so(
    made: Callable[[Callable[[IssuerConfig], Issuer]], None],
) -> None:
    fleet, adviser, _ = advised_fleet()
    made(refuse)
    world = fleet.world()
    assert commands.planned(CONSOLE, world) is world
    asks = replace(world.desired, renewal_information=AdviceAsking.PLAN)
    with pytest.raises(AssertionError):
        commands.planned(CONSOLE, replace(world, desired=asks))
    made(fleet.ask)
    found = commands.planned(CONSOLE, replace(world, desired=asks))
    assert len(adviser.asked) == len(found.advice) == 1


def test_whether_a_plan_asks_is_for_the_base_to_say(
    made: Callable[[Callable[[IssuerConfig], Issuer]], None],
) -> None:
    fleet, adviser, _ = advised_fleet()
    made(refuse)
    world, base = fleet.world(), fleet.desired()
    asks = replace(world.desired, renewal_information=AdviceAsking.PLAN)
    commands.planned(CONSOLE, replace(world, desired=asks, base=base))
    made(fleet.ask)
    commands.planned(CONSOLE, replace(world, base=asks))
    assert len(adviser.asked) == 1


def test_an_issuer_that_is_new_or_moved_in_a_proposal_is_not_asked(
    made: Callable[[Callable[[IssuerConfig], Issuer]], None],
) -> None:
    fleet, adviser, _ = advised_fleet()
    base = replace(fleet.desired(), renewal_information=AdviceAsking.PLAN)
    made(fleet.ask)
    without = replace(base, issuers={})
    evil = replace(base.issuers["le"], spec=public_ca(server="https://ca.example:8443/dir"))
    moved = replace(base, issuers={"le": evil})
    for desired, against in ((base, without), (moved, base)):
        world = replace(fleet.world(), desired=desired, base=against)
        assert commands.planned(CONSOLE, world).advice == {}
    assert adviser.asked == []
    assert [each.name for each in reached_issuers(moved, base)] == []


def test_the_base_says_how_a_ca_is_asked(
    made: Callable[[Callable[[IssuerConfig], Issuer]], None],
) -> None:
    fleet, _, _ = advised_fleet()
    base = replace(fleet.desired(), renewal_information=AdviceAsking.PLAN)
    mine = replace(base.issuers["le"], files={"ca.pem": b"ours"})
    theirs = replace(base.issuers["le"], files={"ca.pem": b"theirs"})
    seen: list[bytes] = []

    def make(config: IssuerConfig) -> Issuer:
        seen.append(config.files["ca.pem"])
        return fleet.ask(config)

    made(make)
    proposed = replace(base, issuers={"le": theirs})
    against = replace(base, issuers={"le": mine})
    commands.planned(CONSOLE, replace(fleet.world(), desired=proposed, base=against))
    assert seen == [b"ours"]


def test_where_nobody_listens_nothing_is_loaded_and_nobody_asked(
    made: Callable[[Callable[[IssuerConfig], Issuer]], None],
) -> None:
    made(refuse)
    fleet = Fleet(leaves={"web": Leaf()}).converge()
    world = fleet.world()
    assert commands.asked(CONSOLE, world) is world
    assert commands.asked_by(CONSOLE, fleet.session()) is None


def test_drift_asks_and_writes_nothing(
    made: Callable[[Callable[[IssuerConfig], Issuer]], None],
) -> None:
    fleet, adviser, _ = advised_fleet()
    made(fleet.ask)
    waves = fleet.journal.waves
    assert len(commands.asked(CONSOLE, fleet.world()).advice) == 1
    assert (fleet.journal.waves, len(adviser.asked)) == (waves, 1)


def test_a_session_knows_what_was_said_and_records_it_only_when_told_to() -> None:
    fleet, adviser, _ = advised_fleet()
    fleet.wait(5)
    adviser.recall()
    session = fleet.session()
    waves, tip_time = fleet.journal.waves, fleet.journal.state.tip_time
    found = commands.asked_by(CONSOLE, session)
    assert reasons(make_plan(session.world), "certificate/web0") == {Action.ISSUE: Reason.RENEWING}
    assert (fleet.journal.waves, session.world.ledger.tip_time) == (waves, tip_time)
    commands.recorded(session, found)
    assert fleet.journal.waves == waves + 1
    assert session.world.ledger is fleet.journal.state
    assert reasons(make_plan(session.world), "certificate/web0") == {Action.ISSUE: Reason.RENEWING}
    commands.recorded(session, None)
    assert fleet.journal.waves == waves + 1


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Console:
    monkeypatch.setenv("SOPS_AGE_KEY_CMD", "nobody looks")
    return CONSOLE


def test_a_run_at_night_renews_what_a_ca_asks_for_whatever_number_that_is(
    console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet, adviser, desk = advised_fleet(20)
    fleet.wait(5)
    adviser.recall()
    told = carry_out(console, fleet.session(), Choice(due_only=True), LIMITS)
    assert told.code == 0
    assert desk.calls["issue"] == 40
    assert "le asks for 20 of 20 certificates to be renewed early" in capsys.readouterr().err
    again = carry_out(console, fleet.session(), Choice(due_only=True), LIMITS)
    assert again.plan is not None
    assert again.plan.changes == ()
    assert len(fleet.journal.state.advice["le"].certificates) == 20
    assert {each.serial for each in fleet.journal.state.advice["le"].certificates} == {
        fleet.current(f"web{n}").serial for n in range(20)
    }


def test_a_run_that_is_refused_for_its_clock_records_nothing(console: Console) -> None:
    fleet, adviser, _ = advised_fleet()
    tip = fleet.journal.state.tip
    fleet.wait(-1)
    with pytest.raises(Unsafe):
        carry_out(console, fleet.session(), Choice(), LIMITS)
    assert (fleet.journal.state.tip, len(adviser.asked)) == (tip, 1)


def test_whoever_says_no_has_nothing_recorded(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet, adviser, _ = advised_fleet()
    fleet.wait(5)
    adviser.recall()
    tip = fleet.journal.state.tip
    monkeypatch.setattr("reconciler.cli.running._asked", lambda: False)
    told = carry_out(console, fleet.session(), Choice(), Limits(ask=True, mass=False))
    assert (told.code, fleet.journal.state.tip) == (1, tip)
