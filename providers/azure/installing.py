"""Installing into a vault: an import, or the merge of a certificate with a key that was made there."""

from dataclasses import dataclass

from providers import x509
from providers.azure.creation import Creation
from providers.azure.errors import CreationPending, SoftDeleted
from providers.azure.held import Held
from providers.azure.identity import check_owner, check_same, check_vacant
from providers.azure.labelling import sealed, thumbprint
from providers.azure.policies import imported
from providers.azure.service import Service
from providers.base import Bundle, InstallRequest
from providers.errors import Ambiguous, Conflict
from providers.failpoints import reach
from providers.pairing import Pair, Pairing
from providers.seal import Seal
from providers.secret import Secret
from providers.x509.keys import decode_spki
from schemas.request import KeyType


@dataclass(frozen=True, slots=True)
class Installer:
    """Installs what belongs to one owner."""

    service: Service
    owner: str

    def install(self, request: InstallRequest) -> Held:
        """Install a new version; what is there already with this content only gets its labels."""
        pair = Pairing().check(request.bundle)
        witness = thumbprint(x509.to_der(request.bundle.certificate))
        held = self.service.get(request.name)
        if held is not None and held.owned_by(self.owner) and _holds(held, request, pair, witness):
            return self._settled(request, held, pair, witness)
        self._check(request, held)
        return self._add(request, held, pair, witness)

    def _check(self, request: InstallRequest, held: Held | None) -> None:
        keyless = request.bundle.private_key is None
        if keyless and held is not None and held.thumbprint is None:
            # what waits may hide what it is to replace; whose key it is tells the merge
            check_owner(held, self.owner)
        elif request.predecessor is not None:
            check_same(request.predecessor, held, self.owner)
        else:
            check_vacant(held, self.owner)

    def _settled(self, request: InstallRequest, held: Held, pair: Pair, witness: str) -> Held:
        tags = sealed(request.labels, held, pair, witness)
        if held.enabled and held.tags == tags:
            return held
        return self.service.update(held, tags, enabled=True)

    def _add(self, request: InstallRequest, held: Held | None, pair: Pair, witness: str) -> Held:
        tags = sealed(request.labels, held, pair, witness)
        try:
            if request.bundle.private_key is None:
                made = self._merge(request, held, tags)
            else:
                made = self._import(request, held, tags)
        except SoftDeleted:
            return self._over_deleted(request, pair, witness)
        except Ambiguous:
            made = self._read_back(request.name, Seal.of(pair, witness))
        reach("azure.installed")
        return made

    def _import(self, request: InstallRequest, held: Held | None, tags: dict[str, str]) -> Held:
        content, policy = _pem(request.bundle), imported(_kind(request.bundle))
        try:
            return self.service.import_pem(request.name, content, policy, tags)
        except CreationPending:
            self.clear(request.name, held)
        reach("azure.creation-discarded")
        return self.service.import_pem(request.name, content, policy, tags)

    def _merge(self, request: InstallRequest, held: Held | None, tags: dict[str, str]) -> Held:
        above = [x509.to_der(each) for each in request.bundle.chain]
        leaf = x509.to_der(request.bundle.certificate)
        creation = self.service.creation(request.name) if held is not None else None
        if creation is None or not creation.waits_for_us or not creation.is_for(leaf):
            raise Conflict(
                f"the vault no longer holds the key of this certificate of {request.name}: apply with"
                f" --replace certificate/{request.name}"
            )
        return self.service.merge(request.name, [leaf, *above], tags)

    def clear(self, name: str, held: Held | None) -> None:
        """Drop a creation that we began and nobody needs; raises `Conflict` for anybody else's."""
        creation = self.service.creation(name)
        if creation is None or not creation.under_way:
            return
        if held is None or not held.owned_by(self.owner) or not _is_ours(creation, held):
            raise taken(name)
        self.service.discard_creation(name)

    def recover(self, name: str) -> Held:
        """Recover a soft-deleted name of ours; raises `Conflict` for others'."""
        deleted = self.service.get_deleted(name)
        if deleted is None:
            raise Conflict(
                f"{name} was deleted, and is being purged or recovered: apply again; if that goes on, the"
                " name is that of a deleted key or secret: purge that, or choose another objectName"
            )
        if not deleted.owned_by(self.owner):
            until = f" until {deleted.purged_on:%Y-%m-%d}" if deleted.purged_on else ""
            raise Conflict(
                f"{name} is the name of somebody else's deleted certificate, and taken{until}: purge that,"
                " or choose another objectName"
            )
        recovered = self.service.recover(name)
        reach("azure.recovered")
        return check_owner(recovered, self.owner)

    def _over_deleted(self, request: InstallRequest, pair: Pair, witness: str) -> Held:
        recovered = self.recover(request.name)
        if _holds(recovered, request, pair, witness):
            return self._settled(request, recovered, pair, witness)
        return self._add(request, recovered, pair, witness)

    def _read_back(self, name: str, seal: Seal) -> Held:
        held = self.service.get(name)
        if held is None or held.seal != seal:
            raise Ambiguous(
                f"the vault did not answer, and does not show the new version of {name}: apply again"
            )
        return check_owner(held, self.owner)


def _holds(held: Held, request: InstallRequest, pair: Pair, witness: str) -> bool:
    """Whether a certificate is there already, with the chain it is to have as far as anybody knows.

    A vault tells of no chain; where the seal is lost all is imported again, if there is a key to do so.
    """
    if held.thumbprint != witness:
        return False
    return (
        request.bundle.private_key is None if held.seal is None else held.seal.trust == pair.trust
    )


def taken(name: str) -> Conflict:
    """Return the error for a name under which somebody else's creation is under way."""
    return Conflict(
        f"somebody else's creation is under way at {name}: let it end, cancel it, or choose another"
        " objectName"
    )


def _is_ours(creation: Creation, held: Held) -> bool:
    """Whether a creation under a name of ours is one of ours: of a key that never leaves, or hosted."""
    return held.hosted or (creation.waits_for_us and not held.exportable)


def _kind(bundle: Bundle) -> KeyType:
    algorithm, size = x509.key_type(decode_spki(x509.facts(bundle.certificate).spki))
    return KeyType(algorithm=algorithm, size=size)


def _pem(bundle: Bundle) -> Secret:
    """Return key, leaf and chain as one PEM file; the vault takes the key in PKCS#8 only."""
    parts = (bundle.held_key.reveal(), bundle.certificate, *bundle.chain)
    return Secret(b"".join(part.rstrip(b"\n") + b"\n" for part in parts))
