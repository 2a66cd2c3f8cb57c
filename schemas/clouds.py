"""Places in clouds that hold certificates, and how each is reached; credentials are each SDK's affair."""

from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from schemas.base import Model, Word
from schemas.connection import Connected
from schemas.scalars import Boolean, Integer, Matching, Name, Text


def _once(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(value)) != len(value):
        raise ValueError("must name each place once")
    return value


AwsRegion = Annotated[
    str, Matching(r"^[a-z]{2,4}(-[a-z]+)+-[0-9]$", "must be an AWS region, such as eu-west-1")
]
RoleArn = Annotated[
    str,
    Matching(
        r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$",
        "must be the ARN of an IAM role, such as arn:aws:iam::111122223333:role/certform",
    ),
]
VaultAddress = Annotated[
    str,
    Matching(
        r"^([a-zA-Z][0-9a-zA-Z-]{1,22}[0-9a-zA-Z]|https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?)$",
        "must be a vault's name, such as kv-example-prod, or its https:// address",
    ),
]
Tenant = Annotated[
    str, Matching(r"^[0-9a-zA-Z.-]{1,100}$", "must be a tenant's id or one of its domains")
]
GcpProject = Annotated[
    str, Matching(r"^[a-z][a-z0-9.:-]{4,62}[a-z0-9]$", "must be a Google Cloud project's id")
]
GcpLocation = Annotated[
    str, Matching(r"^(global|[a-z]+-[a-z]+[0-9]+)$", "must be global or a region, as europe-west1")
]
Endpoint = Annotated[
    str,
    Matching(
        r"^(https://[A-Za-z0-9.-]+|http://(127\.0\.0\.1|localhost))(:[0-9]{1,5})?$",
        "must be an https:// address, or an http:// address of this host",
    ),
]


class AcmQuotas(Model):
    """An account's own quotas, where AWS has raised them: certificates held, and imports in 365 days."""

    certificates: Annotated[
        Integer, Field(ge=1, description="certificates a region may hold, where AWS has raised it")
    ] = 2_500
    imports_per_year: Annotated[
        Integer, Field(ge=1, description="imports within 365 days, where AWS has raised it")
    ] = 5_000


class AwsAcm(Connected):
    """AWS Certificate Manager, in one place for each region; `role` is assumed for it."""

    CONNECTION: ClassVar = ("regions", "role", "read_role", "external_id")

    regions: Annotated[
        tuple[AwsRegion, ...],
        Field(
            min_length=1,
            description="the regions; each is a place of its own (`certificate/www@acm/eu-west-1`)."
            " CloudFront reads `us-east-1` alone",
        ),
        AfterValidator(_once),
    ]
    role: RoleArn | None = Field(
        default=None,
        description="the role that is assumed (STS) for the account; its session is shared by all regions."
        " Without it, the credentials' own account",
    )
    read_role: RoleArn | None = Field(
        default=None,
        description="the role that is assumed instead where nothing is changed (`plan`, `drift`, `inventory`,"
        " `discover`), so that a pull request's identity needs no right to write",
    )
    external_id: Text | None = Field(
        default=None, description="what the roles' trust policies ask for, where they do"
    )
    quotas: AcmQuotas = AcmQuotas()

    @model_validator(mode="after")
    def _one_account(self) -> Self:
        if self.read_role is not None and _account(self.read_role) != _account(self.role):
            raise ValueError("`readRole` must be a role of the account that `role` is of")
        return self

    def to_read(self) -> Self:
        """Return these settings with the role for whoever only reads."""
        return self.model_copy(update={"role": self.read_role}) if self.read_role else self

    @property
    def whereabouts(self) -> tuple[str, ...]:
        """Which region it is, and of which account as far as the role tells; other roles reach the same."""
        return (*self.regions, *_account(self.role))


def _account(role: str | None) -> tuple[str, ...]:
    """The partition and the account that a role is of; nothing where there is none."""
    return tuple(role.split(":")[1:5:3]) if role else ()


class AzureKeyVault(Connected):
    """The certificates of one Azure Key Vault.

    `verifyChallengeResource: false` is for a vault that is reached by a name of your own.
    """

    CONNECTION: ClassVar = ("vault", "tenant", "verify_challenge_resource")

    vault: VaultAddress = Field(
        description="the vault's name, or its `https://` address (sovereign clouds, private names)"
    )
    tenant: Tenant | None = Field(
        default=None,
        description="the tenant to sign in to, where the vault is in another than the identity's own",
    )
    verify_challenge_resource: Boolean = Field(
        default=True,
        description="`false` where the vault is reached by a name of your own, not below its cloud's domain;"
        " whoever answers there then chooses what the token it is sent is good for",
    )

    @property
    def url(self) -> str:
        """The address of the vault."""
        if self.vault.startswith("https://"):
            return self.vault.rstrip("/")
        return f"https://{self.vault}.vault.azure.net"

    @property
    def whereabouts(self) -> tuple[str, ...]:
        """Which vault it is, however its address is written."""
        return (self.url.lower(),)


class GcpScope(Word):
    """Where Google serves a certificate; it never changes for one."""

    DEFAULT = "default"
    EDGE_CACHE = "edge-cache"
    ALL_REGIONS = "all-regions"
    CLIENT_AUTH = "client-auth"


class GcpCertificateManager(Connected):
    """Google Cloud Certificate Manager, in one place for each location.

    `certificateMap` gets an entry for each DNS name of each certificate; `trustConfig` holds the
    trust anchors and intermediates of what is installed.
    """

    CONNECTION: ClassVar = ("project", "locations", "endpoint")

    project: GcpProject = Field(description="the project's id")
    locations: Annotated[
        tuple[GcpLocation, ...],
        Field(
            min_length=1,
            description="`global`, or regions; each is a place of its own"
            " (`certificate/www@edge/europe-west1`)",
        ),
        AfterValidator(_once),
    ] = ("global",)
    scope: GcpScope = Field(
        default=GcpScope.DEFAULT,
        description="`default`, `edge-cache`, `all-regions` or `client-auth`, for new certificates: Google"
        " changes it for none that is there",
    )
    certificate_map: Name | None = Field(
        default=None,
        description="a map that gets an entry for each DNS name of each certificate; made where it is"
        " missing. Google has maps in `global` only",
    )
    trust_config: Name | None = Field(
        default=None,
        description="a trust config that gets the anchors and intermediates of what is installed; made"
        " where it is missing",
    )
    endpoint: Endpoint | None = Field(
        default=None,
        description="another address of the service than Google's, such as that of a private endpoint",
    )

    @model_validator(mode="after")
    def _served_from_global(self) -> Self:
        regions = [place for place in self.locations if place != "global"]
        if self.certificate_map is not None and regions:
            raise ValueError(
                f"Google has certificate maps in global only: give {', '.join(regions)} a Target without"
                " `certificateMap`"
            )
        return self

    @property
    def whereabouts(self) -> tuple[str, ...]:
        """Which project it is, and where: another address of the service is the same place."""
        return (self.project, *self.locations)
