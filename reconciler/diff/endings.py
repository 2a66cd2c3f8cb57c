"""What becomes of a certificate when its document goes: what the ledger remembers of that, kept up to date.

The document is gone by then, so only the ledger can tell; an edit of `onRemove` is therefore a change.
"""

from collections.abc import Iterator

from reconciler.diff.changes import change, change_id
from reconciler.diff.world import World
from reconciler.state import DesiredCertificate
from schemas.certificate import OnRemove
from schemas.plan import Action, Change, FieldChange, Reason


def ending_changes(world: World) -> Iterator[Change]:
    """Yield a change for each certificate whose `onRemove` is not the one the ledger remembers."""
    for desired in world.desired.certificates.values():
        record = world.records.get(desired.name)
        if record and record.issuances and record.on_remove is not desired.on_remove:
            yield _configure(desired, record.on_remove)


def _configure(desired: DesiredCertificate, remembered: OnRemove) -> Change:
    return change(
        desired.address,
        Action.CONFIGURE,
        Reason.SPEC_CHANGED,
        f"when its document goes: {desired.on_remove}, no longer {remembered}",
        identity={"onRemove": [remembered, desired.on_remove]},
        requires=(change_id(Action.RELABEL, desired.address),),
        source=desired.source,
        fields=(FieldChange(path="onRemove", before=remembered, after=desired.on_remove),),
    )
