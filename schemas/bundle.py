"""Bundle: the anchors that relying parties trust, kept the same in every place that holds them."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from schemas.base import Model
from schemas.scalars import Duration, FilePath, Name, Reference


class BundleEntry(Model):
    """One place that holds the anchors, and what they are called there."""

    target_ref: Reference
    object_name: Name | None = None


def _entry(value: Any) -> Any:
    return {"targetRef": value} if isinstance(value, str) else value


BundleShorthand = Annotated[
    BundleEntry,
    BeforeValidator(_entry, json_schema_input_type=Reference | BundleEntry),
]
"""`nginx` is short for `{targetRef: nginx}`."""


class BundleSpec(Model):
    """Roots of ours with every generation that somebody may still need, and certificates (PEM) of others.

    `overlap` is how long the anchor of an earlier generation stays after the last certificate below it
    was replaced, 7d when it is not given; after a compromise it goes at once.
    """

    authorities: tuple[Reference, ...] = ()
    files: tuple[FilePath, ...] = ()
    targets: Annotated[tuple[BundleShorthand, ...], Field(min_length=1)]
    overlap: Duration | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.authorities and not self.files:
            raise ValueError("must name at least one of `authorities` or `files`")
        return self
