"""What a reviewer reads: a plan of everything, compared with what was looked at and found clear."""

import re
from collections.abc import Callable

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from review_plan import (
    BLOB,
    FAILURES,
    HOSTILE,
    WARNINGS,
    complaints,
    hostile,
    many,
    plan,
    proposed,
    rich,
    standing,
)

from reconciler.render.failure import render_failure
from reconciler.render.markdown import Setting, render_markdown
from schemas.plan import Plan

Golden = Callable[[str, str], None]
SETTING = Setting(
    label="prod",
    blob_url=BLOB,
    status="**Planned**",
    closing="**Merging** does it.",
    elsewhere="in [the job summary](https://github.com/example/certificates/actions/runs/1)",
    warnings=WARNINGS,
    remarks=("Skipped as not certform's, 1 YAML file or document: x.yaml.",),
)
NAMELESS = Setting(HOSTILE, BLOB, warnings=complaints(), remarks=(HOSTILE,), status="**Planned**")


def parsed(markdown: str) -> list[Token]:
    return MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown)


def check_whole(markdown: str) -> None:
    """Check that nothing is left open, and that every row has the cells of its table."""
    tokens = parsed(markdown)
    html = "".join(
        each.content
        for token in tokens
        for each in (token, *(token.children or ()))
        if each.type in ("html_block", "html_inline")
    )
    tags = re.findall(r"<(/?)(details|summary|code|a|i|sub)\b", html)
    for name in {name for _, name in tags}:
        assert tags.count(("", name)) == tags.count(("/", name)), name
    rows = re.split(r"<tr>", MarkdownIt("commonmark").enable("table").render(markdown))[1:]
    assert all(len(re.findall(r"<t[hd]\b", row)) in (3, 4) for row in rows)
    fences = [token for token in tokens if token.type == "fence"]
    assert markdown.count("<summary>Full plan") == len(fences)
    assert all(token.content.endswith("\n") for token in fences)
    assert not any("Merging" in token.content for token in fences)


def test_a_plan_of_everything_is_what_was_looked_at(golden: Golden) -> None:
    markdown = render_markdown(rich(), 60_000, setting=SETTING)
    golden("review/rich.md", markdown)
    check_whole(markdown)


def test_a_plan_that_failed_is_what_was_looked_at(golden: Golden) -> None:
    markdown = render_failure(FAILURES, SETTING, 60_000)
    golden("review/failed.md", markdown)
    check_whole(markdown)


def test_counts_are_in_the_first_line() -> None:
    first, _, _ = render_markdown(rich(), setting=SETTING).partition("\n")
    assert first == (
        "### Certificates: 1 to issue, 2 to replace, 4 to install, 3 to configure, 1 to remove, 1 to revoke;"
        " 1 blocked; 1 changed outside; 4 due anyway (prod)"
    )


def test_what_was_due_anyway_is_apart_from_what_the_pull_request_causes() -> None:
    text = render_markdown(rich(), setting=SETTING)
    table, *folded = text.split("<details>")
    assert "certificate/www" in table
    assert "certificate/api" not in table.partition("| What")[2]
    assert "certificate/pay" in folded[0]
    assert "certificate/api" in folded[1]
    assert folded[2].index("what is proposed") < folded[2].index("due anyway")


def test_what_the_branch_asks_for_and_nobody_applied_is_not_taken_for_due() -> None:
    steps = (c.model_copy(update={"due": False, "outside": False}) for c in standing()[1:])
    text = render_markdown(plan(*steps), setting=SETTING)
    assert text.startswith("### Certificates: no changes of its own; 5 not applied yet (prod)\n")
    told = text.partition(
        "<details open><summary>Not of this pull request: the branch asks for it"
    )[2]
    assert "certificate/api" in told.partition("</details>")[0]
    assert "due anyway" not in text


def test_what_is_blocked_is_seen_whoever_causes_it() -> None:
    text = render_markdown(rich(), setting=SETTING).partition("<details>")[0]
    assert "<code>?</code> **blocked**, without this too" in text


def test_nothing_by_this_but_something_due_is_said_so() -> None:
    text = render_markdown(plan(*standing()[1:]), setting=SETTING)
    assert text.startswith(
        "### Certificates: no changes of its own; 1 changed outside; 4 due anyway (prod)\n"
    )
    assert "cannot be undone" not in text


def test_without_a_base_all_of_it_is_in_the_table() -> None:
    found = plan(*(c.model_copy(update={"proposed": None}) for c in rich().changes), base=None)
    text = render_markdown(found)
    assert "due anyway" not in text
    assert "certificate/api" in text.partition("<details")[0]
    assert "<details open><summary>Changed outside certform, and put right: 1 to install" in text


@pytest.mark.parametrize(
    "words", [("revoke", "leaked"), ("remove", "old"), ("replace", "services")]
)
def test_what_cannot_be_undone_is_in_the_first_box(words: tuple[str, str]) -> None:
    box = render_markdown(rich(), setting=SETTING).partition("[!CAUTION]")[2].partition("\n\n")[0]
    assert re.search(rf"\*\*{words[0]}\*\* <code>\w+/{words[1]}</code>", box)
    assert "certificate/www" not in box


def test_a_connection_that_changes_is_told_with_both_its_values() -> None:
    text = render_markdown(rich(), setting=SETTING)
    assert "path: <code>/srv/edge/tls</code> → <code>/srv/web/tls</code>" in text
    assert "directoryURL: nothing → <code>https&#58;//acme.example/directory</code>" in text


def test_a_name_that_stands_for_many_is_the_one_that_is_shown() -> None:
    assert "new: &#42;.shop.example.com and 1 more, by services" in render_markdown(rich())


def test_the_same_plan_is_the_same_text_whenever_it_is_made() -> None:
    later = rich().model_copy(update={"created_at": rich().created_at.replace(hour=9)})
    assert render_markdown(later, setting=SETTING) == render_markdown(rich(), setting=SETTING)


@pytest.mark.parametrize("limit", [20_000, 60_000])
@pytest.mark.parametrize(
    "found",
    [
        many(2_000),
        plan(*proposed(), *many(2_000).changes, *standing()),
        hostile(),
        hostile("漢`" * 999),
    ],
    ids=["many", "mixed", "hostile", "wide"],
)
def test_no_plan_is_larger_than_its_limit(found: Plan, limit: int) -> None:
    for setting in (SETTING, NAMELESS):
        markdown = render_markdown(found, limit, setting=setting)
        assert len(markdown.encode()) <= limit
        check_whole(markdown)


def test_every_row_is_there_or_counted_and_some_are_folded_away() -> None:
    markdown = render_markdown(many(2_000), 60_000, setting=SETTING)
    seen, _, folded = markdown.partition("<details>")
    rows = [len(re.findall(r"^\| <code>", part, re.MULTILINE)) for part in (seen, folded)]
    assert rows[0] == 40
    assert rows[1] > 20
    link = "in [the job summary](https://github.com/example/certificates/actions/runs/1)."
    assert f"**{2_000 - sum(rows):,} more** without a row here; all of it is {link}" in folded


def test_the_job_summary_has_room_for_a_thousand_and_counts_beyond() -> None:
    for number, missing in ((1_000, False), (4_000, True)):
        markdown = render_markdown(many(number), 1_000_000, setting=SETTING)
        rows = markdown.count("| <code>certificate/device-")
        assert len(markdown.encode()) <= 1_000_000
        assert (rows < number) is missing
        assert (f"**{number - rows:,} more** without a row" in markdown) is missing


@pytest.mark.parametrize("limit", [None, 60_000])
def test_names_that_are_markup_stay_names(limit: int | None) -> None:
    markdown = render_markdown(hostile(), limit, setting=NAMELESS)
    failed = render_failure(complaints(), NAMELESS, limit)
    for text in (markdown, failed):
        check_whole(text)
        outside = re.sub(r"^(`{3,})diff\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
        outside = re.sub(r'href="[^"<>]*"', "", outside)
        for active in ("<img", "-->", "@everyone", "`", "http://", "[l](", "\x1b", "\u202e", " #1"):
            assert active not in outside, active
        assert not re.search(r"(?m)^::|##\[|www\.", outside)
        assert "GH-1" not in re.sub(r"<code>.*?</code>", "", outside)
        assert not re.search(r"(?m)^\s*::|##\[", text)


def test_a_fence_of_sixty_thousand_backticks_takes_no_room() -> None:
    markdown = render_markdown(hostile("`" * 60_000), 60_000, setting=SETTING)
    assert len(markdown) < 60_000
    assert "Merging" in markdown
    check_whole(markdown)


def test_findings_that_do_not_fit_are_counted() -> None:
    markdown = render_failure(FAILURES * 1_000, SETTING, 60_000)
    rows = len(re.findall(r"^\| (?:<a|<code)", markdown, re.MULTILINE))
    assert markdown.startswith("### Certificates: no plan, 2,000 errors, 1,000 warnings (prod)")
    assert f"**{3_000 - rows:,} more** without a row here" in markdown
    assert len(markdown.encode()) <= 60_000
