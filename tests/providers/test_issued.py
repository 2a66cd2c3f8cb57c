"""What another CA returns is checked before it is believed: names, key, life, chain."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from acme_forge import renumbered

from providers import x509
from providers.errors import Rejected
from providers.issued import check, sorted_chain
from providers.issuing import Issued, IssueRequest
from providers.signer import KeySigner
from providers.specimens import P256, Specimens
from providers.x509.content import content
from providers.x509.ordering import signing_request
from providers.x509.signing_request import requested_key
from schemas.certificate import Algorithm, Usage
from schemas.issuer import REQUEST_FIELDS
from schemas.request import KeyType, LeafRequest

NOW = datetime(2026, 5, 1, tzinfo=UTC)
DAY = 86_400
ASKED = LeafRequest(
    issuer="theirs",
    issuer_generation=0,
    dns_names=("a.example.com", "b.example.com"),
    ip_addresses=("2001:db8::1",),
    usages=(Usage.SERVER_AUTH,),
    key=P256,
    duration=30 * DAY,
)
KEY = x509.encode_key(x509.generate_key(P256))
CSR = signing_request(ASKED, KEY)
Sign = Callable[..., Issued]


@pytest.fixture(scope="module")
def ca() -> Specimens:
    return Specimens.make(NOW)


@pytest.fixture
def sign(ca: Specimens) -> Sign:
    """Return what a CA makes of the request when it changes some of its fields."""

    def sign(
        *, days: int = 30, shift: int = 0, other_key: bool = False, **fields: object
    ) -> Issued:
        key = x509.encode_key(x509.generate_key(P256)) if other_key else KEY
        spki = x509.spki(x509.decode_key(key).public_key())
        start, end = x509.validity(NOW + timedelta(days=shift), days * DAY)
        request = ASKED.model_copy(update=fields)
        tbs = x509.ToBeSigned(request, x509.new_serial(), start, end, spki)
        issuer = x509.IssuingAuthority.load(ca.intermediate, (ca.root,))
        der = x509.sign(tbs, issuer, KeySigner(ca.key))
        return Issued(der, (ca.intermediate,), (ca.root,))

    return sign


def _request() -> IssueRequest:
    start, end = x509.validity(NOW, ASKED.duration)
    return IssueRequest(CSR, ASKED, start, end, "0" * 32, lambda _: None)


def _check(issued: Issued, honours: frozenset[str] = REQUEST_FIELDS) -> x509.CertificateFacts:
    return check(issued, _request(), honours, NOW)


def test_what_was_asked_for_is_taken(sign: Sign) -> None:
    assert _check(sign()).dns_names == ASKED.dns_names


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"other_key": True}, "its key is not that of the signing request"),
        ({"dns_names": ("a.example.com",)}, "it lacks the DNS name b.example.com"),
        ({"dns_names": (*ASKED.dns_names, "c.example.com")}, "it has the DNS name c.example.com"),
        ({"ip_addresses": ()}, "it lacks the IP address 2001:db8::1"),
        ({"uris": ("spiffe://evil",)}, "it has the URI spiffe://evil"),
        ({"email_addresses": ("who@example.com",)}, "it has the e-mail address who@example.com"),
        ({"common_name": "evil.example.com"}, "its common name is evil.example.com"),
        ({"usages": (Usage.CLIENT_AUTH,)}, "it is not for server auth"),
        ({"days": 31}, "it lives longer than asked for"),
        ({"shift": 3, "days": 20}, "it is not valid yet"),
    ],
)
def test_anything_else_is_refused_with_the_difference(
    sign: Sign, fields: dict[str, object], words: str
) -> None:
    with pytest.raises(Rejected, match=words.replace(".", r"\.")):
        _check(sign(**fields))


def test_what_has_expired_meanwhile_is_refused(sign: Sign) -> None:
    with pytest.raises(Rejected, match="it has expired"):
        check(sign(days=10), _request(), REQUEST_FIELDS, NOW + timedelta(days=11))


@pytest.mark.parametrize("algorithm", [Algorithm.ECDSA, Algorithm.RSA, Algorithm.ED25519])
def test_a_signing_request_is_made_the_same_way_each_time(algorithm: Algorithm) -> None:
    size = {Algorithm.RSA: 2048}.get(algorithm, 256)
    kind = KeyType(algorithm=algorithm, size=size)
    wanted, key = ASKED.model_copy(update={"key": kind}), x509.encode_key(x509.generate_key(kind))
    assert signing_request(wanted, key) == signing_request(wanted, key)
    assert requested_key(signing_request(wanted, key))[0] == kind


def test_what_the_issuer_does_not_honour_may_be_otherwise(sign: Sign) -> None:
    honours = frozenset({"dns_names", "ip_addresses"})
    _check(sign(days=90, usages=(Usage.CLIENT_AUTH,), common_name="a.example.com"), honours)


def test_a_name_nobody_asked_for_is_refused_although_names_are_not_honoured(sign: Sign) -> None:
    with pytest.raises(Rejected, match="common name"):
        _check(sign(common_name="evil.example.com"), frozenset({"dns_names"}))
    with pytest.raises(Rejected, match="it has the DNS name"):
        _check(sign(dns_names=(*ASKED.dns_names, "evil.example.com")), frozenset())


def test_a_ca_is_no_leaf(ca: Specimens) -> None:
    with pytest.raises(Rejected, match="it is a CA"):
        _check(Issued(ca.intermediate, (), (ca.root,)))


def test_a_chain_that_does_not_hold_is_refused(sign: Sign, ca: Specimens) -> None:
    issued, stranger = sign(), Specimens.make(NOW)
    with pytest.raises(Rejected, match="chain is broken"):
        _check(replace(issued, chain=(stranger.intermediate,)))
    with pytest.raises(Rejected, match="no trust anchor issued"):
        _check(replace(issued, anchors=(stranger.root,)))
    with pytest.raises(Rejected, match="no issuer came with it"):
        _check(replace(issued, chain=(), anchors=()))
    with pytest.raises(Rejected, match="is no CA"):
        _check(replace(issued, chain=(issued.certificate,)))


def test_what_cannot_be_read_is_refused_without_its_words(sign: Sign) -> None:
    with pytest.raises(Rejected, match="cannot be read as a certificate") as refusal:
        _check(replace(sign(), certificate=b"-----BEGIN PRIVATE KEY-----"))
    assert "PRIVATE" not in str(refusal.value)


@pytest.mark.parametrize(
    ("said", "instead"),
    [(b"\x82\x0da.example.com", b"\xa3\x0da.example.com"), (b"\x55\x1d\x0f", b"\x55\x1d\x25")],
    ids=["an X.400 address", "an extension twice"],
)
def test_extensions_that_nobody_reads_are_refused(sign: Sign, said: bytes, instead: bytes) -> None:
    issued = sign()
    assert said in issued.certificate
    odd = issued.certificate.replace(said, instead)
    with pytest.raises(Rejected, match="cannot be read as a certificate"):
        _check(replace(issued, certificate=odd))
    with pytest.raises(ValueError, match="its extensions cannot be read"):
        content(odd)


def test_a_chain_is_told_from_its_anchors(ca: Specimens) -> None:
    assert sorted_chain((ca.intermediate, ca.root)) == ((ca.intermediate,), (ca.root,))
    assert sorted_chain((ca.intermediate,)) == ((ca.intermediate,), ())


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x04"),
        (b"Specimen CA", b"\xff\xfe\xfdcimen CA"),
        (b"Specimen Root", b"\xff\xfe\xfdcimen Root"),
    ],
    ids=["version 5", "a name that is no text", "an issuer whose name is no text"],
)
def test_a_chain_that_cannot_be_read_is_refused(ca: Specimens, said: bytes, instead: bytes) -> None:
    assert said in ca.intermediate
    with pytest.raises(Rejected, match="cannot be read as a certificate"):
        sorted_chain((ca.intermediate.replace(said, instead), ca.root))


@pytest.mark.parametrize("serial", [b"\x80" + bytes(19), b"\xff", b"\x00" + b"\x80" * 20])
@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_a_serial_that_no_certificate_may_have_is_refused(sign: Sign, serial: bytes) -> None:
    issued = sign()
    odd = renumbered(issued.certificate, serial)
    with pytest.raises(Rejected, match="a positive number of at most 20 octets"):
        _check(replace(issued, certificate=odd))
    longest = renumbered(issued.certificate, b"\x7f" + b"\xff" * 19)
    with pytest.raises(Rejected, match="chain is broken"):  # its signature alone is wrong
        _check(replace(issued, certificate=longest))
