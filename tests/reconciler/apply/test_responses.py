"""OCSP responses: one for each serial that is out there, signed anew when it has to be, whatever happens."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509 as crypto
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID
from fleet import Fleet
from fleet_documents import Ca, Leaf
from fleet_sights import reasons, shown
from memory_ledger import Crash

from providers import x509
from providers.base import Tree
from providers.errors import QuotaExceeded
from providers.x509.ocsp import request_for, request_path
from reconciler.assumption import Assumption
from reconciler.events import EventStatus
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import PastEntry, PastRecord, Revoked, Status
from reconciler.lifetimes import lifetimes
from reconciler.planning import make_plan
from reconciler.selection import Selection
from reconciler.state import Observed
from schemas.authority import OcspSettings
from schemas.plan import Action, Reason
from schemas.revocation import RevocationReason

TREE = "ocsp/services-g1"
ASKED = OcspSettings()


def fleet(asked: OcspSettings | None = ASKED) -> Fleet:
    cas = {"root": Ca(), "services": Ca(parent="root", ocsp=asked)}
    return Fleet(cas=cas, leaves={"web": leaf("web"), "api": leaf("api")})


def leaf(name: str, **more: Any) -> Leaf:
    return Leaf(issuer="services", names=(f"{name}.example.com",), **more)


def ask(fleet: Fleet, asked: OcspSettings | None, name: str = "services") -> Fleet:
    fleet.cas[name] = replace(fleet.cas[name], ocsp=asked)
    return fleet


def told(fleet: Fleet, name: str = TREE) -> Mapping[str, ocsp.OCSPResponse]:
    """What is published, by serial."""
    files = fleet.publisher.trees[name].files.values()
    found = [ocsp.load_der_ocsp_response(content) for content in files]
    return {f"{response.serial_number:x}": response for response in found}


def statuses(fleet: Fleet, name: str = TREE) -> Mapping[str, str]:
    return {serial: r.certificate_status.name for serial, r in told(fleet, name).items()}


def publishes(fleet: Fleet) -> list[tuple[str, str, str]]:
    return [step for step in shown(fleet.plan()) if step[1].startswith("ocsp/")]


def serial(fleet: Fleet, name: str) -> str:
    return fleet.current(name).serial


def test_a_certificate_has_its_response_in_the_apply_that_issues_it() -> None:
    world = fleet()
    assert publishes(world) == [("publish", TREE, "NotFound")]
    world.converge()
    assert statuses(world) == {serial(world, "web"): "GOOD", serial(world, "api"): "GOOD"}
    world.leaves["new"] = leaf("new")
    assert publishes(world) == [("publish", TREE, "NotFound")]
    world.converge()
    assert statuses(world)[serial(world, "new")] == "GOOD"


def test_each_lies_where_who_asks_by_get_looks() -> None:
    world = fleet().converge()
    authority = world.session().authority("services", 1)
    paths = {request_path(request_for(authority, serial(world, n))) for n in ("web", "api")}
    assert world.publisher.trees[TREE].files.keys() == paths


def test_certificates_say_where_their_response_is_from_then_on_and_none_is_issued_anew() -> None:
    world = fleet(None).converge()
    before = world.current("web")
    ask(world, ASKED).converge()
    assert world.current("web") == before
    assert statuses(world)[before.serial] == "GOOD"
    world.leaves["new"] = leaf("new")
    world.converge()
    issued = crypto.load_pem_x509_certificate((world.current("new").certificate or "").encode())
    access = issued.extensions.get_extension_for_class(crypto.AuthorityInformationAccess).value
    urls = {each.access_method: each.access_location.value for each in access}
    assert urls == {
        AuthorityInformationAccessOID.OCSP: f"http://pki.example.com/{TREE}",
        AuthorityInformationAccessOID.CA_ISSUERS: "http://pki.example.com/services-g1.crt",
    }


def test_a_ca_answers_for_the_cas_below_it_and_not_for_itself() -> None:
    world = ask(ask(fleet(), None), ASKED, "root").converge()
    below = world.journal.state.authorities["services"].issued(1)
    assert below is not None
    assert statuses(world, "ocsp/root-g1") == {below.serial: "GOOD"}


def test_a_revoked_one_is_told_with_its_moment_and_reason_in_the_same_apply() -> None:
    world = fleet().converge().wait(1)
    gone = serial(world, "web")
    world.revoke("lost", "web")
    assert publishes(world) == [("publish", TREE, "RevocationAdded")]
    world.converge()
    response = told(world)[gone]
    revoked = world.journal.state.certificates["web"].issuances[0].revoked
    assert revoked is not None
    assert response.certificate_status is ocsp.OCSPCertStatus.REVOKED
    assert response.revocation_reason is crypto.ReasonFlags.key_compromise
    assert response.revocation_time_utc == revoked.at
    assert statuses(world)[serial(world, "web")] == "GOOD"


def test_what_has_expired_is_told_of_no_more_and_asks_for_nothing() -> None:
    world = fleet().converge()
    old = serial(world, "web")
    world.wait(21).converge()
    assert set(statuses(world)) >= {old, serial(world, "web")}
    world.wait(9.5).converge().wait(2.5).converge()
    assert old not in statuses(world)


def test_what_is_reserved_and_not_issued_has_no_response() -> None:
    world = fleet().converge()
    world.leaves["new"] = leaf("new")
    world.journal.crash_at, world.journal.crash_after = 1, True
    with pytest.raises(Crash):
        world.apply()
    world.wait(2.5)
    world.journal.crash_at = None
    del world.leaves["new"]
    reserved = world.journal.state.certificates["new"].issuances[-1]
    assert reserved.status is Status.RESERVED
    world.apply()
    assert reserved.serial not in statuses(world)


@pytest.mark.parametrize(
    ("asked", "quiet", "due"),
    [
        (OcspSettings(), 1.9, 2.1),
        (OcspSettings(duration=timedelta(days=10)), 4.9, 5.1),
        (OcspSettings(refresh_before=timedelta(days=1)), 2.9, 3.1),
    ],
)
def test_they_are_signed_anew_well_before_their_end(
    asked: OcspSettings, quiet: float, due: float
) -> None:
    world = fleet(asked).converge().wait(quiet)
    assert publishes(world) == []
    world.wait(due - quiet)
    assert publishes(world) == [("publish", TREE, "Expiring")]
    assert world.plan(Selection(due_only=True)).changes != ()
    world.converge()
    assert {r.this_update_utc for r in told(world).values()} == {world.now}
    assert {r.next_update_utc for r in told(world).values()} == {world.now + asked.duration}


def test_the_responder_is_of_the_cas_own_key_in_the_ledger_and_lives_as_long_as_its_responses() -> (
    None
):
    world = fleet().converge()
    record = world.journal.state.ocsp["services", 1]
    (responder,) = record.responders
    (made,) = next(iter(told(world).values())).certificates
    ca = world.journal.state.authorities["services"].issued(1)
    assert ca is not None
    issuer = crypto.load_pem_x509_certificate((ca.certificate or "").encode())
    assert x509.is_issued_by(made, issuer)
    assert f"{made.serial_number:x}" == responder.serial
    assert (
        made.not_valid_after_utc == responder.not_after == record.next_update + timedelta(hours=1)
    )
    key = crypto.SubjectKeyIdentifier.from_public_key(made.public_key()).digest
    assert {response.responder_key_hash for response in told(world).values()} == {key}
    assert world.publisher.trees[TREE].digest == record.sha256


def test_each_run_makes_a_key_of_its_own_and_forgets_those_that_have_expired() -> None:
    world = fleet().converge()
    for _ in range(4):
        world.wait(2.1).converge()
    responders = world.journal.state.ocsp["services", 1].responders
    assert len({each.spki for each in responders}) == len(responders) == 2
    assert not any(b"OCSP" in key for key in world.journal.authority_keys.values())


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("wave", [1, 2])
def test_a_crash_at_any_wave_converges_and_leaves_its_responder_to_expire(
    wave: int, after: bool
) -> None:
    world = fleet().converge().wait(2.1)
    world.journal.crash_at, world.journal.crash_after = wave, after
    with pytest.raises(Crash):
        world.apply()
    world.journal.crash_at = None
    if (wave, after) != (2, True):
        assert [step[:2] for step in publishes(world)] == [("publish", TREE)]
        assert all(not change.outside for change in world.plan().changes)
    world.converge()
    assert set(statuses(world)) == {serial(world, "web"), serial(world, "api")}


def test_a_directory_that_is_full_leaves_the_old_ones_and_the_next_run_goes_on() -> None:
    world = fleet().converge().wait(2.1)
    old = world.publisher.trees[TREE]
    world.publisher.failures.append(QuotaExceeded("no space left"))
    (event,) = (e for e in world.apply() if e.address == TREE)
    assert (event.status, event.message) == (EventStatus.FAILED, "no space left")
    assert world.publisher.trees[TREE] == old
    assert reasons(world.plan(), TREE) == {Action.PUBLISH: Reason.RESUMING}
    world.converge()


@pytest.mark.parametrize("damage", ["gone", "forged", "added", "lost"])
def test_what_somebody_did_to_them_is_put_right_as_done_outside(damage: str) -> None:
    world = fleet().converge()
    files = dict(world.publisher.trees[TREE].files)
    first, second = sorted(files)
    if damage == "gone":
        del world.publisher.trees[TREE]
    else:
        changed = {
            "forged": {**files, first: files[second]},
            "added": {**files, "more": b"x"},
            "lost": {first: files[first]},
        }
        world.publisher.trees[TREE] = Tree(TREE, changed[damage])
    (step,) = world.plan().changes
    reason = Reason.NOT_FOUND if damage == "gone" else Reason.DRIFTED
    assert (step.address, step.reason, step.outside, step.due) == (TREE, reason, True, True)
    world.converge()


def test_a_good_one_in_place_of_a_revoked_one_is_seen_first_of_all() -> None:
    world = fleet().converge()
    before = world.publisher.trees[TREE]
    world.wait(0.1).revoke("lost", "web").converge()
    world.publisher.trees[TREE] = before
    assert publishes(world) == [("publish", TREE, "RevocationAdded")]
    world.converge()


def test_they_tell_of_the_revocations_that_succeed_and_of_what_was_issued_before() -> None:
    world = fleet().converge().wait(2.1)
    world.leaves["new"] = Leaf(
        issuer="services", names=("new.example.com",), targets=(("b", None),)
    )
    world.store("b").reachable = False
    events = {event.address: event.status for event in world.apply()}
    assert events[TREE] is EventStatus.DONE
    assert {response.this_update_utc for response in told(world).values()} == {world.now}


def test_that_a_ca_answers_is_reviewed_once_and_its_upkeep_never() -> None:
    world = fleet(None).converge()
    ask(world, ASKED)
    (first,) = world.plan().changes
    assert (first.address, first.due) == (TREE, False)
    world.converge()
    world.wait(2.1)
    (again,) = world.plan().changes
    assert (again.address, again.due) == (TREE, True)
    assert again.fingerprint == first.fingerprint


def test_a_certificate_that_waits_for_its_review_does_not_hold_back_the_night() -> None:
    world = fleet().converge().wait(2.1)
    world.leaves["new"] = leaf("new")
    nightly = Selection(due_only=True)
    assert shown(world.plan(nightly)) == [("publish", TREE, "Expiring")]
    assert [e.status for e in world.apply(nightly)] == [EventStatus.DONE]
    assert world.plan(nightly).changes == ()
    world.converge()


def test_a_renewal_of_the_night_has_its_response_in_the_same_run() -> None:
    world = fleet().converge().wait(21)
    nightly = Selection(due_only=True)
    while any(step.address != TREE for step in world.plan(nightly).changes):
        world.apply(nightly)
        assert world.plan(nightly).changes == ()
        assert statuses(world)[serial(world, "web")] == "GOOD"
        world.wait(1)


def test_terms_that_wait_for_their_review_hold_back_no_response_of_a_renewal() -> None:
    world = fleet(OcspSettings(duration=timedelta(days=10))).converge().wait(17.5).converge()
    ask(world, OcspSettings(duration=timedelta(days=8)))
    world.wait(2.6)
    nightly = Selection(due_only=True)
    assert any(step.address == "certificate/web" for step in world.plan(nightly).changes)
    world.apply(nightly)
    assert statuses(world)[serial(world, "web")] == "GOOD"
    assert {r.next_update_utc for r in told(world).values()} == {world.now + timedelta(days=10)}


def test_a_key_that_was_taken_away_is_told_of_before_its_responses_end() -> None:
    world = fleet().converge()
    record = world.journal.state.authorities["services"]
    (issuance,) = record.issuances
    away = issuance.request.model_copy(update={"key_ref": "offline"})
    moved = record.model_copy(
        update={"issuances": (issuance.model_copy(update={"request": away}),)}
    )
    authorities = {**world.journal.state.authorities, "services": moved}
    world.journal.state = replace(world.journal.state, authorities=authorities)
    assert publishes(world) == []
    world.wait(2.1)
    (step,) = (s for s in world.plan().changes if s.address == TREE)
    assert (step.action, step.reason) == (Action.BLOCKED, Reason.CEREMONY)
    assert "its key is not at hand" in step.message


def test_what_a_ca_issued_before_it_was_taken_over_is_told_of_as_far_as_it_is_known() -> None:
    world = fleet().converge()
    gone = Revoked(at=world.now - timedelta(days=9), reason=RevocationReason.SUPERSEDED)
    entries = (
        PastEntry(serial="7a" * 16, not_after=world.now + timedelta(days=9)),
        PastEntry(serial="7b" * 16, not_after=world.now - timedelta(days=1)),
        PastEntry(serial="7c" * 16, revoked=gone),
    )
    past = PastRecord(authority="services", generation=1, entries=entries)
    world.journal.write(Wave(message="before", past=[past]))
    assert publishes(world) == [("publish", TREE, "RevocationAdded")]
    world.apply()
    told_of = {s: status for s, status in statuses(world).items() if len(s) == 32}
    assert told_of == {"7a" * 16: "GOOD", "7c" * 16: "REVOKED"}
    assert publishes(world) == []


def test_other_terms_are_reviewed_and_what_time_asks_for_meanwhile_goes_by_the_old_ones() -> None:
    world = fleet().converge()
    ask(world, OcspSettings(duration=timedelta(days=8), refresh_before=timedelta(days=7)))
    edit, publish = world.plan().changes
    assert (edit.action, publish.action) == (Action.CONFIGURE, Action.PUBLISH)
    assert [(f.path, f.before, f.after) for f in edit.fields] == [
        ("ocsp.duration", "4d", "8d"),
        ("ocsp.refreshBefore", "half", "7d"),
    ]
    assert (edit.due, publish.due, publish.requires) == (False, False, (edit.id,))
    world.wait(2.1)
    world.apply(Selection(due_only=True))
    assert {r.next_update_utc for r in told(world).values()} == {world.now + timedelta(days=4)}
    world.converge()
    assert {r.next_update_utc for r in told(world).values()} == {world.now + timedelta(days=8)}


def test_who_asks_for_none_any_more_has_them_while_a_certificate_names_them() -> None:
    world = fleet().converge()
    ask(world, None)
    assert publishes(world) == []
    world.wait(2.1)
    assert publishes(world) == [("publish", TREE, "Expiring")]
    world.converge().wait(18.9).converge()
    assert world.current("web").urls.ocsp is None
    world.wait(11)
    assert publishes(world) == []


def test_who_has_only_crls_is_asked_for_no_tree() -> None:
    world = fleet(None).converge().wait(10).converge()
    assert world.publisher.looks == []
    assert world.publisher.trees == {}
    assert world.journal.state.ocsp == {}


def test_a_plan_that_looks_at_nothing_takes_them_to_be_as_they_were_published() -> None:
    world = fleet().converge()

    def unseen() -> list[tuple[str, str, str]]:
        seen = world.world()
        guess = Assumption(seen.desired, seen.ledger, seen.now)
        targets = {name: guess.holding(name, "nobody looked") for name in seen.desired.targets}
        return shown(make_plan(replace(seen, observed=Observed(targets, guess.published()))))

    assert unseen() == []
    world.leaves["new"] = leaf("new")
    world.wait(0.1).revoke("lost", "web")
    assert ("publish", TREE, "RevocationAdded") in unseen()
    world.converge()
    assert unseen() == []
    world.wait(2.1)
    assert unseen() == shown(world.plan()) == [("publish", TREE, "Expiring")]


def test_a_responder_that_may_have_been_signed_is_not_forgotten_before_it_expires() -> None:
    world = fleet().converge()
    record = world.journal.state.ocsp["services", 1]
    (responder,) = record.responders
    other = responder.model_copy(update={"spki": "b3RoZXI="})
    for those in ((), (other,)):
        after = record.model_copy(update={"responders": those})
        with pytest.raises(AssertionError):
            world.journal.write(Wave(message="forget", ocsp=[after]))
    world.wait(5)
    world.journal.write(Wave(message="forget", ocsp=[record.model_copy(update={"responders": ()})]))


def test_responses_end_with_their_ca() -> None:
    world = fleet()
    world.cas["services"] = replace(world.cas["services"], days=40)
    world.leaves = {"web": leaf("web", days=39, renew_before=1)}
    world.converge()
    end = world.journal.state.authorities["services"].issued(1)
    assert end is not None
    world.wait(37)
    world.apply()
    record = world.journal.state.ocsp["services", 1]
    assert (
        record.next_update
        <= record.responders[-1].not_after
        <= max(
            issuance.not_after for issuance in world.journal.state.authorities["services"].issuances
        )
    )


def test_they_end_and_fall_due_like_anything_else() -> None:
    world = fleet().converge()
    (life,) = (each for each in lifetimes(world.world()) if each.address == TREE)
    assert (life.not_after, life.renews_at) == (
        world.now + timedelta(days=4),
        world.now + timedelta(days=2),
    )
    ask(world, None)
    assert TREE in {each.address for each in lifetimes(world.world())}
    world.wait(31)
    assert TREE not in {each.address for each in lifetimes(world.world())}


def test_a_ca_of_the_same_name_as_a_forgotten_one_is_reviewed_anew() -> None:
    world = Fleet(cas={"root": Ca(days=60, ocsp=ASKED)}, leaves={"web": Leaf(days=30)}).converge()
    key = ("root", 1)
    assert key in world.journal.state.ocsp
    del world.leaves["web"]
    world.converge()
    del world.cas["root"]
    world.wait(61).converge()
    assert world.journal.state.ocsp == {}
    del world.publisher.files["root-g1.crl"], world.publisher.numbers["root-g1.crl"]
    world.cas, world.leaves = {"root": Ca(ocsp=ASKED)}, {"web": Leaf(days=30)}
    (step,) = (each for each in world.plan().changes if each.address == "ocsp/root-g1")
    assert not step.due
    world.converge()
    assert statuses(world, "ocsp/root-g1") == {serial(world, "web"): "GOOD"}
