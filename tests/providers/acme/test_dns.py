"""Names proved by DNS: a real name server that takes updates, asked by the CA itself."""

from collections.abc import Iterator
from typing import Any

import acme_ca_rig
import pytest
from acme_ca_rig import Buyer, Keyring, pem_key
from knot import KEY, KEY_NAME, Knot, knot_running
from pebble import Pebble

from providers import x509
from providers.errors import NotFound, ProviderError, Rejected

ZONES = {
    "example.com": "_acme-challenge.far CNAME far.acme\n",
    "example.net": "",
}


@pytest.fixture(scope="module")
def knot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Knot]:
    with knot_running(tmp_path_factory.mktemp("knot"), ZONES) as server:
        yield server


@pytest.fixture(scope="module")
def ca(knot: Knot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    with Pebble.running(tmp_path_factory.mktemp("pebble"), dns=knot.nameserver) as ca:
        yield ca


@pytest.fixture
def keyring() -> Keyring:
    return Keyring({"account": pem_key(), "tsig": KEY.encode()})


def _solver(knot: Knot, **more: Any) -> dict[str, Any]:
    """Return a solver that writes to the name server, and asks it alone whether a record is there."""
    return {
        "dns01": {
            "rfc2136": {
                "nameserver": knot.nameserver,
                "tsigKeyName": KEY_NAME,
                "tsigSecretRef": {"name": "secrets/acme.sops.yaml", "key": "tsig"},
            },
            "propagation": {"nameservers": (knot.nameserver,), "timeout": "20s"},
            **more,
        }
    }


def test_a_name_and_its_wildcard_are_proved_side_by_side(
    ca: Pebble, knot: Knot, buyer: Buyer, keyring: Keyring
) -> None:
    issuer = acme_ca_rig.issuer(ca, keyring, solvers=(_solver(knot),))
    issued = buyer.buy(issuer, "*.wild.example.com", "wild.example.com")
    assert set(x509.facts(issued.certificate).dns_names) == {
        "*.wild.example.com",
        "wild.example.com",
    }
    assert not knot.values("_acme-challenge.wild.example.com")
    assert keyring.opened == ["account", "tsig"]


def test_a_name_is_proved_where_its_cname_leads(
    ca: Pebble, knot: Knot, buyer: Buyer, keyring: Keyring
) -> None:
    issuer = acme_ca_rig.issuer(ca, keyring, solvers=(_solver(knot, cnameStrategy="Follow"),))
    buyer.buy(issuer, "far.example.com")
    assert not knot.values("far.acme.example.com")


def test_the_closest_solver_is_taken(
    ca: Pebble, knot: Knot, buyer: Buyer, keyring: Keyring
) -> None:
    by_dns = {"selector": {"dnsZones": ("example.net",)}, **_solver(knot)}
    unheard = {
        "dns01": {**_solver(knot)["dns01"], "rfc2136": {**_solver(knot)["dns01"]["rfc2136"]}}
    }
    unheard["dns01"]["rfc2136"]["nameserver"] = "127.0.0.1:1"
    issuer = acme_ca_rig.issuer(ca, keyring, solvers=(unheard, by_dns))
    buyer.buy(issuer, "*.near.example.net")


def test_a_zone_that_cannot_be_written_does_not_lose_the_order(
    ca: Pebble, knot: Knot, buyer: Buyer, keyring: Keyring
) -> None:
    keyring.secrets["tsig"] = b"bm90IHRoZSB0ZXN0IGtleQ=="
    issuer = acme_ca_rig.issuer(ca, keyring, solvers=(_solver(knot),))
    issuer.sleep = lambda _: None
    with pytest.raises(ProviderError) as told:
        issuer.issue(buyer.ask("locked.example.com"))
    assert not isinstance(told.value, Rejected | NotFound)
    assert buyer.noted
