"""Drift as text, JSON and Markdown: whole, in words for people, and harmless."""

import json
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from drifts import HOSTILE, NOW, drifted, every_kind, hostile, many, outside, unreadable

from reconciler.drifting import Drift
from reconciler.render.drift import render_drift_json, render_drift_text
from reconciler.render.drift_markdown import Setting, render_drift_markdown

Golden = Callable[[str, str], None]
WHERE = Setting(
    label="prod",
    run_url="https://git.example/o/r/actions/runs/7",
    blob_url="https://git.example/o/r/blob/4f6b",
    folder="pki/",
    since={},
)


def test_text_tells_every_kind_with_what_was_expected_and_found(golden: Golden) -> None:
    golden("drift/every.txt", render_drift_text(every_kind(), colour=False))


def test_json_tells_every_kind(golden: Golden) -> None:
    golden("drift/every.json", render_drift_json(every_kind()))


def test_markdown_tells_every_kind(golden: Golden) -> None:
    since = {outside().fingerprint: NOW - timedelta(days=2)}
    where = Setting(WHERE.label, WHERE.run_url, WHERE.blob_url, WHERE.folder, since)
    golden("drift/every.md", render_drift_markdown(every_kind(), where))


def test_markdown_of_somebody_hostile(golden: Golden) -> None:
    golden("drift/hostile.md", render_drift_markdown(hostile(), WHERE, 60_000))


def test_where_nothing_differs_everything_agrees() -> None:
    clean = drifted(due=1)
    sentence = "15 certificates match the documents, the ledger and the targets."
    assert f"No drift. {sentence} 1 change due, and not late.\n" in render_drift_text(
        clean, colour=False
    )
    assert sentence in render_drift_markdown(clean)
    assert json.loads(render_drift_json(clean))["outcome"] == "clean"


def test_what_could_not_be_checked_never_reads_as_clean() -> None:
    found = drifted(unreadable())
    text, markdown = render_drift_text(found, colour=False), render_drift_markdown(found)
    for told in (text, markdown):
        assert "vault" in told
        assert "could not be checked" in told
        assert "match" not in told
        assert "No drift" not in told
    assert json.loads(render_drift_json(found))["outcome"] == "unchecked"


def test_colour_changes_no_word() -> None:
    plain, painted = (render_drift_text(every_kind(), colour=colour) for colour in (False, True))
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain
    assert painted != plain


def test_nothing_that_somebody_wrote_is_obeyed() -> None:
    text, markdown = render_drift_text(hostile(), colour=False), render_drift_markdown(hostile())
    for told in (text, markdown):
        assert not re.search(r"^\s*::|##\[", told, re.MULTILINE)
        assert "\x1b" not in told
        assert "\u202e" not in told
    outside_code = re.sub(r"^(`{3,})yaml\n.*?^\1$", "", markdown, flags=re.DOTALL | re.MULTILINE)
    assert "<img" not in outside_code
    assert "@everyone" not in outside_code
    assert "](http" not in outside_code


def test_markdown_has_no_row_that_a_text_of_others_breaks_in_two() -> None:
    rows = [line for line in render_drift_markdown(hostile()).splitlines() if line.startswith("| ")]
    assert {line.count("|") for line in rows if line.startswith("| <code>")} == {6}


@pytest.mark.parametrize("limit", [20_000, 60_000, 900_000])
@pytest.mark.parametrize("make", [many, hostile, every_kind, lambda: many(found=HOSTILE * 9)])
def test_markdown_keeps_to_its_limit_and_counts_what_it_leaves_out(
    make: Callable[[], Drift], limit: int
) -> None:
    found = make()
    markdown = render_drift_markdown(found, WHERE, limit)
    assert len(markdown) <= limit
    rows = len(re.findall(r"^\| <code>", markdown, re.MULTILINE))
    left = sum(int(n.replace(",", "")) for n in re.findall(r"\*\*([\d,]+) more\*\*", markdown))
    assert rows + left == len(found.differences)
    assert rows


def test_the_most_urgent_rows_are_kept() -> None:
    urgent = every_kind().differences[0]
    found = drifted(urgent, *many().differences)
    assert "certificate/shop" in render_drift_markdown(found, WHERE, 20_000)


def test_at_most_ten_of_what_ends_next_are_told() -> None:
    found = drifted(lifetimes=every_kind().lifetimes * 20)
    assert (
        len(re.findall(r"^- <code>certificate", render_drift_markdown(found), re.MULTILINE)) == 10
    )


def test_places_on_other_hosts_are_told_and_are_no_finding() -> None:
    assert "on other hosts: <code>mesh</code>." in render_drift_markdown(every_kind())
    assert json.loads(render_drift_json(every_kind()))["not_here"] == ["mesh"]


def test_an_adoption_can_be_pasted() -> None:
    assert (
        '    adopt: "arn:aws:acm:eu-west-1:123456789012:certificate/1"\n'
        in render_drift_markdown(every_kind())
    )
    assert "  - targetRef: acm\n" in render_drift_markdown(every_kind())
