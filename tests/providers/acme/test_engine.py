"""A repository whose certificates come from a CA that sends no root: applied, revoked, and left alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from acme_estate import AcmeEstate
from acme_front import Front
from cryptography.hazmat.primitives.serialization import Encoding
from name_server_ports import HOST
from rig import Runner
from wire import free_port


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    runner = Runner()
    yield runner
    runner.stop()


@pytest.fixture
def estate(runner: Runner, tmp_path: Path) -> Iterator[AcmeEstate]:
    with AcmeEstate.founded(runner, tmp_path) as estate:
        yield estate


def test_what_a_ca_issued_is_installed_and_left_alone(estate: AcmeEstate) -> None:
    estate.want("shop.example.com", "www.shop.example.com")
    estate.settle()
    first = estate.served()
    place = estate.repository.root / "live/edge/web/current"
    assert (place / "fullchain.pem").read_text().count("BEGIN CERTIFICATE") == 2
    assert (place / "trust.pem").read_bytes() == b""
    drift = estate.run("drift")
    assert drift.status == 0, drift.out + drift.err

    again = estate.run("apply", "--auto-approve", "--replace", "certificate/web")
    assert again.status == 0, again.out + again.err
    assert estate.served().serial_number != first.serial_number
    assert "No changes" in estate.run("plan").out

    estate.revoke(first)
    estate.settle()
    known = estate.pebble.status(first.public_bytes(Encoding.DER))
    assert (known["Status"], known["Reason"]) == ("Revoked", 4)


def test_a_plan_asks_the_ca_nothing_and_opens_nothing(estate: AcmeEstate, tmp_path: Path) -> None:
    estate.want("shop.example.com")
    with Front.running(estate.pebble) as front:
        estate.declare(server=front.url)
        elsewhere = {"SOPS_AGE_KEY_FILE": str(tmp_path / "nothing")}
        for command in ("validate", "plan"):
            ended = estate.run(command, **elsewhere)
            assert ended.status == 0, ended.out + ended.err
        assert not front.wire.asked


def test_a_name_that_fails_is_told_and_tried_again_when_asked(estate: AcmeEstate) -> None:
    estate.want("shop.example.com")
    estate.declare(listen=f"{HOST}:{free_port()}")
    failed = estate.apply()
    assert failed.status == 4
    assert "the CA does not take shop.example.com (http-01: connection: " in failed.err
    estate.declare()
    assert "Issued" not in estate.apply().err  # a minute has to pass first
    asked = estate.run("apply", "--auto-approve", "--replace", "certificate/web")
    assert asked.status == 0, asked.out + asked.err
    assert "No changes" in estate.run("plan").out
