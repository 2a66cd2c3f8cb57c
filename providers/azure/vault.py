"""The azure-key-vault target: certificates in one Key Vault, by its data plane."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import ClassVar, Self
from urllib.parse import urlsplit

from azure.keyvault.certificates import CertificateClient

from providers.abilities import AdoptRequest, HostRequest, KeyRequest, RelabelRequest
from providers.azure import removing
from providers.azure.connection import options
from providers.azure.credentials import Credentials, credentials
from providers.azure.errors import Forbidden, explain
from providers.azure.held import Held, read
from providers.azure.hosting import Hoster, hosting
from providers.azure.identity import check_same, name_in
from providers.azure.installing import Installer
from providers.azure.labelling import added, relabelled
from providers.azure.making import Maker
from providers.azure.service import Service
from providers.base import OWNER, Installed, InstallRequest, TargetConfig
from providers.calls import Calls, Pace
from providers.errors import Conflict, NotFound, ProviderError, Unreachable
from providers.failpoints import reach
from providers.seal import CONTENT, Seal
from providers.x509.content import content
from schemas.capabilities import AZURE_KEY_VAULT, Capabilities


class KeyVaultTarget:
    """One vault. Nothing is connected to before the first call."""

    capabilities: ClassVar[Capabilities] = AZURE_KEY_VAULT

    def __init__(self, config: TargetConfig, known: Credentials, calls: Calls) -> None:
        if config.spec.azure_key_vault is None:
            raise ValueError("the target is no azure-key-vault")
        self._settings = config.spec.azure_key_vault
        self._owner = config.owner
        self._known = known
        self._calls = calls

    @classmethod
    def from_config(cls, config: TargetConfig, /) -> Self:
        """Make the target; looks for no credential yet."""
        pace = Pace(AZURE_KEY_VAULT.limits.installs_per_second)
        return cls(config, credentials(), Calls(explain, pace))

    def observe(self) -> Sequence[Installed]:
        """Return every certificate, and others' deleted ones, whose names are taken; else `Unreachable`."""
        try:
            return tuple(self._observed())
        except ProviderError as why:
            raise Unreachable(f"{self._host}: {why}") from None

    def find(self, id_: str, /) -> Installed | None:
        """Return the certificate of that identifier, versionless; None when there is none."""
        held = self._at(id_)
        return None if held is None else self._told(held)

    def inspect(self, installed: Installed, /) -> Installed:
        """Return it with serial, fingerprint and content; what is deleted or not yet made stays as it is."""
        held = self._at(installed.id)
        if held is None or held.certificate is None:
            return installed
        told = self._told(held)
        with suppress(Conflict):
            facts = read(held.certificate)
            told = replace(told, serial=facts.serial, sha256=facts.sha256)
        with suppress(ValueError):
            told = replace(told, content=content(held.certificate))
        return told

    def install(self, request: InstallRequest, /) -> Installed:
        """Import it as the newest version, or merge it with the key that waits for it."""
        return self._told(self._installer.install(request))

    def remove(self, installed: Installed, /) -> None:
        """Soft-delete it with all its versions; raises `Conflict` for another than was observed."""
        held = self._at(installed.id)
        if held is not None:
            check_same(installed, held, self._owner)
            removing.remove(self._service, held, self._owner)

    def relabel(self, request: RelabelRequest, /) -> Installed:
        """Replace the tags of the newest version; what others put there since the look stays."""
        held = self._at(request.installed.id)
        held = check_same(request.installed, held, self._owner)
        made = self._service.update(held, relabelled(request, held))
        reach("azure.labelled")
        return self._told(made)

    def adopt(self, request: AdoptRequest, /) -> Installed:
        """Label somebody's certificate as ours, and change nothing else."""
        held = self._at(request.id)
        if held is None or held.certificate is None:
            raise NotFound(f"{request.id} is not there, or is no certificate yet")
        if held.tags.get(OWNER, self._owner) != self._owner:
            raise Conflict(f"{held.id} belongs to another owner, {held.tags[OWNER]}")
        seal = _found_seal(held)
        request.check(seal.serial, seal.sha256)
        tags = added({**request.labels, CONTENT: str(seal)}, held)
        made = self._service.update(held, tags)
        reach("azure.adopted")
        return self._told(made)

    def make_key(self, request: KeyRequest, /) -> bytes:
        """Return the signing request (DER) of a key that was made in the vault and stays there."""
        return Maker(self._installer).make(request)

    def host(self, request: HostRequest, /) -> Installed:
        """Order a certificate from a CA that the vault knows; the vault renews it from then on."""
        return self._told(Hoster(self._installer).host(request))

    def _observed(self) -> Iterator[Installed]:
        # deleted ones first: what is recovered meanwhile is then seen twice, rather than never
        deleted = {held.name: held for held in self._deleted()}
        for held in self._service.listing():
            deleted.pop(held.name, None)
            yield self._told(self._looked_at(held))
        yield from (self._told(each) for each in deleted.values())

    def _deleted(self) -> Sequence[Held]:
        """Return what others deleted; what we removed is gone, and comes back when it is installed again."""
        try:
            found = tuple(self._service.deleted())
        except Forbidden:
            return ()
        return tuple(each for each in found if not each.owned_by(self._owner))

    def _looked_at(self, held: Held) -> Held:
        """Return what is ours with its certificate, where the listing does not tell which one it is."""
        if not held.owned_by(self._owner) or held.thumbprint is None or held.seal is not None:
            return held
        return self._service.get(held.name) or held

    def _at(self, id_: str) -> Held | None:
        return self._service.get(name_in(self._settings.url, id_))

    def _told(self, held: Held) -> Installed:
        installed = held.installed(self._owner)
        if held.hosted and held.owned_by(self._owner):
            return replace(installed, hosting=hosting(self._service, held))
        return installed

    @cached_property
    def _service(self) -> Service:
        client = CertificateClient(
            self._settings.url,
            self._known.of(self._settings.tenant),
            **options(verify_challenge_resource=self._settings.verify_challenge_resource),
        )
        return Service(self._settings.url, client, self._calls)

    @property
    def _installer(self) -> Installer:
        return Installer(self._service, self._owner)

    @property
    def _host(self) -> str:
        return urlsplit(self._settings.url).netloc


def _found_seal(held: Held) -> Seal:
    """Return the seal of what was found: its chain, and so its trust, a vault does not tell."""
    facts = read(held.certificate or b"")
    return Seal(held.thumbprint or "", facts.serial, facts.sha256, "")
