"""A CA in the PKI secrets engine of HashiCorp Vault or OpenBao, and how one logs in there."""

from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from schemas.clouds import Endpoint
from schemas.connection import Connected
from schemas.scalars import FilePath, Matching, Text
from schemas.secrets import SecretReference


def _absolute(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError("must be an absolute path on the host that applies")
    return value


HostFile = Annotated[FilePath, AfterValidator(_absolute)]
Mount = Annotated[
    str,
    Matching(
        r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", "must be a mount's path such as pki or pki/web"
    ),
]
Role = Annotated[str, Matching(r"^[A-Za-z0-9_.-]{1,128}$", "must be the name of a role")]


class AppRole(Connected):
    """https://developer.hashicorp.com/vault/docs/auth/approle."""

    CONNECTION: ClassVar = ("path", "role_id", "secret_ref")

    path: Mount = "approle"
    role_id: Text
    secret_ref: SecretReference


class Kubernetes(Connected):
    """https://developer.hashicorp.com/vault/docs/auth/kubernetes: the token of this pod's service account."""

    CONNECTION: ClassVar = ("path", "role", "token_file")

    path: Mount = "kubernetes"
    role: Role
    token_file: HostFile = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105  a path


class Jwt(Connected):
    """https://developer.hashicorp.com/vault/docs/auth/jwt: a token of GitHub Actions, or one in a file.

    Without `tokenFile`, GitHub is asked for one with this `audience`; the job needs `id-token: write`.
    """

    CONNECTION: ClassVar = ("path", "role", "audience", "token_file")

    path: Mount = "jwt"
    role: Role
    audience: Text | None = None
    token_file: HostFile | None = None


class VaultAuth(Connected):
    """How to log in; exactly one of the fields, or none: then the environment has a token (VAULT_TOKEN)."""

    CONNECTION: ClassVar = ("token_secret_ref", "app_role", "kubernetes", "jwt")

    token_secret_ref: SecretReference | None = Field(
        default=None, description="a token, in a sops file: `{name, key}`"
    )
    app_role: AppRole | None = Field(
        default=None, description="`{roleId, secretRef: {name, key}, path: approle}`"
    )
    kubernetes: Kubernetes | None = Field(
        default=None,
        description="`{role, path: kubernetes, tokenFile}`: the token of this pod's service account",
    )
    jwt: Jwt | None = Field(
        default=None,
        description="`{role, audience, path: jwt}` in GitHub Actions, `{role, tokenFile}` elsewhere",
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(getattr(self, field) is not None for field in self.CONNECTION) > 1:
            raise ValueError("must be one of tokenSecretRef, appRole, kubernetes, jwt")
        return self


class VaultConnection(Connected):
    """A server, a mount of its PKI engine, and how to log in. `caBundle` is a PEM file of the repository."""

    CONNECTION: ClassVar[tuple[str, ...]] = ("server", "namespace", "path", "ca_bundle", "auth")

    server: Endpoint = Field(description="the address: `https://`, or `http://` of this host")
    namespace: Text | None = Field(
        default=None, description="a namespace of Vault Enterprise, HCP or OpenBao"
    )
    path: Mount = Field(default="pki", description="where the PKI engine is mounted")
    ca_bundle: FilePath | None = Field(
        default=None,
        description="a PEM file of the repository, which alone the server's certificate is verified by."
        " Without it, what the system trusts",
    )
    auth: VaultAuth = VaultAuth()

    @property
    def mount(self) -> str:
        """Which mount it is, in one word: `ns/pki` is the mount `pki` of the namespace `ns`."""
        namespace = (self.namespace or "").strip("/")
        return "/".join(filter(None, (self.server.lower(), namespace, self.path)))


class Vault(VaultConnection):
    """A role of a mount, which signs our requests; `issuer` names one of several issuers of the mount."""

    CONNECTION: ClassVar[tuple[str, ...]] = (*VaultConnection.CONNECTION, "role")

    role: Role = Field(description="the role that signs")
    issuer: Annotated[str, Matching(r"^[A-Za-z0-9_.-]{1,128}$", "must name an issuer")] | None = (
        Field(
            default=None,
            alias="issuerName",
            description="one of several issuers of the mount. Without it, the role's",
        )
    )
