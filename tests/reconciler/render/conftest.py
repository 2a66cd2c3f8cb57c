"""Plans as the diff makes them: one for each thing a reader has to understand."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.plan import (
    Action,
    Change,
    Expiry,
    FieldChange,
    Plan,
    Reason,
    Source,
    TargetReport,
)

NOW = datetime(2026, 11, 24, 3, 35, tzinfo=UTC)
OLD = "4a971f00c2d84e11b0a97766554433221100ffee"
LOST = (
    "/srv/edge/tls is missing or empty, although certificates were installed in target edge."
    " To fill it anew, run:\nmkdir -p /srv/edge/tls"
)
HOSTILE = (
    "x\x1b[2J\n::error::pwned|`a`<img src=x>@everyone-->\u202e"
    "[l](http://evil.example) #1 ##[endgroup]"
)


def step(action: Action, reason: Reason, address: str, message: str = "", **more: Any) -> Change:
    return Change(
        address=address, action=action, reason=reason, message=message, fingerprint="f" * 32, **more
    )


def planned(*changes: Change, **more: Any) -> Plan:
    values: dict[str, Any] = {
        "certform_version": "0.1.0",
        "project": "example-corp",
        "lineage": "00112233445566ff",
        "revision": "4f6b2c1d9e8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c",
        "ledger_tip": "0" * 40,
        "created_at": NOW,
        "targets": (
            TargetReport(name="edge", status="observed", certificates=3),
            TargetReport(name="nginx", status="observed", certificates=15, foreign=2),
        ),
        "certificates": 15,
        "next_expiry": Expiry(
            address="certificate/blog", not_after=datetime(2027, 1, 20, 12, tzinfo=UTC)
        ),
        "digest": "9f2c41d0a7b39f2c41d0a7b39f2c41d0",
    }
    return Plan(changes=changes, **{**values, **more})


def leaf(name: str, **more: Any) -> dict[str, Any]:
    return {
        "issuerRef": "services",
        "issuerGeneration": 1,
        "dnsNames": [f"{name}.svc.example.internal"],
        "usages": ["server auth", "client auth"],
        "privateKey": "ECDSA 256",
        "duration": "30d",
        "targets": ["nginx", "edge"],
        **more,
    }


def before(serial: str = OLD, not_after: str = "2026-12-04T02:41:00Z") -> dict[str, Any]:
    return {"serial": serial, "not_after": not_after, "sha256": "ab" * 32}


def installs(name: str, reason: Reason, message: str, *targets: str, **more: Any) -> list[Change]:
    return [
        step(
            Action.INSTALL,
            reason,
            f"certificate/{name}@{target}",
            message,
            after={"name": name},
            requires=(f"issue:certificate/{name}",),
            **more,
        )
        for target in targets
    ]


def at(file: str, line: int = 1) -> Source:
    return Source(file=file, line=line)


def first_plan() -> Plan:
    root = {
        "commonName": "Example Root R1 G1",
        "subject": {"organizations": ["Example Ltd"], "countries": ["GB"]},
        "privateKey": "ECDSA 384",
        "duration": "7300d",
    }
    services = {
        "parentRef": "root",
        "commonName": "Example Services CA G1",
        "nameConstraints": {
            "permitted": {
                "dnsDomains": ["svc.example.internal"],
                "uriDomains": ["svc.example.internal"],
            },
            "excluded": {"dnsDomains": []},
        },
        "privateKey": "ECDSA 256",
        "duration": "1095d",
    }
    missing = (Reason.NOT_FOUND, "no certificate yet")
    many = [f"{name}.svc.example.internal" for name in ("orders", "cart", "checkout", "basket")]
    orders = leaf("orders", dnsNames=many, uris=["spiffe://svc.example.internal/orders"])
    issue = Action.ISSUE
    return planned(
        step(
            issue, *_swap("authority/root", missing), after=root, source=at("authorities/root.yaml")
        ),
        step(
            issue,
            *_swap("authority/services", missing),
            after=services,
            source=at("authorities/services.yaml"),
        ),
        *(_published(kind, name) for kind in ("ca", "crl") for name in ("root", "services")),
        step(
            issue,
            *_swap("certificate/orders", missing),
            after=orders,
            source=at("teams/shop/orders.yaml", 3),
        ),
        *installs("orders", Reason.NOT_FOUND, "nothing is installed there", "nginx", "edge"),
        step(
            issue,
            *_swap("certificate/payments", missing),
            after=leaf("payments", targets=["nginx", "mail"]),
            source=at("teams/shop/payments.yaml", 3),
        ),
        *installs("payments", Reason.NOT_FOUND, "nothing is installed there", "nginx"),
        revision=None,
        certificates=2,
        next_expiry=None,
        targets=(
            TargetReport(name="edge", status="observed"),
            TargetReport(name="mail", status="not-here"),
            TargetReport(name="nginx", status="observed", foreign=2),
        ),
    )


def _swap(address: str, why: tuple[Reason, str]) -> tuple[Reason, str, str]:
    return why[0], address, why[1]


def _published(kind: str, name: str) -> Change:
    return step(
        Action.PUBLISH,
        Reason.NOT_FOUND,
        f"{kind}/{name}-g1",
        "not published yet",
        after={"file": f"{name}-g1.{'crl' if kind == 'crl' else 'crt'}"},
    )


def renewals() -> Plan:
    changes = []
    for name, message, reason in (
        ("orders", "10 days left", Reason.RENEWING),
        ("payments", "expired at 2026-11-23T02:41:00Z", Reason.EXPIRED),
    ):
        changes.append(
            step(
                Action.ISSUE,
                reason,
                f"certificate/{name}",
                message,
                before=before(),
                after=leaf(name),
                source=at(f"teams/shop/{name}.yaml", 3),
                due=True,
            )
        )
        changes += installs(
            name,
            Reason.SUPERSEDED,
            "it still has the previous one",
            "nginx",
            "edge",
            before=before(),
        )
    crl = step(
        Action.PUBLISH,
        Reason.EXPIRING,
        "crl/services-g1",
        "next update 2026-11-27",
        after={"file": "services-g1.crl", "number": 42},
        due=True,
    )
    return planned(*changes, crl)


def replacement() -> Plan:
    fields = (
        FieldChange(
            path="dnsNames",
            before=["www.example.com", "old.example.com"],
            after=["img.example.com", "www.example.com"],
        ),
        FieldChange(path="privateKey", before="RSA 2048", after="ECDSA 256"),
        FieldChange(path="commonName", before="www.example.com"),
        FieldChange(path="uris", after=["spiffe://example.com/www"]),
        FieldChange(
            path="subject",
            before={"organizations": ["Example Ltd"], "countries": ["GB"]},
            after={"organizations": ["Example plc"], "countries": ["GB"]},
        ),
    )
    return planned(
        step(
            Action.ISSUE,
            Reason.SPEC_CHANGED,
            "certificate/www",
            "dnsNames, privateKey, commonName, uris, subject changed",
            before=before(),
            after=leaf("www", dnsNames=["img.example.com", "www.example.com"]),
            fields=fields,
            source=at("teams/web/www.yaml", 5),
        ),
        *installs(
            "www",
            Reason.SUPERSEDED,
            "it still has the previous one",
            "nginx",
            "edge",
            before=before(),
        ),
        step(
            Action.INSTALL,
            Reason.DRIFTED,
            "certificate/pay@nginx",
            "privkey.pem has mode 0644 instead of 0600",
            before=before("77"),
            after={"name": "pay-tls"},
            source=at("teams/shop/pay.yaml", 2),
        ),
        step(
            Action.RELABEL,
            Reason.LABELS_CHANGED,
            "certificate/api@edge",
            "team changed",
            before={"labels": {"team": "a"}},
            after={"labels": {"team": "platform"}},
            source=at("teams/web/api.yaml", 2),
        ),
        step(
            Action.RELABEL,
            Reason.RENAMED,
            "certificate/shop",
            "was certificate/store",
            before={"name": "store"},
            after={"name": "shop"},
            source=at("teams/shop/shop.yaml", 1),
        ),
    )


def removals() -> Plan:
    leaked = "certificate/leaked"
    return planned(
        step(
            Action.ISSUE,
            Reason.REVOKED,
            leaked,
            "revocation/inc-8812 revokes the current one",
            before=before(),
            after=leaf("leaked", targets=["nginx"]),
            source=at("teams/shop/leaked.yaml", 1),
        ),
        *installs("leaked", Reason.SUPERSEDED, "it still has the previous one", "nginx"),
        *(
            step(
                Action.REMOVE,
                Reason.ORPHANED,
                f"certificate/old@{target}",
                "no longer in the documents",
                before={
                    "dnsNames": ["old.svc.example.internal"],
                    "serial": "77e10",
                    "not_after": "2026-12-04T02:41:00Z",
                    "sha256": "cd" * 32,
                    "name": "old",
                },
            )
            for target in ("edge", "nginx")
        ),
        step(
            Action.REMOVE,
            Reason.WITHDRAWN,
            "certificate/api@edge",
            "no longer wanted in edge",
            before={"serial": "77e11", "sha256": "ce" * 32, "name": "api"},
            requires=("install:certificate/api@nginx",),
        ),
        step(
            Action.FORGET,
            Reason.ORPHANED,
            "certificate/gone@edge",
            "gone already",
            before={"name": "gone"},
        ),
        step(
            Action.REVOKE,
            Reason.REQUESTED,
            f"{leaked}#{OLD}",
            "revocation/inc-8812: keyCompromise",
            before=before(),
            after={"reason": "keyCompromise", "issuer": "services"},
            requires=(f"issue:{leaked}", f"install:{leaked}@nginx"),
            source=at("revocations/inc-8812.yaml", 2),
        ),
        step(
            Action.PUBLISH,
            Reason.REVOCATION_ADDED,
            "crl/services-g1",
            "1 revoked since the last one",
            after={"file": "services-g1.crl"},
            requires=(f"revoke:{leaked}#{OLD}",),
        ),
    )


def blocked() -> Plan:
    return planned(
        step(
            Action.BLOCKED,
            Reason.FLAPPING,
            "certificate/web",
            "privkey.pem is not the one installed; it changed 2 times within a day, so somebody"
            " else changes it too: find out who, then plan with --replace certificate/web",
            source=at("teams/web/web.yaml"),
        ),
        step(
            Action.BLOCKED,
            Reason.TARGET_UNKNOWN,
            "target/edge",
            LOST,
            source=at("config/targets.yaml", 12),
        ),
        targets=(
            TargetReport(
                name="edge",
                status="unknown",
                detail=LOST,
            ),
            TargetReport(name="nginx", status="observed", certificates=1),
        ),
    )


def nothing() -> Plan:
    return planned(targets=(TargetReport(name="nginx", status="observed", certificates=15),))


def bulk(number: int = 2000) -> Plan:
    changes: list[Change] = []
    for name in (f"device-{n:04}" for n in range(number)):
        changes.append(
            step(
                Action.ISSUE,
                Reason.NOT_FOUND,
                f"certificate/{name}",
                "no certificate yet",
                after=leaf(name, targets=["nginx"]),
                source=at("devices.yaml", 1),
            )
        )
        changes += installs(name, Reason.NOT_FOUND, "nothing is installed there", "nginx")
    return planned(*changes, certificates=number)


def hostile() -> Plan:
    return planned(
        step(
            Action.ISSUE,
            Reason.SPEC_CHANGED,
            f"certificate/{HOSTILE}",
            HOSTILE,
            before={HOSTILE: HOSTILE},
            after={"dnsNames": [HOSTILE], HOSTILE: HOSTILE, "targets": [HOSTILE]},
            fields=(FieldChange(path=HOSTILE, before=[HOSTILE], after=[HOSTILE, "b"]),),
            source=at(HOSTILE),
        ),
        step(
            Action.INSTALL,
            Reason.DRIFTED,
            f"certificate/a@{HOSTILE}",
            HOSTILE,
            before={"serial": HOSTILE},
        ),
        step(
            Action.REMOVE,
            Reason.ORPHANED,
            f"certificate/b@{HOSTILE}",
            HOSTILE,
            before={"a": HOSTILE},
        ),
        step(
            Action.REVOKE,
            Reason.REQUESTED,
            f"certificate/c#{HOSTILE}",
            HOSTILE,
            after={"reason": HOSTILE},
        ),
        step(Action.PUBLISH, Reason.EXPIRING, f"crl/{HOSTILE}", HOSTILE, after={"file": HOSTILE}),
        step(Action.FORGET, Reason.ORPHANED, f"authority/{HOSTILE}", HOSTILE),
        step(Action.BLOCKED, Reason.OCCUPIED, f"certificate/d@{HOSTILE}", HOSTILE),
        project=HOSTILE,
        selection=(HOSTILE,),
        digest=HOSTILE,
        targets=(
            TargetReport(name=HOSTILE, status="unknown", detail=HOSTILE),
            TargetReport(name="::add-mask::x", status="observed"),
        ),
        next_expiry=Expiry(address=HOSTILE, not_after=NOW),
    )


CASES: Mapping[str, Callable[[], Plan]] = {
    "first": first_plan,
    "renewals": renewals,
    "replacement": replacement,
    "removals": removals,
    "blocked": blocked,
    "nothing": nothing,
    "hostile": hostile,
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[str, Plan]:
    """Every plan in turn, with its name."""
    return request.param, CASES[request.param]()


@pytest.fixture
def plans() -> Mapping[str, Callable[..., Plan]]:
    """Makers of plans, by name."""
    return {**CASES, "bulk": bulk}


@pytest.fixture
def hostile_text() -> str:
    """A text with everything that terminals, CI logs and Markdown would obey."""
    return HOSTILE
