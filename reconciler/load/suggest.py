"""What the user probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches

_MANY = 200
_LONG = 200
"""Comparing more words, or longer ones, takes longer than anybody wants to wait for a hint."""


def near(word: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """Return the known word that one resembles, from 0 (not at all) to 1 (equal); empty if none."""
    if len(word) > _LONG:
        return ""
    folded = {known_word.lower(): known_word for known_word in known}
    match = get_close_matches(word.lower(), list(folded), n=1, cutoff=likeness)
    return folded[match[0]] if match else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the known word nearest to one that is not, or the few there are."""
    words = sorted(known)
    if len(words) > _MANY:
        return ""
    if match := near(word, words):
        return f"did you mean {match}?"
    return f"there are: {', '.join(words)}" if 0 < len(words) <= 12 else ""
