"""Whether what is there is still what was observed; asked before each change of it."""

from providers.aws.naming import label_of
from providers.aws.records import Record
from providers.base import Installed
from providers.errors import Conflict


def check_ours(record: Record, owner: str) -> None:
    """Raise `Conflict` for what does not carry this owner's label."""
    if not record.owned_by(owner):
        raise Conflict(f"{record.arn} is not ours: it does not carry our owner label")


def check_identity(record: Record | None, observed: Installed, owner: str) -> Record:
    """Return what is there now; raises `Conflict` unless it is ours and what was observed.

    What AWS renews by itself may have another serial since; its ARN stays.
    """
    if record is None:
        raise Conflict(f"{observed.id} is gone")
    check_ours(record, owner)
    if record.label != label_of(observed):
        raise Conflict(f"{record.arn} is labelled as {record.label}, not as {observed.name}")
    if observed.hosting is None and not _alike(record, observed):
        raise Conflict(
            f"{record.arn} holds serial {record.serial}, not {observed.serial} as was observed"
        )
    return record


def _alike(record: Record, observed: Installed) -> bool:
    known = None not in (record.sha256, observed.sha256)
    return record.serial == observed.serial and (not known or record.sha256 == observed.sha256)
