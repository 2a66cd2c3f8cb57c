"""Keys: what is made, how it is stored, and that nothing shows it."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from key_kinds import KINDS
from pki_house import House

from providers import x509
from providers.secret import Secret
from providers.signer import PublicKey
from providers.x509.keys import decode_spki, key_type
from schemas.certificate import Algorithm
from schemas.request import KeyType


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_kind_is_made_stored_and_told_apart(house: House, kind: KeyType) -> None:
    key = house.key(kind)
    assert key_type(key.public_key()) == (kind.algorithm, kind.size)
    stored = x509.encode_key(key)
    assert x509.encode_key(x509.decode_key(stored)).reveal() == stored.reveal()
    text = x509.key_pem(stored).reveal()
    assert text.startswith(b"-----BEGIN PRIVATE KEY-----\n")
    again = serialization.load_pem_private_key(text, None)
    public = again.public_key()
    assert isinstance(public, PublicKey)
    assert x509.spki(public) == x509.spki(key.public_key())


def test_two_keys_are_never_the_same() -> None:
    kind = KeyType(algorithm=Algorithm.ECDSA, size=256)
    made = {x509.encode_key(x509.generate_key(kind)).reveal() for _ in range(50)}
    assert len(made) == 50


@pytest.mark.parametrize(
    "kind",
    [
        KeyType(algorithm=Algorithm.RSA, size=1024),
        KeyType(algorithm=Algorithm.RSA, size=2049),
        KeyType(algorithm=Algorithm.ECDSA, size=224),
    ],
    ids=str,
)
def test_a_weak_or_odd_kind_is_not_made(kind: KeyType) -> None:
    with pytest.raises(ValueError, match="not supported"):
        x509.generate_key(kind)


@pytest.mark.parametrize(
    ("public", "words"),
    [
        (rsa.generate_private_key(65537, 1024).public_key(), "RSA key of 1024 bits"),
        (rsa.generate_private_key(3, 2048).public_key(), "exponent 3"),
        (ec.generate_private_key(ec.SECP256K1()).public_key(), "secp256k1 is not supported"),
        (x25519.X25519PrivateKey.generate().public_key(), "unknown kind"),
    ],
    ids=["small", "exponent", "curve", "kind"],
)
def test_a_weak_or_unknown_public_key_is_told(public: PublicKey, words: str) -> None:
    der = x509.spki(public)
    with pytest.raises(ValueError, match=words):
        key_type(decode_spki(der))


@pytest.mark.parametrize(
    "bad", [b"", b"\x30\x00", b"not a key at all", b"\x30\x84\xff\xff\xff\xff"]
)
def test_what_is_no_key_is_refused_without_being_shown(bad: bytes) -> None:
    with pytest.raises(ValueError, match="PKCS #8") as caught:
        x509.decode_key(Secret(bad))
    assert caught.value.__suppress_context__
    with pytest.raises(ValueError, match="cannot be read"):
        decode_spki(bad)
