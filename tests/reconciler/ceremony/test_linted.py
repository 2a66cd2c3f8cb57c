"""What a ceremony is asked for is linted before: nobody goes to a safe for what is unsound."""

from dataclasses import replace

import pytest
from ceremony_table import Table, offline_fleet
from fleet_documents import HERE
from fleet_sights import named

from reconciler.apply import Session
from reconciler.ceremony.reservations import export
from reconciler.limits import Judgement, Limits
from reconciler.lint import Linter
from reconciler.planning import make_plan
from schemas.plan import Action, Reason
from schemas.policy import Baseline

TLS = Limits(baselines=(Judgement(Baseline.CABF_TLS, "public", HERE),))
RULES = "(cabf-tls)"


@pytest.fixture
def table() -> Table:
    return Table(offline_fleet())


def bound(table: Table, *names: str) -> Session:
    """The table's session, some CAs of which are bound to rules that take no Ed25519 keys."""
    session = table.fleet.session()
    desired = session.world.desired
    held = {name: replace(desired.authorities[name], limits=TLS) for name in names}
    changed = replace(desired, authorities={**desired.authorities, **held})
    session.world = replace(session.world, desired=changed)
    return session


def test_what_is_unsound_is_not_asked_for_and_the_rest_is(table: Table) -> None:
    linter = Linter()
    request = export(bound(table, "mid"), linter.before_ceremony)
    assert [each.authority for each in request.certificates] == ["root"]
    assert [each.name for each in request.crls] == ["root-g1.crl"]
    assert set(linter.refused) == {"authority/mid", "standby/mid-g2"}
    assert all(RULES in told.summary for told in linter.objections)
    assert "mid" not in table.fleet.journal.state.authorities


def test_below_a_root_that_is_unsound_nothing_is_asked_for(table: Table) -> None:
    linter = Linter()
    request = export(bound(table, "root"), linter.before_ceremony)
    assert (request.certificates, request.crls) == ((), ())
    assert table.fleet.journal.state.authorities == {}


def test_what_is_sound_is_asked_for_as_without_a_linter(table: Table) -> None:
    linter = Linter()
    request = export(table.fleet.session(), linter.before_ceremony)
    assert request == table.export()
    assert (linter.objections, linter.remarks) == ((), ())


def test_a_plan_says_so_before_anybody_exports(table: Table) -> None:
    table.take_in(table.sign(export(bound(table, "mid"), Linter().before_ceremony)))
    session = bound(table, "mid")
    step = named(make_plan(session.world, lint=Linter()), Action.BLOCKED, "authority/mid")
    assert (step.reason, RULES in step.message) == (Reason.LINT, True)
    without = named(make_plan(session.world), Action.BLOCKED, "authority/mid")
    assert without.reason is Reason.CEREMONY
