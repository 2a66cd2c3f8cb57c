"""The life of a certificate of a real OpenBao, by the real command line, over TLS, logged in by AppRole."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from rig import Runner
from vault_estate import VaultEstate


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    made = Runner()
    yield made
    made.stop()


@pytest.fixture
def estate(runner: Runner, tmp_path: Path) -> Iterator[VaultEstate]:
    with VaultEstate.founded(runner, tmp_path / "estate") as made:
        yield made


def _colons(serial: str) -> str:
    even = serial.zfill(len(serial) + len(serial) % 2)
    return ":".join(even[at : at + 2] for at in range(0, len(even), 2))


def test_a_certificate_is_issued_installed_renewed_revoked_and_removed(
    estate: VaultEstate,
) -> None:
    estate.want("internal")
    estate.settle()
    first = estate.serial
    root = x509.load_pem_x509_certificate(estate.bao.read("pki/cert/ca")["certificate"].encode())
    estate.served.verify_directly_issued_by(root)
    assert first in estate.run("show", "certificate/web").out
    estate.settle("--replace", "certificate/web")
    second = estate.serial
    assert second != first
    estate.revoke(second)
    estate.settle()
    assert estate.serial not in (first, second)
    assert estate.bao.read(f"pki/cert/{_colons(second)}")["revocation_time"]
    crl = x509.load_pem_x509_crl(estate.bao.read("pki/issuer/default/crl")["crl"].encode())
    assert [f"{entry.serial_number:x}" for entry in crl] == [second]
    (estate.repository.root / "web.yaml").unlink()
    estate.settle()
    assert not estate.folder.exists()
    assert len(estate.bao.issued()) == 1 + 3, "each is signed once"
    assert estate.run("log", "--verify").status == 0


def test_a_plan_asks_vault_nothing(estate: VaultEstate) -> None:
    estate.want("internal")
    estate.bao.stop()
    planned = estate.run("plan")
    assert planned.status == 0, planned.err
    assert "certificate/web" in planned.out
    assert estate.run("validate").status == 0


def test_a_certificate_moves_to_vault_and_back_by_one_line(estate: VaultEstate) -> None:
    estate.want("issuing")
    estate.settle()
    ours = estate.serial
    estate.want("internal")
    assert "IssuerChanged" in estate.run("plan", "--format", "json").out
    estate.settle()
    assert "Test Root of pki" in estate.served.issuer.rfc4514_string()
    estate.want("issuing")
    estate.settle()
    assert "Fault Issuing" in estate.served.issuer.rfc4514_string()
    assert estate.serial != ours


def test_a_vault_that_is_sealed_is_told_and_the_next_run_goes_on(estate: VaultEstate) -> None:
    estate.want("internal")
    estate.bao.seal()
    ended = estate.apply()
    assert ended.status == 4
    assert "is sealed: unseal it" in ended.err
    assert "Traceback" not in ended.err
    estate.bao.unseal()
    estate.settle()


def test_a_secret_id_that_is_no_longer_good_is_told_without_it(estate: VaultEstate) -> None:
    estate.want("internal")
    gone = {"secret_id": estate.secret_id}
    estate.bao.write("auth/approle/role/certform/secret-id/destroy", gone)
    ended = estate.apply()
    assert ended.status == 4
    assert "does not log us in at auth/approle/login" in ended.err
    assert estate.secret_id not in ended.out + ended.err
    made = estate.bao.write("auth/approle/role/certform/secret-id", {})["data"]["secret_id"]
    estate.seal("secrets/vault.sops.yaml", "secretId", made)
    estate.settle()
