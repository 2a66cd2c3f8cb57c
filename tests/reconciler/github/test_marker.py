"""The hidden first line: what goes in comes out, and nothing comes out of it into the comment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.github.marker import Marker, MarkerKind, unmarked

HOSTILE = "--> <script>@everyone #1 &amp; --!> \n<!-- certform:plan {} -->\u2028\x1b[2J"


def test_a_marker_is_read_back_from_the_first_line_of_a_text() -> None:
    marker = Marker(MarkerKind.PLAN, "prod", {"digest": "9f2c", "closed": True})
    assert marker.line == (
        '<!-- certform:plan {"v": 1, "label": "prod", "digest": "9f2c", "closed": true} -->'
    )
    assert Marker.of(marker.over("### Certificates\n")) == marker
    assert Marker.of(marker.over("text").replace("\n", "\r\n")) == marker


def test_a_text_that_is_marked_again_keeps_one_marker() -> None:
    first = Marker(MarkerKind.PLAN, "prod").over("text\nmore")
    again = Marker(MarkerKind.PLAN, "prod").noting(closed=True).over(first)
    assert again.count("<!--") == 1
    assert unmarked(again) == "text\nmore"


def test_kind_and_label_tell_markers_apart() -> None:
    plan = Marker(MarkerKind.PLAN, "prod", {"digest": "1"})
    assert plan.like(Marker(MarkerKind.PLAN, "prod", {"digest": "2"}))
    assert not plan.like(Marker(MarkerKind.DRIFT, "prod"))
    assert not plan.like(Marker(MarkerKind.PLAN, "staging"))
    assert not plan.like(None)


@given(label=st.one_of(st.text(), st.just(HOSTILE)), value=st.one_of(st.text(), st.just(HOSTILE)))
def test_no_value_ends_the_hidden_line_early(label: str, value: str) -> None:
    line = Marker(MarkerKind.DRIFT, label, {value: value, "note": value}).line
    inside = line.removeprefix("<!-- ").removesuffix(" -->")
    assert line.isascii()
    assert line.isprintable()
    assert not set("<>@#&").intersection(inside)
    found = Marker.of(line)
    assert found is not None
    assert (found.label, found.fields["note"]) == (label, value)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "### Certificates",
        '\n<!-- certform:plan {"v": 1, "label": "prod"} -->',
        'x <!-- certform:plan {"v": 1, "label": "prod"} -->',
        '<!-- certform:plan {"v": 2, "label": "prod"} -->',
        '<!-- certform:plan {"v": 1, "label": ["prod"]} -->',
        '<!-- certform:other {"v": 1, "label": "prod"} -->',
        "<!-- certform:plan {broken} -->",
        f"<!-- certform:plan {{{'[' * 100_000}}} -->",
    ],
)
def test_what_is_no_marker_of_ours_is_none(body: str) -> None:
    assert Marker.of(body) is None
