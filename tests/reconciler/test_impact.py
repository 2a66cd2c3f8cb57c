"""What falls with a CA, an issuer, a target or a certificate, told from documents and ledger."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from fleet import Fleet
from fleet_documents import Ca, Leaf, at
from paper_fleet import NOW, Paper, Sheet, authority, company, issued_authority, with_records

from reconciler.impact import Impact, impact
from reconciler.impediments import Impediment, Obstacle
from reconciler.ledger.records import AuthorityRecord, Revoked, Status
from reconciler.state import DesiredAuthority
from schemas.custody import Kept
from schemas.revocation import RevocationReason

ROOT_CEREMONY = Impediment(Obstacle.CEREMONY, "authority/root")


def of(paper: Paper, address: str, generation: int | None = None, **rest: frozenset[str]) -> Impact:
    found = impact(paper.desired, paper.ledger, address, NOW, generation=generation, **rest)
    assert found is not None
    return found


def with_authorities(paper: Paper, changed: Mapping[str, DesiredAuthority]) -> Paper:
    cas = {**paper.desired.authorities, **changed}
    return Paper(replace(paper.desired, authorities=cas), paper.ledger)


def online(paper: Paper) -> Paper:
    root = replace(paper.desired.authorities["root"], custody=None)
    return with_authorities(paper, {"root": root})


def test_with_a_ca_fall_the_cas_below_it_and_all_their_certificates() -> None:
    fallen = of(company(), "authority/services")
    assert [each.title for each in fallen.authorities] == [
        "authority/devices generation 1",
        "authority/services generation 1",
    ]
    assert len(fallen.certificates) == 420 + 310
    assert fallen.places == {"nginx": 420, "edge": 310}
    assert fallen.bundles == ()
    assert fallen.ends[0] == min(e.not_after for e in fallen.certificates if e.not_after)


def test_with_a_root_fall_the_bundles_that_hold_its_anchor() -> None:
    paper = company()
    assert [bundle.name for bundle in of(paper, "authority/root").bundles] == ["clients"]
    gone = Paper(replace(paper.desired, bundles={}), paper.ledger)
    (held,) = of(gone, "authority/root").bundles  # no document says so, but it is there
    assert (held.name, held.roots, held.places) == ("clients", ("root",), ("nginx",))


def test_under_an_offline_parent_a_new_generation_takes_a_ceremony_unless_one_stands_by() -> None:
    paper = company(Sheet("web", "services", 2, 90, ("nginx",)))
    assert of(paper, "authority/services").obstacles == {ROOT_CEREMONY: 2}
    assert of(online(paper), "authority/services").stuck == ()
    standby = authority("services", "root", 1825, generation=2)
    services = replace(paper.desired.authorities["services"], standby=standby.request)
    first = paper.ledger.authorities["services"].issuances
    record = AuthorityRecord(name="services", issuances=(*first, issued_authority(standby, NOW)))
    ledger = replace(paper.ledger, authorities={**paper.ledger.authorities, "services": record})
    ready = with_authorities(Paper(paper.desired, ledger), {"services": services})
    assert of(ready, "authority/services", 1).stuck == ()
    assert len(of(ready, "authority/root").stuck) == 2  # what stands by falls with its parent


def test_a_generation_that_was_replaced_already_takes_nobody_with_it_but_what_is_left_of_it() -> (
    None
):
    fleet = Fleet(
        cas={"root": Ca(), "services": Ca(parent="root")},
        leaves={"a": Leaf(issuer="services"), "b": Leaf(issuer="services")},
    ).converge()
    fleet.cas["services"] = Ca(parent="root", generation=2)
    fleet.converge()
    assert impact_of(fleet, "authority/services", 1).certificates == ()
    assert len(impact_of(fleet, "authority/services", 2).certificates) == 2
    assert len(impact_of(fleet, "authority/services").authorities) == 2


def test_a_place_that_still_holds_the_certificate_before_falls_with_the_ca_of_that_one() -> None:
    fleet = Fleet(
        cas={"root": Ca(), "one": Ca(parent="root"), "two": Ca(parent="root")},
        leaves={"a": Leaf(issuer="one", targets=at("a", "b"))},
    ).converge()
    fleet.away = {"b"}
    fleet.edit("a", issuer="two").apply()
    (old,) = impact_of(fleet, "authority/one").certificates
    (new,) = impact_of(fleet, "authority/two").certificates
    assert old.places == ("b",)
    assert "a" in new.places


def impact_of(fleet: Fleet, address: str, generation: int | None = None) -> Impact:
    found = impact(fleet.desired(), fleet.journal.state, address, fleet.now, generation=generation)
    assert found is not None
    return found


def test_what_is_revoked_has_fallen_already() -> None:
    paper = company(Sheet("web", "services", 2, 90, ("nginx",)))
    name, record = next(iter(paper.ledger.certificates.items()))
    revoked = record.issuances[0].model_copy(
        update={
            "status": Status.REVOKED,
            "revoked": Revoked(at=NOW, reason=RevocationReason.KEY_COMPROMISE),
        }
    )
    changed = with_records(paper, {name: record.model_copy(update={"issuances": (revoked,)})})
    told = {each.name: each.not_after for each in of(changed, "authority/services").certificates}
    assert told[name] is None  # its successor is wanted, and hangs by the same CA
    assert len(told) == 2


def test_with_an_issuer_of_others_fall_its_certificates_and_each_needs_another_one() -> None:
    fallen = of(company(), "issuer/partner")
    assert len(fallen.certificates) == len(fallen.stuck) == 60
    assert set(fallen.obstacles) == {Impediment(Obstacle.ANOTHER_ISSUER, "partner")}


def test_with_a_target_falls_what_is_in_any_of_its_places() -> None:
    fallen = of(company(), "target/acm")
    assert len(fallen.certificates) == 460
    assert fallen.places == {"acm/eu-west-1": 460, "nginx": 460}
    assert fallen.authorities == ()
    assert fallen.stuck == ()
    assert [bundle.name for bundle in of(company(), "target/nginx").bundles] == ["clients"]


def test_what_is_on_another_host_is_replaced_only_there() -> None:
    fallen = of(online(company()), "authority/devices", elsewhere=frozenset({"edge"}))
    assert fallen.obstacles == {Impediment(Obstacle.ELSEWHERE, "edge"): 310}


def test_what_no_document_asks_for_any_more_is_replaced_by_nobody() -> None:
    paper = online(company(Sheet("web", "services", 2, 90, ("nginx",))))
    first, second = sorted(paper.desired.certificates)
    wanted = {second: paper.desired.certificates[second]}
    fallen = of(
        Paper(replace(paper.desired, certificates=wanted), paper.ledger), "authority/services"
    )
    assert {each.name: each.impediments for each in fallen.certificates} == {
        first: (Impediment(Obstacle.UNWANTED),),
        second: (),
    }


def test_a_target_without_a_document_is_told() -> None:
    paper = online(company(Sheet("web", "services", 1, 90, ("vault",))))
    gone = replace(paper.desired, targets={})
    fallen = of(Paper(gone, paper.ledger), "target/vault")
    assert fallen.obstacles == {Impediment(Obstacle.NO_TARGET, "vault"): 1}


def test_below_a_ca_that_is_only_trusted_nobody_here_can_sign() -> None:
    paper = company(Sheet("web", "root", 1, 90, ("nginx",)))
    root = replace(paper.desired.authorities["root"], custody=Kept.NONE)
    fallen = of(with_authorities(paper, {"root": root}), "authority/root")
    assert set(fallen.obstacles) == {Impediment(Obstacle.NO_KEY, "authority/root")}


def test_what_is_wanted_and_not_issued_yet_falls_too() -> None:
    paper = company(Sheet("web", "services", 1, 90, ("nginx",)))
    empty = replace(paper.ledger, certificates={})
    (one,) = of(Paper(paper.desired, empty), "authority/services").certificates
    assert one.not_after is None
    assert one.places == ("nginx",)


@pytest.mark.parametrize(
    "address",
    ["authority/nobody", "issuer/nobody", "target/nowhere", "certificate/none", "crl/root-g1", "x"],
)
def test_nothing_is_told_of_what_nobody_knows(address: str) -> None:
    assert impact(company().desired, company().ledger, address, NOW) is None


def test_an_empty_address_tells_everything_and_nothing_falls() -> None:
    fallen = of(company(), "")
    assert len(fallen.certificates) == 1_250
    assert fallen.stuck == ()
    assert "issuer/partner" in {each.title for each in fallen.authorities}


def test_what_needs_somebody_stands_first_and_then_what_ends_first() -> None:
    paper = online(company())
    fallen = of(paper, "authority/services", elsewhere=frozenset({"edge"}))
    first = [bool(each.impediments) for each in fallen.certificates]
    assert first == sorted(first, reverse=True)
    for group in (fallen.stuck, fallen.certificates[len(fallen.stuck) :]):
        ends = [each.not_after or NOW + timedelta(days=9_999) for each in group]
        assert ends == sorted(ends)


def test_ten_thousand_leaves_are_told_whole() -> None:
    paper = company(Sheet("a", "services", 10_000, 47, ("nginx", "acm/eu-west-1")))
    assert len(of(paper, "authority/root").certificates) == 10_000
