"""A plan with everything a reviewer may have to look at, and plans of many, or of hostile, names."""

from datetime import UTC, datetime
from typing import Any

from reconciler.diagnostics import error, warning
from schemas.base import digest
from schemas.plan import Action, Change, Expiry, FieldChange, Plan, Reason, Source, TargetReport

NOW = datetime(2026, 11, 24, 3, 35, tzinfo=UTC)
OLD = "4a971f00c2d84e11b0a97766554433221100ffee"
BLOB = "https://github.com/example/certificates/blob/4f6b2c1d9e8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c/pki"
HOSTILE = (
    "x\x1b[31m\n::error::pwned|`a```<img src=x>@everyone-->\u202e</details>"
    "[l](http://evil.example) #1 GH-1 ##[endgroup] www.evil.example EOF $(id)"
)
WARNINGS = (
    warning(
        "apply will refuse this: 5 of 15 certificates would be replaced",
        hint="--allow-mass-change, or in smaller steps",
    ),
    warning("the certificate is for no host", Source(file="teams/web/www.yaml", line=7)),
)
FAILURES = (
    warning("the duration is rounded", Source(file="teams/web/www.yaml", line=9)),
    error(
        'there is no Profile "webb"',
        Source(file="teams/web/www.yaml", line=5, column=3),
        hint='did you mean "web"?',
    ),
    error("2 documents are called web", Source(file="a b/x#.yaml", line=1), detail="one\nother"),
)


def step(action: Action, reason: Reason, address: str, message: str = "", **more: Any) -> Change:
    """Return a change that this pull request causes, unless it is said otherwise."""
    values = {"proposed": True, "fingerprint": digest([address, action]), **more}
    return Change(address=address, action=action, reason=reason, message=message, **values)


def plan(*changes: Change, **more: Any) -> Plan:
    values: dict[str, Any] = {
        "certform_version": "0.1.0",
        "project": "prod",
        "lineage": "00112233445566ff",
        "revision": "4f6b2c1d9e8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c",
        "base": "1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b",
        "ledger_tip": "0" * 40,
        "created_at": NOW,
        "targets": (TargetReport(name="edge", status="observed", certificates=15),),
        "certificates": 15,
        "next_expiry": Expiry(
            address="certificate/blog", not_after=datetime(2027, 1, 20, 12, tzinfo=UTC)
        ),
        "digest": digest([change.fingerprint for change in changes]),
    }
    return Plan(changes=changes, **{**values, **more})


def at(file: str, line: int = 1) -> Source:
    return Source(file=file, line=line)


def held(serial: str = OLD) -> dict[str, Any]:
    return {"serial": serial, "not_after": "2026-12-04T02:41:00Z", "sha256": "ab" * 32}


def leaf(name: str, *names: str) -> dict[str, Any]:
    return {
        "issuerRef": "services",
        "dnsNames": [*names] or [f"{name}.example.com"],
        "privateKey": "ECDSA 256",
        "duration": "90d",
        "targets": ["edge"],
    }


def installs(name: str, reason: Reason = Reason.SUPERSEDED, **more: Any) -> list[Change]:
    return [
        step(
            Action.INSTALL,
            reason,
            f"certificate/{name}@{target}",
            "follows the new certificate",
            requires=(f"issue:certificate/{name}",),
            **more,
        )
        for target in ("edge", "acm/eu-west-1")
    ]


def proposed() -> list[Change]:
    """What the documents of the pull request cause."""
    leaked = "certificate/leaked"
    return [
        step(
            Action.ISSUE, Reason.NOT_FOUND, "certificate/shop", "no certificate yet",
            after=leaf("shop", "shop.example.com", "*.shop.example.com"),
            source=at("teams/shop/web.yaml", 3),
        ),
        *installs("shop", Reason.NOT_FOUND),
        step(
            Action.ISSUE, Reason.SPEC_CHANGED, "certificate/www", "dnsNames, privateKey changed",
            before=held(), after=leaf("www", "www.example.com", "img.example.com"),
            fields=(
                FieldChange(
                    path="dnsNames",
                    before=["www.example.com", "old.example.com"],
                    after=["www.example.com", "img.example.com"],
                ),
                FieldChange(path="privateKey", before="RSA 2048", after="ECDSA 256"),
            ),
            source=at("teams/web/www.yaml", 5),
        ),
        *installs("www"),
        step(
            Action.ISSUE, Reason.SPEC_CHANGED, "authority/services", "generation changed",
            before=held("77e10"), after={"commonName": "Example Services CA G2"},
            fields=(FieldChange(path="generation", before=1, after=2),),
            source=at("authorities/services.yaml", 4),
        ),
        step(
            Action.REMOVE, Reason.ORPHANED, "certificate/old@edge", "no longer in the documents",
            before={"name": "old", **held("77e11")},
        ),
        step(
            Action.REVOKE, Reason.REQUESTED, f"{leaked}#{OLD}", "revocation/inc-8812: keyCompromise",
            before=held(), after={"reason": "keyCompromise", "issuer": "services"},
            source=at("revocations/inc-8812.yaml", 2),
        ),
        step(
            Action.CONFIGURE, Reason.CONNECTION_CHANGED, "target/edge",
            "another place; 12 certificates stay installed at the old one",
            fields=(FieldChange(path="path", before="/srv/edge/tls", after="/srv/web/tls"),),
            source=at("config/targets.yaml", 12),
        ),
        step(
            Action.CONFIGURE, Reason.CONNECTION_CHANGED, "issuer/letsencrypt", "new here",
            fields=(FieldChange(path="directoryURL", after="https://acme.example/directory"),),
            source=at("config/issuers.yaml", 2),
        ),
        step(
            Action.CONFIGURE, Reason.RECIPIENTS_CHANGED, "keyring", "it is encrypted anew, for others",
            fields=(FieldChange(path="recipients", before=["age1ann"], after=["age1ann", "age1bob"]),),
        ),
    ]  # fmt: skip


def standing() -> list[Change]:
    """What there would be to do without the pull request, too."""
    return [
        step(
            Action.BLOCKED, Reason.TARGET_UNKNOWN, "target/mail",
            "it could not be read: give the plan's role the right to list", proposed=False,
            source=at("config/targets.yaml", 30),
        ),
        step(
            Action.ISSUE, Reason.RENEWING, "certificate/api", "19 days left", before=held("77e12"),
            after=leaf("api"), due=True, proposed=False, source=at("teams/web/api.yaml"),
        ),
        *installs("api", due=True, proposed=False),
        step(
            Action.PUBLISH, Reason.EXPIRING, "crl/services-g1", "next update 2026-11-27",
            after={"file": "services-g1.crl"}, due=True, proposed=False,
        ),
        step(
            Action.INSTALL, Reason.DRIFTED, "certificate/pay@edge",
            "somebody else installed serial 02c4 of Amazon there", before=held("02c4"),
            after={"name": "pay"}, outside=True, proposed=False, source=at("teams/shop/pay.yaml", 2),
        ),
    ]  # fmt: skip


def rich() -> Plan:
    """Return a plan with all of it."""
    return plan(
        *proposed(),
        *standing(),
        targets=(
            TargetReport(name="acm/eu-west-1", status="observed", certificates=9, foreign=3),
            TargetReport(
                name="edge",
                status="assumed",
                detail="another place than before, not looked at",
            ),
            TargetReport(name="mail", status="unknown", detail="AccessDenied: list"),
            TargetReport(name="vault", status="not-here"),
        ),
    )


def many(number: int) -> Plan:
    """Return a plan of so many new certificates."""
    changes = []
    for name in (f"device-{place:05}" for place in range(number)):
        issue = step(
            Action.ISSUE, Reason.NOT_FOUND, f"certificate/{name}", "no certificate yet",
            after=leaf(name), source=at("devices.yaml"),
        )  # fmt: skip
        changes += [issue, *installs(name, Reason.NOT_FOUND)]
    return plan(*changes, certificates=number)


def hostile(text: str = HOSTILE) -> Plan:
    """Return a plan in which a text is everywhere that a text may be."""
    fields = (
        FieldChange(path=text, before=text, after=f"{text}2"),
        FieldChange(path=text, before=[text], after=[text, "b"]),
    )
    names = {"dnsNames": [text], "issuerRef": text, "file": text, "reason": text}
    changes = [
        step(
            action, reason, f"certificate/{action}{text}@{text}", text, before={text: text},
            after=names, fields=fields, proposed=cause, outside=outside, source=at(text),
        )
        for action in Action
        for reason in (Reason.NOT_FOUND, Reason.SPEC_CHANGED, Reason.CONNECTION_CHANGED)
        for cause, outside in ((True, False), (False, True), (False, False))
    ]  # fmt: skip
    return plan(
        *changes,
        project=text,
        certform_version=text,
        targets=tuple(
            TargetReport(name=f"{status}{text}", status=status, detail=text)
            for status in ("observed", "assumed", "not-here", "unknown")
        ),
        next_expiry=Expiry(address=text, not_after=NOW),
    )


def complaints(text: str = HOSTILE) -> tuple[Any, ...]:
    """Return findings that say a text wherever they can."""
    return (
        error(text, at(text), detail=text, hint=text),
        warning(text, at(text), detail=text, hint=text),
    )
