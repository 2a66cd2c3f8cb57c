"""What tests of a CA's life ask of a fleet: what is issued and why, and by which CAs a certificate hangs."""

from dataclasses import replace
from typing import Any

from fleet import Fleet

from providers.x509 import facts
from reconciler.chains import chain_above
from reconciler.ledger.records import Issuance
from schemas.plan import Action, Plan, Reason


def edit(fleet: Fleet, name: str, **fields: Any) -> Fleet:
    """Change one Authority's document."""
    fleet.cas[name] = replace(fleet.cas[name], **fields)
    return fleet


def line(fleet: Fleet, issuance: Issuance) -> list[tuple[str, int]]:
    """The CAs that a certificate hangs by."""
    return list(fleet.world().line(issuance))


def chain(fleet: Fleet, name: str) -> tuple[list[str], list[str]]:
    """The names in the chain that is installed beside a leaf, and of its anchors."""
    found = chain_above(fleet.journal.state.authorities, fleet.current(name))
    assert found is not None
    return list(map(_name, found.chain)), list(map(_name, found.anchors))


def _name(pem: bytes) -> str:
    certificate = facts(pem).certificate
    subject, issuer = (n.rfc4514_string()[3:] for n in (certificate.subject, certificate.issuer))
    return subject if subject == issuer else f"{subject} by {issuer}"


def order_of(plan: Plan, id_: str) -> set[str]:
    """Everything that a change requires, at any remove."""
    by_id = {step.id: step for step in plan.changes}
    found: set[str] = set()
    waiting = [id_]
    while waiting:
        waiting += [need for need in by_id[waiting.pop()].requires if need not in found]
        found |= set(waiting)
    return found


def issues(plan: Plan) -> dict[str, Reason]:
    """Why something is issued, by address."""
    return {c.address: c.reason for c in plan.changes if c.action is Action.ISSUE}


def blocks(plan: Plan) -> dict[str, tuple[Reason, str]]:
    """What is blocked, why, and in which words."""
    return {c.address: (c.reason, c.message) for c in plan.changes if c.action is Action.BLOCKED}
