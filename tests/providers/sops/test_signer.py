"""A CA key in sops: closed until it signs, and then opened once."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from person import Person

from providers import x509
from providers.errors import Conflict, Denied
from providers.secret import Secret
from providers.sops import Sops, SopsSigner
from schemas.capabilities import ECDSA_SIZES
from schemas.certificate import Algorithm
from schemas.request import KeyType

KINDS = (
    KeyType(algorithm=Algorithm.RSA, size=2048),
    *(KeyType(algorithm=Algorithm.ECDSA, size=size) for size in ECDSA_SIZES),
    KeyType(algorithm=Algorithm.ED25519, size=256),
)


class Counting(Sops):
    """Sops that counts how often it opens something."""

    opened = 0

    def decrypt(self, ciphertext: bytes) -> Secret:
        self.opened += 1
        return super().decrypt(ciphertext)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_kind_of_key_signs_as_it_would_in_memory(
    sops: Sops, as_alice: Person, kind: KeyType
) -> None:
    key = x509.generate_key(kind)
    signer = SopsSigner(sops.encrypt(x509.encode_key(key), [as_alice.recipient]), sops)
    assert signer.public_key() == key.public_key()
    assert x509.encode_key(signer.private_key()).reveal() == x509.encode_key(key).reveal()


def test_it_opens_once_and_only_when_it_must(as_alice: Person) -> None:
    counting = Counting()
    key = x509.generate_key(KINDS[-1])
    signer = SopsSigner(counting.encrypt(x509.encode_key(key), [as_alice.recipient]), counting)
    assert counting.opened == 0
    signatures = {signer.sign(b"what is signed") for _ in range(3)}
    assert counting.opened == 1
    public = key.public_key()
    assert isinstance(public, Ed25519PublicKey)
    public.verify(signatures.pop(), b"what is signed")


def test_it_shows_nothing_of_its_key(sops: Sops, as_alice: Person) -> None:
    secret = x509.encode_key(x509.generate_key(KINDS[-1]))
    signer = SopsSigner(sops.encrypt(secret, [as_alice.recipient]), sops)
    signer.private_key()
    assert secret.reveal().hex() not in repr(signer)


def test_whoever_cannot_open_it_cannot_sign(sops: Sops, bob: Person) -> None:
    secret = x509.encode_key(x509.generate_key(KINDS[-1]))
    with pytest.raises(Denied):
        SopsSigner(sops.encrypt(secret, [bob.recipient]), sops).sign(b"x")


def test_a_file_that_holds_no_key_is_a_conflict(sops: Sops, as_alice: Person) -> None:
    ciphertext = sops.encrypt(Secret(b"no key"), [as_alice.recipient])
    with pytest.raises(Conflict, match="no private key") as caught:
        SopsSigner(ciphertext, sops).sign(b"x")
    assert "no key" not in str(caught.value).replace("no private key", "")
