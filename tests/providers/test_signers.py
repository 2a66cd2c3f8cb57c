"""The registry of key services: each is imported when its first key is used, and not before."""

import subprocess
import sys

import pytest

from providers.aws.kms import AwsKmsSigner
from providers.azure.keys import AzureKeySigner
from providers.gcp.kms import GcpKmsSigner
from providers.pkcs11.signer import Pkcs11Signer
from providers.signer import Signer
from providers.signers import EXTRAS, SIGNERS, open_signer
from schemas.custody import SIGNS, RemoteKey

ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd"
KEYS = {
    "aws-kms": (ARN, AwsKmsSigner),
    "azure-key-vault": (f"https://kv.vault.azure.net/keys/ca/{'0' * 32}", AzureKeySigner),
    "gcp-kms": (
        "projects/example/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
        GcpKmsSigner,
    ),
    "pkcs11": ("pkcs11:token=ca;object=root", Pkcs11Signer),
}


def test_every_kind_that_can_be_written_is_there() -> None:
    assert SIGNERS.keys() == EXTRAS.keys() == SIGNS.keys() == KEYS.keys()


@pytest.mark.parametrize("kind", KEYS)
def test_a_signer_is_made_of_a_key_and_asks_nobody(kind: str) -> None:
    key, expected = KEYS[kind]
    signer: Signer = open_signer(RemoteKey.named(f"{kind}:{key}"))
    assert isinstance(signer, expected)


@pytest.mark.parametrize(
    ("kind", "sdk", "extra"),
    [
        ("aws-kms", "botocore", "aws"),
        ("azure-key-vault", "azure", "azure"),
        ("gcp-kms", "google", "gcp"),
        ("pkcs11", "pkcs11", "hsm"),
    ],
)
def test_without_its_sdk_a_kind_says_what_to_install(kind: str, sdk: str, extra: str) -> None:
    code = f"""
import sys
from providers.errors import MissingExtra
from providers.signers import signer_class
sys.modules[{sdk!r}] = None
try:
    signer_class({kind!r})
except MissingExtra as missing:
    print(missing)
"""
    assert f"certform[{extra}]" in printed(code)


def test_the_registry_itself_loads_no_sdk() -> None:
    heavy = "{'boto3', 'azure', 'google', 'pkcs11'}"
    code = f"import sys, reconciler.apply.session; print({heavy} & set(sys.modules))"
    assert printed(code) == "set()\n"


def printed(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
