"""What ACM tells of one certificate, however it was asked, and what that means for certform."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from providers import x509
from providers.aws import serials
from providers.aws.content import (
    UNREADABLE,
    content_of_attributes,
    content_of_certificate,
    content_of_summary,
)
from providers.aws.tags import labels_of
from providers.base import NAME, OWNER, Content, DnsRecord, Hosting, HostingState, Installed
from providers.seal import read_seal

IMPORTED = "IMPORTED"
_SOMETHING = "a resource that AWS names only when asked about this certificate"
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_WAITING = {"PENDING_VALIDATION"}
_SOUND = {"ISSUED"}


@dataclass(frozen=True, slots=True)
class Record:
    """One certificate in ACM. `sha256` is known only where the certificate itself was read.

    `detail` and `records` are what an issuance or a renewal by AWS waits for.
    """

    arn: str
    type: str
    status: str
    serial: str | None
    not_after: datetime | None
    created_at: datetime | None
    changed_at: datetime | None
    content: Content
    used_by: tuple[str, ...] = ()
    renewal: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    sha256: str | None = None
    detail: str = ""
    records: tuple[DnsRecord, ...] = ()

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def label(self) -> str:
        """The certificate's name by our label, and the ARN of what has none."""
        return self.tags.get(NAME, self.arn)

    @property
    def age(self) -> tuple[datetime, str]:
        """What tells the newer of two: what is in it may be renewed, by AWS too, and makes none newer."""
        return self.created_at or _EARLIEST, self.arn

    @property
    def waits(self) -> bool:
        """Whether only DescribeCertificate tells what an issuance or renewal by AWS waits for."""
        return self.type != IMPORTED and (
            self.status not in _SOUND or self.renewal in ("PENDING_VALIDATION", "FAILED")
        )

    @property
    def seal_is_broken(self) -> bool:
        """Whether the certificate has to be read: it is not what our seal is of."""
        return self.type == IMPORTED and read_seal(self.tags, self.serial or "") is None

    def owned_by(self, owner: str) -> bool:
        """Whether the object carries this owner's label."""
        return self.tags.get(OWNER) == owner

    def read_from(self, pem: bytes) -> "Record":
        """Return the record with what the certificate itself says; one too odd to be read says nothing."""
        try:
            facts = x509.facts(pem)
            content = content_of_certificate(facts.certificate)
        except UNREADABLE:
            return self
        return replace(
            self,
            serial=facts.serial,
            sha256=facts.sha256,
            not_after=facts.not_after,
            content=content,
        )

    def told_by(self, detail: "Record") -> "Record":
        """Return the record with what DescribeCertificate says of issuance and renewal."""
        return replace(self, detail=detail.detail, records=detail.records, used_by=detail.used_by)

    def installed(self, name: str, owner: str) -> Installed:
        """Return the object as certform sees it, under a name."""
        seal = read_seal(self.tags, self.serial or "")
        if seal is not None and self.sha256 not in (None, seal.sha256):
            seal = None
        return Installed(
            id=self.arn,
            name=name,
            labels=labels_of(self.tags),
            serial=self.serial,
            sha256=self.sha256 or (seal.sha256 if seal else None),
            not_after=self.not_after,
            trust=(seal.trust or None) if seal else None,
            drift=self._drift() if self.owned_by(owner) else (),
            dns_name=next(iter(self.content.dns_names), None),
            content=self.content,
            used_by=self.used_by,
            installed_at=self.changed_at,
            hosting=self._hosting(),
        )

    def _drift(self) -> tuple[str, ...]:
        if self.type != IMPORTED or self.status in _SOUND:
            return ()
        return (f"ACM says that it is {self.status.lower()}",)

    def _hosting(self) -> Hosting | None:
        if self.type == IMPORTED:
            return None
        if self.status in _WAITING:
            return Hosting(HostingState.PENDING, self.detail, self.records)
        state = HostingState.ACTIVE if self.status in _SOUND else HostingState.FAILED
        fallback = "" if state is HostingState.ACTIVE else f"ACM says {self.status}"
        return Hosting(state, self.detail or fallback, self.records)


def record_of_result(result: Mapping[str, Any]) -> Record:
    """Read one result of SearchCertificates."""
    said = result.get("X509Attributes", {})
    known = result.get("CertificateMetadata", {}).get("AcmCertificateMetadata", {})
    return Record(
        arn=result["CertificateArn"],
        type=known.get("Type", ""),
        status=known.get("Status", ""),
        serial=serials.read(said.get("SerialNumber")),
        not_after=_instant(said.get("NotAfter")),
        created_at=known.get("CreatedAt"),
        changed_at=_changed_at(known),
        content=content_of_attributes(said),
        used_by=(_SOMETHING,) if known.get("InUse") else (),
        renewal=known.get("RenewalStatus"),
    )


def record_of_summary(summary: Mapping[str, Any]) -> Record:
    """Read one item of ListCertificates, which tells neither serial nor issuer."""
    names = summary.get("SubjectAlternativeNameSummaries", ())
    return Record(
        arn=summary["CertificateArn"],
        type=summary.get("Type", ""),
        status=summary.get("Status", ""),
        serial=None,
        not_after=_instant(summary.get("NotAfter")),
        created_at=summary.get("CreatedAt"),
        changed_at=_changed_at(summary),
        content=content_of_summary(summary, names),
        used_by=(_SOMETHING,) if summary.get("InUse") else (),
    )


def record_of_detail(detail: Mapping[str, Any]) -> Record:
    """Read the answer of DescribeCertificate."""
    renewal = detail.get("RenewalSummary", {})
    validations = renewal.get("DomainValidationOptions") or detail.get("DomainValidationOptions")
    return Record(
        arn=detail["CertificateArn"],
        type=detail.get("Type", ""),
        status=detail.get("Status", ""),
        serial=serials.read(detail.get("Serial")),
        not_after=_instant(detail.get("NotAfter")),
        created_at=detail.get("CreatedAt"),
        changed_at=_changed_at(detail),
        content=content_of_summary(detail, detail.get("SubjectAlternativeNames", ())),
        used_by=tuple(detail.get("InUseBy", ())),
        renewal=renewal.get("RenewalStatus"),
        detail=_detail(detail),
        records=tuple(_dns_records(validations or ())),
    )


def _detail(detail: Mapping[str, Any]) -> str:
    status, renewal = detail.get("Status", ""), detail.get("RenewalSummary", {})
    if status in _WAITING:
        return "it waits for its DNS records"
    if status not in _SOUND:
        return " ".join(("ACM says", status, detail.get("FailureReason", ""))).strip()
    if renewal.get("RenewalStatus") == "PENDING_VALIDATION":
        return "its renewal waits for its DNS records"
    if renewal.get("RenewalStatus") == "FAILED":
        return f"its renewal failed: {renewal.get('RenewalStatusReason', 'ACM does not say why')}"
    return ""


def _dns_records(validations: Iterable[Mapping[str, Any]]) -> Iterable[DnsRecord]:
    """The records that are still waited for; a wildcard shares that of its domain."""
    waiting = [each for each in validations if each.get("ValidationStatus") != "SUCCESS"]
    records = [each["ResourceRecord"] for each in waiting if "ResourceRecord" in each]
    return dict.fromkeys(DnsRecord(each["Name"], each["Type"], each["Value"]) for each in records)


def _changed_at(told: Mapping[str, Any]) -> datetime | None:
    return _instant(told.get("ImportedAt") or told.get("IssuedAt") or told.get("CreatedAt"))


def _instant(when: datetime | None) -> datetime | None:
    return when.astimezone(UTC).replace(microsecond=0) if when else None
