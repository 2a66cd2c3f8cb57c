"""Whom we are to Azure: found by the SDK's own chain, once per tenant and process."""

import threading
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from azure.identity import DefaultAzureCredential

from providers.azure.errors import clean
from providers.errors import Denied


@dataclass(frozen=True, slots=True)
class InTenant:
    """Asks for tokens of one tenant, whatever tenant a vault's challenge names."""

    credential: DefaultAzureCredential
    tenant: str

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,  # noqa: ARG002
        enable_cae: bool = False,
        **kwargs: Any,
    ) -> AccessToken:
        """Return a token of the tenant, for an SDK that does not ask for its details."""
        return self.credential.get_token(
            *scopes, claims=claims, tenant_id=self.tenant, enable_cae=enable_cae, **kwargs
        )

    def get_token_info(
        self, *scopes: str, options: TokenRequestOptions | None = None
    ) -> AccessTokenInfo:
        """Return a token of the tenant; raises ClientAuthenticationError."""
        asked: TokenRequestOptions = {**(options or {}), "tenant_id": self.tenant}
        return self.credential.get_token_info(*scopes, options=asked)


Credential = DefaultAzureCredential | InTenant


@dataclass(frozen=True, slots=True)
class Credentials:
    """Makes one credential for each tenant; its tokens are then shared by all vaults of the tenant."""

    _made: dict[str | None, Credential] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def of(self, tenant: str | None) -> Credential:
        """Return the credential for a tenant; None is the identity's own. Raises `Denied`."""
        with self._lock:
            if tenant not in self._made:
                self._made[tenant] = _made(tenant)
            return self._made[tenant]


@cache
def credentials() -> Credentials:
    """Return this process's credentials."""
    return Credentials()


def _made(tenant: str | None) -> Credential:
    try:
        if tenant is None:
            return DefaultAzureCredential()
        return InTenant(DefaultAzureCredential(additionally_allowed_tenants=[tenant]), tenant)
    except (ValueError, OSError) as why:
        said = clean(why)
    raise Denied(f"what AZURE_... in the environment says of credentials is of no use: {said}")
