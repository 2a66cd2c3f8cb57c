"""Accounts at ACME servers as other clients keep them, and the Issuers that are made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.importing.challenges import Proof, solvers
from reconciler.importing.naming import Names
from reconciler.importing.outcome import Draft, HeldKey, account_key, sealed_file
from reconciler.importing.sources import host_and_path
from reconciler.importing.survey import Words
from schemas.secrets import SecretReference

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
SERVERS: Mapping[str, str] = {
    "acme-v02.api.letsencrypt.org": "letsencrypt",
    "acme-staging-v02.api.letsencrypt.org": "letsencrypt-staging",
    "acme.zerossl.com": "zerossl",
    "dv.acme-v02.api.pki.goog": "google",
    "dv.acme-v02.test-api.pki.goog": "google-staging",
    "acme-api.actalis.com": "actalis",
    "acme.ssl.com": "sslcom",
    "acme.sectigo.com": "sectigo",
    "one.digicert.com": "digicert",
    "emea.acme.atlas.globalsign.com": "globalsign",
}
"""What well-known servers are called, by their host."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account at one server, and what is asked for with it; `key_file` is where its key lies."""

    server: str
    email: str | None = None
    key_file: Path | None = None
    profile: str | None = None
    chain: str | None = None
    binding: str | None = None
    asks_for_renewal: bool = True


@dataclass(eq=False)
class _Wanted:
    """What an Issuer is made of: the ways its names are proved, and the document that named it first."""

    name: str
    words: Words
    proofs: list[tuple[Proof, Sequence[str]]] = field(default_factory=list)


class Issuers:
    """Makes an Issuer of every account that certificates are asked for with."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._wanted: dict[Account, _Wanted] = {}

    def add(
        self, account: Account, proofs: Sequence[tuple[Proof, Sequence[str]]], words: Words
    ) -> str:
        """Return the name of the Issuer for an account, which proves these names this way."""
        wanted = self._wanted.get(account)
        if wanted is None:
            host = host_and_path(account.server)[0].partition(":")[0]
            wish = SERVERS.get(host, host or "acme")
            wanted = self._wanted[account] = _Wanted(self._names.free("Issuer", wish), words)
        wanted.proofs += proofs
        return wanted.name

    def drafts(self) -> tuple[Draft, ...]:
        """Return the Issuers."""
        return tuple(_issuer(account, wanted) for account, wanted in self._wanted.items())

    def held(self) -> tuple[HeldKey, ...]:
        """Return where the accounts' keys lie, and where they are to be kept."""
        return tuple(
            HeldKey(
                wanted.name,
                SecretReference.model_validate(account_key(wanted.name)),
                account.key_file,
            )
            for account, wanted in self._wanted.items()
            if account.key_file is not None
        )


def _issuer(account: Account, wanted: _Wanted) -> Draft:
    acme: dict[str, Any] = {"server": account.server}
    if account.email:
        acme["email"] = account.email
    acme["privateKeySecretRef"] = account_key(wanted.name)
    if account.binding:
        reference = {"name": sealed_file(f"{wanted.name}-binding"), "key": "hmacKey"}
        acme["externalAccountBinding"] = {"keyID": account.binding, "keySecretRef": reference}
    for name, value in (("profile", account.profile), ("preferredChain", account.chain)):
        acme |= {name: value} if value else {}
    if not account.asks_for_renewal:
        acme["renewalInformationSource"] = "None"
    acme["solvers"] = solvers(wanted.proofs)
    todo = dict.fromkeys(proof.todo for proof, _ in wanted.proofs if proof.todo)
    return Draft("Issuer", wanted.name, {"acme": acme}, wanted.words, tuple(todo))
