"""Keys that are made in a vault and never leave it: the creation waits until we sign its request."""

from dataclasses import dataclass

from providers.abilities import KeyRequest
from providers.azure.creation import Creation
from providers.azure.errors import CreationPending, SoftDeleted
from providers.azure.held import Held
from providers.azure.identity import check_owner
from providers.azure.installing import Installer, taken
from providers.azure.labelling import added
from providers.azure.policies import awaiting_signature
from providers.errors import Ambiguous
from providers.failpoints import reach


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes keys for what belongs to the installer's owner."""

    installer: Installer

    def make(self, request: KeyRequest) -> bytes:
        """Return the signing request (DER) of a key that waits, a new one unless there is one like it."""
        return self._made(request, self.installer.service.get(request.name)).request

    def _made(self, request: KeyRequest, held: Held | None) -> Creation:
        if held is not None:
            check_owner(held, self.installer.owner)
            if (waiting := self._waiting(request, held)) is not None:
                return waiting
            self.installer.clear(request.name, held)
        return self._create(request, held)

    def _waiting(self, request: KeyRequest, held: Held) -> Creation | None:
        """Return the creation that waits for a certificate like the one that is asked for."""
        found = self.installer.service.creation(request.name)
        fits = found is not None and found.waits_for_us and found.is_like(request.request.key)
        return found if fits and not held.exportable else None

    def _create(self, request: KeyRequest, held: Held | None) -> Creation:
        service, name = self.installer.service, request.name
        policy = awaiting_signature(request.request)
        try:
            made = service.create(name, policy, added(request.labels, held))
        except SoftDeleted:
            return self._made(request, self.installer.recover(name))
        except CreationPending:
            raise taken(name) from None
        except Ambiguous:
            made = self._read_back(request)
        reach("azure.key-made")
        return made

    def _read_back(self, request: KeyRequest) -> Creation:
        held = self.installer.service.get(request.name)
        if held is not None and held.owned_by(self.installer.owner):
            found = self._waiting(request, held)
            if found is not None:
                return found
        raise Ambiguous(
            f"the vault did not answer, and shows no key for {request.name}: apply again"
        )
