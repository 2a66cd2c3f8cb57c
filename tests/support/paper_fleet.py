"""A company on paper: documents and a ledger of any size, without a key or a signature among them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from reconciler.leads import time_left
from reconciler.ledger.records import (
    AuthorityRecord,
    CertificateRecord,
    Issuance,
    LedgerState,
    Lineage,
    Placement,
    Status,
)
from reconciler.ledger.trust import TrustPlacement, TrustRecord
from reconciler.schedule import fraction
from reconciler.state import (
    Desired,
    DesiredAuthority,
    DesiredBundle,
    DesiredCertificate,
    DesiredInstall,
    DesiredIssuer,
    DesiredTarget,
    nothing,
)
from schemas.base import digest
from schemas.certificate import Algorithm, Custody, OnRemove, Rollout, RotationPolicy, Usage
from schemas.clouds import AwsAcm, AzureKeyVault
from schemas.custody import Kept
from schemas.issuer import AwsPrivateCa, IssuerSpec
from schemas.plan import Source
from schemas.request import AuthorityRequest, KeyType, LeafRequest
from schemas.target import LocalDirectory, TargetSpec

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = KeyType(algorithm=Algorithm.ECDSA, size=256)
HERE = Source(file="paper.yaml")
LINEAGE = Lineage(
    id="00112233445566ff",
    project="example-corp",
    created_at=NOW - 900 * DAY,
    public_key=f"ssh-ed25519 {'A' * 68}",
    leaf_recipient=f"age1{'q' * 58}",
)
PARTNER = IssuerSpec(
    aws_private_ca=AwsPrivateCa(
        arn="arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/"
        "6b4b5c1e-9c5d-4f3a-8a7e-2f1d0c9b8a7f"
    )
)
TARGETS = {
    "nginx": TargetSpec(local_directory=LocalDirectory(path="/etc/nginx/tls")),
    "edge": TargetSpec(local_directory=LocalDirectory(path="/etc/edge", hosts=("edge-1",))),
    "acm/eu-west-1": TargetSpec(aws_acm=AwsAcm(regions=("eu-west-1",))),
    "vault": TargetSpec(azure_key_vault=AzureKeyVault(vault="kv-example-prod")),
}


@dataclass(frozen=True)
class Sheet:
    """One kind of certificate: how many there are, how long each lives, and where it goes."""

    prefix: str
    issuer: str
    number: int
    days: int
    targets: tuple[str, ...]
    custody: Custody = Custody.UNTIL_INSTALLED


COMPANY = (
    Sheet("orders", "services", 420, 90, ("nginx",)),
    Sheet("shop", "web", 460, 200, ("acm/eu-west-1", "nginx")),
    Sheet("sensor", "devices", 310, 365, ("edge",)),
    Sheet("billing", "partner", 60, 180, ("vault",), Custody.TARGET),
)


@dataclass(frozen=True)
class Paper:
    """The two sides that need no target."""

    desired: Desired
    ledger: LedgerState


def company(*sheets: Sheet, now: datetime = NOW, name: str = "example-corp") -> Paper:
    """Four CAs, an offline root among them, a CA of others, four places, and the certificates."""
    sheets = sheets or COMPANY
    authorities = {
        each.name: each
        for each in (
            authority("root", None, 7300, offline=True),
            authority("services", "root", 1825),
            authority("web", "root", 1825),
            authority("devices", "services", 1095),
        )
    }
    leaves = {f"{s.prefix}-{n:04d}": (s, n) for s in sheets for n in range(s.number)}
    certificates = {name: certificate(name, sheet) for name, (sheet, _) in leaves.items()}
    desired = replace(
        nothing("0" * 40),
        project=name,
        authorities=authorities,
        certificates=certificates,
        targets={
            n: DesiredTarget(n, HERE, spec, digest(spec.to_json())) for n, spec in TARGETS.items()
        },
        issuers={"partner": DesiredIssuer("partner", HERE, PARTNER)},
        bundles={
            "clients": DesiredBundle(
                "clients", HERE, ("root",), "0" * 32, 7 * DAY, (DesiredInstall("nginx", "clients"),)
            )
        },
    )
    return Paper(desired, ledger_of(desired, now))


def ledger_of(desired: Desired, now: datetime = NOW) -> LedgerState:
    """Everything issued at some moment of its life, and verified in its places."""
    authorities = {
        name: AuthorityRecord(name=name, issuances=(issued_authority(each, now),))
        for name, each in desired.authorities.items()
    }
    return LedgerState(
        tip="0" * 40,
        lineage=LINEAGE,
        authorities=authorities,
        certificates={n: record(each, now) for n, each in desired.certificates.items()},
        crls={},
        bundles=frozenset(),
        tip_time=now - DAY,
        trust={
            "clients": TrustRecord(
                name="clients",
                placements=(
                    TrustPlacement(
                        target="nginx",
                        object_name="clients",
                        anchors=(authorities["root"].issuances[0].sha256 or "",),
                    ),
                ),
            )
        }
        if "root" in authorities
        else {},
    )


def authority(
    name: str, parent: str | None, days: int, *, generation: int = 1, offline: bool = False
) -> DesiredAuthority:
    """One CA as it is wanted."""
    request = AuthorityRequest(
        issuer=parent,
        issuer_generation=1 if parent else None,
        generation=generation,
        common_name=f"Example {name.title()} CA G{generation}",
        key=KEY,
        duration=days * 86400,
        key_ref="offline" if offline else None,
    )
    return DesiredAuthority(
        name=name,
        source=HERE,
        labels={},
        request=request,
        digest=digest(request.to_json()),
        recipients=(),
        crl_duration=7 * DAY,
        depth=0 if parent is None else 1 if parent == "root" else 2,
        custody=Kept.OFFLINE if offline else None,
        renew_before=days * DAY / 3,
    )


def certificate(name: str, sheet: Sheet) -> DesiredCertificate:
    """One leaf as it is wanted."""
    theirs = PARTNER.identity if sheet.issuer == "partner" else None
    request = LeafRequest(
        issuer=sheet.issuer,
        issuer_generation=0 if theirs else 1,
        dns_names=(f"{name}.example.com",),
        usages=(Usage.SERVER_AUTH,),
        key=KEY,
        duration=sheet.days * 86400,
        issuer_id=theirs,
    )
    return DesiredCertificate(
        name=name,
        source=HERE,
        labels={},
        formerly=(),
        request=request,
        digest=digest(request.to_json()),
        renew_before=sheet.days * DAY / 3,
        custody=sheet.custody,
        rotation_policy=RotationPolicy.ALWAYS,
        on_remove=OnRemove.REMOVE,
        rollout=Rollout.NOW,
        installs=tuple(DesiredInstall(target, name) for target in sheet.targets),
    )


def record(desired: DesiredCertificate, now: datetime = NOW) -> CertificateRecord:
    """A certificate that was issued some time ago, and is not due yet."""
    life = timedelta(seconds=desired.request.duration)
    young = life - time_left(desired.renew_before, life) * 1.25
    begun = now - young * fraction(f"age of {desired.name}")
    serial = f"1{digest(desired.name)[:30]}"
    return CertificateRecord(
        name=desired.name,
        issuances=(_issued(serial, desired.request, desired.digest, begun, life),),
        placements=tuple(
            Placement(
                target=install.target,
                object_name=install.name,
                serial=serial,
                verified_at=begun.replace(microsecond=0),
            )
            for install in desired.installs
        ),
    )


def issued_authority(desired: DesiredAuthority, now: datetime = NOW) -> Issuance:
    """A CA certificate that is some way into its life."""
    life = timedelta(seconds=desired.request.duration)
    serial = f"2{digest([desired.name, desired.request.generation])[:30]}"
    return _issued(serial, desired.request, desired.digest, now - life / 2, life)


def _issued(
    serial: str,
    request: LeafRequest | AuthorityRequest,
    wanted: str,
    begun: datetime,
    life: timedelta,
) -> Issuance:
    start = begun.replace(microsecond=0)
    return Issuance(
        serial=serial,
        status=Status.ISSUED,
        request=request,
        digest=wanted,
        not_before=start,
        not_after=start + life - timedelta(seconds=1),
        spki="",
        reserved_at=start,
        issued_at=start,
        certificate=f"paper {serial}",
        sha256=digest(serial) * 2,
    )


def with_records(paper: Paper, records: Mapping[str, CertificateRecord]) -> Paper:
    """The same company, some certificates' past written anew."""
    certificates = {**paper.ledger.certificates, **records}
    return Paper(paper.desired, replace(paper.ledger, certificates=certificates))
