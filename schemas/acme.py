"""A CA that speaks ACME (RFC 8555): Let's Encrypt, and every public CA by external account binding."""

from functools import cached_property
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import Field

from schemas.base import Word
from schemas.connection import Connected
from schemas.quotas import CAREFUL, LETS_ENCRYPT, IssuerQuotas
from schemas.scalars import EmailAddress, FilePath, Matching, Text
from schemas.secrets import SecretReference
from schemas.solver_choice import SolverChoice
from schemas.solvers import Solver

HttpsUrl = Annotated[
    str,
    Matching(r"^https://[A-Za-z0-9.:\[\]-]+(/[^\s?#]*)?$", "must be an https:// address"),
]


class ExternalAccountBinding(Connected):
    """What ties an ACME account to one that the CA knows already (RFC 8555 section 7.3.4)."""

    CONNECTION: ClassVar = ("key_id", "key_secret_ref")

    key_id: Text = Field(alias="keyID")
    key_secret_ref: SecretReference


class RenewalInformation(Word):
    """Who says when a certificate is renewed: the CA (ARI, RFC 9773), or its life alone."""

    ARI = "ARI"
    NONE = "None"


class Acme(Connected):
    """One account at one ACME server. `privateKeySecretRef` holds the account's key (PEM) in a sops file.

    `caBundle` is a PEM file of the repository with the anchors that the server's own TLS certificate is
    judged by, where those of this host are not meant.
    """

    CONNECTION: ClassVar = (
        *("server", "ca_bundle", "email", "private_key_secret_ref"),
        *("external_account_binding", "solvers"),
    )

    server: HttpsUrl = Field(description="the CA's directory")
    email: EmailAddress | None = None
    ca_bundle: FilePath | None = None
    private_key_secret_ref: SecretReference
    external_account_binding: ExternalAccountBinding | None = None
    profile: Text | None = None
    preferred_chain: Text | None = None
    renewal_information_source: RenewalInformation = RenewalInformation.ARI
    quotas: IssuerQuotas | None = None
    solvers: tuple[Solver, ...] = Field(min_length=1)

    @cached_property
    def choice(self) -> SolverChoice:
        """Which solver is for which name."""
        return SolverChoice.of(self.solvers)

    @property
    def limits(self) -> IssuerQuotas:
        """What is kept to: what is written, else what the CA publishes, else enough to stop a loop."""
        if self.quotas is not None:
            return self.quotas
        host = urlsplit(self.server).hostname or ""
        return LETS_ENCRYPT if host.endswith(".letsencrypt.org") else CAREFUL
