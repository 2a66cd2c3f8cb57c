"""Where the key of a CA is: as the ledger knows it once it is issued, before that as the documents say."""

from collections.abc import Mapping

from reconciler.ledger.records import AuthorityRecord, Status
from reconciler.state import DesiredAuthority
from schemas.custody import RemoteKey
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
    custody = desired.remote if desired else None
    found = record.generation(generation) if record else None
    issued = found is not None and found.status in (Status.ISSUED, Status.REVOKED)
    if desired is not None and desired.request.generation == generation and not issued:
        return custody
    if found is None or not isinstance(found.request, AuthorityRequest):
        return None
    reference = found.request.key_ref
    return RemoteKey.named(reference, custody) if reference and ":" in reference else None


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
            named = wanted.key_ref is not None and request.key_ref == wanted.key_ref
            mine = (record.name, request.generation) == (desired.name, wanted.generation)
            if (named or issuance.spki == spki) and not mine:
                return f"authority/{record.name}, generation {request.generation}"
    return ""
