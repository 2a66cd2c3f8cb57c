"""A location is read whole, in few calls, or it is unknown."""

from dataclasses import replace

import pytest
from certificate_manager_emulator import CertificateManagerEmulator
from certificate_manager_rig import PARENT, Rig
from google.cloud import certificate_manager_v1 as api
from wire import Response, Way

from providers import x509
from providers.errors import Unreachable
from providers.gcp.labels import TRUST


def put_many(rig: Rig, count: int) -> None:
    """Put so many certificates there that are somebody else's."""
    pem = rig.bundle().certificate.decode()
    for number in range(count):
        name = f"{PARENT}/certificates/other-{number}"
        rig.emulator.resources[name] = api.Certificate(
            name=name,
            pem_certificate=pem,
            self_managed=api.Certificate.SelfManagedCertificate(),
        )


def test_calls_grow_with_pages_and_not_with_certificates(rig: Rig) -> None:
    put_many(rig, 2_500)
    assert len(rig.target().observe()) == 2_500
    assert rig.asked() == ["ListCertificates"] * 3


def test_a_map_and_a_trust_config_cost_one_call_each(rig: Rig) -> None:
    target = rig.target(certificateMap="front", trustConfig="clients")
    target.install(rig.request("web"))
    rig.emulator.wire.asked.clear()
    (found,) = target.observe()
    assert found.incomplete == ()
    assert rig.asked() == ["ListCertificates", "GetTrustConfig", "ListCertificateMapEntries"]


def test_the_service_may_give_smaller_pages_than_asked_for(rig: Rig) -> None:
    put_many(rig, 25)
    rig.emulator.service.page_cap = 10
    assert len({found.id for found in rig.target().observe()}) == 25
    assert rig.asked() == ["ListCertificates"] * 3


def test_a_location_that_is_left_out_is_named(rig: Rig) -> None:
    rig.target().install(rig.request("web"))
    rig.emulator.service.unreachable = ["projects/example-project/locations/global"]
    with pytest.raises(Unreachable, match="locations/global"):
        rig.target().observe()


def test_a_page_that_fails_is_asked_for_again(rig: Rig) -> None:
    put_many(rig, 5)
    rig.emulator.service.page_cap = 2
    rig.emulator.wire.fail("ListCertificates", Way.REFUSED, Response(503), times=2)
    assert len(rig.target().observe()) == 5


def test_a_page_that_goes_on_failing_is_no_answer(rig: Rig) -> None:
    put_many(rig, 5)
    rig.emulator.service.page_cap = 2
    rig.patience = 0.1
    rig.emulator.wire.fail("ListCertificates", Way.SLOW, times=1)
    rig.emulator.wire.fail("ListCertificates", Way.DROPPED, times=None)
    with pytest.raises(Unreachable, match="connection"):
        rig.target().observe()
    assert len(rig.asked()) > 2


@pytest.mark.parametrize(
    ("permission", "settings"),
    [
        ("certificatemanager.certs.list", {}),
        ("certificatemanager.certmapentries.list", {"certificateMap": "front"}),
        ("certificatemanager.trustconfigs.get", {"trustConfig": "clients"}),
    ],
)
def test_a_permission_that_is_missing_is_named(
    rig: Rig, permission: str, settings: dict[str, str]
) -> None:
    rig.target(**settings).install(rig.request("web"))
    rig.emulator.service.denied.add(permission)
    with pytest.raises(Unreachable, match=permission.replace(".", r"\.")):
        rig.target(**settings).observe()


def test_what_settings_do_not_ask_for_is_not_read(rig: Rig) -> None:
    rig.emulator.service.denied |= {
        "certificatemanager.certmapentries.list",
        "certificatemanager.trustconfigs.get",
        "certificatemanager.dnsauthorizations.list",
    }
    assert list(rig.target().observe()) == []


def test_credentials_that_are_not_accepted_are_told(rig: Rig) -> None:
    rig.emulator.service.tokens.refuse_all = True
    with pytest.raises(Unreachable, match="credentials"):
        rig.target().observe()


def test_missing_credentials_are_told_with_what_to_do(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(rig.emulator.folder / "missing"))
    with pytest.raises(Unreachable, match="GOOGLE_APPLICATION_CREDENTIALS"):
        rig.target().observe()


def test_another_chain_than_installed_shows_as_other_trust(rig: Rig) -> None:
    target = rig.target()
    wanted = rig.request("web")
    installed = target.install(wanted)
    held = rig.resource("web")
    held.pem_certificate = wanted.bundle.certificate.decode()
    (found,) = target.observe()
    assert found.sha256 == installed.sha256
    assert found.trust not in (None, installed.trust)
    held.pem_certificate += wanted.bundle.chain[0].decode()
    assert list(target.observe()) == [installed]


def test_without_our_label_nothing_is_told_of_trust(rig: Rig) -> None:
    target = rig.target()
    installed = target.install(rig.request("web"))
    del rig.resource("web").labels[TRUST]
    assert list(target.observe()) == [replace(installed, trust=None)]
    rig.resource("web").labels[TRUST] = "not-base32"
    (found,) = target.observe()
    assert found.trust == x509.trust_digest(
        x509.split_pem(rig.resource("web").pem_certificate.encode())[1:], ()
    )


def test_a_certificate_that_nobody_can_read_is_reported_as_it_is(rig: Rig) -> None:
    rig.target().install(rig.request("web"))
    for broken in ("", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        rig.resource("web").pem_certificate = broken
        (found,) = rig.target().observe()
        assert (found.serial, found.sha256, found.not_after) == (None, None, None)
        assert found.drift


def test_what_refers_to_a_certificate_is_told(rig: Rig) -> None:
    installed = rig.target().install(rig.request("web"))
    proxy = "//compute.googleapis.com/projects/example-project/global/targetHttpsProxies/front"
    rig.emulator.service.rules.references[installed.id] = [proxy]
    (found,) = rig.target().observe()
    assert found.used_by == (proxy,)


def test_it_is_reached_over_tls(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("tls")
    with CertificateManagerEmulator.running(folder, tls=True) as emulator:
        for name, value in emulator.environment().items():
            monkeypatch.setenv(name, value)
        rig = Rig(emulator, patience=0.01)
        installed = rig.target().install(rig.request("web"))
        assert list(rig.target().observe()) == [installed]
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        with pytest.raises(Unreachable, match="REQUESTS_CA_BUNDLE"):
            rig.target().observe()
