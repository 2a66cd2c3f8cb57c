"""CA keys at key services: every kind of key signs at each of them, and what they refuse is told."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import remote_keys
from cryptography import x509 as pyca
from key_kinds import P256
from pki_house import House
from remote_keys import Place, sign_all
from wire import Request, Response, Way

from providers import x509
from providers.errors import Ambiguous, Conflict, Denied, ProviderError, Throttled
from providers.remote import prove, verifies
from schemas.custody import SIGNS
from schemas.request import KeyType


@pytest.fixture(scope="module")
def house() -> House:
    return House()


SERVICES = {kind: sizes for kind, sizes in SIGNS.items() if kind != "pkcs11"}
"""What is reached over a wire; tokens have tests of their own."""


@pytest.fixture(params=SERVICES)
def place(request: pytest.FixtureRequest, tmp_path: Path, house: House) -> Iterator[Place]:
    made: Mapping[str, Callable[[], AbstractContextManager[Place]]] = {
        "aws-kms": remote_keys.aws,
        "azure-key-vault": lambda: remote_keys.azure(tmp_path / "tls", house),
        "gcp-kms": lambda: remote_keys.gcp(house),
    }
    with made[request.param]() as place:
        yield place


CASES = [
    pytest.param(
        service, KeyType(algorithm=algorithm, size=size), id=f"{service}-{algorithm}-{size}"
    )
    for service, sizes in SERVICES.items()
    for algorithm, each in sizes.items()
    for size in each
]


@pytest.mark.parametrize(("place", "kind"), CASES, indirect=["place"])
def test_every_kind_of_key_signs_certificates_crls_and_what_is_long(
    place: Place, house: House, kind: KeyType
) -> None:
    signer = place.signer(place.make(kind))
    signed = sign_all(house, signer, kind, entries=200)
    root = pyca.load_der_x509_certificate(signed.root)
    root.verify_directly_issued_by(root)
    pyca.load_der_x509_certificate(signed.leaf).verify_directly_issued_by(root)
    assert len(signed.crl) > 4096
    assert x509.crl_is_by(signed.crl, signed.root)
    long = bytes(1 << 20)
    assert verifies(signer.public_key(), signer.sign(long), long)


def test_openssl_takes_the_chain_and_its_crl(place: Place, house: House, tmp_path: Path) -> None:
    signed = sign_all(house, place.signer(place.make(P256)), P256)
    assert signed.judge(tmp_path) == "leaf.pem: OK\n"


def test_opening_asks_nothing_and_the_public_half_is_asked_for_once(
    place: Place, house: House
) -> None:
    key = place.make(P256)
    place.wire.asked.clear()
    signer = place.signer(key)
    assert place.wire.asked == []
    sign_all(house, signer, P256)
    reads = 2 if place.kind == "azure-key-vault" else 1  # the SDK looks at the key once more
    assert place.wire.counts[place.reads] == reads
    assert place.wire.counts[place.signs] == 3


def test_a_key_that_can_sign_proves_it(place: Place) -> None:
    prove(place.signer(place.make(P256)))
    assert place.wire.counts[place.signs] == 1


@pytest.mark.parametrize("what", ["reads", "signs"])
def test_who_may_not_use_the_key_is_told_which_key_and_which_permissions(
    place: Place, what: str
) -> None:
    key = place.make(P256)
    place.deny(getattr(place, what))
    with pytest.raises(Denied) as caught:
        place.signer(key).sign(b"x")
    assert key.settings.key in str(caught.value)
    assert place.signer(key).needs in str(caught.value)


def test_a_disabled_key_is_refused_by_name(place: Place) -> None:
    key = place.make(P256)
    place.disable(key)
    with pytest.raises(ProviderError, match=r"disabled|DISABLED") as caught:
        place.signer(key).sign(b"x")
    assert key.settings.key in str(caught.value)


@pytest.mark.parametrize("way", [Way.DROPPED, Way.UNANSWERED, Way.REFUSED])
def test_an_answer_that_did_not_come_is_asked_for_again(place: Place, way: Way) -> None:
    signer = place.signer(place.make(P256))
    public = signer.public_key()
    place.wire.fail(place.signs, way, Response(503, b"{}"))
    assert verifies(public, signer.sign(b"x"), b"x")
    assert place.wire.counts[place.signs] == 2


def test_too_many_calls_are_made_again_later(place: Place) -> None:
    signer = place.signer(place.make(P256))
    signer.public_key()
    place.wire.fail(place.signs, Way.REFUSED, place.throttled)
    signer.sign(b"x")
    assert place.wire.counts[place.signs] == 2


def test_a_service_that_does_not_work_is_not_asked_for_every_certificate(place: Place) -> None:
    signer = place.signer(place.make(P256))
    signer.public_key()
    place.wire.fail(place.signs, Way.REFUSED, Response(503, b"{}"), times=None)
    with pytest.raises(Ambiguous):
        signer.sign(b"x")
    asked = place.wire.counts[place.signs]
    with pytest.raises(Ambiguous):
        signer.sign(b"y")
    assert place.wire.counts[place.signs] == asked > 1


def test_throttling_without_end_is_told_as_such(place: Place) -> None:
    signer = place.signer(place.make(P256))
    place.wire.fail(place.signs, Way.REFUSED, place.throttled, times=None)
    with pytest.raises(Throttled):
        signer.sign(b"x")


def test_a_wrong_signature_goes_no_further(place: Place) -> None:
    signer = place.signer(place.make(P256))
    place.spoil()
    with pytest.raises(Conflict, match="public key refuses"):
        signer.sign(b"x")


def test_nothing_but_a_digest_leaves_the_host(place: Place) -> None:
    signer, bodies = place.signer(place.make(P256)), []
    service = place.wire.service

    def watched(request: Request) -> Response:
        bodies.append(request.body)
        return service(request)

    place.wire.service = watched
    signer.sign(b"to be signed, and private to us" * 100)
    assert max(map(len, bodies)) < 500
