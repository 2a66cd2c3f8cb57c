"""What every issuer must do that signs CAs of ours, as tests: inherit `AuthorityConformance`, run pytest.

    class TestMyIssuer(AuthorityConformance):
        @pytest.fixture
        def issuer(self): return MyIssuer.from_config(config)

The CA has to allow one CA below those that it signs. Needs pytest.
"""

# ruff: noqa: S101, D102  tests assert, and their names are sentences

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from providers import x509
from providers.issued import check_authority, narrowed
from providers.issuing import AuthorityIssuer, AuthorityOrder, Issued, Revoker, RevokeRequest
from providers.signer import KeySigner
from providers.x509.ordering import authority_signing_request
from schemas.authority import NameConstraints, NameForms
from schemas.certificate import Algorithm, Subject, Usage
from schemas.request import AuthorityRequest, KeyType, LeafRequest
from schemas.revocation import RevocationReason

Ask = Callable[..., AuthorityOrder]
DAY = 86_400
MOST_ASKED = 50
"""How often an order may be gone on with before it is filled."""
P256 = KeyType(algorithm=Algorithm.ECDSA, size=256)
ONE_DOMAIN = NameConstraints(
    permitted=NameForms(dns_domains=("example.com",)),
    excluded=NameForms(dns_domains=("secret.example.com",)),
)


class AuthorityConformance:
    """The tests. Each gets an issuer, and `ask`, which makes orders for a CA."""

    @pytest.fixture
    def issuer(self) -> AuthorityIssuer:
        """The issuer under test."""
        raise NotImplementedError

    @pytest.fixture
    def noted(self) -> list[str]:
        """What was given to the checkpoint."""
        return []

    @pytest.fixture
    def ask(self, noted: list[str]) -> Ask:
        """Return a new order for a CA with these fields of AuthorityRequest, and always the same key."""
        key = KeySigner(x509.generate_key(P256))

        def make(**fields: object) -> AuthorityOrder:
            wanted = AuthorityRequest.model_validate(
                {
                    "issuer": "conformance",
                    "issuer_generation": 0,
                    "issuer_id": "conformance",
                    "generation": 1,
                    "common_name": "Example Services CA G1",
                    "key": P256,
                    "duration": 20 * DAY,
                    "path_length": 0,
                    **fields,
                }
            )
            csr = authority_signing_request(wanted, key)
            start, end = x509.validity(datetime.now(UTC), wanted.duration)
            return AuthorityOrder(csr, wanted, start, end, secrets.token_hex(16), noted.append)

        return make

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"path_length": 1},
            {"name_constraints": ONE_DOMAIN},
            {"name_constraints": NameConstraints(excluded=NameForms(ip_ranges=("192.0.2.0/24",)))},
            {
                "subject": Subject(
                    countries=("AT",), localities=("Wien",), organizations=("Müller & Co",)
                )
            },
        ],
    )
    def test_a_ca_says_what_was_asked_for(
        self, issuer: AuthorityIssuer, ask: Ask, fields: dict[str, object]
    ) -> None:
        order = ask(**fields)
        facts = check_authority(_filled(issuer, order), order, datetime.now(UTC))
        assert abs(facts.not_after - order.not_after) < timedelta(minutes=5)

    def test_what_it_signs_is_believed_below_the_chain_that_came_with_it(
        self, issuer: AuthorityIssuer, ask: Ask
    ) -> None:
        answer = narrowed(_filled(issuer, ask(name_constraints=ONE_DOMAIN)))
        below = x509.IssuingAuthority.load(
            answer.certificate, (*answer.chain, *answer.anchors), rooted=bool(answer.anchors)
        )
        assert x509.refusals(_leaf("www.example.com"), below) == ()
        assert x509.refusals(_leaf("www.example.org"), below)

    def test_it_does_not_outlive_what_signed_it(self, issuer: AuthorityIssuer, ask: Ask) -> None:
        order = ask(duration=9000 * DAY)
        check_authority(_filled(issuer, order), order, datetime.now(UTC))

    def test_an_order_is_made_known_and_then_not_made_again(
        self, issuer: AuthorityIssuer, ask: Ask, noted: list[str]
    ) -> None:
        order = ask()
        first = _filled(issuer, order)
        again = _filled(issuer, replace(order, resume=noted[-1]))
        assert again.certificate == first.certificate
        assert (again.chain, again.anchors) == (first.chain, first.anchors)

    def test_one_key_may_have_several_certificates(self, issuer: AuthorityIssuer, ask: Ask) -> None:
        assert _filled(issuer, ask()).certificate != _filled(issuer, ask()).certificate

    def test_a_ca_is_revoked(self, issuer: AuthorityIssuer, ask: Ask) -> None:
        if not isinstance(issuer, Revoker):
            pytest.skip("this issuer does not revoke")
        issued = _filled(issuer, ask())
        serial = x509.facts(issued.certificate).serial
        request = RevokeRequest(issued.certificate, serial, RevocationReason.CA_COMPROMISE)
        issuer.revoke(request)
        issuer.revoke(request)


def _leaf(name: str) -> x509.ToBeSigned:
    start, end = x509.validity(datetime.now(UTC), DAY)
    request = LeafRequest(
        issuer="services",
        issuer_generation=1,
        dns_names=(name,),
        usages=(Usage.SERVER_AUTH,),
        key=P256,
        duration=DAY,
    )
    later = start + timedelta(minutes=5)  # the CA is as old as this test
    key = x509.spki(x509.generate_key(P256).public_key())
    return x509.ToBeSigned(request, x509.new_serial(), later, end, key)


def _filled(issuer: AuthorityIssuer, order: AuthorityOrder) -> Issued:
    for _ in range(MOST_ASKED):
        answer = issuer.issue_authority(order)
        if isinstance(answer, Issued):
            return answer
        order = replace(order, resume=answer.resume)
    raise AssertionError("the order is never filled")
