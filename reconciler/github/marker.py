"""The hidden first line by which certform knows its own comments and issues again."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

_VERSION = 1
_LINE = re.compile(r"<!-- certform:([a-z]+) (\{.*\}) -->")
_SPELT = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&@#"}
"""What HTML or GitHub would look at; in JSON these stand in strings alone, and may be written so."""


class MarkerKind(StrEnum):
    """What the marked text is."""

    PLAN = "plan"
    DRIFT = "drift"


@dataclass(frozen=True, slots=True)
class Marker:
    """One marker; `fields` are JSON data, and none is called `v` or `label`.

    Who may write comments may write markers too: believe one only in a text of the token's own.
    """

    kind: MarkerKind
    label: str
    fields: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def line(self) -> str:
        """The marker as the first line of a comment; no value can end it early."""
        data = {"v": _VERSION, "label": self.label, **self.fields}
        return f"<!-- certform:{self.kind} {json.dumps(data).translate(_SPELT)} -->"

    def over(self, text: str) -> str:
        """Return a text with this marker above it, the text's own marker taken away."""
        return f"{self.line}\n{unmarked(text)}"

    def noting(self, **fields: Any) -> Self:
        """Return the marker with more fields, or with others."""
        return replace(self, fields={**self.fields, **fields})

    @classmethod
    def of(cls, body: str) -> Self | None:
        """Return the marker in the first line of a comment or issue; None where there is none of ours."""
        found = _LINE.fullmatch(body.partition("\n")[0].rstrip())
        if not found or found[1] not in list(MarkerKind):
            return None
        try:
            data = json.loads(found[2])
        except (ValueError, RecursionError):
            return None
        label = data.pop("label", None)
        if data.pop("v", None) != _VERSION or not isinstance(label, str):
            return None
        return cls(MarkerKind(found[1]), label, data)

    def like(self, other: "Marker | None") -> bool:
        """Whether another marker is of the same kind and label."""
        return other is not None and (self.kind, self.label) == (other.kind, other.label)


def unmarked(text: str) -> str:
    """Return a text without the marker in its first line."""
    first, _, rest = text.partition("\n")
    return rest if _LINE.fullmatch(first.rstrip()) else text
