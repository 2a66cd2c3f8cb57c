"""Taking a certificate out of a vault: it is soft-deleted, and its name stays taken until it is purged."""

from providers.azure.held import Held
from providers.azure.identity import check_owner
from providers.azure.service import Service
from providers.errors import Ambiguous
from providers.failpoints import reach


def remove(service: Service, held: Held, owner: str) -> None:
    """Delete a name with all its versions, and a creation that never ended with its key."""
    if held.thumbprint is None:
        service.discard_creation(held.name)
        reach("azure.creation-discarded")
        # what is under creation may hide the version before it
        beneath = service.get(held.name)
        if beneath is None:
            return
        held = check_owner(beneath, owner)
    try:
        service.delete(held.name)
    except Ambiguous:
        if service.get(held.name) is not None:
            raise
    reach("azure.deleted")
    if held.thumbprint is not None:
        service.await_deletion(held.name)
