"""CAs of ours that a CA of others signs: ordered once, checked, renewed, moved there and back, revoked."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from below_others import below_others
from cryptography import x509 as pyca
from fleet import Fleet
from fleet_documents import START, Ca
from fleet_sights import named, reasons, shown
from memory_ledger import Crash

from providers import x509
from providers.errors import Ambiguous, Denied, Rejected
from providers.issuing import AuthorityOrder, Issued, IssuerConfig, Pending
from providers.memory_issuer import MemoryIssuer
from providers.x509 import to_der
from reconciler.events import EventStatus
from reconciler.explain import explain
from reconciler.ledger.deeds import deeds
from reconciler.ledger.records import Issuance, Status
from schemas.issuer import IssuerSpec
from schemas.plan import Action, Reason
from schemas.revocation import RevocationReason
from schemas.vault import Vault


@pytest.fixture
def fleet() -> Fleet:
    return below_others()


def signed(fleet: Fleet) -> Issuance:
    """What `services` signs under now."""
    return fleet.signed_under("services", 1)


def chain(fleet: Fleet) -> list[bytes]:
    """The certificates that are installed above `web`, from its issuer to the anchor."""
    bundle = fleet.store("a").objects["web"].bundle
    assert bundle is not None
    return [to_der(pem) for pem in (*bundle.chain, *bundle.anchors)]


def test_it_is_ordered_and_what_it_signs_hangs_by_the_other_ca(fleet: Fleet) -> None:
    fleet.converge()
    (sold,) = fleet.desk("company").orders.values()
    ca = fleet.desk("company").ca
    assert signed(fleet).sha256 == hashlib.sha256(sold).hexdigest()
    assert chain(fleet) == [sold, ca.intermediate, ca.root]
    assert fleet.installed("a", "web").trust == fleet.world().trust(fleet.current("web"))


def test_its_key_is_ours_and_its_serial_theirs(fleet: Fleet) -> None:
    fleet.converge()
    issued = signed(fleet)
    assert ("services", 1) in fleet.journal.authority_keys
    assert issued.serial == x509.facts(to_der(str(issued.certificate).encode())).serial
    assert issued.reference not in (None, issued.serial)
    assert issued.signer is None


def test_it_says_what_was_asked_for(fleet: Fleet) -> None:
    fleet.converge()
    (sold,) = fleet.desk("company").orders.values()
    said = pyca.load_der_x509_certificate(sold)
    constraints = said.extensions.get_extension_for_class(pyca.NameConstraints)
    assert pyca.DNSName("example.com") in (constraints.value.permitted_subtrees or ())
    assert said.subject.rfc4514_string() == "CN=Example services G1"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("wave", range(1, 10))
def test_after_a_crash_at_any_wave_one_certificate_was_ordered(
    fleet: Fleet, wave: int, *, after: bool
) -> None:
    fleet.journal.crash_at, fleet.journal.crash_after = wave, after
    with pytest.raises(Crash):
        fleet.apply()
    fleet.converge()
    assert len(fleet.desk("company").orders) == 1
    assert list(fleet.journal.authority_keys) == [("root", 1), ("services", 1)]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("wave", range(1, 4))
def test_with_a_ca_that_forgets_its_tokens_a_crash_costs_one_certificate_at_most(
    fleet: Fleet, wave: int, *, after: bool
) -> None:
    fleet.desk("company").remembers = False
    del fleet.cas["root"]
    fleet.journal.crash_at, fleet.journal.crash_after = wave, after
    with pytest.raises(Crash):
        fleet.apply()
    noted = next(iter(fleet.journal.state.authorities.values()), None)
    is_known = noted is not None and noted.issuances[-1].order is not None
    ordered = len(fleet.desk("company").orders)
    fleet.converge()
    assert len(fleet.desk("company").orders) == (1 if is_known else ordered + 1)


def test_an_order_that_takes_long_is_finished_by_the_next_run(fleet: Fleet) -> None:
    fleet.desk("company").waits = 1
    events = {event.address: event for event in fleet.apply()}
    assert events["authority/services"].status is EventStatus.POSTPONED
    assert events["certificate/web"].status is EventStatus.SKIPPED
    assert reasons(fleet.plan(), "authority/services") == {Action.ISSUE: Reason.RESUMING}
    fleet.converge()
    assert fleet.desk("company").calls["issue"] == 1


def test_a_lost_answer_is_asked_for_again_with_the_same_token(fleet: Fleet) -> None:
    fleet.desk("company").lost = 1
    assert any(event.status is EventStatus.FAILED for event in fleet.apply())
    fleet.converge()
    assert len(fleet.desk("company").orders) == 1


def test_a_refusal_keeps_the_reservation(fleet: Fleet) -> None:
    fleet.desk("company").failures = [Denied("no policy lets this token sign CAs")]
    failed = next(e for e in fleet.apply() if e.address == "authority/services")
    assert failed.message == "no policy lets this token sign CAs"
    fleet.converge()


class Wrong(MemoryIssuer):
    """Signs another CA than it was asked for."""

    def issue_authority(self, order: AuthorityOrder, /) -> Issued | Pending:
        wider = order.request.model_copy(update={"path_length": 5, "name_constraints": None})
        return super().issue_authority(replace(order, request=wider))


def test_what_was_not_asked_for_is_not_believed(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as swapped:
        swapped.setattr(fleet, "ask", lambda config: wrong(fleet, config))
        failed = next(e for e in fleet.apply() if e.address == "authority/services")
    assert "its path length is 5 and not None" in failed.message
    assert "its name constraints are not those asked for" in failed.message
    record = fleet.journal.state.authorities["services"]
    assert [i.status for i in record.issuances] == [Status.ABANDONED]
    fleet.apply()
    assert len(fleet.desk("company").orders) == 1, "no useless certificate a run"
    message = named(fleet.plan(), Action.BLOCKED, "authority/services").message
    assert message.startswith("its issuer is asked for no order before 2026-01-01T00:01:00Z: ")
    assert next(reversed(list(deeds(None, record)))).startswith("failed, 1 in a row: the issuer")
    about = explain(fleet.world(), "authority/services")
    assert about is not None
    assert about.attempts == record.attempts
    fleet.now += timedelta(minutes=1)
    fleet.converge()
    assert len(fleet.desk("company").orders) == 2
    assert fleet.journal.state.authorities["services"].attempts is None


def test_an_edit_of_what_was_refused_is_asked_for_at_once(fleet: Fleet) -> None:
    fleet.desk("company").failures = [Rejected("no CA may permit example.com")]
    fleet.apply()
    assert reasons(fleet.plan(), "authority/services") == {Action.BLOCKED: Reason.BLOCKED_BY}
    fleet.cas["services"] = replace(fleet.cas["services"], permits=("example.org",))
    assert Action.ISSUE in reasons(fleet.plan(), "authority/services")


def wrong(fleet: Fleet, config: IssuerConfig) -> Wrong:
    """An issuer at the desk of the name."""
    return Wrong(fleet.desk(config.name))


def test_it_is_renewed_with_the_same_key_and_re_issues_nothing(fleet: Fleet) -> None:
    fleet.converge()
    first, leaf = signed(fleet), fleet.current("web").serial
    fleet.edit("web", days=190, renew_before=1)
    fleet.wait(150)
    assert reasons(fleet.plan(), "authority/services") == {Action.ISSUE: Reason.RENEWING}
    fleet.converge()
    assert signed(fleet).serial != first.serial
    assert signed(fleet).spki == first.spki
    assert leaf != fleet.current("web").serial
    assert fleet.current("web").signer == signed(fleet).serial


def test_a_short_life_is_renewed_when_a_third_is_left_and_not_all_the_time(fleet: Fleet) -> None:
    fleet.cas["services"] = replace(fleet.cas["services"], days=3000)
    fleet.edit("web", days=300, renew_before=10)
    fleet.wait(300).converge()
    ends = x509.facts(fleet.desk("company").ca.intermediate).not_after
    assert signed(fleet).not_after == ends
    assert "authority/services" not in shown_addresses(fleet.wait(35))
    assert "authority/services" in shown_addresses(fleet.wait(10))


def shown_addresses(fleet: Fleet) -> set[str]:
    """What a plan has changes of."""
    return {step.address for step in fleet.plan().changes}


def test_a_new_generation_has_a_key_of_its_own(fleet: Fleet) -> None:
    fleet.converge()
    fleet.cas["services"] = replace(fleet.cas["services"], generation=2)
    fleet.converge()
    assert fleet.signed_under("services", 2).spki != signed(fleet).spki
    assert fleet.current("web").request.issuer_generation == 2
    assert len(fleet.desk("company").orders) == 2


def test_the_next_generation_is_kept_ready(fleet: Fleet) -> None:
    fleet.cas["services"] = replace(fleet.cas["services"], standby=True)
    fleet.converge()
    assert fleet.signed_under("services", 2).chain is not None
    fleet.compromise("services").converge()
    assert fleet.current("web").request.issuer_generation == 2


def test_parents_change_as_any_other_and_back(fleet: Fleet) -> None:
    fleet.cas["services"] = replace(fleet.cas["services"], parent="root")
    fleet.converge()
    first = signed(fleet)
    for parent in ("company", "root", "company"):
        fleet.cas["services"] = replace(fleet.cas["services"], parent=parent)
        plan = fleet.plan()
        assert reasons(plan, "authority/services") == {Action.ISSUE: Reason.ISSUER_CHANGED}
        assert reasons(plan, "certificate/web")[Action.ISSUE] is Reason.CHAIN_CHANGED
        fleet.converge()
        top = fleet.desk("company").ca.root if parent == "company" else root(fleet)
        assert chain(fleet)[-1] == top
    assert {i.spki for i in fleet.journal.state.authorities["services"].issuances} == {first.spki}


def root(fleet: Fleet) -> bytes:
    """Our own root's certificate."""
    return to_der(str(fleet.signed_under("root", 1).certificate).encode())


def test_another_mount_behind_the_same_name_signs_anew_and_another_role_does_not(
    fleet: Fleet,
) -> None:
    fleet.converge()
    vault = Vault(server="https://vault.example.com:8200", role="other")
    fleet.issuers["company"] = IssuerSpec(vault=vault)
    assert shown(fleet.plan()) == []
    fleet.issuers["company"] = IssuerSpec(vault=vault.model_copy(update={"path": "pki2"}))
    assert reasons(fleet.plan(), "authority/services") == {Action.ISSUE: Reason.ISSUER_CHANGED}
    fleet.converge()


def test_cas_below_it_and_their_leaves_hang_by_the_other_ca(fleet: Fleet) -> None:
    fleet.cas["services"] = replace(fleet.cas["services"], permits=())
    fleet.cas["team"] = Ca(parent="services", days=100)
    fleet.edit("web", issuer="team").converge()
    assert len(chain(fleet)) == 4
    assert chain(fleet)[-1] == fleet.desk("company").ca.root


def test_its_revocation_is_told_to_the_ca_that_signed_it(fleet: Fleet) -> None:
    fleet.converge()
    first = signed(fleet)
    fleet.compromise("services").converge()
    assert fleet.desk("company").revoked == {first.serial: RevocationReason.KEY_COMPROMISE}
    assert fleet.signed_under("services", 1).status is Status.REVOKED
    assert "services-g2.crl" in fleet.published()
    assert not any(name.startswith("company") for name in fleet.published())


def test_nobody_revokes_it_where_no_issuer_names_that_ca(fleet: Fleet) -> None:
    fleet.converge()
    serial = signed(fleet).serial
    fleet.cas["services"] = replace(fleet.cas["services"], parent="root")
    fleet.converge()
    fleet.issuers.clear()
    fleet.revoke("old", serials=(serial,))
    (step,) = (s for s in fleet.plan().changes if serial in s.address)
    assert step.action is Action.BLOCKED
    assert "bring it back" in step.message


def test_its_lists_are_ours(fleet: Fleet) -> None:
    fleet.converge()
    assert {"services-g1.crl", "services-g1.crt"} <= fleet.published().keys()
    fleet.wait(1).revoke("gone", "web").converge()
    assert len(fleet.published()["services-g1.crl"].revoked) == 1


def test_it_is_retired_and_forgotten_as_any_other(fleet: Fleet) -> None:
    fleet.converge()
    del fleet.leaves["web"]
    fleet.cas["services"] = replace(fleet.cas["services"], retired=True)
    fleet.converge()
    fleet.wait(400).converge()
    del fleet.cas["services"]
    fleet.converge()
    assert "services" not in fleet.journal.state.authorities


def test_a_ca_that_gives_no_root_is_believed_as_far_as_its_chain_goes(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rootless(self: MemoryIssuer, order: AuthorityOrder, /) -> Issued | Pending:
        answer = self._filled(order)
        return replace(answer, anchors=()) if isinstance(answer, Issued) else answer

    monkeypatch.setattr(MemoryIssuer, "issue_authority", rootless)
    fleet.converge()
    assert len(chain(fleet)) == 2


def test_the_night_renews_it_as_it_was_issued(fleet: Fleet) -> None:
    fleet.converge()
    fleet.cas["services"] = replace(fleet.cas["services"], permits=("other.example",))
    fleet.pinned = True
    fleet.wait(175)
    fleet.converge()
    assert len(fleet.desk("company").orders) == 2


def test_what_can_never_be_asked_for_is_waited_out(fleet: Fleet) -> None:
    fleet.desk("company").failures = [Ambiguous("no answer"), Ambiguous("no answer")]
    fleet.apply()
    fleet.now = START + timedelta(days=300)
    fleet.apply()
    fleet.converge()
    statuses = [i.status for i in fleet.journal.state.authorities["services"].issuances]
    assert statuses == [Status.ABANDONED, Status.ISSUED]
