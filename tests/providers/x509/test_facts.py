"""What is read from certificates, and what two of them have in common."""

import hashlib
from collections.abc import Callable
from itertools import permutations

import pytest
from pki_house import House, Made

from providers import x509
from schemas.certificate import Algorithm
from schemas.request import KeyType

ED25519 = KeyType(algorithm=Algorithm.ED25519, size=256)


def test_facts_are_the_same_from_pem_and_der(house: House, issuing: Made) -> None:
    tbs = house.tbs(house.leaf_request(common_name="web.example.com"))
    der = x509.sign(tbs, issuing.authority, issuing.signer)
    for form in (der, x509.pem(der), b"\n# a comment\n" + x509.pem(der)):
        found = x509.facts(form)
        assert (found.serial, found.sha256) == (tbs.serial, hashlib.sha256(der).hexdigest())
        assert (found.not_before, found.not_after) == (tbs.not_before, tbs.not_after)
        assert (found.subject, found.issuer) == ("CN=web.example.com", "CN=Issuing G1")
        assert (found.dns_names, found.is_ca, found.spki) == (("web.example.com",), False, tbs.spki)


def test_a_ca_is_known_as_one(root: Made) -> None:
    found = x509.facts(root.der)
    assert (found.is_ca, found.dns_names, found.subject) == (True, (), found.issuer)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"\x30",
        b"\x30\x82\x01\x00",
        b"hello",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n",
    ],
)
def test_what_is_no_certificate_is_a_value_error(bad: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has words of its own
        x509.facts(bad)


def test_every_cut_of_a_certificate_is_a_value_error(issue: Callable[..., bytes]) -> None:
    der = issue()
    for length in range(0, len(der), 7):
        with pytest.raises(ValueError):  # noqa: PT011 - each has words of its own
            x509.facts(der[:length])


def test_pem_has_lines_of_64_and_reads_back(root: Made, issuing: Made) -> None:
    text = x509.pem(root.der)
    assert {len(line) for line in text.decode().splitlines()[1:-2]} == {64}
    assert x509.split_pem(text + b"text between\n" + x509.pem(issuing.der)) == (
        root.der,
        issuing.der,
    )
    assert x509.to_der(text) == x509.to_der(root.der) == root.der
    with pytest.raises(ValueError, match="found 2"):
        x509.to_der(text + text)


def test_a_trust_digest_sees_every_change_but_the_order_and_form_of_anchors(
    house: House, root: Made, issuing: Made
) -> None:
    other = house.root(key=ED25519)
    certificates = (root.der, issuing.der, other.der)
    digests = {
        x509.trust_digest(chain, anchors)
        for chain in ((), *permutations(certificates, 1), *permutations(certificates, 2))
        for anchors in ((), (root.der,), (root.der, other.der))
    }
    assert len(digests) == 10 * 3
    one = x509.trust_digest([issuing.der], [root.der, other.der])
    pem = [x509.pem(other.der), x509.pem(root.der), root.der]
    assert x509.trust_digest([x509.pem(issuing.der)], pem) == one
