"""The page as a file: what is in it, what cannot be, and that nothing in it can get out."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from page_stock import BLOB_URL, every_state, leaf, many, planned

from reconciler.render.inventory import PlaceState
from reconciler.render.page import render_page
from reconciler.render.page.data import embedded, page_data
from schemas.plan import Source

DOCS = Path(__file__).parents[3] / "docs" / "inventory.md"
Golden = Callable[[str, str], None]
DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)


def page(*, blob_url: str = "") -> str:
    plan, rows = every_state()
    return render_page(plan, rows, blob_url=blob_url)


def inside(html: str) -> Any:
    found = DATA.search(html)
    assert found is not None
    return json.loads(found[1])


def test_the_data_is_what_was_reviewed(golden: Golden) -> None:
    plan, rows = every_state()
    golden("page/data.json", json.dumps(page_data(plan, rows, BLOB_URL), indent=1) + "\n")


def test_the_page_holds_its_data() -> None:
    plan, rows = every_state()
    assert inside(page(blob_url=BLOB_URL)) == page_data(plan, rows, BLOB_URL)


@pytest.mark.parametrize(
    "text", ["</script><script>", "<!--<script>", "-->", "\u2028\u2029", "&lt;", "<<script>>", "é"]
)
def test_no_value_ends_the_element_it_stands_in(text: str) -> None:
    shown = embedded({"a": text, text: ["b"]})
    assert shown.isascii()
    assert not set("<>&") & set(shown)
    assert json.loads(shown) == {"a": text, text: ["b"]}


def test_what_hides_or_reorders_text_is_spelt_out(hostile_text: str) -> None:
    row = replace(
        leaf(hostile_text), labels={hostile_text: hostile_text}, source=Source(file=hostile_text)
    )
    html = render_page(planned(), [row])
    shown = inside(html)["certificates"][0]
    assert all(text.isprintable() for text in (shown["name"], *shown["labels"], *shown["names"]))
    assert html.count("<script") == 2


def test_a_placeholder_in_a_value_stays_what_it_is() -> None:
    html = render_page(planned(), [leaf("<<policy>><<script>>")])
    assert inside(html)["certificates"][0]["name"] == "<<policy>><<script>>"
    assert html.count("Content-Security-Policy") == 1


def test_the_title_is_text() -> None:
    plan = planned().model_copy(update={"project": "</title><script>alert(1)</script>"})
    html = render_page(plan, [])
    assert (
        "<title>&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;: certificates</title>" in html
    )


@pytest.mark.parametrize("element", ["script", "style"])
def test_the_policy_allows_one_script_and_one_style_by_their_digests(element: str) -> None:
    html = page()
    (text,) = re.findall(rf"<{element}>(.*?)</{element}>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert f"{element}-src 'sha256-{digest}'" in html
    assert "default-src 'none'" in html
    assert "unsafe" not in html.partition("</head>")[0]


def test_nothing_is_named_that_a_browser_would_fetch() -> None:
    html = page()
    addresses = set(re.findall(r"""(?:https?:)?//[\w.-]+\.\w+""", DATA.sub("", html)))
    assert addresses <= {"http://www.w3.org"}, "the name space of an SVG is no address"
    assert not re.search(r"<(?:link|img|iframe|object|embed)\b(?![^>]*href=\"data:)", html)
    assert "@import" not in html
    assert "url(" not in html


def test_no_code_of_the_page_parses_markup_or_text_as_code() -> None:
    folder = files("reconciler.render.page").joinpath("script")
    text = "".join(part.read_text() for part in folder.iterdir())
    sinks = (
        r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|Function\(|DOMParser|srcdoc"
    )
    assert not re.search(sinks, text)
    assert not re.search(r"fetch\(|XMLHttpRequest|WebSocket|sendBeacon|import\(", text)


@pytest.mark.parametrize("state", PlaceState)
def test_every_state_of_a_place_has_its_words_and_its_line_in_the_docs(state: PlaceState) -> None:
    model = files("reconciler.render.page").joinpath("script", "model.js").read_text()
    table = model.partition("const PLACES = {")[2].partition("};")[0]
    assert re.search(rf'^  "?{state}"?: \["', table, re.MULTILINE)
    assert f"| `{state}` |" in DOCS.read_text(encoding="utf-8")


def test_every_file_of_the_page_is_small() -> None:
    folder = files("reconciler.render.page")
    parts = [*folder.joinpath("script").iterdir(), folder.joinpath("page.css")]
    long = {part.name: n for part in parts if (n := part.read_text().count("\n")) > 350}
    assert not long


def test_a_page_of_a_thousand_certificates_is_no_larger_than_a_picture() -> None:
    plan, rows = many(1_000)
    assert len(render_page(plan, rows)) < 1_200_000


def test_what_says_nothing_is_left_out() -> None:
    plan, rows = every_state()
    billing = next(r for r in page_data(plan, rows)["certificates"] if r["name"] == "billing")
    assert {"serial", "sha256", "not_after", "renewal"}.isdisjoint(billing)
    assert billing["state"] == "to be issued"
    assert billing["issuer_generation"] == 1
