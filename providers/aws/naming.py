"""Which object goes by which name: ACM gives none, so ours go by our label and all others by their ARN."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from providers.aws.records import Record
from providers.aws.tags import REPLACES
from providers.base import Installed

_MARK = "~"
"""What no certificate's name has in it (`schemas.scalars.Name`)."""


def names(records: Iterable[Record], owner: str) -> dict[str, str]:
    """Return a name for each ARN.

    Of several of ours with one label, what none of them supersedes keeps the name, and of those the
    newest; the others have a name of their own.
    """
    ours = sorted((each for each in records if each.owned_by(owner)), key=_label)
    found: dict[str, str] = {}
    for label, group in groupby(ours, key=_label):
        alike = tuple(group)
        first = _first(alike)
        found |= {each.arn: label if each is first else beside(each) for each in alike}
    return found


def bearer(records: Sequence[Record], owner: str, name: str) -> Record | None:
    """Return what goes by a name."""
    named = names(records, owner)
    return next((each for each in records if named.get(each.arn, each.arn) == name), None)


def beside(record: Record) -> str:
    """Return the name of an object that another of ours supersedes."""
    return f"{record.label}{_MARK}{record.id[:8]}"


def label_of(installed: Installed) -> str:
    """Return the label of an object by the name it was observed under."""
    return installed.name.partition(_MARK)[0]


def _first(alike: Sequence[Record]) -> Record:
    superseded = {each.tags.get(REPLACES) for each in alike}
    return max(alike, key=lambda each: (each.id not in superseded, each.age))


def _label(record: Record) -> str:
    return record.label
