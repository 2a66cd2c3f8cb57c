"""The passwords of keystores: opened by sops where they are needed, and only ever in memory."""

from dataclasses import dataclass, field

from providers.base import NO_KEYSTORES, Keystore, Keystores
from providers.secret import Secret
from providers.sops.binary import Sops
from reconciler.keystores import DesiredKeystore
from reconciler.state import DesiredInstall


@dataclass
class Passwords:
    """Opens each password once a run."""

    sops: Sops
    _opened: dict[tuple[bytes, str], Secret] = field(default_factory=dict, repr=False)

    def keystores(self, install: DesiredInstall) -> Keystores:
        """Return the keystores that are wanted, ready to be written; raises ProviderError."""
        if not install.keystores:
            return NO_KEYSTORES
        stores = tuple(
            Keystore(each.form, each.alias, self._open(each), each.profile)
            for each in install.keystores
        )
        return Keystores(install.keystores_digest, stores)

    def _open(self, wanted: DesiredKeystore) -> Secret:
        key = (wanted.sealed, wanted.password.key)
        if key not in self._opened:
            reference = wanted.password
            self._opened[key] = self.sops.value(wanted.sealed, reference.name, reference.key)
        return self._opened[key]
