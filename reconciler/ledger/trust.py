"""What the ledger keeps of each Bundle of trust anchors, a JSON file each."""

from pydantic import Field

from schemas.base import Model
from schemas.scalars import Instant


class TrustPlacement(Model):
    """A bundle of anchors that was, or was about to be, installed under `object_name` in `target`.

    `anchors` are the SHA-256 fingerprints last verified there.
    """

    target: str
    object_name: str
    anchors: tuple[str, ...] = ()
    verified_at: Instant | None = None


class TrustRecord(Model):
    """Everything known of one Bundle: where it is, and what it was last seen to hold.

    `replaced` tells since when nothing in use hangs by an anchor any more, by its fingerprint.
    """

    name: str
    placements: tuple[TrustPlacement, ...] = ()
    replaced: dict[str, Instant] = Field(default_factory=dict)

    def placement(self, target: str, object_name: str) -> TrustPlacement | None:
        """The placement under a name in a target, if there is one."""
        spot = (target, object_name)
        return next((p for p in self.placements if (p.target, p.object_name) == spot), None)
