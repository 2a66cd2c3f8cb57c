"""Pull requests over three emulated clouds, whose jobs have no keys but those they sign in for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bystander import Pair
from certificate_manager_emulator import CertificateManagerEmulator
from clouds import Clouds
from cryptography import x509
from pull_request_clouds import Fleet, certificate
from pull_request_town import USED, Plot


@pytest.fixture
def fleet(clouds: Clouds, tmp_path: Path, plot: Plot) -> Iterator[Fleet]:
    folder = tmp_path / "town"
    folder.mkdir()
    with Fleet.sailing(clouds, folder, plot.clock) as fleet:
        yield fleet


def test_a_certificate_comes_to_three_clouds_another_goes_and_drift_in_one_is_found(
    fleet: Fleet,
) -> None:
    town = fleet.town
    assert not [
        name for name in town.machine.system if name.startswith(("AWS_", "AZURE_", "GOOGLE_"))
    ]
    with fleet.only_reading():
        pull = town.propose({"shop.yaml": certificate("shop"), "old.yaml": None})
    assert fleet.signed_in == ["plan"] * 3
    told = town.comment(pull).body
    assert "### Certificates: 1 to issue, 3 to install, 3 to remove (example-corp)" in told
    assert "**remove** <code>certificate/old</code> from <code>acm/eu-west-1</code>" in told
    before = fleet.held("www")

    town.land(pull)
    assert fleet.signed_in[3:] == ["apply"] * 3
    shop = fleet.held("shop")
    assert shop.keys() == {"acm", "vault", "google"}
    assert {each.serial for each in shop.values()} == {f"{town.serial('shop'):x}"}
    assert not fleet.held("old")
    assert fleet.held("www") == before
    assert "1 issued" in town.comment(pull).body

    fleet.bystander.replace_at_google("shop", Pair.made("shop.example.com"))
    jobs = town.night()
    assert [job.conclusion for job in jobs.values()] == ["success", "success"]
    assert fleet.signed_in[6:] == ["apply"] * 3 + ["plan"] * 3
    (issue,) = town.github.issues
    found = fleet.held("shop")["google"].serial
    assert "<code>certificate/shop</code>" in issue.body
    assert "<code>google" in issue.body
    assert found in issue.body
    assert f"{town.serial('shop'):x}" in issue.body


def test_a_new_address_is_asked_nothing_before_the_merge_and_filled_after_it(
    fleet: Fleet, tmp_path: Path
) -> None:
    town = fleet.town
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    with CertificateManagerEmulator.running(folder) as other:
        here = f'project: example-project, endpoint: "{fleet.clouds.gcp.wire.url}"'
        there = f'project: other-project, endpoint: "{other.wire.url}"'
        pull = town.propose(town.edited("config/targets.yaml", here, there))
        told = town.comment(pull).body
        assert not other.wire.asked
        assert f"<code>{other.wire.url.replace(':', '&#58;', 1)}</code>" in told
        town.land(pull)
        found = {
            name.rpartition("/")[2]: x509.load_pem_x509_certificate(each.pem_certificate.encode())
            for name, each in other.resources.items()
            if name.startswith("projects/other-project/locations/global/certificates/")
        }
        serials = {name: each.serial_number for name, each in found.items()}
        assert serials == {name: town.serial(name) for name in ("www", "old")}


def test_another_way_to_the_same_place_leads_to_nothing_that_nobody_saw(
    fleet: Fleet, tmp_path: Path
) -> None:
    town, before = fleet.town, fleet.held("www")
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    with CertificateManagerEmulator.running(folder) as other:
        way = town.edited("config/targets.yaml", fleet.clouds.gcp.wire.url, other.wire.url)
        pull = town.propose(way)
        assert not other.wire.asked
        assert "### Certificates: 1 to configure (example-corp)" in town.comment(pull).body
        job = town.apply(town.merge(pull))
        assert job.step(USED).outputs["failure-reason"] == "unreviewed"
        assert "google/global: nothing is installed there" in town.comment(pull).body
        assert other.wire.asked
        assert not other.resources
        assert fleet.held("www") == before


def test_a_strangers_pull_request_reaches_no_cloud(fleet: Fleet) -> None:
    town = fleet.town
    pull = town.github.pull(
        {"shop.yaml": certificate("shop")}, fork="stranger/pki", author="stranger"
    )
    with fleet.asked_nothing():
        step = town.plan(pull)
    assert not fleet.signed_in
    assert "1 to issue, 3 to install" in step.summary
    with fleet.only_reading():
        town.plan_by_hand(pull.number)
    assert fleet.signed_in == ["plan"] * 3
    town.land(pull)
    assert len(fleet.held("shop")) == 3
