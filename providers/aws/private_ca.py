"""Certificates by AWS Private CA: ordered by token, known by an ARN that holds the serial, revoked by serial.

The service lists nothing it issued: the ledger is the only record.
https://docs.aws.amazon.com/privateca/latest/APIReference/Welcome.html
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Self

from providers import x509
from providers.aws import serials
from providers.aws.private_ca_errors import AlreadyRevoked, InProgress, explain
from providers.aws.private_ca_limits import check_usable, end_of
from providers.aws.sessions import CONFIG, Access, shared
from providers.calls import Calls
from providers.failpoints import reach
from providers.issued import sorted_chain
from providers.issuing import Issued, IssuerConfig, IssueRequest, Pending, RevokeRequest
from providers.x509.ordering import request_pem
from schemas.issuer import AWS_PRIVATE_CA, AwsPrivateCa
from schemas.revocation import RevocationReason

if TYPE_CHECKING:
    from mypy_boto3_acm_pca.client import ACMPCAClient
    from mypy_boto3_acm_pca.literals import RevocationReasonType
    from mypy_boto3_acm_pca.type_defs import CertificateAuthorityTypeDef

POLLS = 20
"""How often a certificate is asked for, a second apart, before the next run goes on with it."""
_REASONS: "dict[RevocationReason, RevocationReasonType]" = {
    RevocationReason.UNSPECIFIED: "UNSPECIFIED",
    RevocationReason.KEY_COMPROMISE: "KEY_COMPROMISE",
    RevocationReason.CA_COMPROMISE: "CERTIFICATE_AUTHORITY_COMPROMISE",
    RevocationReason.AFFILIATION_CHANGED: "AFFILIATION_CHANGED",
    RevocationReason.SUPERSEDED: "SUPERSEDED",
    RevocationReason.CESSATION_OF_OPERATION: "CESSATION_OF_OPERATION",
    RevocationReason.PRIVILEGE_WITHDRAWN: "PRIVILEGE_WITHDRAWN",
}


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class PrivateCaIssuer:
    """One CA. `sleep` takes seconds."""

    honours: ClassVar[frozenset[str]] = AWS_PRIVATE_CA.honours

    settings: AwsPrivateCa
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], datetime] = _now
    calls: Calls = field(init=False)

    def __post_init__(self) -> None:
        self.calls = Calls(explain, sleep=self.sleep)

    @classmethod
    def from_config(cls, config: IssuerConfig, /) -> Self:
        """Make the issuer; reads nothing and connects nowhere."""
        settings = config.spec.aws_private_ca
        if settings is None:
            raise TypeError(config.spec.kind)
        return cls(settings)

    def issue(self, request: IssueRequest, /) -> Issued | Pending:
        """Order a certificate, make its ARN known, and wait for it a little while."""
        arn = request.resume or self._order(request)
        request.checkpoint(arn)
        reach("aws.pca.noted")
        for poll in range(POLLS):
            if poll:
                self.sleep(1)
            if (issued := self._issued(arn)) is not None:
                return issued
        return Pending(arn, f"AWS Private CA has not issued {arn} yet")

    def revoke(self, request: RevokeRequest, /) -> None:
        """Revoke a serial; one that is revoked already is no error."""
        try:
            self.calls.read(  # to revoke twice is to revoke once: no answer is as good as none
                lambda: self._client.revoke_certificate(
                    CertificateAuthorityArn=self.settings.arn,
                    CertificateSerial=serials.write(request.serial),
                    RevocationReason=_REASONS[request.reason],
                )
            )
        except AlreadyRevoked:
            return

    def _order(self, request: IssueRequest) -> str:
        """Order, and return the ARN. The same token is the same order for five minutes, so it is repeated."""
        ca = self._ca
        check_usable(ca)
        end = end_of(ca, request.not_after, self.clock())
        answer = self.calls.read(
            lambda: self._client.issue_certificate(
                CertificateAuthorityArn=self.settings.arn,
                Csr=request_pem(request.csr),
                SigningAlgorithm=ca["CertificateAuthorityConfiguration"]["SigningAlgorithm"],
                TemplateArn=self.settings.template_arn,
                Validity={"Type": "ABSOLUTE", "Value": int(end.timestamp())},
                IdempotencyToken=request.token,
            )
        )
        reach("aws.pca.ordered")
        return answer["CertificateArn"]

    def _issued(self, arn: str) -> Issued | None:
        try:
            answer = self.calls.read(
                lambda: self._client.get_certificate(
                    CertificateAuthorityArn=self.settings.arn, CertificateArn=arn
                )
            )
        except InProgress:
            return None
        above = x509.split_pem(answer["CertificateChain"].encode())
        chain, anchors = sorted_chain(above)
        return Issued(x509.to_der(answer["Certificate"].encode()), chain, anchors)

    @cached_property
    def _ca(self) -> "CertificateAuthorityTypeDef":
        """What is known of the CA, asked once a run."""
        answer = self.calls.read(
            lambda: self._client.describe_certificate_authority(
                CertificateAuthorityArn=self.settings.arn
            )
        )
        return answer["CertificateAuthority"]

    @cached_property
    def _client(self) -> "ACMPCAClient":
        settings = self.settings
        client: ACMPCAClient = shared().client(
            Access(settings.region, settings.role, settings.external_id),
            lambda session: session.client("acm-pca", region_name=settings.region, config=CONFIG),
        )
        return client
