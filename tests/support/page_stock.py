"""Inventories for the page: one with every state there is, and as many certificates as are asked for."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reconciler.render.inventory import InventoryRow, Place, PlaceState
from schemas.plan import Action, Change, Plan, Reason, Source, TargetReport

MADE = datetime(2026, 11, 24, 3, 35, tzinfo=UTC)
REVISION = "4f6b2c1d9e8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c"
BLOB_URL = f"https://git.example/corp/pki/blob/{REVISION}"
THROTTLED = "the third page of the listing failed: ThrottlingException"
TARGETS = (
    TargetReport(name="acm/eu-west-1", status="observed", certificates=9, foreign=2),
    TargetReport(name="acm/us-east-1", status="unknown", detail=THROTTLED),
    TargetReport(name="edge", status="observed", certificates=14),
    TargetReport(name="keyvault", status="assumed", detail="its Target is new here"),
    TargetReport(name="mail-host", status="not-here", detail="on mx1.example.com"),
)
FOUND = frozenset(PlaceState) - {
    PlaceState.UNKNOWN,
    PlaceState.NOT_HERE,
    PlaceState.MISSING,
    PlaceState.PENDING,
}


def fingerprint(text: str) -> str:
    """A fingerprint that is always the same for a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def serial(text: str) -> str:
    """A serial that is always the same for a text."""
    return fingerprint(f"serial of {text}")[:40]


def ca(name: str, parent: str = "itself", generation: int = 1, days: int = 1600) -> InventoryRow:
    """A CA that is in order, and the only one of its name unless it is told otherwise."""
    return InventoryRow(
        name=name,
        address=f"authority/{name}",
        issuer=parent,
        serial=serial(f"{name} {generation}"),
        not_after=MADE + timedelta(days=days),
        days_left=days,
        key="ECDSA 384",
        names=(f"Example {name.title()} CA G{generation}",),
        targets=(),
        status="ok",
        not_before=MADE - timedelta(days=200),
        sha256=fingerprint(f"{name} {generation}"),
        generation=generation,
        issuer_generation=None if parent == "itself" else 1,
        crl_until=MADE + timedelta(days=6),
        source=Source(file=f"authorities/{name}.yaml", line=2),
    )


def leaf(
    name: str, *places: Place, days: int = 60, status: str = "ok", issuer: str = "services"
) -> InventoryRow:
    """A certificate of ninety days, renewed a month before its end."""
    return InventoryRow(
        name=name,
        address=f"certificate/{name}",
        issuer=issuer,
        serial=serial(name),
        not_after=MADE + timedelta(days=days),
        days_left=days,
        key="ECDSA 256",
        names=(f"{name}.example.com", f"www.{name}.example.com"),
        targets=tuple(place.target for place in places),
        status=status,
        not_before=MADE + timedelta(days=days - 90),
        sha256=fingerprint(name),
        issuer_generation=1 if issuer in ("services", "mesh") else 0,
        renewal=MADE + timedelta(days=days - 30),
        labels={"team": "shop"},
        source=Source(file="teams/shop/web.yaml", line=7),
        places=places,
    )


def there(name: str, target: str, state: PlaceState = PlaceState.OK, detail: str = "") -> Place:
    """A certificate in a target: itself where all is well, another where it is not."""
    right = state in (PlaceState.OK, PlaceState.ASSUMED)
    found = name if right else f"another {name}"
    place = Place(
        target,
        state,
        detail,
        object_name=name,
        verified_serial=serial(name),
        verified_at=MADE - timedelta(days=1),
    )
    if state not in FOUND:
        return place
    id_ = f"/srv/{target}/{name}"
    return replace(place, id=id_, serial=serial(found), sha256=fingerprint(found))


def planned(*changes: Change, made: datetime = MADE) -> Plan:
    """A plan that found the targets above."""
    return Plan(
        certform_version="0.1.0",
        project="example-corp",
        lineage="00112233445566ff",
        revision=REVISION,
        ledger_tip="0" * 40,
        created_at=made,
        targets=TARGETS,
        changes=changes,
        digest="9f2c41d0a7b39f2c41d0a7b39f2c41d0",
    )


def every_state() -> tuple[Plan, list[InventoryRow]]:
    """A small inventory in which everything that can be said of a certificate is said of one."""
    return planned(*_changes()), [*_authorities(), *_leaves()]


def _authorities() -> list[InventoryRow]:
    old = replace(ca("services", "root", 1, days=90), crl_until=MADE - timedelta(hours=5))
    return [
        ca("root", days=5000),
        old,
        ca("services", "root", 2, days=1700),
        replace(ca("mesh", "services", 1, days=700), issuer_generation=2),
        replace(ca("lab", "root"), status="to be issued", not_after=None, crl_until=None),
    ]


def _leaves() -> list[InventoryRow]:
    spread = [
        leaf(f"api-{n:02}", there(f"api-{n:02}", "edge"), days=20 + 27 * n) for n in range(12)
    ]
    return [
        *spread,
        leaf("checkout", *(there("checkout", each.name) for each in TARGETS[::2]), days=74),
        *_troubled(),
        *_passing(),
    ]


def _troubled() -> list[InventoryRow]:
    drift = "serial 77e1 was found instead"
    wrong, right = PlaceState.DRIFT, there("www", "acm/eu-west-1")
    drifted = leaf("www", right, there("www", "edge", wrong, drift), status="out of date (Drifted)")
    gone = there("shop", "edge", PlaceState.MISSING, "it was there, and is gone")
    taken = there("mail", "edge", PlaceState.OCCUPIED, "/srv/edge/mail is not certform's")
    unseen = there("cdn", "acm/us-east-1", PlaceState.UNKNOWN, THROTTLED)
    failed = there("static", "acm/eu-west-1", PlaceState.FAILED, "CAA forbids it")
    return [
        drifted,
        leaf("shop", gone, days=41, status="out of date (NotFound)"),
        leaf("mail", taken, days=33, status="blocked"),
        leaf("cdn", unseen, there("cdn", "edge"), days=48, status="unknown (acm/us-east-1)"),
        leaf("static", failed, days=80, status="blocked", issuer="amazon"),
        leaf("vpn", there("vpn", "edge"), days=-2, status="expired"),
        leaf("ldap", there("ldap", "edge"), days=4, status="due"),
        leaf("clock", there("clock", "edge"), days=95, status="not yet valid"),
        leaf("leaked", there("leaked", "edge"), days=60, status="revoked"),
    ]


def _passing() -> list[InventoryRow]:
    state = PlaceState
    new = leaf("billing", there("billing", "keyvault", state.PENDING, "not installed yet"))
    blank = replace(new, not_after=None, serial="", sha256="", renewal=None, not_before=None)
    stranger = leaf("theirs", there("theirs", "acm/eu-west-1", state.FOREIGN), status="foreign")
    return [
        replace(blank, status="to be issued"),
        leaf("crm", there("crm", "keyvault", state.ASSUMED, "its Target is new here"), days=55),
        leaf("imap", there("imap", "mail-host", state.NOT_HERE, "on mx1.example.com"), days=52),
        leaf("smtp", there("smtp", "mail-host", state.NOT_HERE), status="not yet in mail-host"),
        leaf("wiki", there("wiki", "edge", state.OUTDATED, "it still has serial 4a97"), days=88),
        leaf("old", there("old", "edge", state.UNWANTED), days=15, status="to be removed"),
        leaf("legacy", there("legacy", "acm/eu-west-1", state.ADOPTED), days=19, status="adopted"),
        leaf("wait", there("wait", "acm/eu-west-1", state.PENDING), status="pending"),
        leaf("past", days=70, status="no longer managed"),
        leaf("left", days=71, status="removed"),
        replace(stranger, address="acm/eu-west-1:arn:aws:acm:1", issuer="", source=None),
    ]


def _changes() -> tuple[Change, ...]:
    drift = "serial 77e1 was found instead"
    move = "/srv/edge/mail is not certform's; move it away, or choose another objectName"
    return (
        _step(Action.INSTALL, Reason.DRIFTED, "certificate/www@edge", drift, outside=True),
        _step(Action.BLOCKED, Reason.OCCUPIED, "certificate/mail@edge", move),
        _step(Action.ISSUE, Reason.RENEWING, "certificate/ldap", "4 days left", due=True),
        _step(Action.BLOCKED, Reason.TARGET_UNKNOWN, "target/acm/us-east-1", THROTTLED),
        _step(Action.BLOCKED, Reason.FAILED, "crl/mesh-g1", "the directory cannot be read"),
    )


def _step(
    action: Action,
    reason: Reason,
    address: str,
    message: str,
    *,
    due: bool = False,
    outside: bool = False,
) -> Change:
    return Change(
        address=address, action=action, reason=reason, message=message, due=due, outside=outside
    )


def many(count: int, targets: int = 12) -> tuple[Plan, list[InventoryRow]]:
    """As many certificates as asked for, each in three of so many targets; one in fifty is astray."""
    names = [f"target-{n:02}" for n in range(targets)]
    reports = tuple(TargetReport(name=n, status="observed", certificates=1) for n in names)
    rows = [_one_of_many(number, names) for number in range(count)]
    plan = planned().model_copy(update={"targets": reports})
    return plan, [ca("root", days=5000), ca("services", "root", 1), *rows]


def _one_of_many(number: int, targets: list[str]) -> InventoryRow:
    name, astray = f"service-{number:05}", number % 50 == 7
    state = PlaceState.DRIFT if astray else PlaceState.OK
    places = [there(name, targets[(number + n) % len(targets)], state) for n in range(3)]
    status = "out of date (Drifted)" if astray else "ok"
    return leaf(name, *places, days=31 + number % 330, status=status)
