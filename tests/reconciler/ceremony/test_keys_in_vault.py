"""A CA in Vault below an offline root: Vault makes the key, the ceremony signs, apply hands it over."""

import pytest
from ceremony_table import Table, offline_fleet
from fleet_documents import Ca
from fleet_sights import shown

from providers.x509 import to_der
from schemas.certificate import Algorithm
from schemas.custody import MountedKey
from schemas.request import KeyType
from schemas.vault import VaultConnection

MOUNT = MountedKey(vault=VaultConnection(server="https://vault.example.com:8200", path="sub"))
P256 = KeyType(algorithm=Algorithm.ECDSA, size=256)


@pytest.fixture
def table() -> Table:
    return Table(offline_fleet(inside=Ca("root", days=1500, key=P256, custody=MOUNT)))


def test_an_offline_root_signs_a_ca_in_vault(table: Table) -> None:
    fleet = table.fleet
    table.hold()
    inside = fleet.signed_under("inside", 1)
    assert inside.handed_at is None
    assert ("publish", "mount/inside-g1", "NotFound") in shown(fleet.plan())
    fleet.converge()
    (handed,) = fleet.safes["sub"].installed
    root = fleet.signed_under("root", 1)
    assert handed == tuple(to_der(str(each.certificate).encode()) for each in (inside, root))


def test_a_request_that_is_written_again_makes_no_second_key(table: Table) -> None:
    first = table.export()
    assert table.export() == first
    assert len(table.fleet.safes["sub"].keys) == 1
    assert table.fleet.safes["sub"].calls["request"] == 1
