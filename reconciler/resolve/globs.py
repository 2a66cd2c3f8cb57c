"""Globs over the paths of a repository: `*` within one folder, `**` across folders.

Whoever proposes a policy chooses its globs, so none may take long: a regular expression of as many stars
would go back and forth for ever. Here every character of a path is looked at once.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

_SIGN = re.compile(r"\*\*/|\*\*|\*|[^*]")


@dataclass(frozen=True)
class Globs:
    """Several globs, of which one has to match."""

    globs: tuple[str, ...]

    def match(self, path: str) -> bool:
        """Whether one of them matches a whole path."""
        return any(each.match(path) for each in self._machines)

    @cached_property
    def _machines(self) -> tuple["_Machine", ...]:
        return tuple(_Machine.of(glob) for glob in dict.fromkeys(self.globs))


@dataclass(frozen=True, slots=True)
class _Machine:
    """One glob as states, each a bit of a number: those that are reached move on together.

    State n stands before sign n. `within` may stay for any character but a slash, `across` for any;
    `skips` may be left for the next without a character, `folders` for the one after the next.
    """

    moves: dict[str, int]
    within: int
    across: int
    skips: int
    folders: int
    end: int

    @classmethod
    def of(cls, glob: str) -> "_Machine":
        moves: dict[str, int] = {}
        within = across = skips = folders = state = 0
        for sign in _signs(glob):
            bit = 1 << state
            if sign == "**/":  # any folders, or none: its second state is within them
                folders, across, state = folders | bit, across | bit << 1, state + 1
                skips, bit = skips | bit, bit << 1
                moves["/"] = moves.get("/", 0) | bit
            elif sign in ("*", "**"):
                within, across = within | bit * (sign == "*"), across | bit * (sign == "**")
                skips |= bit
            else:
                moves[sign] = moves.get(sign, 0) | bit
            state += 1
        return cls(moves, within, across, skips, folders, 1 << state)

    def match(self, path: str) -> bool:
        states = self._settled(1)
        for character in path:
            stay = self.across if character == "/" else self.across | self.within
            states = self._settled(states & stay | (states & self.moves.get(character, 0)) << 1)
            if not states:
                return False
        return bool(states & self.end)

    def _settled(self, states: int) -> int:
        """Add what is reached without a character; no more than two such signs follow each other."""
        for _ in range(2):
            states |= (states & self.skips) << 1 | (states & self.folders) << 2
        return states


def _signs(glob: str) -> Iterator[str]:
    """Yield the signs of a glob, one for several in a row that say the same as one of them."""
    before = ""
    for sign in _SIGN.findall(glob):
        if before == "**" and sign[0] == "*":
            continue
        if sign != before or sign[0] != "*":
            yield sign
        before = sign


def globs(written: Iterable[str]) -> Globs:
    """Return what matches where any of the globs does."""
    return Globs(tuple(written))
