"""What every issuer must do, as tests: inherit `IssuerConformance`, provide its fixtures, run pytest.

    class TestMyIssuer(IssuerConformance):
        @pytest.fixture
        def issuer(self): return MyIssuer.from_config(config)

`busy` lets the CA take a while, longer than one call waits for; `keys` are the kinds of key to try.
Where the CA cannot be made to take a while, its fixture calls `pytest.skip`; `remembers` is False for a
CA that has no tokens. One that signs CAs passes `providers.authority_conformance`, too. Needs pytest.
"""

# ruff: noqa: S101, D102  tests assert, and their names are sentences

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from providers import x509
from providers.issued import check
from providers.issuing import Issued, Issuer, IssueRequest, Pending, Revoker, RevokeRequest
from providers.x509.ordering import signing_request
from schemas.certificate import Algorithm, Subject, Usage
from schemas.issuer import REQUEST_FIELDS
from schemas.request import KeyType, LeafRequest
from schemas.revocation import RevocationReason

Ask = Callable[..., IssueRequest]
DAY = 86_400
MOST_ASKED = 50
"""How often an order may be gone on with before it is filled."""
P256 = KeyType(algorithm=Algorithm.ECDSA, size=256)


class IssuerConformance:
    """The tests. Each gets an issuer, and `ask`, which makes requests of it."""

    keys: tuple[KeyType, ...] = (P256, KeyType(algorithm=Algorithm.RSA, size=2048))
    addresses: tuple[str, ...] = ("192.0.2.1", "2001:db8::1")
    remembers: bool = True
    """Whether the same token is the same order. A CA without tokens is told of an order by its name alone."""

    @pytest.fixture
    def issuer(self) -> Issuer:
        """The issuer under test."""
        raise NotImplementedError

    @pytest.fixture
    def busy(self) -> Callable[[], None]:
        """Let the next order take longer than one call waits for."""
        pytest.skip("such a CA answers at once")

    @pytest.fixture
    def noted(self) -> list[str]:
        """What was given to the checkpoint."""
        return []

    @pytest.fixture
    def ask(self, noted: list[str]) -> Ask:
        """Return a new request for a certificate with these fields of LeafRequest."""

        def make(**fields: object) -> IssueRequest:
            wanted = LeafRequest.model_validate(
                {
                    "issuer": "conformance",
                    "issuer_generation": 0,
                    "issuer_id": "conformance",
                    "dns_names": ("www.example.com",),
                    "usages": (Usage.SERVER_AUTH,),
                    "key": P256,
                    "duration": 5 * DAY,
                    **fields,
                }
            )
            key = x509.encode_key(x509.generate_key(wanted.key))
            start, end = x509.validity(datetime.now(UTC), wanted.duration)
            csr, token = signing_request(wanted, key), secrets.token_hex(16)
            return IssueRequest(csr, wanted, start, end, token, noted.append)

        return make

    def test_what_is_issued_is_what_was_asked_for(self, issuer: Issuer, ask: Ask) -> None:
        for key in self.keys:
            request = ask(key=key, dns_names=("a.example.com", "b.example.com"))
            facts = check(_filled(issuer, request), request, issuer.honours, datetime.now(UTC))
            assert set(facts.dns_names) == {"a.example.com", "b.example.com"}

    def test_what_it_honours_it_obeys(self, issuer: Issuer, ask: Ask) -> None:
        every: dict[str, object] = {
            "common_name": "www.example.com",
            "ip_addresses": self.addresses,
            "uris": ("spiffe://example.com/web",),
            "email_addresses": ("who@example.com",),
            "subject": Subject(organizations=("Example Ltd",)),
            "duration": 3 * DAY,
        }
        request = ask(**{name: value for name, value in every.items() if name in issuer.honours})
        facts = check(_filled(issuer, request), request, issuer.honours, datetime.now(UTC))
        if "subject" in issuer.honours:
            assert "O=Example Ltd" in facts.subject
        if "duration" in issuer.honours:
            assert abs(facts.not_after - request.not_after) < timedelta(minutes=5)

    def test_it_honours_fields_that_there_are_and_the_names(self, issuer: Issuer) -> None:
        assert "dns_names" in issuer.honours
        assert issuer.honours <= REQUEST_FIELDS

    def test_an_order_is_made_known_before_it_is_filled(
        self, issuer: Issuer, ask: Ask, noted: list[str]
    ) -> None:
        _filled(issuer, ask())
        assert noted

    def test_an_order_that_is_known_is_not_made_again(
        self, issuer: Issuer, ask: Ask, noted: list[str]
    ) -> None:
        request = ask()
        first = _filled(issuer, request)
        again = _filled(issuer, replace(request, resume=noted[-1]))
        assert again.certificate == first.certificate

    def test_the_same_token_is_the_same_order_where_the_ca_has_tokens(
        self, issuer: Issuer, ask: Ask
    ) -> None:
        request = ask()
        same = _filled(issuer, request).certificate == _filled(issuer, request).certificate
        assert same is self.remembers

    def test_another_token_is_another_order(self, issuer: Issuer, ask: Ask) -> None:
        request = ask()
        other = replace(request, token=secrets.token_hex(16))
        assert _filled(issuer, request).certificate != _filled(issuer, other).certificate

    def test_what_takes_long_is_pending_and_gone_on_with(
        self, issuer: Issuer, ask: Ask, busy: Callable[[], None], noted: list[str]
    ) -> None:
        busy()
        request = ask()
        answer = issuer.issue(request)
        assert isinstance(answer, Pending)
        assert answer.detail
        assert noted[-1] == answer.resume
        resumed = replace(request, resume=answer.resume)
        check(_filled(issuer, resumed), request, issuer.honours, datetime.now(UTC))

    def test_what_it_revokes_may_be_revoked_again(self, issuer: Issuer, ask: Ask) -> None:
        if not isinstance(issuer, Revoker):
            pytest.skip("this issuer does not revoke")
        issued = _filled(issuer, ask())
        serial = x509.facts(issued.certificate).serial
        request = RevokeRequest(issued.certificate, serial, RevocationReason.SUPERSEDED)
        issuer.revoke(request)
        issuer.revoke(request)


def _filled(issuer: Issuer, request: IssueRequest) -> Issued:
    for _ in range(MOST_ASKED):
        answer = issuer.issue(request)
        if isinstance(answer, Issued):
            return answer
        request = replace(request, resume=answer.resume)
    raise AssertionError("the order is never filled")
