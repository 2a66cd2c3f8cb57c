"""Drift as a look at everything finds it, built by hand: for what tells of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.drifting import Difference, Drift, Kind, Unchecked
from reconciler.lifetimes import Lifetime
from schemas.base import digest
from schemas.plan import Plan, Reason, Source, TargetReport

NOW = datetime(2026, 11, 27, 3, 17, tzinfo=UTC)
HOSTILE = (
    "x\x1b[2J\n::error::pwned|`a`<img src=x>@everyone--> \u202e[l](http://evil.example) #1 ##[endgroup]"
    ' "q" \\ ```'
)


def planned(**more: Any) -> Plan:
    """A plan of fifteen certificates in two places."""
    values: dict[str, Any] = {
        "certform_version": "0.1.0",
        "project": "example-corp",
        "lineage": "00112233445566ff",
        "revision": "4f6b2c1d9e8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c",
        "ledger_tip": "0" * 40,
        "created_at": NOW,
        "targets": (
            TargetReport(name="edge", status="observed", certificates=3),
            TargetReport(name="nginx", status="observed", certificates=15),
        ),
        "certificates": 15,
    }
    return Plan(**{**values, **more})


def difference(kind: Kind, address: str, reason: Reason, **more: Any) -> Difference:
    values: dict[str, Any] = {
        "expected": "serial 4a97, until 2026-12-24",
        "found": "serial 77e1 was found instead",
        "fingerprint": digest([address, reason]),
        "source": Source(file=f"teams/{address.partition('@')[0]}.yaml", line=3),
    }
    return Difference(kind, address, reason, **{**values, **more})


def outside(name: str = "web", target: str = "edge", **more: Any) -> Difference:
    """What somebody changed in a place."""
    return difference(Kind.OUTSIDE, f"certificate/{name}@{target}", Reason.DRIFTED, **more)


def unreadable(name: str = "vault") -> Unchecked:
    return Unchecked(name, "the vault did not answer", Source(file="config/targets.yaml", line=9))


def lifetime(name: str, days: float) -> Lifetime:
    end = NOW + timedelta(days=days)
    return Lifetime(f"certificate/{name}", "services", end, end - timedelta(days=10))


def drifted(*found: Difference | Unchecked, **more: Any) -> Drift:
    """A look that found these."""
    unchecked = tuple(each for each in found if isinstance(each, Unchecked))
    reports = tuple(TargetReport(name=u.name, status="unknown", detail=u.detail) for u in unchecked)
    plan = planned()
    values: dict[str, Any] = {
        "plan": plan.model_copy(update={"targets": (*plan.targets, *reports)}),
        "differences": tuple(each for each in found if isinstance(each, Difference)),
        "unchecked": unchecked,
        "lifetimes": (lifetime("blog", 3), lifetime("shop", 40)),
    }
    return Drift(**{**values, **more})


def every_kind() -> Drift:
    """One difference of each kind, a place that could not be read, and one on another host."""
    found = drifted(
        difference(
            Kind.OVERDUE,
            "certificate/shop",
            Reason.RENEWING,
            expected="renewed from 2026-11-01 on",
            found="ends at 2026-11-30T00:00:00Z",
        ),
        outside(),
        difference(
            Kind.BLOCKED,
            "certificate/mail@acm/eu-west-1",
            Reason.OCCUPIED,
            expected="",
            found="arn:aws:acm:1 is not certform's",
            adopt="arn:aws:acm:eu-west-1:123456789012:certificate/1",
        ),
        difference(
            Kind.PENDING,
            "certificate/old@nginx",
            Reason.ORPHANED,
            expected="nothing",
            found="serial 77e2: no longer in the documents",
            source=None,
        ),
        unreadable(),
        due=2,
    )
    away = TargetReport(name="mesh", status="not-here")
    return replace(
        found, plan=found.plan.model_copy(update={"targets": (*found.plan.targets, away)})
    )


def hostile() -> Drift:
    """Everything that somebody else worded, worded by somebody hostile."""
    rows = [
        difference(
            kind,
            f"certificate/{HOSTILE}@{HOSTILE}",
            Reason.DRIFTED,
            expected=HOSTILE,
            found=HOSTILE * 20,
            source=Source(file=HOSTILE),
            adopt=HOSTILE,
            fingerprint=digest([kind]),
        )
        for kind in Kind
    ]
    life = Lifetime(f"certificate/{HOSTILE}", HOSTILE, NOW, NOW, HOSTILE)
    found = drifted(*rows, Unchecked(HOSTILE, HOSTILE * 20), lifetimes=(life,) * 10)
    return replace(found, plan=found.plan.model_copy(update={"project": HOSTILE}))


def many(number: int = 3_000, **more: Any) -> Drift:
    """More than fits anywhere."""
    rows = [outside(f"device-{n:05}", **more) for n in range(number)]
    return drifted(*rows, *(unreadable(f"vault-{n:04}") for n in range(100)))
