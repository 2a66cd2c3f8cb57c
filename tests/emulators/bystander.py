"""Somebody else with an account at each cloud, who looks and interferes by the official SDKs alone.

Nothing here knows certform: what is told here of a certificate is parsed from what a service returns.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import boto3
from azure.core.credentials import AccessToken
from azure.keyvault.certificates import (
    CertificateClient,
    CertificateContentType,
    CertificatePolicy,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from google.api_core.client_options import ClientOptions
from google.cloud import certificate_manager_v1 as google_api
from google.oauth2 import service_account

if TYPE_CHECKING:
    from mypy_boto3_acm.client import ACMClient

PROJECT = "example-project"
_KEY_TYPES = (
    "RSA_1024 RSA_2048 RSA_3072 RSA_4096 EC_prime256v1 EC_secp384r1 EC_secp521r1".split()  # noqa: SIM905
)

_DIGITAL_SIGNATURE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One object as its service tells of it; what is not issued yet has neither serial nor sha256."""

    id: str
    labels: Mapping[str, str]
    certificate: x509.Certificate | None

    @property
    def name(self) -> str:
        return self.labels.get("certform-name", "")

    @property
    def serial(self) -> str:
        return "" if self.certificate is None else f"{self.certificate.serial_number:x}"

    @property
    def sha256(self) -> str:
        return (
            "" if self.certificate is None else self.certificate.fingerprint(hashes.SHA256()).hex()
        )


@dataclass(frozen=True, slots=True)
class Pair:
    """A self-signed certificate, as somebody makes one by hand."""

    certificate: bytes
    key: bytes

    @classmethod
    def made(cls, name: str) -> "Pair":
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        start = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + dt.timedelta(days=30))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_DIGITAL_SIGNATURE, critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return cls(certificate.public_bytes(Encoding.PEM), pem)


@dataclass(frozen=True)
class Bystander:
    """Clients of all three, by the environment that leads to them (`Clouds.environment`)."""

    variables: Mapping[str, str]

    def acm(self, region: str) -> "ACMClient":
        """A client of ACM in a region."""
        return boto3.client(
            "acm",
            region_name=region,
            endpoint_url=self.variables["AWS_ENDPOINT_URL"],
            aws_access_key_id=self.variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.variables["AWS_SECRET_ACCESS_KEY"],
        )

    @cached_property
    def vault(self) -> CertificateClient:
        """A client of the vault."""
        return CertificateClient(
            self.variables["SANDBOX_VAULT"],
            _Identity(self.variables),
            verify_challenge_resource=False,
            connection_verify=self.variables["REQUESTS_CA_BUNDLE"],
        )

    @cached_property
    def google(self) -> Any:
        """A client of Certificate Manager."""
        account: Any = service_account.Credentials
        credentials = account.from_service_account_file(
            self.variables["GOOGLE_APPLICATION_CREDENTIALS"],
            scopes=["https://www.googleapis.com/auth/cloud-platform"],
        )
        options = ClientOptions(api_endpoint=self.variables["SANDBOX_GOOGLE"])
        return google_api.CertificateManagerClient(
            credentials=credentials, transport="rest", client_options=options
        )

    def in_acm(self, region: str) -> dict[str, Seen]:
        """Return what ACM holds in a region, by ARN."""
        client = self.acm(region)
        all_of_them: Any = {
            "Includes": {"keyTypes": _KEY_TYPES},
            "CertificateKeyPairOrigins": ["AWS_MANAGED", "ACME", "CUSTOMER_PROVIDED"],
        }
        listed = client.list_certificates(**all_of_them)
        return {
            each["CertificateArn"]: self._in_acm(client, each["CertificateArn"])
            for each in listed["CertificateSummaryList"]
        }

    def in_vault(self) -> dict[str, Seen]:
        """Return what the vault holds, by name."""
        return {
            str(each.name): self._in_vault(str(each.name))
            for each in self.vault.list_properties_of_certificates(include_pending=True)
        }

    def at_google(self, location: str = "global") -> dict[str, Seen]:
        """Return what Certificate Manager holds in a location, by name."""
        found = self.google.list_certificates(parent=_parent(location))
        return {each.name.rsplit("/", 1)[-1]: _at_google(each) for each in found}

    def put_in_acm(self, region: str, pair: Pair, arn: str | None = None, **tags: str) -> str:
        """Import a certificate by hand; return its ARN."""
        where: Any = {"CertificateArn": arn} if arn else {}
        if tags:
            where["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        done = self.acm(region).import_certificate(
            Certificate=pair.certificate, PrivateKey=pair.key, **where
        )
        return done["CertificateArn"]

    def put_in_vault(self, name: str, pair: Pair, **tags: str) -> None:
        """Import a certificate by hand."""
        policy = CertificatePolicy(issuer_name="Unknown", content_type=CertificateContentType.pem)
        content = pair.key + pair.certificate
        self.vault.import_certificate(name, content, policy=policy, tags=tags)

    def put_at_google(self, name: str, pair: Pair, location: str = "global", **labels: str) -> None:
        """Create a certificate by hand."""
        certificate = google_api.Certificate(self_managed=_self_managed(pair), labels=labels)
        self.google.create_certificate(
            parent=_parent(location), certificate_id=name, certificate=certificate
        ).result(timeout=30)

    def replace_at_google(self, name: str, pair: Pair, location: str = "global") -> None:
        """Update a certificate by hand."""
        certificate = google_api.Certificate(
            name=f"{_parent(location)}/certificates/{name}", self_managed=_self_managed(pair)
        )
        self.google.update_certificate(
            certificate=certificate, update_mask={"paths": ["self_managed"]}
        ).result(timeout=30)

    def put_strangers(self, *regions: str) -> None:
        """Leave a certificate of nobody's concern in every place."""
        imported = Pair.made("legacy.example.com")
        for region in regions:
            self.put_in_acm(region, imported, team="billing")
        self.put_in_vault("legacy", Pair.made("legacy.example.com"), team="billing")
        self.put_at_google("legacy", Pair.made("legacy.example.com"), team="billing")

    def _in_acm(self, client: "ACMClient", arn: str) -> Seen:
        tags = client.list_tags_for_certificate(CertificateArn=arn)["Tags"]
        labels = {each["Key"]: each.get("Value", "") for each in tags}
        try:
            pem = client.get_certificate(CertificateArn=arn)["Certificate"]
        except client.exceptions.RequestInProgressException:
            return Seen(arn, labels, None)
        return Seen(arn, labels, x509.load_pem_x509_certificate(pem.encode()))

    def _in_vault(self, name: str) -> Seen:
        held = self.vault.get_certificate(name)
        certificate = x509.load_der_x509_certificate(bytes(held.cer)) if held.cer else None
        tags = held.properties.tags if held.properties else None
        return Seen(str(held.id), dict(tags or {}), certificate)


@dataclass(frozen=True, slots=True)
class _Identity:
    """The managed identity that the environment tells of."""

    variables: Mapping[str, str]

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        resource = scopes[0].removesuffix("/.default")
        request = Request(
            f"{self.variables['IDENTITY_ENDPOINT']}?api-version=2019-08-01&resource={resource}",
            headers={"X-IDENTITY-HEADER": self.variables["IDENTITY_HEADER"]},
        )
        with urlopen(request, timeout=10) as response:
            told = json.load(response)
        return AccessToken(told["access_token"], int(told["expires_on"]))


def _parent(location: str) -> str:
    return f"projects/{PROJECT}/locations/{location}"


def _self_managed(pair: Pair) -> Any:
    return google_api.Certificate.SelfManagedCertificate(
        pem_certificate=pair.certificate.decode(), pem_private_key=pair.key.decode()
    )


def _at_google(resource: Any) -> Seen:
    pem = resource.pem_certificate.encode()
    certificate = x509.load_pem_x509_certificate(pem) if pem else None
    return Seen(resource.name, dict(resource.labels), certificate)
