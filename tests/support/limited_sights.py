"""A fleet at a CA with limits: what was spent there, and how its orders ended."""

from datetime import timedelta

from fleet_documents import Leaf
from limited_ca import LimitedFleet, acme

from reconciler.ledger.issuing import Spent
from reconciler.selection import Selection
from schemas.plan import Action
from schemas.quotas import IssuerQuotas, Quota

DUE = Selection(due_only=True)
DAY = timedelta(days=1)
TWO = IssuerQuotas(certificates=Quota(most=2, window=7 * DAY))


def leaf(*names: str, issuer: str = "le") -> Leaf:
    """A certificate that is installed nowhere."""
    return Leaf(issuer, (), names)


def three(quotas: IssuerQuotas = TWO) -> LimitedFleet:
    """Three new certificates, where two are sold at once."""
    leaves = {name: leaf(f"{name}.example.com") for name in ("a", "b", "c")}
    return LimitedFleet(leaves=leaves, issuers={"le": acme(quotas=quotas)})


def entries(fleet: LimitedFleet) -> list[Spent]:
    """Every order that is written down."""
    return [spent for record in fleet.journal.state.spending.values() for spent in record.orders]


def ended(fleet: LimitedFleet, selection: Selection | None = None) -> dict[str, str]:
    """How the certificates of one run ended, empty for well."""
    return {
        event.address: event.message
        for event in fleet.apply(selection)
        if event.action is Action.ISSUE and event.address.startswith("certificate/")
    }


def issued(fleet: LimitedFleet) -> set[str]:
    """The names that have a certificate."""
    return {n for n, r in fleet.journal.state.certificates.items() if r.current is not None}
