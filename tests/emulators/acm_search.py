"""Which certificates ListCertificates and SearchCertificates answer with."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from acm_certificates import Certificate
from aws_errors import invalid

_LISTED_KEYS = ("RSA_1024", "RSA_2048")
_LISTED_ORIGINS = ("AWS_MANAGED", "CUSTOMER_PROVIDED")


def is_listed(certificate: Certificate, asked: Mapping[str, Any], now: datetime) -> bool:
    """Whether ListCertificates shows a certificate; without filters it shows RSA up to 2048 alone."""
    includes = asked.get("Includes", {})
    said = certificate.attributes()
    statuses = asked.get("CertificateStatuses")
    return (
        said["KeyAlgorithm"] in includes.get("keyTypes", _LISTED_KEYS)
        and certificate.origin in asked.get("CertificateKeyPairOrigins", _LISTED_ORIGINS)
        and (not statuses or certificate.shown_status(now) in statuses)
        and _all_wanted(includes.get("keyUsage"), said.get("KeyUsages"))
        and _all_wanted(includes.get("extendedKeyUsage"), said.get("ExtendedKeyUsages"))
        and includes.get("exportOption", certificate.export) == certificate.export
    )


def matches(certificate: Certificate, statement: Mapping[str, Any], now: datetime) -> bool:
    """Whether SearchCertificates finds a certificate by a filter statement."""
    ((kind, value),) = statement.items()
    if kind == "And":
        return all(matches(certificate, each, now) for each in value)
    if kind == "Or":
        return any(matches(certificate, each, now) for each in value)
    if kind == "Not":
        return not matches(certificate, value, now)
    ((of, wanted),) = value.items()
    if of == "CertificateArn":
        return bool(certificate.arn == wanted)
    if of == "X509AttributeFilter":
        return _by_attribute(certificate, wanted)
    return _by_metadata(certificate, wanted, now)


def _by_attribute(certificate: Certificate, wanted: Mapping[str, Any]) -> bool:
    ((name, value),) = wanted.items()
    said = certificate.attributes()
    checks: dict[str, Callable[[], bool]] = {
        "SerialNumber": lambda: said.get("SerialNumber") == value,
        "KeyAlgorithm": lambda: said["KeyAlgorithm"] == value,
        "ExtendedKeyUsage": lambda: value in said.get("ExtendedKeyUsages", ()),
        "KeyUsage": lambda: value in said.get("KeyUsages", ()),
        "SubjectAlternativeName": lambda: any(
            _compares(each["DnsName"], value["DnsName"])
            for each in said["SubjectAlternativeNames"]
            if "DnsName" in each
        ),
        "Subject": lambda: _compares(said["Subject"].get("CommonName", ""), value["CommonName"]),
    }
    if name not in checks:
        raise invalid(f"the emulator has no filter {name}")
    return checks[name]()


def _by_metadata(certificate: Certificate, wanted: Mapping[str, Any], now: datetime) -> bool:
    ((name, value),) = wanted.items()
    return bool(certificate.metadata(now).get(name) == value)


def _compares(text: str, wanted: Mapping[str, str]) -> bool:
    if wanted["ComparisonOperator"] == "EQUALS":
        return text == wanted["Value"]
    return wanted["Value"] in text


def _all_wanted(wanted: list[str] | None, said: list[str] | None) -> bool:
    return not wanted or "ANY" in wanted or set(wanted) <= set(said or ())
