"""Key services on loopback with keys in them, the signers of those keys, and what they are made to sign."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast
from unittest import mock

import boto3
import kms_aws
import kms_gcp
from aws_errors import Refusal
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials, Credentials
from google.cloud import kms_v1
from keyvault_errors import throttled
from keyvault_keys import Vault
from keyvault_tokens import environment
from pki_house import NOW, House
from wire import Response, Tls, Wire

from providers import x509
from providers.aws.errors import explain as explain_aws
from providers.aws.kms import AwsKmsSigner, connected
from providers.azure import keys as azure_keys
from providers.azure.credentials import credentials
from providers.azure.errors import explain as explain_azure
from providers.calls import Calls
from providers.errors import ProviderError
from providers.gcp.errors import explain as explain_gcp
from providers.gcp.kms import GcpKmsSigner
from providers.remote import RemoteSigner
from providers.signer import Signer
from providers.x509.keys import armoured
from schemas.certificate import Algorithm
from schemas.custody import AwsKmsKey, AzureKey, GcpKmsKey, RemoteKey
from schemas.request import KeyType
from schemas.revocation import RevocationReason

if TYPE_CHECKING:
    from mypy_boto3_kms.literals import KeySpecType

AsymmetricKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_SPECS = {(Algorithm.RSA, size): f"RSA_{size}" for size in (2048, 3072, 4096)} | {
    (Algorithm.ECDSA, size): f"ECC_NIST_P{size}" for size in (256, 384, 521)
}
_ALGORITHMS = {
    (Algorithm.RSA, 2048): "RSA_SIGN_PKCS1_2048_SHA256",
    (Algorithm.RSA, 4096): "RSA_SIGN_PKCS1_4096_SHA512",
    (Algorithm.ECDSA, 256): "EC_SIGN_P256_SHA256",
    (Algorithm.ECDSA, 384): "EC_SIGN_P384_SHA384",
}


@dataclass
class Place:
    """One key service: its address, how its keys are made and used, and how it is made to refuse."""

    kind: str
    wire: Wire
    make: Callable[[KeyType], RemoteKey]
    signer: Callable[[RemoteKey], RemoteSigner]
    reads: str
    signs: str
    throttled: Response
    deny: Callable[[str], None]
    disable: Callable[[RemoteKey], None]
    spoil: Callable[[], None]


def _calls(explain: Callable[[Exception], ProviderError | None]) -> Calls:
    return Calls(explain, patience=0.3, sleep=lambda _: None)


@contextmanager
def aws() -> Iterator[Place]:
    """Yield AWS KMS; the environment leads there."""
    with kms_aws.serving() as (emulator, kms), mock.patch.dict(os.environ, emulator.environment()):
        client = boto3.Session().client("kms")

        def make(kind: KeyType) -> RemoteKey:
            spec = cast("KeySpecType", _SPECS[kind.algorithm, kind.size])
            made = client.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
            return RemoteKey.named(f"aws-kms:{made['KeyMetadata']['Arn']}")

        def disable(key: RemoteKey) -> None:
            client.disable_key(KeyId=key.settings.key.rpartition("/")[2])

        def signer(key: RemoteKey) -> RemoteSigner:
            settings = key.settings
            assert isinstance(settings, AwsKmsKey)
            return AwsKmsSigner(settings, lambda: connected(settings), _calls(explain_aws))

        yield Place(
            kind="aws-kms",
            wire=emulator.wire,
            make=make,
            signer=signer,
            reads="GetPublicKey",
            signs="Sign",
            throttled=Refusal("ThrottlingException", "Rate exceeded").as_json(),
            deny=emulator.denied.add,
            disable=disable,
            spoil=lambda: setattr(kms, "wrong", True),
        )


@contextmanager
def azure(folder: Path, house: House) -> Iterator[Place]:
    """Yield a vault; the environment leads there, and to an identity that may use it."""
    vault = Vault(Tls.made(folder))
    identity = vault.tokens.wire()
    with vault.wire().running(), identity.running():

        def make(kind: KeyType) -> RemoteKey:
            which = vault.make("ca", cast("AsymmetricKey", house.key(kind)))
            settings = AzureKey(key=vault.identifier(which), verify_challenge_resource=False)
            return RemoteKey(azure_key_vault=settings)

        def signer(key: RemoteKey) -> RemoteSigner:
            settings = key.settings
            assert isinstance(settings, AzureKey)
            calls = _calls(explain_azure)
            return azure_keys.AzureKeySigner(
                settings, lambda: azure_keys.connected(settings), calls
            )

        def disable(key: RemoteKey) -> None:
            name, version = key.settings.key.split("/")[-2:]
            vault.versions[name, version].enabled = False

        with mock.patch.dict(os.environ, environment(identity, vault.tls)):
            credentials.cache_clear()
            yield Place(
                kind="azure-key-vault",
                wire=vault.wire(),
                make=make,
                signer=signer,
                reads="GetKey",
                signs="Sign",
                throttled=throttled(1).response,
                deny=lambda operation: vault.denied.add(operation.removesuffix("Key").lower()),
                disable=disable,
                spoil=lambda: setattr(vault, "wrong", True),
            )
            credentials.cache_clear()


@contextmanager
def gcp(house: House) -> Iterator[Place]:
    """Yield Google Cloud KMS."""
    kms, anonymous = kms_gcp.Kms(), cast("Callable[[], Credentials]", AnonymousCredentials)
    wire = kms.wire()
    with wire.running():

        def make(kind: KeyType) -> RemoteKey:
            key = cast("AsymmetricKey", house.key(kind))
            name = kms.make(f"ca-{len(kms.versions)}", _ALGORITHMS[kind.algorithm, kind.size], key)
            return RemoteKey.named(f"gcp-kms:{name}")

        def connect() -> kms_v1.KeyManagementServiceClient:
            return kms_v1.KeyManagementServiceClient(
                credentials=anonymous(),
                client_options=ClientOptions(api_endpoint=wire.url),
                transport="rest",
            )

        def signer(key: RemoteKey) -> RemoteSigner:
            settings = key.settings
            assert isinstance(settings, GcpKmsKey)
            return GcpKmsSigner(settings, connect, _calls(explain_gcp))

        permissions = {"GetPublicKey": "viewPublicKey", "AsymmetricSign": "useToSign"}
        yield Place(
            kind="gcp-kms",
            wire=wire,
            make=make,
            signer=signer,
            reads="GetPublicKey",
            signs="AsymmetricSign",
            throttled=kms_gcp.refusal("RESOURCE_EXHAUSTED", "Quota exceeded"),
            deny=lambda o: kms.denied.add(f"cloudkms.cryptoKeyVersions.{permissions[o]}"),
            disable=lambda key: setattr(kms.versions[key.settings.key], "state", "DISABLED"),
            spoil=lambda: setattr(kms, "wrong", True),
        )


@dataclass(frozen=True)
class Signed:
    """What a CA with a remote key signed: itself, a leaf, a CRL."""

    root: bytes
    leaf: bytes
    crl: bytes

    def judge(self, folder: Path) -> str:
        """Return what OpenSSL says of the chain, revocation looked up."""
        (folder / "root.pem").write_bytes(x509.pem(self.root))
        (folder / "leaf.pem").write_bytes(x509.pem(self.leaf))
        (folder / "crl.pem").write_bytes(armoured("X509 CRL", self.crl))
        argv = ["openssl", "verify", "-attime", str(int(NOW.timestamp())), "-crl_check"]
        files = ["-CAfile", "root.pem", "-CRLfile", "crl.pem", "leaf.pem"]
        done = subprocess.run(
            [*argv, *files], cwd=folder, capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr


def sign_all(house: House, signer: Signer, kind: KeyType, entries: int = 0) -> Signed:
    """Let a key make a root, a leaf below it, and a CRL that revokes so many others."""
    request = house.authority_request("Remote Root", None, key=kind)
    spki = x509.spki(signer.public_key())
    root = x509.sign(house.tbs(request, spki=spki), None, signer)
    authority = x509.IssuingAuthority.load(root)
    leaf = x509.sign(house.tbs(house.leaf_request()), authority, signer)
    revoked = {
        x509.new_serial(): x509.CrlEntry(NOW, RevocationReason.SUPERSEDED) for _ in range(entries)
    }
    crl = x509.Crl(1, NOW - timedelta(days=1), NOW + timedelta(days=1), revoked)
    return Signed(root, leaf, x509.sign_crl(crl, authority, signer))
