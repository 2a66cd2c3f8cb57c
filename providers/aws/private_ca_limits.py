"""What one CA in AWS Private CA can issue now, told before anything is ordered and paid for."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from providers.errors import Rejected

if TYPE_CHECKING:
    from mypy_boto3_acm_pca.type_defs import CertificateAuthorityTypeDef

SHORT_LIVED = timedelta(days=7)
"""The longest life from a CA in short-lived mode."""


def check_usable(ca: "CertificateAuthorityTypeDef") -> None:
    """Raise `Rejected`, saying what to do, unless the CA issues certificates now."""
    status = ca["Status"]
    if status != "ACTIVE":
        raise Rejected(
            f"the CA is {status}: it issues nothing until it is ACTIVE, see the AWS console"
        )


def end_of(ca: "CertificateAuthorityTypeDef", wanted: datetime, now: datetime) -> datetime:
    """Return when a certificate is to end, no later than its CA; raises `Rejected` for too long a life."""
    short = ca.get("UsageMode") == "SHORT_LIVED_CERTIFICATE"
    if short and wanted > now + SHORT_LIVED:
        raise Rejected(
            "the CA issues short-lived certificates only, of at most 7 days: write duration: 7d or less,"
            " or use a CA in general-purpose mode"
        )
    end = ca.get("NotAfter")
    if end is None:
        return wanted
    last = end.astimezone(UTC)
    if last <= now:
        raise Rejected("the CA certificate has expired: renew it in AWS Private CA")
    return min(wanted, last - timedelta(seconds=1))
