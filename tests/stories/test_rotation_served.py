"""Clients call a real nginx while its root, and the CA below it, give way: nobody is ever turned away."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.x509 import load_der_x509_crl, load_pem_x509_certificate
from served_house import NAME, House, apply, calling

Tell = Callable[[str], None]


@pytest.fixture(scope="module")
def openssl(require: Callable[[str], str]) -> str:
    return require("openssl")


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return apply(tmp_path_factory.mktemp("applied"))


@pytest.fixture
def house(applied: Path, tmp_path: Path, require: Callable[[str], str]) -> Iterator[House]:
    house = House.opened(applied, tmp_path / "house", require("nginx"))
    with house.open():
        yield house


def test_a_root_gives_way_and_every_handshake_succeeds(house: House, tell: Tell) -> None:
    house.repository.edit("authorities/root.yaml", "spec:", "spec:\n  generation: 2")
    with calling(house) as callers:
        house.repository.run("apply", "--auto-approve")
        assert house.anchors() == {2}
        for _ in range(9):
            house.repository.run("renew")  # nothing is due before the overlap is over
            if house.anchors() == {1}:
                break
        assert house.anchors() == {1}
    house.repository.run("plan", "--detailed-exitcode")
    tell(f"a root gives way: handshakes {', '.join(map(str, callers))}")
    for caller in callers:
        assert caller.failures == []
        assert len(caller.serials) == 2


@pytest.mark.parametrize(
    ("stolen", "why"),
    [("services", "certificate revoked"), ("root", "unable to get local issuer certificate")],
)
def test_a_stolen_key_of_a_ca_is_replaced_and_every_handshake_succeeds(
    house: House, openssl: str, tell: Tell, stolen: str, why: str
) -> None:
    assert visit(openssl, house, "missed") == ""
    give_up(house, stolen)
    with calling(house) as callers:
        approve(house)
    house.repository.run("plan", "--detailed-exitcode")
    tell(f"the key of {stolen} is stolen: handshakes {', '.join(map(str, callers))}")
    for caller in callers:
        assert caller.failures == []
        assert len(caller.serials) == 2
    assert house.anchors() == {1}
    assert visit(openssl, house, "open") == ""
    assert why in visit(openssl, house, "missed")


def test_where_the_successor_is_refused_the_old_one_is_served_and_not_revoked(
    house: House, openssl: str, tell: Tell
) -> None:
    client = load_pem_x509_certificate((house.pair("payments") / "cert.pem").read_bytes())
    give_up(house, "services")
    house.configure(extra="no_such_directive on;")
    with calling(house) as callers:
        assert "no_such_directive" in approve(house, code=4)
    tell(
        f"the key of services is stolen, and nginx refuses: handshakes {', '.join(map(str, callers))}"
    )
    for caller in callers:
        assert caller.failures == []
    assert {len(caller.serials) for caller in callers[:2]} == {1}
    assert revoked(house) == {client.serial_number}, "nobody hangs by that one any more"
    assert visit(openssl, house, "open") == visit(openssl, house, "missed") == ""

    house.configure()
    approve(house)
    house.repository.run("plan", "--detailed-exitcode")
    assert visit(openssl, house, "open") == ""
    assert "certificate revoked" in visit(openssl, house, "missed")


def give_up(house: House, authority: str) -> None:
    """Write the document that says that the key of a CA was stolen."""
    said = ("--generation", "1", "--reason", "keyCompromise")
    house.repository.run("revoke", f"authority/{authority}", *said)


def approve(house: House, code: int = 0) -> str:
    """Plan, and apply what was planned; return what was said."""
    saved = house.base / "plan.json"
    house.repository.run("plan", "--out", saved)
    done = house.repository.run("apply", saved, code=code)
    return done.stdout + done.stderr


def visit(openssl: str, house: House, door: str) -> str:
    """Call a door with OpenSSL, which asks a CRL about every link; return why it goes away again."""
    done = subprocess.run(
        [
            *(openssl, "s_client", "-brief", "-connect", f"127.0.0.1:{house.ports[door]}"),
            *("-servername", NAME, "-verify_hostname", NAME, "-verify_return_error"),
            *("-no-CApath", "-no-CAstore", "-CAfile", house.known_lists(), "-crl_check_all"),
        ],
        check=False,
        input="",
        capture_output=True,
        text=True,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def revoked(house: House) -> set[int]:
    """Every serial in the lists that are published."""
    return {entry.serial_number for der in house.lists() for entry in load_der_x509_crl(der)}
