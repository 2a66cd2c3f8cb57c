"""A CA of ours below Vault's root, and one in Vault below ours: through a real server, judged by OpenSSL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hierarchy import Hierarchy
from rig import Runner


@pytest.fixture
def house(runner: Runner, tmp_path: Path) -> Iterator[Hierarchy]:
    with Hierarchy.founded(runner, tmp_path / "house") as made:
        yield made


def is_believed(house: Hierarchy, name: str, anchors: str) -> bool:
    """Whether OpenSSL believes a certificate below anchors."""
    return house.verified(name, anchors).strip().endswith(": OK")


def test_leaves_on_both_sides_are_believed_after_one_apply(house: Hierarchy) -> None:
    house.want("www", "services")
    house.want("api", "inside")
    house.settle()
    assert house.chain("www") == ["Own Services G1"]
    assert is_believed(house, "www", house.vault_root())
    assert not is_believed(house, "www", house.published("root-g1"))
    assert house.chain("api") == ["Own CA inside G1"]
    assert is_believed(house, "api", house.published("root-g1"))
    assert not is_believed(house, "api", house.vault_root())
    assert house.run("log", "--verify").status == 0


def test_a_ca_moves_from_vaults_root_to_ours_and_back(house: Hierarchy) -> None:
    house.want("www", "services")
    house.settle()
    key = house.certificate("services-g1").public_key()
    for old, new in (("company", "root"), ("root", "company")):
        house.edit(
            f"parentRef: {old}\n  commonName: Own Serv", f"parentRef: {new}\n  commonName: Own Serv"
        )
        assert "IssuerChanged" in house.run("plan", "--format", "json").out
        house.settle()
        assert is_believed(house, "www", house.published("root-g1")) == (new == "root")
        assert is_believed(house, "www", house.vault_root()) == (new == "company")
        assert house.certificate("services-g1").public_key() == key


def test_what_our_ca_was_is_revoked_in_vault(house: Hierarchy) -> None:
    house.want("www", "services")
    house.settle()
    serial = house.certificate("services-g1").serial_number
    house.revoke("services")
    house.settle()
    assert house.chain("www") == ["Own Services G2"]
    assert house.is_revoked_in_vault(serial)


def test_the_next_generation_of_a_ca_in_vault_signs_by_default(house: Hierarchy) -> None:
    house.want("api", "inside")
    house.settle()
    house.edit("commonName: Own CA inside", "commonName: Own CA inside\n  generation: 2")
    house.want("new", "inside")
    house.settle()
    assert house.chain("api") == ["Own CA inside G1"]
    assert house.chain("new") == ["Own CA inside G2"]
    assert is_believed(house, "new", house.published("root-g1"))


@pytest.mark.parametrize(
    "point",
    [
        *("vault.made", "vault.handed", "mount.handed", "vault.noted"),
        *("authority.noted", "authority.answered"),
    ],
)
def test_a_run_that_dies_in_vault_leaves_nothing_behind(house: Hierarchy, point: str) -> None:
    assert house.apply(CERTFORM_FAILPOINT=f"{point}:1:kill").status < 0
    house.settle()
    assert len(house.names("inside/keys")) == 1
    assert len(house.names("inside/issuers")) == 2, "the CA, and our root above it"
    assert len(house.bao.issued()) == 2, "Vault's root, and one CA of ours"


def test_an_answer_that_is_lost_costs_one_certificate_that_nobody_uses(house: Hierarchy) -> None:
    assert house.apply(CERTFORM_FAILPOINT="vault.signed:1:kill").status < 0
    house.settle()
    assert len(house.bao.issued()) == 3, "Vault's root, one CA that nobody has, and ours"
