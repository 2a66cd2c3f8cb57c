"""CA keys in Google Cloud KMS: the algorithm of a key version has to be ours, and checksums hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials, Credentials
from google.cloud import kms_v1
from kms_gcp import Key, Kms, crc32c
from wire import Wire

from providers.calls import Calls
from providers.errors import Conflict, Denied, Rejected, Transient
from providers.gcp import checksum
from providers.gcp.errors import explain
from providers.gcp.kms import GcpKmsSigner
from providers.remote import verifies
from schemas.custody import GcpKmsKey


@dataclass(frozen=True)
class Place:
    kms: Kms
    wire: Wire

    def signer(self, name: str) -> GcpKmsSigner:
        def connect() -> kms_v1.KeyManagementServiceClient:
            return kms_v1.KeyManagementServiceClient(
                credentials=cast("type[Credentials]", AnonymousCredentials)(),
                client_options=ClientOptions(api_endpoint=self.wire.url),
                transport="rest",
            )

        calls = Calls(explain, patience=0.3, sleep=lambda _: None)
        return GcpKmsSigner(GcpKmsKey(key=name), connect, calls)


@pytest.fixture
def place() -> Iterator[Place]:
    kms = Kms()
    with kms.wire().running() as wire:
        yield Place(kms, wire)


@pytest.fixture
def name(place: Place) -> str:
    return place.kms.make("ca", "EC_SIGN_P256_SHA256", ec.generate_private_key(ec.SECP256R1()))


@pytest.mark.parametrize("data", [b"", b"123456789", bytes(range(256)) * 3])
def test_the_checksum_is_the_one_of_the_standard(data: bytes) -> None:
    assert checksum.crc32c(data) == crc32c(data)
    assert checksum.crc32c(b"123456789") == 0xE3069283


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("RSA_SIGN_PSS_2048_SHA256", rsa.generate_private_key(65537, 2048)),
        ("RSA_SIGN_PKCS1_3072_SHA256", rsa.generate_private_key(65537, 3072)),
        ("RSA_SIGN_PKCS1_4096_SHA256", rsa.generate_private_key(65537, 4096)),
        ("EC_SIGN_SECP256K1_SHA256", ec.generate_private_key(ec.SECP256K1())),
        ("999", ec.generate_private_key(ec.SECP256R1())),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.filterwarnings("ignore:Unrecognized CryptoKeyVersionAlgorithm")
def test_a_key_that_signs_in_another_way_is_refused(place: Place, algorithm: str, key: Key) -> None:
    name = place.kms.make("other", algorithm, key)
    with pytest.raises(Conflict, match=f"signs by {algorithm}; a CA's key is one of"):
        place.signer(name).public_key()


def test_a_key_that_came_spoilt_is_asked_for_again(place: Place, name: str) -> None:
    place.kms.corrupt = 1
    place.signer(name).public_key()
    assert place.wire.counts == {"GetPublicKey": 2}


def test_a_signature_that_came_spoilt_is_asked_for_again(place: Place, name: str) -> None:
    signer = place.signer(name)
    public = signer.public_key()
    place.kms.corrupt = 2
    assert verifies(public, signer.sign(b"x"), b"x")
    assert place.wire.counts == {"GetPublicKey": 1, "AsymmetricSign": 3}


def test_what_never_comes_whole_is_given_up(place: Place, name: str) -> None:
    place.kms.corrupt = 1 << 30
    with pytest.raises(Transient, match="did not arrive whole"):
        place.signer(name).public_key()


def test_a_key_that_may_not_exist_is_told_as_google_tells_it(place: Place, name: str) -> None:
    with pytest.raises(Denied, match=r"or it may not exist"):
        place.signer(name.replace("/ca/", "/other/")).public_key()


@pytest.mark.parametrize("state", ["DISABLED", "DESTROY_SCHEDULED", "PENDING_GENERATION"])
def test_a_version_that_is_not_enabled_is_refused(place: Place, name: str, state: str) -> None:
    place.kms.versions[name].state = state
    with pytest.raises(Rejected, match=state):
        place.signer(name).sign(b"x")
