"""CAs of ours that a CA of others signs, as plans, trees and linters tell of them."""

from dataclasses import replace

import pytest
from below_others import below_others
from fleet import Fleet
from fleet_documents import DAY, START, Ca
from fleet_sights import named, reasons

from providers import x509
from providers.memory_issuer import Desk
from providers.signer import KeySigner
from providers.specimens import P256, Specimens
from reconciler.impact import impact
from reconciler.lint import Linter
from reconciler.planning import make_plan
from reconciler.render.graph import render_graph
from schemas.authority import NameConstraints, NameForms
from schemas.plan import Action, Reason
from schemas.request import AuthorityRequest


@pytest.fixture
def fleet() -> Fleet:
    return below_others()


def test_a_plan_asks_nobody(fleet: Fleet) -> None:
    assert reasons(fleet.plan(), "authority/services") == {Action.ISSUE: Reason.NOT_FOUND}
    assert reasons(fleet.plan(), "certificate/web") == {Action.ISSUE: Reason.NOT_FOUND}
    assert fleet.desks == {}


def test_the_tree_shows_it_below_the_other_ca_and_it_falls_with_that(fleet: Fleet) -> None:
    fleet.converge()
    tree = render_graph(fleet.desired()).splitlines()
    assert tree[-3:] == [
        "└── issuer/company (vault)",
        '    └── authority/services ("Example services G1", Ed25519)',
        "        └── certificate/web -> a",
    ]
    fleet.edit("web", issuer="company")
    assert render_graph(fleet.desired()).splitlines()[-3:] == [
        "└── issuer/company (vault)",
        '    ├── authority/services ("Example services G1", Ed25519)',
        "    └── certificate/web -> a",
    ]
    fleet.edit("web", issuer="services")
    fallen = impact(fleet.desired(), fleet.journal.state, "issuer/company", fleet.now)
    assert fallen is not None
    assert [each.address for each in fallen.authorities] == ["issuer/company", "authority/services"]
    assert [each.address for each in fallen.certificates] == ["certificate/web"]


def test_a_linter_judges_what_it_signs_before_and_after_it_is_there(fleet: Fleet) -> None:
    lint = Linter()
    assert make_plan(fleet.world(), lint=lint).changes
    assert lint.refused == {}
    fleet.converge()
    fleet.edit("web", days=29)
    assert {str(step.action) for step in make_plan(fleet.world(), lint=lint).changes} == {
        "issue",
        "install",
    }
    assert lint.refused == {}


def test_what_nobody_would_believe_below_the_other_ca_is_refused(fleet: Fleet) -> None:
    fleet.cas["services"] = replace(fleet.cas["services"], permits=("example.com",))
    fleet.desks["company"] = Desk(narrow("other.example"), fleet.clock)
    failed = next(e for e in fleet.apply() if e.address == "authority/services")
    assert (
        "the DNS name constraint example.com is outside what the parent permits" in failed.message
    )


def narrow(domain: str) -> Specimens:
    """A root of others that signs for one domain alone, whatever it is asked."""
    key = x509.generate_key(P256)
    request = AuthorityRequest(
        generation=1,
        common_name="Narrow Root",
        key=P256,
        duration=300 * DAY,
        name_constraints=NameConstraints(permitted=NameForms(dns_domains=(domain,))),
    )
    start, end = x509.validity(START, request.duration)
    tbs = x509.ToBeSigned(request, x509.new_serial(), start, end, x509.spki(key.public_key()))
    root = x509.sign(tbs, None, KeySigner(key))
    return Specimens(root, root, key)


def test_nobody_is_asked_before_that_was_reviewed(fleet: Fleet) -> None:
    fleet.base = Fleet().desired()
    issue = named(fleet.plan(), Action.ISSUE, "authority/services")
    assert "configure:issuer/company" in issue.requires
    fleet.base = None
    fleet.converge().compromise("services")
    fleet.base = Fleet(cas={"root": Ca()}).desired()
    revoke = named(fleet.plan(), Action.REVOKE, "authority/services")
    assert "configure:issuer/company" in revoke.requires
