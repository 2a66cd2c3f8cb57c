"""Labels as ACM has them: tags, ours beside those of others."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from providers.seal import unsealed

if TYPE_CHECKING:
    from mypy_boto3_acm.type_defs import TagTypeDef

REPLACES = "certform-replaces"
"""The tag of an object that supersedes another: the other's id, set as the new one is imported."""


MOST = 50
"""Tags of one object, those of AWS's own not counted."""


def tags_of(listed: Iterable[Mapping[str, object]]) -> dict[str, str]:
    """Read tags; a tag without a value has an empty one."""
    return {str(each["Key"]): str(each.get("Value", "")) for each in listed}


def as_tags(labels: Mapping[str, str]) -> "list[TagTypeDef]":
    """Return labels in the SDK's form."""
    return [{"Key": key, "Value": value} for key, value in labels.items()]


def labels_of(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the labels among the tags: all but what certform keeps there for itself."""
    return {key: value for key, value in unsealed(tags).items() if key != REPLACES}
