"""Clouds filled at once with as many certificates as one likes, as certform would have left them there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path

from acm_certificates import Parsed
from cloud_rig import PROJECT, REGIONS, Clouds
from cryptography import x509 as cryptography_x509
from cryptography.hazmat.primitives.asymmetric import ec
from fleet_documents import HERE, LINEAGE
from google.cloud import certificate_manager_v1 as api
from keyvault_state import Entry, Version

from providers.azure.labelling import thumbprint
from providers.base import NAME, OWNER, SPEC, TargetConfig
from providers.gcp.labels import sealed
from providers.pairing import Pair, Pairing
from providers.registry import make_target
from providers.seal import CONTENT, Seal
from providers.specimens import Specimens
from providers.x509 import to_der
from reconciler.ledger.records import LedgerState
from reconciler.observe import observe
from reconciler.state import Desired, DesiredTarget, Observed
from schemas.project import GuardSettings, LedgerSettings

PLACES = {"aws": "aws/eu-west-1", "azure": "azure", "gcp": "gcp/europe-west1"}
SHARE = {"aws": 2000, "azure": 1000, "gcp": 2000}
"""How many of 5,000 certificates are in each."""
FREE = {"Challenge", "Token"}
"""What is asked once a process, whatever there is to see."""
DIFFERENT = 200
"""How many certificates differ; more would only take longer to make."""
OURS = "certform_0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Made:
    """One certificate and what its bundle says."""

    certificate: bytes
    chain: tuple[bytes, ...]
    pair: Pair

    @property
    def der(self) -> bytes:
        return to_der(self.certificate)


def make(many: int) -> list[Made]:
    """Return certificates of one CA."""
    now = datetime.now(UTC)
    specimens, pairing = Specimens.make(now), Pairing()
    bundles = (specimens.bundle(f"host-{n}.example.com", now) for n in range(many))
    return [Made(each.certificate, each.chain, pairing.check(each)) for each in bundles]


def names(many: int, made: list[Made]) -> Iterator[tuple[str, dict[str, str], Made]]:
    """Yield a name, labels and a certificate for each object."""
    for number in range(many):
        name = f"service-{number:05d}"
        yield name, {OWNER: OURS, NAME: name, SPEC: "0" * 32}, made[number % len(made)]


def fill_acm(clouds: Clouds, many: int, made: list[Made]) -> None:
    """Put certificates into the first region of ACM."""
    store = clouds.aws.store(REGIONS[0])
    parsed = {each.certificate: Parsed(each.certificate) for each in made}
    now = datetime.now(UTC) - timedelta(hours=1)
    for _, labels, each in names(many, made):
        tags = {**labels, CONTENT: str(Seal.of(each.pair, each.pair.serial))}
        store.put_imported(parsed[each.certificate], b"".join(each.chain), tags, now)


def fill_vault(clouds: Clouds, many: int, made: list[Made]) -> None:
    """Put certificates into the vault."""
    key = ec.generate_private_key(ec.SECP256R1())
    loaded = {
        e.certificate: cryptography_x509.load_pem_x509_certificate(e.certificate) for e in made
    }
    policy = {"issuer": {"name": "Unknown"}}
    for name, labels, each in names(many, made):
        tags = {**labels, CONTENT: str(Seal.of(each.pair, thumbprint(each.der)))}
        version = Version(loaded[each.certificate], each.chain, key, tags)
        clouds.azure.store.entries[name] = Entry(name, policy, [version])


def fill_manager(clouds: Clouds, many: int, made: list[Made], location: str) -> None:
    """Put certificates into a location of Certificate Manager."""
    parent = f"projects/{PROJECT}/locations/{location}/certificates"
    for name, labels, each in names(many, made):
        pems = (each.certificate, *each.chain)
        clouds.gcp.resources[f"{parent}/{name}"] = api.Certificate(
            name=f"{parent}/{name}",
            labels=sealed(labels, pems, each.pair.trust),
            pem_certificate=b"".join(pems).decode(),
            self_managed=api.Certificate.SelfManagedCertificate(),
            san_dnsnames=[each.pair.dns_name or ""],
        )


def fill(clouds: Clouds, counts: Mapping[str, int], made: list[Made]) -> None:
    """Let the clouds hold so many certificates each, and nothing else."""
    clouds.clear()
    fill_acm(clouds, counts.get("aws", 0), made)
    fill_vault(clouds, counts.get("azure", 0), made)
    fill_manager(clouds, counts.get("gcp", 0), made, "europe-west1")


def look(clouds: Clouds, *wanted: str) -> Observed:
    """Observe places as every command does."""
    specs = {PLACES[cloud]: clouds.specs()[PLACES[cloud]] for cloud in wanted}
    desired = Desired(
        project="scale",
        revision=None,
        keyring=(),
        ledger=LedgerSettings(),
        guard=GuardSettings(),
        publish=None,
        authorities={},
        certificates={},
        targets={name: DesiredTarget(name, HERE, spec, "0" * 32) for name, spec in specs.items()},
        revocations=(),
    )
    targets = {n: make_target(TargetConfig(n, spec, OURS, Path())) for n, spec in specs.items()}
    ledger = LedgerState("0" * 40, LINEAGE, {}, {}, {}, frozenset(), LINEAGE.created_at)
    return observe(desired, ledger, targets, None)


def most(cloud: str, certificates: int) -> int:
    """Return how many requests it may take to see so many certificates."""
    match cloud:
        case "aws":
            return ceil(certificates / 500) + ceil(certificates / 100) + 2
        case "azure":
            return ceil(certificates / 25) + 2
    return max(1, ceil(certificates / 1000)) + 2


def asked(clouds: Clouds, cloud: str) -> int:
    """Return how many requests a cloud had, those apart that are made once a process."""
    return sum(name not in FREE for name in clouds.wires[cloud].asked)
