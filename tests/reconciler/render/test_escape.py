"""Whatever comes from outside obeys nobody but us: terminals, CI runners and Markdown see text."""

import html
import re
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.render.escape import code, fence, flowing, inert, prose, visible, visible_lines
from reconciler.render.markdown import render_markdown
from reconciler.render.text import render_text
from schemas.plan import Plan

ENTITY = re.compile(r"&#\d+;")
FENCED = re.compile(r"^(`{3,})diff\n.*?^\1$", re.MULTILINE | re.DOTALL)

texts = st.text() | st.sampled_from(["::error::x", "##[group]", "\u202e", "a\x9b31m", "\ud800"])


@given(texts)
def test_visible_text_has_no_character_that_acts_or_hides(text: str) -> None:
    assert visible(text).isprintable()
    assert all(line.isprintable() for line in visible_lines(text))
    assert flowing(text).isprintable()


@given(texts)
def test_printable_text_is_left_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@pytest.mark.parametrize("character", "\u3164\u115f\u2800\u034f\ufe0f\U000e0100\u200b\u00ad\u202e")
def test_what_is_nothing_to_look_at_is_spelt_out(character: str) -> None:
    assert visible(f"pay{character}pal").isascii()


@pytest.mark.parametrize("address", ["ann@example.com", "xmpp:ann@example.com/x", "web@acm.eu"])
def test_code_has_no_address_that_a_page_would_link(address: str) -> None:
    assert not re.search(r"\w(@|&#64;)\w", code(address))
    assert html.unescape(code(address).replace("<wbr>", "")) == f"<code>{address}</code>"


def test_an_address_of_a_change_can_be_searched_for_as_it_is_written() -> None:
    assert code("certificate/web@edge") == "<code>certificate/web&#64;edge</code>"


@given(texts, st.text(alphabet=" \t\u00a0", max_size=3))
def test_no_line_is_a_command_of_a_runner(text: str, indent: str) -> None:
    line = inert(indent + visible(text))
    assert not line.lstrip().startswith("::")
    assert "##[" not in line


@pytest.mark.parametrize("escape", [prose, code])
@given(text=texts)
def test_markdown_has_no_markup_of_anybody_else(escape: Callable[[str], str], text: str) -> None:
    escaped = escape(text).removeprefix("<code>").removesuffix("</code>")
    escaped = ENTITY.sub("?", escaped.replace("<wbr>", ""))
    assert not set("&<>|`*_~[]\\@#$\n") & set(escaped)
    assert "://" not in escaped
    assert "www." not in escaped.lower()


@given(st.text(alphabet="`\na", max_size=40))
def test_a_fence_is_closed_by_us_alone(content: str) -> None:
    opening, *inside, closing = fence(content, "diff").split("\n")
    assert opening == f"{closing}diff"
    assert closing not in "\n".join(inside)


@pytest.mark.parametrize("colour", [False, True])
def test_a_hostile_plan_cannot_command_a_terminal_or_a_runner(
    plans: Mapping[str, Callable[[], Plan]], *, colour: bool
) -> None:
    text = re.sub(r"\x1b\[[0-9;]*m", "", render_text(plans["hostile"](), colour=colour))
    for line in text.splitlines():
        assert line.isprintable()
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


def test_a_hostile_plan_adds_no_markup_to_markdown(
    plans: Mapping[str, Callable[[], Plan]],
) -> None:
    markdown = render_markdown(plans["hostile"](), blob_url="https://git.example/blob/abc")
    open_text = FENCED.sub("", markdown)
    assert "diff" not in open_text
    for active in ("<img", "-->", "@", "`", "http://", "[l]", "\x1b", "\u202e"):
        assert active not in open_text
    for row in re.findall(r"^\|.*", open_text, re.MULTILINE):
        assert row.count("|") == 5
    assert set(re.findall(r"<(/?\w+)", open_text)) == {
        *("code", "/code", "a", "/a", "sub", "/sub"),
        *("details", "/details", "summary", "/summary"),
    }


def test_no_line_of_a_message_stands_where_a_change_would(
    plans: Mapping[str, Callable[[], Plan]],
) -> None:
    plan = plans["blocked"]()
    forged = plan.changes[0].model_copy(update={"message": "lost\n  + issue in edge\n\n+ more"})
    text = render_text(plan.model_copy(update={"changes": (forged,)}), colour=False)
    assert "    + issue in edge\n" in text
    assert not re.search(r"^( {2}| {6})\+ ", text, re.MULTILINE)
