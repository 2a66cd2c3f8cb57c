"""The status of a plan's comment through its life; the rest of it stays as it was."""

import pytest

from reconciler.github.comment import (
    Status,
    before_merge,
    status_block,
    with_status,
    without_status,
)
from reconciler.github.marker import Marker, MarkerKind

MARKER = Marker(MarkerKind.PLAN, "prod", {"digest": "9f2c", "status": "planned"})
MARK = before_merge("x").partition("\n")[0]
FULL = f"<details>\n\n```diff\n+ {MARK}\n- <!-- certform:status -->\n```\n\n</details>"


def comment(full: str = FULL) -> str:
    planned = status_block(Status.PLANNED, "for 4f6b2c1")
    merging = before_merge("**Merging** applies it.")
    return MARKER.over(f"### Certificates: 1 to issue (prod)\n\n{planned}\n\n{full}\n\n{merging}")


def test_a_status_takes_the_place_of_the_one_before() -> None:
    text = comment()
    for status, sentence in (
        (Status.APPLYING, "in run 9"),
        (Status.APPLIED, "in run 9: 1 issued"),
    ):
        text = with_status(text, status, sentence)
        assert text.count("**Appl") == 1
        assert f"**{status.capitalize()}** {sentence}" in text
    assert "Planned" not in text
    assert FULL in text
    assert text.split("\n")[1] == "### Certificates: 1 to issue (prod)"
    assert MARKER.like(Marker.of(text))


def test_what_was_true_until_the_merge_goes_and_names_that_look_like_it_stay() -> None:
    once = with_status(comment(), Status.APPLYING, "in run 9")
    again = with_status(once, Status.FAILED, "in run 9")
    assert "Merging" not in once
    assert FULL in once
    assert FULL in again
    assert "**Merging** applies it." in with_status(comment(), Status.PLANNED, "again")


def test_a_closed_comment_says_so_in_its_marker_alone() -> None:
    closed = Marker.of(with_status(comment(), Status.APPLIED, "in run 9", closed=True))
    assert closed is not None
    assert closed.fields == {"digest": "9f2c", "status": "applied", "closed": True}
    standing = Marker.of(with_status(comment(), Status.APPLYING, "in run 9"))
    assert standing is not None
    assert "closed" not in standing.fields


@pytest.mark.parametrize("status", [Status.REFUSED, Status.FAILED])
def test_what_went_wrong_stands_in_a_box(status: Status) -> None:
    text = with_status(comment(), status, "in run 9", ["issue certificate/x: not reviewed"])
    assert f"> [!CAUTION]\n> **{status.capitalize()}** in run 9\n> - issue certificate/x" in text


def test_lines_that_do_not_fit_are_counted() -> None:
    text = status_block(Status.REFUSED, "in run 9", ["x" * 100] * 1_000)
    shown = text.count("> - x")
    assert len(text) < 5_000
    assert 30 < shown < 40
    assert f"> - and {1_000 - shown} more" in text


def test_a_text_without_status_or_marker_gets_one() -> None:
    assert with_status("text", Status.FAILED, "x").endswith("\n\ntext")
    assert without_status(comment()).startswith(
        "### Certificates: 1 to issue (prod)\n\n\n\n<details>"
    )
