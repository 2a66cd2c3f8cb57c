"""Adopting, and keys that are made in the target, with Key Vault and its own client over loopback."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.keyvault.certificates import (
    CertificateClient,
    CertificateContentType,
    CertificatePolicy,
)
from cloud_fleet import OWNER_LABEL, CloudFleet
from fleet_documents import Leaf, at
from fleet_sights import reasons, shown
from keyvault_emulator import KeyVault
from memory_ledger import Crash

from providers.azure.credentials import Credentials
from providers.azure.errors import explain
from providers.azure.vault import KeyVaultTarget
from providers.base import NAME, Target, TargetConfig
from providers.calls import Calls
from providers.specimens import Specimens
from schemas.certificate import Custody
from schemas.clouds import AzureKeyVault
from schemas.plan import Action, Reason
from schemas.target import TargetSpec

WEB = "certificate/web"
PEM = CertificatePolicy("Unknown", content_type=CertificateContentType.pem)


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyVault]:
    with KeyVault.made(tmp_path / "vault") as made:
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def others(vault: KeyVault) -> CertificateClient:
    """Somebody else, who uses the same vault."""
    return CertificateClient(vault.url, Credentials().of(None), verify_challenge_resource=False)


@pytest.fixture
def fleet(vault: KeyVault, tmp_path: Path) -> CloudFleet:
    known = Credentials()

    def make(name: str, spec: TargetSpec) -> Target:
        config = TargetConfig(name, spec, OWNER_LABEL, tmp_path)
        return KeyVaultTarget(config, known, Calls(explain, sleep=lambda _: None))

    settings = AzureKeyVault(vault=vault.url, verify_challenge_resource=False)
    places = {"kv": TargetSpec(azure_key_vault=settings)}
    return CloudFleet(places=places, make=make, publish=False)


def put(others: CertificateClient, name: str = "web") -> str:
    """Import a certificate by hand; it lives a week."""
    now = datetime.now(UTC)
    bundle = Specimens.make(now).bundle("www.example.com", now)
    pair = bundle.held_key.reveal() + bundle.certificate
    made = others.import_certificate(name, pair, policy=PEM, tags={"team": "shop"})
    assert made.id is not None
    return made.id.rpartition("/")[0]


def there(fleet: CloudFleet, name: str = "web") -> tuple[str, str | None, dict[str, str]]:
    found = fleet.world().observation("kv").installed[name]
    return found.id, found.serial, dict(found.labels)


def test_the_key_is_made_there_and_renewed_there(fleet: CloudFleet) -> None:
    fleet.leaves["web"] = Leaf(targets=at("kv"), custody=Custody.TARGET)
    fleet.converge()
    first, serial, _ = there(fleet)
    assert serial == fleet.current("web").serial
    assert fleet.kept_keys() == {}
    fleet.wait(25).converge()
    assert there(fleet)[:2] == (first, fleet.current("web").serial)
    assert fleet.current("web").serial != serial


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at_wave", range(1, 5))
@pytest.mark.parametrize("renewed", [False, True])
def test_a_crash_at_any_wave_is_resumed(
    fleet: CloudFleet, at_wave: int, *, after: bool, renewed: bool
) -> None:
    fleet.leaves["first"] = Leaf(targets=())
    fleet.converge()
    fleet.leaves["web"] = Leaf(targets=at("kv"), custody=Custody.TARGET)
    if renewed:
        fleet.converge().wait(25)
    fleet.journal.crash_at, fleet.journal.crash_after = at_wave, after
    with suppress(Crash):
        fleet.apply()
    fleet.journal.crash_at = None
    fleet.converge()
    assert there(fleet)[1] == fleet.current("web").serial
    assert {i.status for i in fleet.journal.state.certificates["web"].issuances} == {"issued"}


def test_who_cancels_what_waits_is_answered_with_a_new_key(
    fleet: CloudFleet, others: CertificateClient
) -> None:
    fleet.leaves["first"] = Leaf(targets=())
    fleet.converge()
    fleet.leaves["web"] = Leaf(targets=at("kv"), custody=Custody.TARGET)
    fleet.journal.crash_at, fleet.journal.crash_after = 2, True
    with suppress(Crash):
        fleet.apply()
    fleet.journal.crash_at = None
    others.delete_certificate_operation("web")
    failed = [e for e in fleet.apply() if e.message]
    assert "certform apply --replace certificate/web" in failed[-1].message
    fleet.replace = frozenset({WEB})
    fleet.apply()
    fleet.replace = frozenset()
    fleet.converge()


def test_what_is_there_is_taken_over_and_replaced_as_a_new_version(
    fleet: CloudFleet, others: CertificateClient
) -> None:
    id_ = put(others)
    fleet.leaves["web"] = Leaf(targets=at("kv"), adopt={"kv": (id_,)}, renew_before=3)
    rows = [row for row in shown(fleet.plan()) if row[1].startswith(WEB)]
    assert rows == [("adopt", f"{WEB}@kv", "Requested")]
    fleet.converge()
    found, serial, labels = there(fleet)
    assert (found, labels["team"], labels[NAME]) == (id_, "shop", "web")
    fleet.wait(5)
    assert reasons(fleet.plan(), WEB) == {Action.ISSUE: Reason.RENEWING}
    fleet.converge()
    assert there(fleet)[0] == id_
    assert there(fleet)[1] == fleet.current("web").serial != serial
    assert there(fleet)[2]["team"] == "shop"


def test_what_says_something_else_is_replaced_at_once(
    fleet: CloudFleet, others: CertificateClient
) -> None:
    id_ = put(others)
    fleet.leaves["web"] = Leaf(
        targets=at("kv"), adopt={"kv": (id_,)}, names=("new.example.com",), renew_before=3
    )
    assert reasons(fleet.plan(), WEB) == {Action.ISSUE: Reason.SPEC_CHANGED}
    fleet.converge()


def test_what_is_given_back_has_lost_our_labels_alone(
    fleet: CloudFleet, others: CertificateClient
) -> None:
    id_ = put(others)
    fleet.leaves["web"] = Leaf(targets=at("kv"), adopt={"kv": (id_,)}, renew_before=3)
    fleet.converge()
    del fleet.leaves["web"]
    fleet.apply()
    found, _, labels = there(fleet)
    assert (found, labels) == (id_, {"team": "shop"})
