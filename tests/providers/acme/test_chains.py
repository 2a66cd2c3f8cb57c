"""What comes with a certificate: the CA's own chain, or the one that is preferred."""

from collections.abc import Iterator
from dataclasses import replace

import acme_ca_rig
import pytest
from acme_ca_rig import Buyer
from acme_front import Front, purpose
from cryptography import x509
from pebble import Pebble
from wire import Request, Response

from providers.issuing import Issued


@pytest.fixture(scope="module")
def rooted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    several = {"PEBBLE_ALTERNATE_ROOTS": "2", "PEBBLE_CHAIN_LENGTH": "2"}
    with Pebble.running(tmp_path_factory.mktemp("rooted"), several) as ca:
        yield ca


def _top(issued: Issued) -> str:
    issuer = x509.load_der_x509_certificate(issued.chain[-1]).issuer
    return str(issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)


def test_the_preferred_chain_is_taken_by_the_name_of_its_topmost_issuer(
    rooted: Pebble, buyer: Buyer
) -> None:
    for number in range(3):
        name = rooted.root_name(number)
        issued = buyer.buy(acme_ca_rig.issuer(rooted, preferredChain=name), "chain.example.com")
        assert _top(issued) == name
        assert len(issued.chain) == 2


def test_without_such_a_chain_the_own_one_of_the_ca_is_taken(rooted: Pebble, buyer: Buyer) -> None:
    for preferred in (None, "A Root That Nobody Has"):
        issuer = acme_ca_rig.issuer(rooted, preferredChain=preferred)
        issued = buyer.buy(issuer, "chain.example.com")
        assert _top(issued) == rooted.root_name()
        assert bool(issued.remarks) is bool(preferred)
    assert issued.remarks == (f"the CA has no chain up to {preferred}, so its own is taken",)


@pytest.mark.parametrize(
    "answered",
    [Response(404), Response(403), Response(200, b"nothing in PEM"), None],
    ids=["404", "403", "no chain", "no address"],
)
def test_another_chain_that_cannot_be_had_costs_no_certificate(
    rooted: Pebble, buyer: Buyer, answered: Response | None
) -> None:
    def linked(asked: Request) -> Response | None:
        if "/alternate/" in asked.path:
            return answered
        if answered is None and purpose(asked) == "certificate":
            chain = front.passed(asked)
            return replace(chain, headers={**chain.headers, "Link": '<https://[>;rel="alternate"'})
        return None

    with Front.running(rooted) as front:
        front.instead = linked
        issuer = acme_ca_rig.issuer(front, preferredChain=rooted.root_name(1))
        issued = buyer.buy(issuer, "chain.example.net")
        assert _top(issued) == rooted.root_name()
        assert issued.remarks
        assert front.wire.counts["finalize"] == 1
