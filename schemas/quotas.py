"""How much a CA of others sells in a while: what a run spends of it is written down before it is spent."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from schemas.base import Model, Word
from schemas.scalars import Duration, Integer


class Quota(Model):
    """At most `most` within any `window`."""

    most: Annotated[Integer, Field(ge=1)]
    window: Duration


class Renewals(Word):
    """Whether a certificate for exactly the names of one before counts for all, or for `sameNames` alone."""

    COUNTED = "Counted"
    EXEMPT = "Exempt"


class IssuerQuotas(Model):
    """What a CA allows; None where it says nothing.

    `orders` are those of one account, `certificates` those of one registered domain, `same_names` the
    certificates for exactly one set of names, `failures` the failed validations of one name.
    """

    orders: Quota | None = Field(default=None, description="orders of the account")
    certificates: Quota | None = Field(
        default=None, description="certificates of one registered domain"
    )
    same_names: Quota | None = Field(
        default=None, description="certificates for exactly one set of names"
    )
    failures: Quota | None = Field(default=None, description="failed validations of one name")
    renewals: Renewals = Field(
        default=Renewals.COUNTED,
        description="`Exempt`: a certificate for the names of one before counts for `sameNames` alone",
    )

    @property
    def limits_anything(self) -> bool:
        """Whether there is anything to keep to."""
        return any((self.orders, self.certificates, self.same_names, self.failures))


LETS_ENCRYPT = IssuerQuotas(
    orders=Quota(most=300, window=timedelta(hours=3)),
    certificates=Quota(most=50, window=timedelta(days=7)),
    same_names=Quota(most=5, window=timedelta(days=7)),
    failures=Quota(most=5, window=timedelta(hours=1)),
    renewals=Renewals.EXEMPT,
)
"""https://letsencrypt.org/docs/rate-limits/ as of 2026-08-05."""
CAREFUL = IssuerQuotas(same_names=LETS_ENCRYPT.same_names, failures=LETS_ENCRYPT.failures)
"""What is kept to with every other ACME server, unless its Issuer says more: enough to stop a loop."""
