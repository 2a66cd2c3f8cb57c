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
    custody = desired.custody if desired else None
    found = record.generation(generation) if record else None
    issued = found is not None and found.status in (Status.ISSUED, Status.REVOKED)
    if desired is not None and desired.request.generation == generation and not issued:
        return custody
    if found is None or not isinstance(found.request, AuthorityRequest):
        return None
    reference = found.request.key_ref
    return RemoteKey.named(reference, custody) if reference else None
