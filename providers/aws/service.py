"""ACM's operations, one method each, as called for one place; every failure is a ProviderError."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from providers.aws import serials
from providers.aws.errors import NoSuchOperation
from providers.aws.records import Record, record_of_detail
from providers.aws.sessions import Access, Clients, shared
from providers.aws.tags import as_tags, tags_of
from providers.base import NAME, OWNER, Bundle
from providers.calls import Calls
from providers.errors import Ambiguous, NotFound, Unreachable

if TYPE_CHECKING:
    from mypy_boto3_acm.type_defs import CertificateFilterStatementTypeDef

RESOURCE = "acm:certificate"
_SEARCHED, _LISTED, _TAGGED = 500, 1_000, 100
"""The largest pages there are."""
_PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds between looks for something that was just written: ACM shows it after a while."""
_KEY_TYPES = (
    "RSA_1024",
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "EC_prime256v1",
    "EC_secp384r1",
    "EC_secp521r1",
)
_ORIGINS = ("AWS_MANAGED", "ACME", "CUSTOMER_PROVIDED")
Page = Mapping[str, Any]


@dataclass(slots=True)
class Service:
    """ACM in one region, as one role. `imports` are paced, since ACM takes one a second."""

    access: Access
    owner: str
    calls: Calls
    imports: Calls
    _clients: Clients | None = field(default=None, repr=False)

    @property
    def clients(self) -> Clients:
        """The SDK's clients, made when they are first needed."""
        if self._clients is None:
            self._clients = self.calls.read(lambda: shared().clients(self.access))
        return self._clients

    def search(self, serial: str | None = None) -> Iterator[Page]:
        """Every result of SearchCertificates, or those of one serial (hex)."""
        wanted: dict[str, Any] = {"MaxResults": _SEARCHED}
        if serial is not None:
            wanted["FilterStatement"] = _of_serial(serial)
        return self._pages(
            lambda more: self.clients.acm.search_certificates(**wanted, **more),
            "NextToken",
            "Results",
        )

    def listed(self) -> Iterator[Page]:
        """Every item of ListCertificates, which without filters keeps most of them back."""
        wanted: dict[str, Any] = {
            "MaxItems": _LISTED,
            "Includes": {"keyTypes": _KEY_TYPES},
            "CertificateKeyPairOrigins": _ORIGINS,
        }
        return self._pages(
            lambda more: self.clients.acm.list_certificates(**wanted, **more),
            "NextToken",
            "CertificateSummaryList",
        )

    def tagged(self, labels: Mapping[str, str] | None = None) -> dict[str, dict[str, str]]:
        """Return the tags of every certificate that has any, or has these, by ARN."""
        wanted: dict[str, Any] = {
            "ResourceTypeFilters": [RESOURCE],
            "ResourcesPerPage": _TAGGED,
            "TagFilters": [{"Key": k, "Values": [v]} for k, v in (labels or {}).items()],
        }
        found = self._pages(
            lambda more: self.clients.tagging.get_resources(**wanted, **more),
            "PaginationToken",
            "ResourceTagMappingList",
        )
        return {each["ResourceARN"]: tags_of(each.get("Tags", ())) for each in found}

    def describe(self, arn: str) -> Record | None:
        """Return what DescribeCertificate tells of a certificate, without tags; None when it is gone."""
        try:
            told = self.calls.read(
                lambda: self.clients.acm.describe_certificate(CertificateArn=arn)
            )
        except NotFound:
            return None
        return record_of_detail(told["Certificate"])

    def read(self, arn: str, *, whole: bool) -> Record | None:
        """Return a certificate with its tags, and `whole` with what it says itself; None when it is gone."""
        record = self.describe(arn)
        try:
            if record is None:
                return None
            told = self.calls.read(
                lambda: self.clients.acm.list_tags_for_certificate(CertificateArn=arn)
            )
            record = replace(record, tags=tags_of(told.get("Tags", ())))
            return self.opened(record) if whole and record.serial else record
        except NotFound:
            return None

    def opened(self, record: Record) -> Record:
        """Return a record with what the certificate itself says; raises `NotFound`."""
        told = self.calls.read(lambda: self.clients.acm.get_certificate(CertificateArn=record.arn))
        return record.read_from(told["Certificate"].encode())

    def import_certificate(
        self, bundle: Bundle, *, arn: str | None = None, tags: Mapping[str, str] | None = None
    ) -> str:
        """Import into an ARN, or as a new certificate with tags, and return its ARN.

        An import into an ARN must not say anything of tags, not even that there are none.
        """
        more: dict[str, Any] = {"CertificateArn": arn} if arn else {"Tags": as_tags(tags or {})}
        if bundle.chain:
            more["CertificateChain"] = b"".join(bundle.chain)
        answer = self.imports.change_secretly(
            lambda: self.clients.acm.import_certificate(
                Certificate=bundle.certificate, PrivateKey=bundle.held_key.reveal(), **more
            )
        )
        return answer["CertificateArn"]

    def request_certificate(self, wanted: Mapping[str, Any]) -> str:
        """Ask for a certificate that ACM issues, and return its ARN."""
        answer = self.calls.change(lambda: self.clients.acm.request_certificate(**wanted))
        return answer["CertificateArn"]

    def add_tags(self, arn: str, labels: Mapping[str, str]) -> None:
        """Set tags; nothing is asked where there are none to set."""
        if labels:
            self.calls.change(
                lambda: self.clients.acm.add_tags_to_certificate(
                    CertificateArn=arn, Tags=as_tags(labels)
                )
            )

    def remove_tags(self, arn: str, labels: Mapping[str, str]) -> None:
        """Take tags away that have these values; nothing is asked where there are none."""
        if labels:
            self.calls.change(
                lambda: self.clients.acm.remove_tags_from_certificate(
                    CertificateArn=arn, Tags=as_tags(labels)
                )
            )

    def delete(self, arn: str) -> None:
        """Delete a certificate; raises `InUse`, `NotFound`."""
        self.calls.change(lambda: self.clients.acm.delete_certificate(CertificateArn=arn))

    def named(self, name: str, serial: str | None) -> list[Record]:
        """Return what may go by a name: ours by that label, what has that serial, and an ARN itself."""
        arns = dict.fromkeys(self.tagged({OWNER: self.owner, NAME: name}))
        if serial is not None:
            arns |= dict.fromkeys(self._of_serial(serial))
        if name.startswith("arn:"):
            arns[name] = None
        read = (self.read(arn, whole=True) for arn in arns)
        return [each for each in read if each is not None and name in (each.label, each.arn)]

    def awaited(self, look: Callable[[], Record | None]) -> Record | None:
        """Look until there is something to see, for a short while."""
        for pause in (*_PAUSES, None):
            if (record := look()) is not None:
                return record
            if pause is not None:
                self.calls.sleep(pause)
        return None

    def _of_serial(self, serial: str) -> list[str]:
        try:
            return [result["CertificateArn"] for result in self.search(serial)]
        except NoSuchOperation:  # not everywhere
            return []

    def _pages(
        self, call: Callable[[Mapping[str, Any]], Page], token: str, items: str
    ) -> Iterator[Page]:
        more: dict[str, Any] = {}
        seen: set[str] = set()
        while True:
            page = self.calls.read(partial(call, more))
            yield from page.get(items, ())
            following = page.get(token)
            if not following:
                return
            if following in seen:
                raise Unreachable("AWS answers with the same page again and again")
            seen.add(following)
            more = {token: following}


def settle(change: Callable[[], object], is_done: Callable[[], bool]) -> None:
    """Make a change that may be made twice; whatever may or may not have happened is read back between.

    Raises `Ambiguous` where it cannot be told after the second time either.
    """
    try:
        change()
    except Ambiguous:
        if is_done():
            return
        try:
            change()
        except Ambiguous:
            if not is_done():
                raise


def _of_serial(serial: str) -> "CertificateFilterStatementTypeDef":
    return {"Filter": {"X509AttributeFilter": {"SerialNumber": serials.write(serial)}}}
