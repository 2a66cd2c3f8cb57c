"""What each built-in kind of target can hold: data, so that `validate` needs no SDK."""

from dataclasses import dataclass
from enum import StrEnum

RSA_SIZES = (2048, 3072, 4096)
ECDSA_SIZES = (256, 384, 521)
MLDSA_SIZES = (44, 65, 87)
"""Parameter sets of ML-DSA (FIPS 204 section 4)."""


class Fixed(StrEnum):
    """What a place cannot change of an object: it takes a new one, with an identity of its own."""

    KEY_TYPE = "key type"
    REMOVED_USAGES = "removed usages"
    NAMES = "names"


@dataclass(frozen=True, slots=True)
class LabelRules:
    """What a place takes for labels: how many, ours included, and which (regular expressions)."""

    most: int
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What a place allows: objects in all, installs a year and a second; None where it is not known."""

    objects: int | None = None
    installs_per_year: int | None = None
    installs_per_second: float | None = None

    @property
    def unlimited(self) -> bool:
        """Whether there is nothing to count."""
        return (self.objects, self.installs_per_year, self.installs_per_second) == (None,) * 3


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The limits of a kind of target; `plan` refuses what `apply` would fail on.

    `names_objects` is whether an object has a name there that can be chosen; where it has not, it
    goes by its label. `shared_labels` tells that others put labels on our objects too. `remote` places are
    asked over a network. `makes_keys` and `hosts` tell whether the place makes keys that never leave
    it, and whether it issues certificates by itself; `adopts` whether objects that somebody else made
    can be taken over; `holds_trust` whether bundles of trust anchors can be installed there,
    `keystores` whether files for Java are written there.
    """

    rsa_sizes: tuple[int, ...] = RSA_SIZES
    ecdsa_sizes: tuple[int, ...] = ECDSA_SIZES
    ed25519: bool = True
    mldsa_sizes: tuple[int, ...] = ()
    keeps_identity: bool = True
    fixed: frozenset[Fixed] = frozenset()
    output_formats: tuple[str, ...] = ()
    names_objects: bool = True
    name_pattern: str | None = None
    labels: LabelRules | None = None
    shared_labels: bool = False
    remote: bool = False
    makes_keys: bool = False
    hosts: bool = False
    adopts: bool = False
    limits: Limits = Limits()
    holds_trust: bool = False
    keystores: bool = False


LOCAL_DIRECTORY = Capabilities(
    mldsa_sizes=MLDSA_SIZES, output_formats=("CombinedPEM",), holds_trust=True, keystores=True
)

_AWS_TAG = r"[\w .:/=+\-@]"
AWS_ACM = Capabilities(
    ed25519=False,
    fixed=frozenset({Fixed.KEY_TYPE, Fixed.REMOVED_USAGES}),
    names_objects=False,
    labels=LabelRules(50, rf"^(?!(?i:aws):){_AWS_TAG}{{1,128}}$", rf"^{_AWS_TAG}{{0,256}}$"),
    shared_labels=True,
    remote=True,
    hosts=True,
    adopts=True,
    limits=Limits(objects=2_500, installs_per_year=5_000, installs_per_second=1.0),
)
"""https://docs.aws.amazon.com/acm/latest/userguide/import-certificate-prerequisites.html, acm-limits.html"""

AZURE_KEY_VAULT = Capabilities(
    ecdsa_sizes=(256, 384, 521),
    ed25519=False,
    name_pattern="^[0-9a-z-]{1,127}$",  # upper and lower case are the same there
    labels=LabelRules(15, "^[^\x00-\x1f]{1,512}$", "^[^\x00-\x1f]{0,512}$"),
    shared_labels=True,
    remote=True,
    makes_keys=True,
    hosts=True,
    adopts=True,
    limits=Limits(installs_per_second=30.0),
)
"""https://learn.microsoft.com/azure/key-vault/general/service-limits and certificates/about-certificates."""

GCP_CERTIFICATE_MANAGER = Capabilities(
    ecdsa_sizes=(256, 384),
    ed25519=False,
    name_pattern="^[a-z][a-z0-9-]{0,62}$",
    labels=LabelRules(64, "^[a-z][a-z0-9_-]{0,62}$", "^[a-z0-9_-]{0,63}$"),
    shared_labels=True,
    remote=True,
    hosts=True,
    adopts=True,
    limits=Limits(installs_per_second=5.0),
)
"""https://cloud.google.com/certificate-manager/docs/quotas and .../docs/certificates."""
