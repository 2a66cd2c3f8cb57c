"""One certificate moves across four kinds of CA, a line each time, and no handshake ever fails."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from issuer_rig import ISSUERS
from moving_house import CAS, MovingHouse
from rig import Runner
from system_calls import OPTIONS, calls

Tell = Callable[[str], None]
TOUR = (*CAS[1:], CAS[0])
"""Where the certificate goes, one after another: away from a CA of ours, and back."""
FROM = dict(zip(TOUR, CAS, strict=True))
"""Where it comes from."""
POINTS = {
    "private": ("aws.pca.ordered", "local.verify"),
    "public": ("acme.finalized", "orders.recorded"),
    "internal": ("vault.signed", "local.verify"),
    "issuing": ("leaf.reserved", "local.verify"),
}
"""Where apply is killed while the certificate moves to each CA."""


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    made = Runner()
    yield made
    made.stop()


@pytest.fixture
def house(runner: Runner, tmp_path: Path, require: Callable[[str], str]) -> Iterator[MovingHouse]:
    with MovingHouse.founded(runner, tmp_path / "house", require("nginx")) as made:
        yield made


def test_a_certificate_moves_across_four_cas_and_every_handshake_succeeds(
    house: MovingHouse, tell: Tell
) -> None:
    held = [("issuing", house.served)]
    with house.calling() as caller:
        for ca in TOUR:
            house.move(ca)
            house.settle()
            held.append((ca, house.served))
            verified_by(house, ca)
        assert [ca for ca, found in held if house.revoked(ca, found)] == [], "nobody asked for that"
        house.revoke(held[1][1].serial_number)
        house.settle()
        assert [ca for ca, found in held if house.revoked(ca, found)] == [held[1][0]]
        (house.repository.root / "web.yaml").unlink()
        last = held[-1]
        assert house.apply().status == 4, "nginx refuses to go on without its files"
        assert not house.revoked(*last), "what is served yet is not revoked"
        house.part()
        house.settle()
    tell(f"a tour of four CAs: handshakes {caller}")
    assert caller.failures == []
    assert set(caller.serials) == {certificate.serial_number for _, certificate in held}
    assert [ca for ca, found in held if not house.revoked(ca, found)] == []
    assert house.run("log", "--verify").status == 0
    assert house.issued() == {"private": 1, "public": 1, "internal": 1}


def verified_by(house: MovingHouse, ca: str) -> None:
    """Expect that what is served is of a CA, and follows its root alone."""
    chain = x509.load_pem_x509_certificates((house.folder / "fullchain.pem").read_bytes())
    root = x509.load_pem_x509_certificate(house.roots[ca])
    for each, above in zip(chain, [*chain[1:], root], strict=True):
        each.verify_directly_issued_by(above)


@pytest.mark.parametrize("at", [0, 1], ids=["ordered", "installed"])
def test_a_move_that_is_killed_goes_on_and_nobody_is_turned_away(
    house: MovingHouse, tell: Tell, at: int
) -> None:
    with house.calling() as caller:
        for ca in TOUR:
            before = house.served
            house.move(ca)
            house.revoke(before.serial_number)
            killed = house.apply(CERTFORM_FAILPOINT=f"{POINTS[ca][at]}:1:kill")
            assert killed.status == -9, killed.out + killed.err
            assert not house.revoked(FROM[ca], before), "its successor is not verified yet"
            house.settle()
            assert house.revoked(FROM[ca], before)
            verified_by(house, ca)
    tell(f"a tour of four CAs, killed at each: handshakes {caller}")
    assert caller.failures == []
    assert house.run("log", "--verify").status == 0
    assert sum(house.issued().values()) <= 3 + 1, "a lost answer of Vault's is one surplus at most"


def test_where_the_successor_is_refused_the_predecessor_is_served_and_not_revoked(
    house: MovingHouse,
) -> None:
    before = house.served
    house.move("public")
    house.revoke(before.serial_number)
    house.configure(extra="no_such_directive on;")
    with house.calling() as caller:
        ended = house.apply()
        assert ended.status == 4
        assert "no_such_directive" in ended.out + ended.err
        assert house.served == before
        assert not house.revoked("issuing", before)
        house.configure()
        house.settle()
    assert caller.failures == []
    assert set(caller.serials) == {before.serial_number, house.served.serial_number}
    assert house.revoked("issuing", before)
    assert house.issued()["public"] == 1, (
        "the certificate that was issued is installed, not another"
    )


def test_plan_and_validate_contact_nobody(
    house: MovingHouse, tmp_path: Path, require: Callable[[str], str]
) -> None:
    require("strace")
    house.commit()
    log = tmp_path / "strace"
    for ca in CAS[1:]:
        house.move(ca)
        for argv in (("plan",), ("plan", "--base", "HEAD"), ("validate",)):
            ended = house.run(*argv, strace=("-o", str(log), *OPTIONS))
            assert ended.status == 0, ended.err
            assert ca in ended.out or argv == ("validate",)
            seen = list(calls(log))
            assert any(call.name == "openat" for call in seen), "strace saw nothing"
            assert [call.text for call in seen if call.is_network] == []
    assert house.issued() == dict.fromkeys(CAS[1:], 0)
    assert house.aws.wire.counts.total() == 0


def test_a_move_to_an_issuer_of_the_same_pull_request_is_reviewed_and_applied(
    house: MovingHouse, tmp_path: Path
) -> None:
    house.commit()
    before, saved = house.served, str(tmp_path / "plan.json")
    fresh = ISSUERS.format(arn=house.arn).partition("---\n")[0]
    house.write("config/fresh.yaml", fresh.replace("name: private", "name: fresh"))
    house.move("fresh")
    planned = house.run("plan", "--base", "HEAD", "--out", saved)
    assert "moves from issuing to fresh" in planned.out
    assert "issuer/fresh will be configured: new here" in planned.out
    assert "1 certificate from authority/issuing to issuer/fresh" in planned.out
    assert house.aws.wire.counts.total() == 0
    ended = house.run("apply", saved)
    assert ended.status == 0, ended.err
    assert house.served != before
    verified_by(house, "private")
    house.move("issuing")
    house.settle()
    verified_by(house, "issuing")
    assert house.served != before, "what was given up is not taken up again"
