"""Texts that have to fit: whole items, and a word about the others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.render.room import Part, composed, size


def listed(items: list[str], share: float = 1.0) -> Part:
    return Part(items, lambda left: f"and {left} more", "[", "", "]", share=share)


def test_without_a_limit_everything_is_there() -> None:
    assert composed(["head", listed(["a", "b"]), "foot"]) == "head\n\n[a\nb]\n\nfoot"


def test_what_is_empty_leaves_no_gap() -> None:
    assert composed(["head", "", listed([]), "foot"]) == "head\n\nfoot"


def test_what_does_not_fit_is_counted_and_what_is_opened_is_closed() -> None:
    part = listed(["aaaa", "bbbb", "cccc"])
    assert part.within(size("[aaaa\nand 3 more]")) == "[aaaa\nand 2 more]"
    assert part.within(0) == "[and 3 more]"


def test_a_part_leaves_room_for_the_next() -> None:
    many = ["x" * 10] * 100
    text = composed([listed(many, 0.5), listed(many)], 1_000)
    first, second = text.split("\n\n")
    assert 400 < len(first) <= 500
    assert 400 < len(second) <= 600


@given(
    st.lists(st.text(min_size=1, max_size=40), max_size=50),
    st.lists(st.text(min_size=1, max_size=40), max_size=50),
    st.integers(min_value=150, max_value=3_000),
)
def test_no_text_is_larger_than_its_limit(first: list[str], second: list[str], limit: int) -> None:
    assert size(composed(["head", listed(first, 0.6), listed(second)], limit)) <= limit


@pytest.mark.parametrize("text", ["é", "漢字", "🔒"])
def test_bytes_are_counted(text: str) -> None:
    assert size(composed([listed([text] * 100)], 120)) <= 120
