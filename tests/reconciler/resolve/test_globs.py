"""Globs mean what a regular expression of the same words means, and never take as long as one may."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.resolve.globs import globs

_WORDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
GLOB = st.lists(st.sampled_from(["a", "b", "/", *_WORDS]), max_size=7).map("".join)


def meant(glob: str) -> re.Pattern[str]:
    """What a glob means, as long as it has few stars."""
    pieces = re.findall(r"\*\*/|\*\*|\*|[^*]+", glob)
    return re.compile("".join(_WORDS.get(piece) or re.escape(piece) for piece in pieces))


@given(GLOB, st.text("ab/", max_size=9))
def test_a_glob_matches_what_its_words_say(glob: str, path: str) -> None:
    assert globs([glob]).match(path) is bool(meant(glob).fullmatch(path))


@pytest.mark.parametrize("glob", ["*a" * 95 + "x", "**/" * 60 + "x", "**/*a" * 38 + "/x"])
def test_many_stars_come_to_an_end(glob: str) -> None:
    """A regular expression would try each way to share a path out among them."""
    assert not globs([glob]).match("a/" * 60 + "a" * 3000)


def test_one_of_several_is_enough() -> None:
    assert globs(["x/*", "teams/**"]).match("teams/a/b.yaml")
    assert not globs(["x/*", "y/**"]).match("teams/a/b.yaml")
