"""Requests and the paths they are asked for at, and what responses are made of."""

import hashlib
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from answers import delegated
from cryptography import x509 as crypto
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from key_kinds import KINDS, ML_DSA, P256
from mint import Authority, Mint

from providers import x509
from providers.signer import KeySigner, PublicKey
from providers.x509.ocsp import (
    Freshness,
    freshness_of,
    malformed,
    plain_request,
    read_responses,
    request_for,
    request_path,
    served_path,
    sign_responses,
    unauthorized,
)
from providers.x509.responder import ResponderRequest, sign_responder
from schemas.certificate import Algorithm
from schemas.request import KeyType
from schemas.revocation import RevocationReason

NOW = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC)
FRESH = Freshness(NOW, NOW + timedelta(days=4))


@pytest.fixture(scope="module")
def issuing() -> Authority:
    return Mint().authority("services", P256)


def asked(
    issuing: Authority, serial: str, algorithm: hashes.HashAlgorithm, nonce: bool = False
) -> bytes:
    name = issuing.authority.subject.public_bytes()
    key = issuing.signer.public_key()
    spki = crypto.SubjectKeyIdentifier.from_public_key(key).digest
    hashed = hashlib.new(algorithm.name, name).digest()
    hashed_key = spki if algorithm.name == "sha1" else b"k" * algorithm.digest_size
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        hashed, hashed_key, int(serial, 16), algorithm
    )
    if nonce:
        builder = builder.add_extension(crypto.OCSPNonce(b"n" * 16), critical=False)
    return builder.build().public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("MFUw+a=", "MFUw+a="),
        ("MFUw/a", "MFUw/a"),
        ("MFUw//a", "MFUw/a"),
        ("MFUw///a//b", "MFUw/a/b"),
        ("MFUw/", "MFUw/index.ocsp"),
        ("MFUw//", "MFUw/index.ocsp"),
        ("MF/Uw/a/", "MF/Uw/a/index.ocsp"),
    ],
)
def test_slashes_of_the_base64_make_folders_as_a_server_sees_them(text: str, path: str) -> None:
    assert served_path(text) == path


@pytest.mark.parametrize("serial", ["1", "7f", "80", "ff" * 19, "7f" * 20])
def test_every_serial_has_one_request_whatever_else_is_asked(
    issuing: Authority, serial: str
) -> None:
    request = request_for(issuing.authority, serial)
    assert request == asked(issuing, serial, hashes.SHA1())
    assert plain_request(asked(issuing, serial, hashes.SHA1(), nonce=True)) == request
    assert request_path(request) == served_path(b64encode(request).decode())


def test_what_is_no_request_of_rfc_5019_is_refused(issuing: Authority) -> None:
    for request in (b"", b"x", b"0" * 80, asked(issuing, "7f" * 20, hashes.SHA256())):
        with pytest.raises(ValueError, match=r"."):
            plain_request(request)


def test_responses_tell_their_serials_and_those_that_are_revoked(issuing: Authority) -> None:
    gone = x509.CrlEntry(NOW - timedelta(days=1), RevocationReason.SUPERSEDED)
    statuses = {"7f" * 20: None, "1f" * 20: gone, "2a": None}
    files = sign_responses(statuses, issuing.authority, delegated(issuing, NOW), FRESH)
    assert files.keys() == {request_path(request_for(issuing.authority, s)) for s in statuses}
    told = read_responses([*files.values(), b"", b"garbage", unauthorized(), malformed()])
    assert told.serials == statuses.keys()
    assert told.revoked == {"1f" * 20}
    assert {freshness_of(content) for content in files.values()} == {FRESH}


@pytest.mark.parametrize("content", [b"", b"garbage", unauthorized(), malformed()])
def test_what_has_no_dates_says_so(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        freshness_of(content)


@pytest.mark.parametrize("kind", [*KINDS, *ML_DSA], ids=str)
def test_who_can_check_the_ca_can_check_the_responder(kind: KeyType) -> None:
    authority = Mint().authority("services", kind)
    responder = delegated(authority, NOW)
    algorithm, _ = x509.key_type(responder.signer.public_key())
    alike = (Algorithm.RSA, Algorithm.ML_DSA)
    assert algorithm is (kind.algorithm if kind.algorithm in alike else Algorithm.ECDSA)
    files = sign_responses({"7f" * 20: None}, authority.authority, responder, FRESH)
    assert read_responses(files.values()).serials == {"7f" * 20}


def test_many_are_signed_by_several_processes_and_none_is_lost(issuing: Authority) -> None:
    statuses: dict[str, x509.CrlEntry | None] = {f"{1 << 158 | n:x}": None for n in range(1100)}
    files = sign_responses(statuses, issuing.authority, delegated(issuing, NOW), FRESH)
    assert read_responses(files.values()).serials == statuses.keys()


def test_a_key_that_is_elsewhere_signs_the_responder(issuing: Authority) -> None:
    class Remote:
        def public_key(self) -> PublicKey:
            return issuing.signer.public_key()

        def sign(self, data: bytes, /) -> bytes:
            return issuing.signer.sign(data)

    key = KeySigner(x509.generate_key(P256))
    request = ResponderRequest(
        x509.new_serial(), NOW, NOW + timedelta(days=1), x509.spki(key.public_key())
    )
    remote = sign_responder(request, issuing.authority, Remote())
    assert remote == sign_responder(request, issuing.authority, issuing.signer)
    assert x509.is_issued_by(
        crypto.load_der_x509_certificate(remote), crypto.load_der_x509_certificate(issuing.der)
    )
