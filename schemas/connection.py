"""What of a configuration says who is spoken to: on a pull request it is read from the base, not the head."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from schemas.base import Model


class Connected(Model):
    """Settings some of which, named in `CONNECTION`, decide who is spoken to, or as whom."""

    CONNECTION: ClassVar[tuple[str, ...]] = ()

    def connection(self, above: str = "") -> Mapping[str, Any]:
        """Return the connection fields that have a value, as JSON, by the path they are written at."""
        said = self.model_dump(mode="json", include=set(self.CONNECTION), exclude_none=True)
        return {f"{above}{name}": value for name, value in said.items() if value != []}

    def reached_as(self, other: "Connected") -> Self:
        """Return these settings with the connection fields of others of the same kind."""
        return self.model_copy(update={name: getattr(other, name) for name in self.CONNECTION})

    def to_read(self) -> Self:
        """Return these settings as they are for whoever only reads, such as a plan."""
        return self
