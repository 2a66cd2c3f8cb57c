"""A certificate in a vault as the vault tells of it, and what that means to certform."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from azure.keyvault.certificates import (
    CertificatePolicyAction,
    CertificateProperties,
    DeletedCertificate,
    KeyVaultCertificate,
)

from providers import x509
from providers.base import OWNER, Installed
from providers.errors import Ambiguous, Conflict
from providers.seal import CONTENT, Seal, read_seal, unsealed

HOSTED = "hosted"
"""What stands in the seal's place on what the vault issues and renews by itself."""
_UNFINISHED = "its creation is not finished: there is a key, and no certificate for it"
_DISABLED = "it is disabled"
_REPLACED = "another certificate is there than was installed"
_RENEWED = f"{_REPLACED}: its policy lets the vault renew it by itself (AutoRenew)"


@dataclass(frozen=True, slots=True)
class Held:
    """One name in a vault, at its latest version.

    `id` has no version. `name` is in lower case: a vault does not tell that from upper case.
    `thumbprint` is hex SHA-1 over the certificate, None while there is none. A listing leaves out
    `certificate` (DER), `version` and what the policy says.
    """

    id: str
    name: str
    thumbprint: str | None
    tags: Mapping[str, str]
    enabled: bool
    not_after: datetime | None
    created: datetime | None
    certificate: bytes | None = None
    renews: bool = False
    exportable: bool = True
    version: str = ""
    purged_on: datetime | None = None

    @classmethod
    def listed(cls, url: str, properties: CertificateProperties) -> "Held":
        """Return what a listing tells."""
        thumbprint = properties.x509_thumbprint
        return cls(
            id=f"{url}/certificates/{properties.name}",
            name=properties.name.lower(),
            thumbprint=bytes(thumbprint).hex() if thumbprint else None,
            tags=dict(properties.tags or {}),
            enabled=bool(properties.enabled),
            not_after=properties.expires_on,
            created=properties.created_on,
        )

    @classmethod
    def got(cls, url: str, found: KeyVaultCertificate) -> "Held":
        """Return what GET tells of the latest version."""
        if found.properties is None:
            raise Ambiguous("the vault's answer could not be read")
        policy = found.policy
        actions = (policy.lifetime_actions if policy else None) or ()
        return replace(
            cls.listed(url, found.properties),
            certificate=bytes(found.cer) if found.cer else None,
            renews=any(each.action is CertificatePolicyAction.auto_renew for each in actions),
            exportable=policy is None or policy.exportable is not False,
            version=(found.properties.version or "") if found.cer else "",
        )

    @classmethod
    def deleted(cls, url: str, found: DeletedCertificate) -> "Held":
        """Return what is told of a soft-deleted certificate."""
        return replace(cls.got(url, found), purged_on=found.scheduled_purge_date)

    @property
    def seal(self) -> Seal | None:
        """What we installed, while that is what is there."""
        return read_seal(self.tags, self.thumbprint or "")

    @property
    def hosted(self) -> bool:
        """Whether the vault issues it by itself, as we asked."""
        return self.tags.get(CONTENT) == HOSTED

    def owned_by(self, owner: str) -> bool:
        """Whether it carries this owner's label."""
        return self.tags.get(OWNER) == owner

    def installed(self, owner: str) -> Installed:
        """Return it as certform speaks of it, as far as it was read."""
        serial, sha256, trust = self._identity()
        return Installed(
            id=self.id,
            name=self.name,
            labels=unsealed(self.tags),
            serial=serial,
            sha256=sha256,
            not_after=self.not_after,
            trust=trust,
            drift=tuple(self._drift(owner)),
            installed_at=self.created,
        )

    def _identity(self) -> tuple[str | None, str | None, str | None]:
        if (seal := self.seal) is not None:
            return seal.serial, seal.sha256, seal.trust or None
        with suppress(Conflict):
            if self.certificate is not None:
                facts = read(self.certificate)
                return facts.serial, facts.sha256, None
        return None, None, None

    def _drift(self, owner: str) -> Iterator[str]:
        if self.purged_on is not None:
            yield f"it is deleted, and can be recovered until {self.purged_on:%Y-%m-%d}"
        elif self.thumbprint is None:
            yield from () if self.hosted else (_UNFINISHED,)
        elif self.owned_by(owner):
            yield from self._changes()

    def _changes(self) -> Iterator[str]:
        if not self.enabled:
            yield _DISABLED
        if CONTENT in self.tags and not self.hosted and self.seal is None:
            yield _RENEWED if self.renews else _REPLACED


def read(certificate: bytes) -> x509.CertificateFacts:
    """Return what a certificate of the vault says; raises `Conflict` for what is none."""
    try:
        return x509.facts(certificate)
    except ValueError:
        raise Conflict("the vault holds a certificate that cannot be read") from None
