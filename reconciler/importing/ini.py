"""The settings files of certbot: `name = value` below `[section]` and `[[section in it]]` (configobj).

https://configobj.readthedocs.io/en/latest/configobj.html; interpolation and lists over several lines are
not read: certbot writes neither.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.diagnostics import error
from reconciler.importing.sources import Unread
from reconciler.load.yaml import Step, Value
from schemas.plan import Source

_SECTION = re.compile(r"^\s*(\[+)\s*(.*?)\s*(\]+)\s*(?:#.*)?$")
_SETTING = re.compile(r"""^\s*("[^"]*"|'[^']*'|[^\s=#"'][^=]*?)\s*=\s*(.*?)\s*$""")
_QUOTED = re.compile(r"""^("[^"]*"|'[^']*')\s*(?:#.*)?$""")
_DEEPEST = 3
_MOST = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class IniWords:
    """A file of settings; `_places` are line and column of each by its path."""

    file: str
    data: Mapping[str, Value] = field(repr=False)
    _places: Mapping[tuple[Step, ...], tuple[int, int]] = field(default_factory=dict, repr=False)

    def at(self, *path: Step, key: bool = False) -> Source:  # noqa: ARG002  one line has both
        """Return the place of a setting, or of the nearest section above it."""
        for length in range(len(path), 0, -1):
            if found := self._places.get(path[:length]):
                return Source(file=self.file, line=found[0], column=found[1])
        return Source(file=self.file)


def read_ini(file: str, text: str) -> IniWords:
    """Return the settings of a file; raises `Unread` at the line that is none."""
    root: dict[str, Value] = {}
    places: dict[tuple[Step, ...], tuple[int, int]] = {}
    path: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        column = len(line) - len(line.lstrip()) + 1
        if not line.strip() or line.lstrip().startswith(("#", ";")):
            continue
        section = _section(line)
        if section is not None and 0 < section[0] <= min(len(path) + 1, _DEEPEST):
            path = (*path[: section[0] - 1], section[1])
            _put(root, path, {})
        elif section is None and (found := _SETTING.match(line)):
            name = found[1].strip("\"'")
            _put(root, (*path, name), _value(found[2]))
            places[*path, name] = (number, column)
            continue
        else:
            source = Source(file=file, line=number, column=column)
            raise Unread(error("the line is neither `name = value` nor a [section]", source))
        places.setdefault(path, (number, column))
        if len(places) > _MOST:
            raise Unread(
                error(f"there are more than {_MOST:,} settings", Source(file=file, line=number))
            )
    return IniWords(file, root, places)


def _section(line: str) -> tuple[int, str] | None:
    found = _SECTION.match(line)
    if found is None:
        return None
    return (len(found[1]) if len(found[1]) == len(found[3]) else 0), found[2].strip("\"'")


def _put(root: dict[str, Value], path: tuple[str, ...], value: Value) -> None:
    """Put a value where it belongs; what was said before it stays."""
    node = root
    for step in path[:-1]:
        inner = node.setdefault(step, {})
        if not isinstance(inner, dict):
            return
        node = inner
    node.setdefault(path[-1], value)


def _value(text: str) -> Value:
    """Return a text, or the items of a list: a comma makes one, also at the end."""
    if found := _QUOTED.match(text):
        return found[1][1:-1]
    text = re.split(r"\s#", text, maxsplit=1)[0].rstrip()
    if "," not in text:
        return None if text in {"", "None"} else text
    parts = (part.strip().strip("\"'") for part in text.split(","))
    return tuple(part for part in parts if part)
