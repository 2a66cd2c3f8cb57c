"""Ceremonies held with real keys: what waits for an offline key is asked for, signed and taken in."""

from dataclasses import replace

import pytest
from ceremony_table import Table, offline_fleet
from cryptography import x509 as pyca
from fleet import Fleet
from fleet_documents import Ca
from fleet_sights import shown
from memory_ledger import Crash

from reconciler.ceremony.papers import Request
from reconciler.ceremony.signing import begun, unsigned
from reconciler.ledger.records import Issuance, Status
from reconciler.state import Desired
from schemas.custody import Kept
from schemas.plan import Reason
from schemas.revocation import RevocationReason


@pytest.fixture
def table() -> Table:
    return Table(offline_fleet())


def asked(request: Request) -> list[str]:
    certificates = [f"{each.authority}-g{each.request.generation}" for each in request.certificates]
    return sorted(certificates) + sorted(each.name for each in request.crls)


def ca(fleet: Fleet, name: str, generation: int = 1) -> Issuance:
    found = fleet.journal.state.authorities[name].generation(generation)
    assert found is not None
    return found


def certificate(issuance: Issuance) -> pyca.Certificate:
    return pyca.load_pem_x509_certificate((issuance.certificate or "").encode())


def test_one_ceremony_makes_a_root_and_all_that_hangs_by_it(table: Table) -> None:
    request = table.export()
    assert asked(request) == ["mid-g1", "mid-g2", "root-g1", "root-g1.crl"]
    table.take_in(table.sign(request))
    root = certificate(ca(table.fleet, "root"))
    root.verify_directly_issued_by(root)
    for generation in (1, 2):
        certificate(ca(table.fleet, "mid", generation)).verify_directly_issued_by(root)
    table.fleet.converge()
    assert "root-g1.crl" in table.fleet.publisher.files


def test_the_ledger_has_the_keys_of_children_and_nothing_of_an_offline_one(table: Table) -> None:
    table.export()
    assert set(table.fleet.journal.authority_keys) == {("mid", 1), ("mid", 2)}
    assert ca(table.fleet, "root").spki == ""
    assert ca(table.fleet, "mid").spki != ""


def test_apply_signs_nothing_for_an_offline_ca(table: Table) -> None:
    table.fleet.apply()
    assert "root" not in table.fleet.journal.state.authorities
    reasons = {(c.address, c.reason) for c in table.fleet.plan().changes}
    assert ("authority/root", Reason.CEREMONY) in reasons


def test_what_is_reserved_is_asked_for_again_as_it_was(table: Table) -> None:
    first = table.export()
    waves = table.fleet.journal.waves
    table.fleet.wait(3)
    assert table.export() == first
    assert table.fleet.journal.waves == waves


def test_what_is_not_wanted_any_more_is_given_up_and_asked_for_anew(table: Table) -> None:
    first = table.export()
    answer = table.sign(first)
    table.fleet.cas["mid"] = replace(table.fleet.cas["mid"], permits=("example.com",))
    again = table.export()
    serials = [{c.issuance.serial for c in paper.certificates} for paper in (first, again)]
    assert len(serials[0] & serials[1]) == 1
    statuses = [i.status for i in table.fleet.journal.state.authorities["mid"].issuances]
    assert sorted(statuses) == [Status.ABANDONED] * 2 + [Status.RESERVED] * 2
    with pytest.raises(Exception, match="old answer"):
        table.take_in(answer)


def test_what_leaves_the_documents_while_it_waits_is_given_up_and_forgotten(table: Table) -> None:
    answer = table.sign(table.export())
    del table.fleet.cas["mid"], table.fleet.leaves["web"]
    table.fleet.apply()
    assert "mid" not in table.fleet.journal.state.authorities
    with pytest.raises(Exception, match="no such reservation"):
        table.take_in(answer)
    table.hold()
    table.fleet.converge()


def test_taking_the_same_answer_in_twice_changes_nothing(table: Table) -> None:
    answer = table.sign(table.export())
    first = table.take_in(answer)
    waves = table.fleet.journal.waves
    assert table.take_in(answer).accepted == first.accepted
    assert table.fleet.journal.waves == waves


def test_nothing_waits_after_a_ceremony(table: Table) -> None:
    table.hold()
    table.fleet.converge()
    assert asked(table.export()) == []


def test_a_list_that_is_due_is_asked_for_with_a_higher_number(table: Table) -> None:
    table.hold()
    table.fleet.converge()
    before = table.fleet.journal.state.crls["root", 1, None]
    table.fleet.wait(4)
    request = table.export()
    assert asked(request) == ["root-g1.crl"]
    assert request.crls[0].number > before.number
    table.take_in(table.sign(request))
    table.fleet.converge()
    assert table.fleet.published()["root-g1.crl"].number == request.crls[0].number


def compromise(fleet: Fleet) -> None:
    """Revoke the intermediate: its document moves on to the standby."""
    found = fleet.revoke("gone", serials=(ca(fleet, "mid").serial,))
    found.revocations["gone"] = replace(
        found.revocations["gone"],
        serials=(),
        authority="mid",
        generation=1,
        reason=RevocationReason.KEY_COMPROMISE,
    )
    fleet.cas["mid"] = replace(fleet.cas["mid"], generation=2)


def test_a_standby_takes_over_without_a_ceremony_and_the_list_waits_for_one(table: Table) -> None:
    table.hold()
    table.fleet.converge()
    compromise(table.fleet)
    table.fleet.apply()
    assert table.fleet.current("web").request.issuer_generation == 2
    assert ("blocked", "crl/root-g1", "Ceremony") in shown(table.fleet.plan())
    request = table.export()
    assert asked(request) == ["mid-g3", "root-g1.crl"]
    (entry,) = request.crls[0].entries
    assert entry.serial == ca(table.fleet, "mid").serial
    table.take_in(table.sign(request))
    table.fleet.converge()
    assert entry.serial in table.fleet.published()["root-g1.crl"].revoked


def test_a_revocation_of_later_asks_for_another_list(table: Table) -> None:
    table.hold()
    table.fleet.converge()
    table.fleet.wait(4)
    first = table.export()
    table.fleet.wait(0.1)
    compromise(table.fleet)
    table.fleet.apply()
    second = table.export()
    assert second.crls[0].number > first.crls[0].number
    with pytest.raises(Exception, match="old answer"):
        table.take_in(table.sign(first))


class Sharded(Fleet):
    """A fleet whose root has its list in two parts."""

    def desired(self) -> Desired:
        found = super().desired()
        root = replace(found.authorities["root"], crl_shards=2)
        return replace(found, authorities={**found.authorities, "root": root})


def test_parts_of_a_list_are_signed_and_named_by_what_is_in_them() -> None:
    plain = offline_fleet()
    table = Table(Sharded(cas=plain.cas, leaves=plain.leaves))
    request = table.export()
    assert asked(request)[-3:] == ["root-g1-s1.crl", "root-g1-s2.crl", "root-g1.crl"]
    named = {each.issuance.urls.crl for each in request.certificates if each.authority == "mid"}
    assert all(str(url).endswith(("-s1.crl", "-s2.crl")) for url in named)
    table.take_in(table.sign(request))
    table.fleet.converge()


def test_two_offline_cas_have_two_keys_and_each_signs_its_part(table: Table) -> None:
    table.fleet.cas["mid"] = Ca("root", days=1500, custody=Kept.OFFLINE)
    table.fleet.cas["low"] = Ca("mid", days=900)
    request = table.export()
    partly = table.sign(request, without=1)
    assert len(partly.certificates) == 1  # the root; nobody brought a key for what is below it
    answer = table.sign(partly)
    assert set(answer.certificates) == {c.issuance.serial for c in request.certificates}
    table.take_in(partly)
    table.take_in(answer)
    assert len({ca(table.fleet, name).spki for name in ("root", "mid", "low")}) == 3
    table.fleet.leaves = {}
    table.fleet.converge()


def test_a_new_generation_of_an_offline_root_has_a_key_of_its_own(table: Table) -> None:
    table.hold()
    table.fleet.converge()
    table.fleet.cas["root"] = Ca(custody=Kept.OFFLINE, generation=2, crossed=True)
    request = table.export()
    assert {"root-g2", "root-g2.crl"} <= set(asked(request))
    answer = table.sign(request)
    table.take_in(answer)
    record = table.fleet.journal.state.authorities["root"]
    cross = record.crossing(2)
    assert cross is not None
    assert cross.spki == ca(table.fleet, "root", 2).spki != ca(table.fleet, "root").spki
    certificate(cross).verify_directly_issued_by(certificate(ca(table.fleet, "root")))


def test_a_standby_root_takes_over_at_one_ceremony(table: Table) -> None:
    table.fleet.cas["root"] = Ca(custody=Kept.OFFLINE, standby=True)
    table.fleet.cas["mid"] = Ca("root", days=1500)
    table.hold()
    table.fleet.converge()
    table.fleet.cas["root"] = Ca(custody=Kept.OFFLINE, generation=2, crossed=True)
    assert asked(table.export()) == ["mid-g1", "root-g2"]
    table.hold()
    table.fleet.converge()
    root = certificate(ca(table.fleet, "root", 2))
    certificate(ca(table.fleet, "mid")).verify_directly_issued_by(root)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", ["export", "import"])
def test_a_run_that_died_is_begun_again(table: Table, step: str, *, after: bool) -> None:
    answer = table.sign(table.export()) if step == "import" else None
    journal = table.fleet.journal
    journal.crash_at, journal.crash_after = 1, after
    with pytest.raises(Crash):
        table.take_in(answer) if answer else table.export()
    journal.crash_at = None
    table.take_in(answer) if answer else table.hold()
    table.fleet.converge()


def test_who_has_no_key_that_is_asked_leaves_it_unsigned(table: Table) -> None:
    answer = table.sign(table.export(), without=1)
    assert (answer.certificates, answer.crls) == ({}, {})
    assert len(unsigned(begun(answer))) == 4
