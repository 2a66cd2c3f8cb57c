"""Where the key of a CA is: as the ledger knows it once it is issued, before that as the documents say."""

from collections.abc import Mapping

from providers.errors import Denied
from reconciler.ledger.records import AuthorityRecord, Issuance, Status
from reconciler.state import DesiredAuthority
from schemas.custody import MOUNTED, SOPS, Kept, RemoteKey
from schemas.request import AuthorityRequest


def remote_key(
    name: str,
    generation: int,
    known: Mapping[str, AuthorityRecord],
    wanted: Mapping[str, DesiredAuthority],
) -> RemoteKey | None:
    """Return which key at a key service a CA signs with; None when its key is in the ledger.

    Which key is the ledger's to say; how it is reached is the document's, where there is one.
    """
    record, desired = known.get(name), wanted.get(name)
    custody = _said(desired, generation) if desired else None
    found = record.generation(generation) if record else None
    issued = found is not None and found.status in (Status.ISSUED, Status.REVOKED)
    if desired is not None and not issued and generation in _spoken_of(desired):
        return custody
    if found is None or not isinstance(found.request, AuthorityRequest):
        return None
    reference = found.request.key_ref
    return RemoteKey.named(reference, custody) if reference and ":" in reference else None


def _said(desired: DesiredAuthority, generation: int) -> RemoteKey | None:
    """Return what the document says of where a generation's key is, that of one that existed before too."""
    existing = desired.existing
    if existing is None or existing.generation != generation:
        return desired.remote
    return existing.custody if isinstance(existing.custody, RemoteKey) else None


def _spoken_of(desired: DesiredAuthority) -> tuple[int, ...]:
    existing = (desired.existing.generation,) if desired.existing else ()
    return (desired.request.generation, *existing)


def sealed_key(
    name: str,
    generation: int,
    known: Mapping[str, AuthorityRecord],
    wanted: Mapping[str, DesiredAuthority],
) -> bytes | None:
    """Return the sops file of the repository that a CA's key is in; None for one that is elsewhere.

    Raises Denied where no document names the file any more.
    """
    record, desired = known.get(name), wanted.get(name)
    existing = desired.existing if desired else None
    found = record.issued(generation) if record else None
    mine = existing if existing and existing.generation == generation else None
    request = found.request if found else mine.request if mine else None
    if not isinstance(request, AuthorityRequest) or request.key_ref != SOPS:
        return None
    if mine is None or mine.sealed is None:
        raise Denied(f"no document names the sops file with the key of authority/{name}")
    return mine.sealed


def key_holder(
    known: Mapping[str, AuthorityRecord], desired: DesiredAuthority, spki: str | None = None
) -> str:
    """Name the CA or generation that has a key already, as far as `spki` (None: its name alone) tells.

    Every generation has a key of its own, or revoking one would leave the other with a key nobody trusts.
    """
    wanted = desired.request
    for record in known.values():
        for issuance in record.issuances:
            request = issuance.request
            if not isinstance(request, AuthorityRequest) or issuance.status is Status.ABANDONED:
                continue
            named = ":" in (wanted.key_ref or "") and request.key_ref == wanted.key_ref
            mine = (record.name, request.generation) == (desired.name, wanted.generation)
            if (named or issuance.spki == spki) and not mine:
                return f"authority/{record.name}, generation {request.generation}"
    return ""


def signs_nothing(issuance: Issuance) -> bool:
    """Whether certform signs nothing with a CA's key: it is nobody's here, or Vault signs with it."""
    return _key_ref(issuance) in (Kept.NONE.reference, MOUNTED)


def is_mounted(issuance: Issuance) -> bool:
    """Whether Vault keeps a CA's key."""
    return _key_ref(issuance) == MOUNTED


def _key_ref(issuance: Issuance) -> str | None:
    request = issuance.request
    return request.key_ref if isinstance(request, AuthorityRequest) else None


def signs_offline(
    name: str,
    generation: int,
    known: Mapping[str, AuthorityRecord],
    wanted: Mapping[str, DesiredAuthority],
) -> bool:
    """Whether only a ceremony can sign with the key of a CA's generation."""
    record, desired = known.get(name), wanted.get(name)
    found = record.issued(generation) if record else None
    if found is None:
        return desired is not None and desired.offline
    request = found.request
    return isinstance(request, AuthorityRequest) and request.key_ref == Kept.OFFLINE.reference
