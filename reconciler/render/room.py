"""Fits a text into a limit: what does not fit is left out whole and counted, never cut or passed over."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

_BETWEEN = "\n\n"


def size(text: str) -> int:
    """Return how many bytes a text takes as UTF-8, which is never less than its characters."""
    return len(text.encode())


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a text that may be shortened: `opening`, items, `ending`, what is left out, `closing`.

    `rest` says how many items are left out, with the line's end that it needs before it; where these are
    all, and there is an `ending`, it stands alone. `share` is how much of the room that is left the part
    may take.
    """

    items: Sequence[str]
    rest: Callable[[int], str]
    opening: str = ""
    ending: str = ""
    closing: str = ""
    joint: str = "\n"
    share: float = 1.0

    def within(self, room: float | None) -> str:
        """Return the part with as many items as fit in so many bytes, all of them without a limit."""
        kept = len(self.items) if room is None else self._fitting(room)
        left = len(self.items) - kept
        rest = self.rest(left) if left else ""
        if not kept and self.ending:
            return rest.strip()
        items = self.joint.join(self.items[:kept])
        apart = self.joint if items and rest and not self.ending else ""
        return f"{self.opening}{items}{self.ending}{apart}{rest}{self.closing}"

    def _fitting(self, room: float) -> int:
        used = size(self.opening + self.ending + self.rest(len(self.items)) + self.closing)
        for place, item in enumerate(self.items):
            used += size(item) + size(self.joint)
            if used > room:
                return place
        return len(self.items)


def composed(pieces: Sequence[str | Part], limit: int | None = None) -> str:
    """Return pieces as one text of at most `limit` bytes; what is empty is left out.

    Texts are always whole, and a part says at least what it leaves out: a limit that is too small
    for that is not kept.
    """
    told = [piece for piece in pieces if (piece.items if isinstance(piece, Part) else piece)]
    texts = [piece for piece in told if isinstance(piece, str)]
    between = size(_BETWEEN) * len(told)
    room = None if limit is None else limit - between - sum(map(size, texts))
    said: list[str] = []
    for piece in told:
        if isinstance(piece, Part):
            text = piece.within(None if room is None else room * piece.share)
            room = None if room is None else room - size(text)
        else:
            text = piece
        said.append(text)
    return _BETWEEN.join(said)
