"""When a CA wants certificates to be renewed (RFC 9773): asked for, and not believed when nonsense."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import acme_ca_rig
import pytest
from a2c import RETRY_AFTER, A2c
from acme_ca_rig import Buyer, bought
from acme_forge import renumbered
from acme_front import Front, problem
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from pebble import Pebble
from wire import Request, Response

from providers.acme.advice import certificate_id
from providers.acme.issuer import AcmeIssuer
from providers.errors import NotFound
from providers.issuing import Advice
from providers.specimens import Specimens
from reconciler.threads import side_by_side

NOW = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC)
WINDOW = {"start": "2026-12-01T00:00:00Z", "end": "2026-12-03T00:00:00.123456789Z"}


def test_a_certificate_is_called_as_the_rfc_calls_it() -> None:
    """RFC 9773 section 4.1: the serial has its leading zero octet."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example.com")])
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = bytes.fromhex("69885B6B87464041E1B37B847BA0AE2CDE01C8D4")
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), 0x87654321)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
    )
    assert certificate_id(builder.sign(key, SHA256()).public_bytes(Encoding.DER)) is None
    known = builder.add_extension(x509.AuthorityKeyIdentifier(issuer, None, None), critical=False)
    der = known.sign(key, SHA256()).public_bytes(Encoding.DER)
    assert certificate_id(der) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_a_certificate_with_a_negative_serial_is_not_asked_about() -> None:
    known = Specimens.make(NOW).intermediate
    assert certificate_id(known)
    assert certificate_id(renumbered(known, b"\xff\x01" * 10)) is None


def test_a_real_ca_says_when(a2c: A2c, buyer: Buyer) -> None:
    issuer = acme_ca_rig.issuer(a2c, profile="short")
    issued = buyer.buy(issuer, "advised.example.com")
    asking = acme_ca_rig.issuer(a2c)
    asking.clock = lambda: NOW
    advice = asking.advise(issued.certificate)
    assert advice is not None
    assert advice.start is not None
    assert advice.end is not None
    known = x509.load_der_x509_certificate(issued.certificate)
    assert known.not_valid_before_utc < advice.start < advice.end <= known.not_valid_after_utc
    assert advice.ask_again == NOW + timedelta(seconds=RETRY_AFTER)


def test_nobody_has_to_log_in_to_be_told(a2c: A2c, buyer: Buyer) -> None:
    keyring = acme_ca_rig.Keyring({"account": acme_ca_rig.pem_key()})
    issued = buyer.buy(acme_ca_rig.issuer(a2c, keyring), "quiet.example.com")
    keyring.opened.clear()
    assert acme_ca_rig.issuer(a2c, keyring).advise(issued.certificate)
    assert not keyring.opened


def test_a_ca_that_does_not_advise_gives_none(pebble: Pebble, buyer: Buyer) -> None:
    issuer = acme_ca_rig.issuer(pebble)
    assert issuer.advise(buyer.buy(issuer, "silent.example.com").certificate) is None


@pytest.fixture(scope="module")
def certificate(pebble: Pebble) -> bytes:
    return Buyer().buy(acme_ca_rig.issuer(pebble), "ari.example.com").certificate


class _Advising:
    """A front whose directory has renewalInfo, and that answers with `answer` there."""

    def __init__(self, front: Front, certificate: bytes) -> None:
        self.front, self.certificate = front, certificate
        self.answer = Response(200)
        self.paths: list[str] = []
        directory = front.directory(renewalInfo=f"{front.wire.url}/ari")

        def instead(request: Request) -> Response | None:
            if request.path.startswith("/ari/"):
                self.paths.append(request.path)
                return self.answer
            return directory(request)

        front.instead = instead

    def advise(self, response: Response) -> Advice:
        self.answer = response
        issuer = acme_ca_rig.issuer(self.front)
        issuer.clock = lambda: NOW
        issuer.sleep = lambda _: None
        advice = issuer.advise(self.certificate)
        assert advice is not None
        return advice


@pytest.fixture
def advising(front: Front, certificate: bytes) -> _Advising:
    return _Advising(front, certificate)


def _says(window: Any, retry: str | None = None, **more: object) -> Response:
    headers = {} if retry is None else {"Retry-After": retry}
    return Response(200, json.dumps({"suggestedWindow": window, **more}).encode(), headers)


@pytest.mark.parametrize(
    ("retry", "wait"),
    [
        ("21600", timedelta(hours=6)),
        ("5", timedelta(minutes=1)),
        ("9999999", timedelta(days=1)),
        ("Fri, 27 Nov 2026 14:00:00 GMT", timedelta(hours=2)),
        (None, timedelta(hours=6)),
        ("soon", timedelta(hours=6)),
    ],
)
def test_it_is_asked_again_within_bounds(
    advising: _Advising, retry: str | None, wait: timedelta
) -> None:
    advice = advising.advise(_says(WINDOW, retry))
    assert advice.ask_again == NOW + wait
    assert advice.start == datetime(2026, 12, 1, tzinfo=UTC)
    assert advice.end == datetime(2026, 12, 3, microsecond=123456, tzinfo=UTC)
    assert advising.paths == [f"/ari/{certificate_id(advising.certificate)}"]


@pytest.mark.parametrize(
    "response",
    [
        _says({"start": WINDOW["end"], "end": WINDOW["start"]}, "60"),
        _says({"start": WINDOW["start"], "end": WINDOW["start"]}, "60"),
        _says({"start": "2026-12-01T00:00:00", "end": "2026-12-03T00:00:00"}),
        _says({"start": "tomorrow", "end": "later"}),
        _says(None),
        Response(200, b"not JSON"),
        Response(200, b"[" * 100_000),
        Response(500),
        Response(404),
        problem(400, "malformed"),
    ],
    ids=["backwards", "empty", "naive", "words", "null", "text", "deep", "500", "404", "400"],
)
def test_nonsense_is_no_answer(advising: _Advising, response: Response) -> None:
    ticks = iter(range(0, 10**6, 5))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tenacity.time.monotonic", lambda: next(ticks))
        assert advising.advise(response) == Advice(NOW + timedelta(hours=6))


def test_a_ca_that_is_asked_too_often_says_when(advising: _Advising) -> None:
    busy = Response(429, b"", {"Retry-After": "7200"})
    assert advising.advise(busy) == Advice(NOW + timedelta(hours=2))


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        ("https://ca.example/why", True),
        ("http://ca.example/why", False),
        ("javascript:alert(1)", False),
        ("https://ca.example/\u202ewhy", False),
        ("https://ca.example/a b", False),
        ("https://ca.example/" + "x" * 1000, False),
    ],
)
def test_an_explanation_is_kept_if_it_is_a_web_page(
    advising: _Advising, page: str, *, kept: bool
) -> None:
    advice = advising.advise(_says(WINDOW, explanationURL=page))
    assert advice.explanation == (page if kept else None)
    assert advice.start


def test_many_are_asked_about_side_by_side(
    advising: _Advising, caplog: pytest.LogCaptureFixture
) -> None:
    advising.answer = _says(WINDOW)
    asking = acme_ca_rig.issuer(advising.front)
    before = advising.front.wire.counts["directory"]
    told = side_by_side(lambda _: asking.advise(advising.certificate), range(64), 16)
    assert all(advice and advice.start for advice in told)
    assert advising.front.wire.counts["directory"] == before + 1
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_directory_that_is_not_there_is_looked_for_by_one_of_many(advising: _Advising) -> None:
    advising.front.instead = lambda _: Response(404)
    asking = acme_ca_rig.issuer(advising.front)

    def refused(_: int) -> bool:
        with pytest.raises(NotFound):
            asking.advise(advising.certificate)
        return True

    before = advising.front.wire.counts["directory"]
    assert all(side_by_side(refused, range(16), 16))
    assert advising.front.wire.counts["directory"] == before + 1


def test_what_has_expired_is_not_asked_about(advising: _Advising) -> None:
    issuer = acme_ca_rig.issuer(advising.front)
    later = datetime(2099, 1, 1, tzinfo=UTC)
    issuer.clock = lambda: later
    assert issuer.advise(advising.certificate) == Advice(later + timedelta(days=1))
    assert not advising.paths


def test_what_a_certificate_takes_the_place_of_is_told(front: Front, buyer: Buyer) -> None:
    first = buyer.buy(acme_ca_rig.issuer(front), "next.example.com").certificate
    issuer = _replacing(front)
    request = _taking_over(buyer, first)
    bought(issuer, request)
    *_, ordered = front.payloads("newOrder")
    assert ordered["replaces"] == certificate_id(first)


def test_what_is_replaced_already_is_ordered_without_it(front: Front, buyer: Buyer) -> None:
    first = buyer.buy(acme_ca_rig.issuer(front), "twice.example.com").certificate
    issuer = _replacing(front)
    directory = front.instead
    refusals = [problem(409, "alreadyReplaced", "somebody was quicker")]
    front.instead = lambda request: (
        refusals.pop() if request.path == "/order-plz" and refusals else directory(request)
    )
    before: list[int] = []
    bought(issuer, replace(_taking_over(buyer, first), unreplaced=_noted(front, before)))
    *_, told, plain = front.payloads("newOrder")
    assert "replaces" in told
    assert "replaces" not in plain
    assert plain["identifiers"] == told["identifiers"]
    assert before == [2]  # the first one's, and the one that was refused


def test_nothing_is_told_to_a_ca_that_does_not_advise(front: Front, buyer: Buyer) -> None:
    issuer = acme_ca_rig.issuer(front)
    first = buyer.buy(issuer, "plain.example.com").certificate
    before: list[int] = []
    bought(issuer, replace(_taking_over(buyer, first), unreplaced=_noted(front, before)))
    assert before == [1]
    assert all("replaces" not in ordered for ordered in front.payloads("newOrder"))


def _noted(front: Front, before: list[int]) -> Callable[[], None]:
    return lambda: before.append(front.wire.counts["newOrder"])


def _replacing(front: Front) -> AcmeIssuer:
    front.instead = front.directory(renewalInfo=f"{front.wire.url}/ari")
    return acme_ca_rig.issuer(front)


def _taking_over(buyer: Buyer, certificate: bytes) -> Any:
    return replace(buyer.ask("next.example.com"), replaces=certificate)
