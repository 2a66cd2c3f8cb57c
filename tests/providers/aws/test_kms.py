"""CA keys in AWS KMS: what is told of keys that are none, and whose credentials are used."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unittest import mock

import boto3
import kms_aws
import pytest
from aws_emulator import AwsEmulator
from wire import Request

from providers.aws.errors import explain
from providers.aws.kms import AwsKmsSigner, connected
from providers.calls import Calls
from providers.errors import Conflict, NotFound, ProviderError
from schemas.custody import AwsKmsKey

if TYPE_CHECKING:
    from mypy_boto3_kms.literals import KeySpecType, KeyUsageTypeType

ROLE = "arn:aws:iam::210987654321:role/signer"


@dataclass(frozen=True)
class Kms:
    emulator: AwsEmulator

    def make(
        self,
        spec: "KeySpecType" = "ECC_NIST_P256",
        usage: "KeyUsageTypeType" = "SIGN_VERIFY",
        region: str = "eu-west-1",
    ) -> str:
        client = boto3.Session().client("kms", region_name=region)
        return client.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]

    def signer(
        self, arn: str, role: str | None = None, external: str | None = None
    ) -> AwsKmsSigner:
        key = AwsKmsKey(key=arn, role=role, external_id=external)
        calls = Calls(explain, patience=0.3, sleep=lambda _: None)
        return AwsKmsSigner(key, lambda: connected(key), calls)


@pytest.fixture
def kms() -> Iterator[Kms]:
    with kms_aws.serving() as (emulator, _), mock.patch.dict(os.environ, emulator.environment()):
        yield Kms(emulator)


def test_a_curve_that_no_ca_has_is_refused(kms: Kms) -> None:
    with pytest.raises(Conflict, match=r"is a ECC_SECG_P256K1 key .* one of ECC_NIST_P256"):
        kms.signer(kms.make("ECC_SECG_P256K1")).public_key()


def test_a_key_that_encrypts_is_refused(kms: Kms) -> None:
    with pytest.raises(Conflict, match="key for ENCRYPT_DECRYPT; a CA's key is for SIGN_VERIFY"):
        kms.signer(kms.make("RSA_2048", "ENCRYPT_DECRYPT")).public_key()


def test_a_symmetric_key_has_no_public_half(kms: Kms) -> None:
    with pytest.raises(ProviderError, match="is not an asymmetric key"):
        kms.signer(kms.make("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")).public_key()


def test_a_key_that_is_not_there_is_named(kms: Kms) -> None:
    arn = kms.make().replace("key/", "key/0")
    with pytest.raises(NotFound, match=arn):
        kms.signer(arn).public_key()


def test_a_key_is_asked_for_in_its_own_region(kms: Kms) -> None:
    arn = kms.make(region="us-east-1")
    assert ":us-east-1:" in arn
    kms.signer(arn).sign(b"x")


def test_a_key_that_waits_for_its_deletion_is_refused(kms: Kms) -> None:
    arn = kms.make()
    boto3.Session().client("kms").schedule_key_deletion(KeyId=arn.rpartition("/")[2])
    with pytest.raises(Conflict, match="pending deletion"):
        kms.signer(arn).sign(b"x")


def test_a_role_is_assumed_once_where_one_is_named(kms: Kms) -> None:
    kms.emulator.external_ids[ROLE] = "certform-1"
    with mock.patch.dict(os.environ, assumed(kms)):
        arn = kms.make()
    assert ":210987654321:" in arn
    kms.emulator.wire.asked.clear()
    signer = kms.signer(arn, ROLE, "certform-1")
    signer.sign(b"x")
    signer.sign(b"y")
    assert kms.emulator.wire.counts == {"AssumeRole": 1, "GetPublicKey": 1, "Sign": 2}


def assumed(kms: Kms) -> dict[str, str]:
    """Credentials of the role."""
    given = (
        boto3.Session()
        .client("sts")
        .assume_role(RoleArn=ROLE, RoleSessionName="test", ExternalId="certform-1")["Credentials"]
    )
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def test_an_answer_about_another_key_is_refused(kms: Kms) -> None:
    mine, other = kms.make(), kms.make()
    service = kms.emulator.services["kms"]
    kms.emulator.services["kms"] = lambda request: service(
        Request(
            request.method,
            request.target,
            request.headers,
            request.body.replace(mine.encode(), other.encode()),
        )
    )
    with pytest.raises(Conflict, match="was asked for, and"):
        kms.signer(mine).public_key()
