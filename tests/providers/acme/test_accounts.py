"""Accounts: their keys of every kind, made once, found again, and bound to what a CA knows already."""

import base64
import json
import logging
from pathlib import Path
from typing import Any

import acme_ca_rig
import pytest
from acme_ca_rig import ACCOUNT, BINDING, Buyer, Keyring, pem_key, pem_of
from acme_front import Front, problem
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from josepy.jwk import JWK, JWKEC, JWKRSA
from key_kinds import P256
from pebble import EAB_KEYS, Pebble

from providers.errors import Denied, NotFound, ProviderError
from providers.issuing import IssuerConfig
from providers.secret import Secret
from schemas.certificate import Algorithm
from schemas.issuer import IssuerSpec
from schemas.request import KeyType
from schemas.secrets import SecretReference

P384 = KeyType(algorithm=Algorithm.ECDSA, size=384)
RSA = KeyType(algorithm=Algorithm.RSA, size=2048)
BOUND = {"externalAccountBinding": {"keyID": "kid-1", "keySecretRef": BINDING}}


def _jwk(pem: bytes, kind: type[JWK]) -> bytes:
    text: str = kind(key=load_pem_private_key(pem, None)).json_dumps()
    return text.encode()


def _keys() -> dict[str, bytes]:
    ecdsa, rsa = pem_key(P256), pem_key(RSA)
    return {
        "ecdsa-256": ecdsa,
        "ecdsa-384": pem_key(P384),
        "rsa-2048": rsa,
        "ecdsa-jwk": _jwk(ecdsa, JWKEC),
        "rsa-jwk": _jwk(rsa, JWKRSA),
    }


def test_an_account_key_is_of_any_kind_in_any_form(pebble: Pebble, buyer: Buyer) -> None:
    for name, key in _keys().items():
        issuer = acme_ca_rig.issuer(pebble, Keyring({"account": key}))
        buyer.buy(issuer, f"{name}.example.com")


@pytest.mark.parametrize(
    "content",
    [
        b"no key at all",
        b'{"kty": "EC", "crv": "P-256"}',
        b'{"kty": "oct", "k": "c2VjcmV0LXRlc3Q"}',
        b"{" * 9000,
        pem_key(KeyType(algorithm=Algorithm.ED25519, size=256)),
        pem_key(KeyType(algorithm=Algorithm.ECDSA, size=521)),
        pem_of(ec.generate_private_key(ec.SECP256K1())),
    ],
    ids=["text", "half", "symmetric", "deep", "ed25519", "p521", "secp256k1"],
)
def test_what_is_no_account_key_is_told_without_a_word_of_it(
    pebble: Pebble, buyer: Buyer, content: bytes
) -> None:
    issuer = acme_ca_rig.issuer(pebble, Keyring({"account": content}))
    with pytest.raises(Denied, match="privateKeySecretRef: account in secrets") as told:
        issuer.issue(buyer.ask("no.example.com"))
    assert content[:12].decode() not in str(told.value)


def test_nothing_is_opened_or_asked_before_a_certificate_is(front: Front, buyer: Buyer) -> None:
    keyring = Keyring({"account": pem_key()})
    issuer = acme_ca_rig.issuer(front, keyring)
    assert not keyring.opened
    assert not front.wire.asked
    buyer.buy(issuer, "one.example.com")
    buyer.buy(issuer, "two.example.com")
    assert keyring.opened == ["account"]
    assert front.wire.counts["directory"] == 1


def test_an_account_is_made_once_and_found_again(front: Front, buyer: Buyer) -> None:
    keyring = Keyring({"account": pem_key()})
    for _ in range(2):
        buyer.buy(acme_ca_rig.issuer(front, keyring), "acc.example.com")
    looked, made, found = front.payloads("newAccount")
    assert looked == found == {"onlyReturnExisting": True}
    assert made == {"contact": ["mailto:pki@example.com"], "termsOfServiceAgreed": True}


def test_an_issuer_is_made_from_its_document(pebble: Pebble, buyer: Buyer, tmp_path: Path) -> None:
    written = acme_ca_rig.settings(pebble, caBundle="config/ca.pem")
    files = {"config/ca.pem": pebble.anchors}
    config = IssuerConfig(
        "public",
        IssuerSpec(acme=written),
        "owner",
        tmp_path,
        Keyring({"account": pem_key()}),
        files,
    )
    buyer.buy(type(acme_ca_rig.issuer(pebble)).from_config(config), "made.example.com")


@pytest.fixture(scope="module")
def bound(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Pebble.running(tmp_path_factory.mktemp("bound"), bindings=EAB_KEYS) as ca:
        yield ca


def test_an_account_is_bound_to_one_that_the_ca_knows(bound: Pebble, buyer: Buyer) -> None:
    padded = EAB_KEYS["kid-1"] + "=" * (-len(EAB_KEYS["kid-1"]) % 4)
    for written in (EAB_KEYS["kid-1"], f"{padded}\n"):
        keyring = Keyring({"account": pem_key(), "hmac": written.encode()})
        buyer.buy(acme_ca_rig.issuer(bound, keyring, **BOUND), "bound.example.com")
        assert keyring.opened == ["account", "hmac"]
        again = Keyring(keyring.secrets)
        buyer.buy(acme_ca_rig.issuer(bound, again, **BOUND), "bound.example.com")
        assert again.opened == ["account"]  # an account that is there needs no binding


def test_a_ca_that_wants_a_binding_is_told_of(bound: Pebble, buyer: Buyer) -> None:
    with pytest.raises(Denied, match="write `externalAccountBinding` into the Issuer"):
        acme_ca_rig.issuer(bound).issue(buyer.ask("unbound.example.com"))


def test_a_ca_that_wants_the_binding_before_it_looks_gets_it(bound: Pebble, buyer: Buyer) -> None:
    keyring = Keyring({"account": pem_key(), "hmac": EAB_KEYS["kid-1"].encode()})
    with Front.running(bound) as front:
        refusals = [problem(403, "externalAccountRequired")]
        front.instead = lambda request: (
            refusals.pop() if request.path == "/sign-me-up" and refusals else None
        )
        buyer.buy(acme_ca_rig.issuer(front, keyring, **BOUND), "first.example.com")


@pytest.mark.parametrize("wrong", [b"c2VjcmV0LXRlc3Q", b"!!! no base64 !!!", b"\xff\xfe"])
def test_a_wrong_binding_key_is_told_without_a_word_of_it(
    bound: Pebble, buyer: Buyer, wrong: bytes
) -> None:
    keyring = Keyring({"account": pem_key(), "hmac": wrong})
    with pytest.raises(ProviderError) as told:
        acme_ca_rig.issuer(bound, keyring, **BOUND).issue(buyer.ask("wrong.example.com"))
    assert wrong.decode("latin-1") not in str(told.value)


def test_an_order_outlives_trouble_with_the_account(front: Front, buyer: Buyer) -> None:
    """What is `Rejected` or `NotFound` gives an order up: a missing key or a moved account is neither."""

    def missing(_: SecretReference) -> Secret:
        raise NotFound("no such key")

    issuer = acme_ca_rig.issuer(front)
    issuer.secret = missing
    with pytest.raises(ProviderError, match="no such key") as told:
        issuer.issue(buyer.ask("kept.example.com"))
    assert not isinstance(told.value, NotFound)
    front.instead = lambda request: (
        problem(400, "malformed", "no such thing") if request.path == "/sign-me-up" else None
    )
    with pytest.raises(ProviderError, match="no such thing") as refused:
        acme_ca_rig.issuer(front).issue(buyer.ask("kept.example.com"))
    assert type(refused.value).__name__ == "Conflict"


def test_no_secret_is_logged_or_shown(
    bound: Pebble, buyer: Buyer, caplog: pytest.LogCaptureFixture
) -> None:
    hmac = EAB_KEYS["kid-1"]
    pem = pem_key()
    scalar = json.loads(_jwk(pem, JWKEC))["d"]
    issuer = acme_ca_rig.issuer(bound, Keyring({"account": pem, "hmac": hmac.encode()}), **BOUND)
    with caplog.at_level(logging.DEBUG):
        buyer.buy(issuer, "quiet.example.com")
    shown = caplog.text + repr(issuer) + repr(vars(issuer))
    raw = base64.urlsafe_b64decode(hmac + "=" * (-len(hmac) % 4))
    for secret in (hmac, scalar, repr(raw)[2:-1], raw.hex()):
        assert secret not in shown
    assert ACCOUNT["name"] in shown
