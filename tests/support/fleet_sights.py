"""How tests look at plans and ledgers of the fleet in memory."""

from collections.abc import Iterator

from providers.base import NAME, Installed
from reconciler.ledger.records import Issuance, LedgerState, Status
from schemas.plan import Action, Change, Plan, Reason


def revoked_now(before: LedgerState, after: LedgerState) -> Iterator[Issuance]:
    """Yield what one wave revoked."""
    old = {i.serial: i for i in issuances(before)}
    for issuance in issuances(after):
        if issuance.status is Status.REVOKED:
            known = old.get(issuance.serial)
            if known is None or known.status is not Status.REVOKED:
                yield issuance


def issuances(state: LedgerState) -> Iterator[Issuance]:
    """Yield every issuance that the ledger holds."""
    for certificate in state.certificates.values():
        yield from certificate.issuances
    for authority in state.authorities.values():
        yield from authority.issuances


def shown(plan: Plan) -> list[tuple[str, str, str]]:
    """A plan as (action, address, reason)."""
    return [(str(c.action), c.address, str(c.reason)) for c in plan.changes]


def named(plan: Plan, action: Action, address: str) -> Change:
    """The one change of an action and an address, a serial left out of it."""
    (found,) = (
        c for c in plan.changes if c.action is action and c.address.partition("#")[0] == address
    )
    return found


def reasons(plan: Plan, address: str) -> dict[Action, Reason]:
    """Why something happens at an address, by action."""
    return {c.action: c.reason for c in plan.changes if c.address == address}


def name_of(installed: Installed) -> str:
    """The certificate an object says it holds."""
    return installed.labels.get(NAME, "")
