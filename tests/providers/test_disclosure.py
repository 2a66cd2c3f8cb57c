"""A key is found in a text in whatever way it was written there; what is public is not taken for one."""

import base64
import json
import textwrap
import urllib.parse
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from providers.base import Bundle
from providers.disclosure import discloses
from providers.specimens import Specimens
from schemas.certificate import Algorithm
from schemas.request import KeyType

KINDS = (
    KeyType(algorithm=Algorithm.ECDSA, size=256),
    KeyType(algorithm=Algorithm.ECDSA, size=521),
    KeyType(algorithm=Algorithm.RSA, size=2048),
    KeyType(algorithm=Algorithm.ED25519, size=256),
)


def wrapped(pem: bytes, width: int, end: str = "\n") -> str:
    body = "".join(pem.decode().splitlines()[1:-1])
    lines = [
        "-----BEGIN PRIVATE KEY-----",
        *textwrap.wrap(body, width),
        "-----END PRIVATE KEY-----",
    ]
    return end.join(lines)


def traditional(pem: bytes) -> str:
    key = load_pem_private_key(pem, None)
    return key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    ).decode()


def der(pem: bytes) -> bytes:
    return base64.b64decode("".join(pem.decode().splitlines()[1:-1]))


def html_safe(pem: bytes) -> str:
    escaped = json.dumps(pem.decode())
    for sign in "+/=":
        escaped = escaped.replace(sign, f"\\u00{ord(sign):02x}")
    return escaped


FORMS: dict[str, Callable[[bytes], str]] = {
    "PEM": lambda pem: pem.decode(),
    "lines of 48": lambda pem: wrapped(pem, 48),
    "lines of 76": lambda pem: wrapped(pem, 76, "\r\n"),
    "one line": lambda pem: wrapped(pem, 10_000),
    "JSON": lambda pem: json.dumps(pem.decode()),
    "JSON in JSON": lambda pem: json.dumps(json.dumps(pem.decode())),
    "JSON for HTML": html_safe,
    "repr": lambda pem: repr({"body": pem}),
    "a URL": lambda pem: urllib.parse.quote_plus(pem.decode()),
    "base64 of PEM": lambda pem: base64.b64encode(pem).decode(),
    "base64 of PEM behind something": lambda pem: base64.b64encode(b"{" + pem).decode(),
    "base64 of PEM in lines of 76": lambda pem: base64.encodebytes(pem).decode(),
    "base64 of PEM in lines of 48": lambda pem: base64.encodebytes(
        wrapped(pem, 48).encode()
    ).decode(),
    "base64 of PEM for URLs": lambda pem: base64.urlsafe_b64encode(pem).decode(),
    "base64 of PEM in JSON": lambda pem: json.dumps({"PrivateKey": base64.b64encode(pem).decode()}),
    "base64 of DER": lambda pem: base64.b64encode(der(pem)).decode(),
    "DER by repr": lambda pem: repr(der(pem)),
    "hex": lambda pem: der(pem).hex(),
    "HEX with colons": lambda pem: der(pem).hex(":").upper(),
}


@pytest.fixture(scope="module", params=KINDS, ids=str)
def bundle(request: pytest.FixtureRequest) -> Bundle:
    now = datetime.now(UTC)
    return Specimens.make(now).bundle("www.example.com", now, request.param)


@pytest.mark.parametrize("form", FORMS)
def test_a_key_is_found_in_every_form(bundle: Bundle, form: str) -> None:
    written = FORMS[form](bundle.held_key.reveal())
    for text in (written, f"POST / {written}", f"x{written}x", json.dumps({"body": written})):
        assert discloses(bundle.held_key, text)


def test_a_key_in_the_older_form_is_found(bundle: Bundle) -> None:
    pem = bundle.held_key.reveal()
    if b"ED25519" not in pem and len(pem) > 150:  # Ed25519 has no such form
        assert discloses(bundle.held_key, traditional(pem))


@pytest.mark.parametrize("width", [64, 76])
def test_each_line_that_holds_much_of_a_key_is_found(bundle: Bundle, width: int) -> None:
    pem = bundle.held_key.reveal()
    lines = (
        base64.encodebytes(pem).decode().split("\n") if width == 76 else pem.decode().split("\n")
    )
    found = [discloses(bundle.held_key, line) for line in lines]
    assert any(found)
    assert discloses(bundle.held_key, "".join(lines[: len(lines) // 2 + 1]))


@pytest.mark.parametrize("form", FORMS)
def test_what_is_public_and_what_is_another_key_is_not_taken_for_it(
    bundle: Bundle, form: str
) -> None:
    key = load_pem_private_key(bundle.held_key.reveal(), None)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    now = datetime.now(UTC)
    other = Specimens.make(now).bundle("www.example.com", now).held_key.reveal()
    for pem in (bundle.certificate, *bundle.chain, public, other):
        assert not discloses(bundle.held_key, FORMS[form](pem))


def test_a_number_in_decimal_is_found(bundle: Bundle) -> None:
    key = load_pem_private_key(bundle.held_key.reveal(), None)
    numbers = getattr(key, "private_numbers", None)
    if numbers is not None:  # Ed25519 keys are none
        value = numbers()
        secret = value.d if hasattr(value, "d") else value.private_value
        assert discloses(bundle.held_key, f"key={secret}")
