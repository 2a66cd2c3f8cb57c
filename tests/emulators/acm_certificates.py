"""One certificate in the emulated ACM, and what each operation tells of it."""

import copy
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku
from cryptography.x509.oid import NameOID

Extension = TypeVar("Extension", bound=x509.ExtensionType)
CURVES = {"secp256r1": "prime256v1", "secp384r1": "secp384r1", "secp521r1": "secp521r1"}
_EXTENDED = {
    Eku.SERVER_AUTH: "TLS_WEB_SERVER_AUTHENTICATION",
    Eku.CLIENT_AUTH: "TLS_WEB_CLIENT_AUTHENTICATION",
    Eku.CODE_SIGNING: "CODE_SIGNING",
    Eku.EMAIL_PROTECTION: "EMAIL_PROTECTION",
    Eku.TIME_STAMPING: "TIME_STAMPING",
    Eku.OCSP_SIGNING: "OCSP_SIGNING",
    Eku.ANY_EXTENDED_KEY_USAGE: "ANY",
}
_USAGES = {
    "digital_signature": "DIGITAL_SIGNATURE",
    "content_commitment": "NON_REPUDIATION",
    "key_encipherment": "KEY_ENCIPHERMENT",
    "data_encipherment": "DATA_ENCIPHERMENT",
    "key_agreement": "KEY_AGREEMENT",
    "key_cert_sign": "CERTIFICATE_SIGNING",
    "crl_sign": "CRL_SIGNING",
}
_NAMES = {
    NameOID.COMMON_NAME: "CommonName",
    NameOID.COUNTRY_NAME: "Country",
    NameOID.LOCALITY_NAME: "Locality",
    NameOID.ORGANIZATION_NAME: "Organization",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OrganizationalUnit",
    NameOID.STATE_OR_PROVINCE_NAME: "State",
    NameOID.SERIAL_NUMBER: "SerialNumber",
}


def algorithm_of(certificate: x509.Certificate) -> str | None:
    """Return the key's kind in ACM's words, None for one that ACM does not take."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA_{key.key_size}" if key.key_size in (1024, 2048, 3072, 4096) else None
    curve = CURVES.get(key.curve.name) if isinstance(key, ec.EllipticCurvePublicKey) else None
    return f"EC_{curve}" if curve else None


@dataclass(frozen=True)
class Parsed:
    """What a certificate says, in the shapes of ACM."""

    pem: bytes

    @cached_property
    def certificate(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.pem)

    @cached_property
    def usages(self) -> tuple[str, ...]:
        found = self._extension(x509.KeyUsage)
        return tuple(word for bit, word in _USAGES.items() if found and getattr(found, bit))

    @cached_property
    def extended(self) -> tuple[str, ...]:
        found = self._extension(x509.ExtendedKeyUsage) or ()
        return tuple(_EXTENDED.get(each, "CUSTOM") for each in found)

    @cached_property
    def serial(self) -> str:
        number = self.certificate.serial_number
        return number.to_bytes((number.bit_length() + 7) // 8 or 1, "big").hex(":")

    @cached_property
    def general_names(self) -> list[dict[str, Any]]:
        return [_general(name) for name in self._extension(x509.SubjectAlternativeName) or ()]

    @cached_property
    def dns_names(self) -> list[str]:
        return [each["DnsName"] for each in self.general_names if "DnsName" in each]

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """The X509Attributes of SearchCertificates."""
        return {
            "Issuer": _distinguished(self.certificate.issuer),
            "Subject": _distinguished(self.certificate.subject),
            "SubjectAlternativeNames": self.general_names,
            "ExtendedKeyUsages": list(self.extended),
            "KeyAlgorithm": algorithm_of(self.certificate),
            "KeyUsages": list(self.usages),
            "SerialNumber": self.serial,
            "NotAfter": self.certificate.not_valid_after_utc,
            "NotBefore": self.certificate.not_valid_before_utc,
        }

    def _extension(self, kind: type[Extension]) -> Extension | None:
        try:
            return self.certificate.extensions.get_extension_for_class(kind).value
        except x509.ExtensionNotFound:
            return None


@dataclass
class Certificate:
    """What ACM keeps. `pem` is None for one that is requested and not yet issued."""

    arn: str
    type: str
    created_at: datetime
    names: tuple[str, ...] = ()
    key_algorithm: str = "RSA_2048"
    status: str = "ISSUED"
    parsed: Parsed | None = None
    chain: bytes | None = None
    tags: dict[str, str] = field(default_factory=dict)
    imported_at: datetime | None = None
    issued_at: datetime | None = None
    in_use_by: list[str] = field(default_factory=list)
    export: str = "DISABLED"
    failure: str | None = None
    renewal: str | None = None
    origin: str = "AWS_MANAGED"
    token: str | None = None

    def copied(self) -> "Certificate":
        twin = copy.copy(self)
        twin.tags, twin.in_use_by = dict(self.tags), list(self.in_use_by)
        return twin

    def shown_status(self, now: datetime) -> str:
        """The status; what has expired says so."""
        over = self.parsed is not None and self.parsed.certificate.not_valid_after_utc <= now
        return "EXPIRED" if over and self.status == "ISSUED" else self.status

    def metadata(self, now: datetime) -> dict[str, Any]:
        """The AcmCertificateMetadata of SearchCertificates."""
        told = {
            "CreatedAt": self.created_at,
            "Exported": False,
            "ImportedAt": self.imported_at,
            "InUse": bool(self.in_use_by),
            "IssuedAt": self.issued_at,
            "RenewalEligibility": "INELIGIBLE" if self.type == "IMPORTED" else "ELIGIBLE",
            "Status": self.shown_status(now),
            "RenewalStatus": self.renewal,
            "Type": self.type,
            "ExportOption": None if self.type == "IMPORTED" else self.export,
            "ValidationMethod": "DNS" if self.type == "AMAZON_ISSUED" else None,
            "CertificateKeyPairOrigin": self.origin,
        }
        return {name: value for name, value in told.items() if value is not None}

    def attributes(self) -> dict[str, Any]:
        if self.parsed is not None:
            return self.parsed.attributes
        return {
            "Subject": {"CommonName": self.names[0]},
            "SubjectAlternativeNames": [{"DnsName": name} for name in self.names],
            "KeyAlgorithm": self.key_algorithm,
        }

    def found(self, now: datetime) -> dict[str, Any]:
        """The item of SearchCertificates."""
        return {
            "CertificateArn": self.arn,
            "X509Attributes": self.attributes(),
            "CertificateMetadata": {"AcmCertificateMetadata": self.metadata(now)},
        }

    def summary(self, now: datetime) -> dict[str, Any]:
        """The item of ListCertificates: no serial, no issuer, DNS names only."""
        told = self.metadata(now)
        for absent in ("RenewalStatus", "ValidationMethod"):
            told.pop(absent, None)
        shared = ("KeyAlgorithm", "KeyUsages", "ExtendedKeyUsages", "NotBefore", "NotAfter")
        said = self.attributes()
        told |= {name: said[name] for name in shared if name in said}
        if names := self._dns_names():
            told |= {"DomainName": names[0], "SubjectAlternativeNameSummaries": names[:100]}
            told["HasAdditionalSubjectAlternativeNames"] = len(names) > 100
        return {"CertificateArn": self.arn, **told}

    def detail(self, now: datetime) -> dict[str, Any]:
        """The answer of DescribeCertificate."""
        told = self.summary(now)
        for absent in ("InUse", "Exported", "ExportOption", "HasAdditionalSubjectAlternativeNames"):
            told.pop(absent, None)
        told["SubjectAlternativeNames"] = told.pop("SubjectAlternativeNameSummaries", [])[:100]
        told["InUseBy"] = list(self.in_use_by)
        told["Options"] = {"Export": self.export}
        if self.parsed is not None:
            told |= self._parsed_detail(self.parsed)
        if self.failure:
            told["FailureReason"] = self.failure
        if self.renewal:
            told["RenewalSummary"] = {
                "RenewalStatus": self.renewal,
                "DomainValidationOptions": [self._validation(name) for name in self.names],
                "UpdatedAt": now,
            }
        if self.type == "AMAZON_ISSUED":
            told["DomainValidationOptions"] = [self._validation(name) for name in self.names]
        if not told["SubjectAlternativeNames"]:
            del told["SubjectAlternativeNames"]
        return told

    def _parsed_detail(self, parsed: Parsed) -> dict[str, Any]:
        subject, issuer = parsed.certificate.subject, parsed.certificate.issuer
        return {
            "Serial": parsed.serial,
            "Subject": subject.rfc4514_string(),
            "Issuer": issuer.rfc4514_string(),
            "KeyUsages": [{"Name": word} for word in parsed.usages],
            "ExtendedKeyUsages": [{"Name": word} for word in parsed.extended],
        }

    def _dns_names(self) -> list[str]:
        return self.parsed.dns_names if self.parsed else list(self.names)

    def _validation(self, name: str) -> dict[str, Any]:
        bare = name.removeprefix("*.")
        mark = uuid.uuid5(uuid.NAMESPACE_DNS, bare).hex
        record = {"Name": f"_{mark}.{bare}.", "Type": "CNAME"}
        waiting = self.status == "PENDING_VALIDATION" or self.renewal == "PENDING_VALIDATION"
        return {
            "DomainName": name,
            "ValidationDomain": name,
            "ValidationMethod": "DNS",
            "ValidationStatus": "PENDING_VALIDATION" if waiting else "SUCCESS",
            "ResourceRecord": {**record, "Value": f"_{mark[::-1]}.xlfgrmvvlj.acm-validations.aws."},
        }


def _general(name: x509.GeneralName) -> dict[str, Any]:
    if isinstance(name, x509.DNSName):
        return {"DnsName": name.value}
    if isinstance(name, x509.IPAddress):
        return {"IpAddress": str(name.value)}
    if isinstance(name, x509.UniformResourceIdentifier):
        return {"UniformResourceIdentifier": name.value}
    if isinstance(name, x509.RFC822Name):
        return {"Rfc822Name": name.value}
    if isinstance(name, x509.DirectoryName):
        return {"DirectoryName": _distinguished(name.value)}
    return {"RegisteredId": "1.2.3"}


def _distinguished(name: x509.Name) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for attribute in name:
        if attribute.oid == NameOID.DOMAIN_COMPONENT:
            told.setdefault("DomainComponents", []).append(str(attribute.value))
        elif attribute.oid in _NAMES:
            told.setdefault(_NAMES[attribute.oid], str(attribute.value))
    return told
