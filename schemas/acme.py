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
    Matching(r"^https://[A-Za-z0-9.:\[\]-]+(/[^\s#]*)?$", "must be an https:// address"),
]


class ExternalAccountBinding(Connected):
    """What ties an ACME account to one that the CA knows already (RFC 8555 section 7.3.4)."""

    CONNECTION: ClassVar = ("key_id", "key_secret_ref")

    key_id: Text = Field(alias="keyID", description="what the CA calls the customer's account")
    key_secret_ref: SecretReference = Field(
        description="the HMAC key in base64url, in a sops file: `{name, key}`"
    )


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
    email: EmailAddress | None = Field(
        default=None, description="whom the CA writes to; it is told when the account is made"
    )
    ca_bundle: FilePath | None = Field(
        default=None,
        description="a PEM file of the repository, which alone the server's certificate is verified by. "
        "Without it, what the system trusts",
    )
    private_key_secret_ref: SecretReference = Field(
        description="the account's key, in a sops file: `{name, key}`"
    )
    external_account_binding: ExternalAccountBinding | None = Field(
        default=None, description="which customer the account is of, with CAs that want to know"
    )
    profile: Text | None = Field(
        default=None, description="one of the CA's profiles, such as `tlsserver` or `shortlived`"
    )
    preferred_chain: Text | None = Field(
        default=None,
        description="the common name of the root that the chain is to end at, where there are several",
    )
    renewal_information_source: RenewalInformation = Field(
        default=RenewalInformation.ARI,
        description="`ARI`: the CA is asked when it wants renewals (RFC 9773); `None`: it is not",
    )
    quotas: IssuerQuotas | None = Field(
        default=None,
        description="how much the CA issues in a while; by default Let's Encrypt's limits for its servers, "
        "else a few that stop a loop",
    )
    solvers: tuple[Solver, ...] = Field(min_length=1, description="how names are proved, and which")

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
