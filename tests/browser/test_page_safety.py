"""Whatever a certificate is called, the page shows it and does nothing else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from page_stock import MADE, ca, every_state, leaf, planned, there
from selenium.common.exceptions import NoAlertPresentException
from visitor import DESKTOP, PHONE, Visitor

from reconciler.render.inventory import InventoryRow, PlaceState
from reconciler.render.page import render_page
from schemas.plan import Action, Change, Plan, Reason, Source, TargetReport

HOSTILE = (
    "</script><script>document.title='pwned';alert(1)</script>",
    "<!--<script>alert(1)",
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "]]>\u2028\u2029\u202egnp.exe\x00\x1b[2J",
    "__proto__",
    "' onfocus=alert(1) autofocus x='",
    "{{7*7}}${7*7}",
)


def hostile(text: str) -> tuple[Plan, list[InventoryRow]]:
    place = replace(there(text, text, PlaceState.DRIFT, text), id=text, sha256="", serial=text)
    row = replace(
        leaf(text, place, status=text, issuer=text),
        names=(text, text),
        labels={text: text},
        serial=text,
        sha256=text,
        key=text,
        source=Source(file=text, line=1),
    )
    other = replace(ca(text), status=text, names=(text,))
    step = Change(
        address=f"certificate/{text}", action=Action.BLOCKED, reason=Reason.FAILED, message=text
    )
    plan = planned(step, step.model_copy(update={"address": text}))
    target = TargetReport(name=text, status="unknown", detail=text)
    update = {"project": text, "targets": (target,), "selection": (text,)}
    return plan.model_copy(update=update), [row, other]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_text(visitor: Visitor, text: str) -> None:
    visitor.open(hostile(text))
    for view in ("matrix", "authorities", "list"):
        visitor.find(f"#tab-{view}").click()
    visitor.run("document.querySelector('#list tbody .name').click()")
    with pytest.raises(NoAlertPresentException):
        _ = visitor.browser.switch_to.alert.text
    inside = ":is(main, header, dialog) :is(script, img, iframe, svg, style)"
    drawn = f"return document.querySelectorAll('{inside}').length"
    assert visitor.run(drawn) == 0
    shown = text.encode("unicode_escape").decode() if not text.isprintable() else text
    assert visitor.content("#project") == shown
    assert shown in visitor.content("#details")
    assert visitor.run("return document.querySelectorAll('a[href^=\"javascript:\"]').length") == 0
    assert visitor.told() == []


@pytest.mark.parametrize(
    "attempt",
    [
        "document.body.append(Object.assign(document.createElement('script'), { text: 'window.pwned = 1' }))",
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.pwned = 1\">')",
        "document.body.setAttribute('onclick', 'window.pwned = 1'); document.body.click()",
        "const i = new Image(); i.onload = () => { window.pwned = 1 }; i.src = 'http://127.0.0.1:9/x.png'",
        "setTimeout('window.pwned = 1', 0)",
    ],
)
def test_the_policy_stops_what_the_page_itself_would_never_do(
    visitor: Visitor, attempt: str
) -> None:
    visitor.open(every_state())
    visitor.run(f"try {{ {attempt} }} catch {{}}")
    later = "const done = arguments[0]; setTimeout(() => done(String(window.pwned)), 50)"
    assert visitor.browser.execute_async_script(later) == "undefined"
    assert visitor.told(), "the browser says what it stopped"


def test_the_policy_lets_nothing_be_fetched(visitor: Visitor) -> None:
    visitor.open(every_state())
    fetch = "const done = arguments[0]; fetch('http://127.0.0.1:9/').catch((e) => done(String(e)))"
    assert "Failed to fetch" in visitor.browser.execute_async_script(fetch)
    assert any("Content Security Policy" in each for each in visitor.told())


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve a folder on loopback; yields its address and the paths that were asked for."""
    paths: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, *_: object) -> None:
            paths.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", paths
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_server_is_asked_for_the_page_and_nothing_more(visitor: Visitor, tmp_path: Path) -> None:
    plan, rows = every_state()
    (tmp_path / "index.html").write_text(render_page(plan, rows), encoding="utf-8")
    with served(tmp_path) as (url, paths):
        visitor.go(f"{url}/", MADE)
        visitor.find("#tab-matrix").click()
        assert visitor.texts("#matrix tbody .name")
        assert visitor.asked() == [f"{url}/"]
        visitor.leave()
    assert paths == ["/"]


RULES = """
const done = arguments[0], rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];
const told = (node) => `${node.target} ${node.failureSummary}`;
axe.run({ runOnly: rules }).then((found) =>
  done(found.violations.map((each) => `${each.id}: ${each.nodes.map(told).join(" | ")}`)));
"""


@pytest.mark.parametrize(
    ("address", "scheme", "size"),
    [
        ("", "light", DESKTOP),
        ("", "dark", PHONE),
        ("#view=matrix", "dark", DESKTOP),
        ("#view=matrix", "light", PHONE),
        ("#view=authorities", "light", DESKTOP),
        ("#view=authorities", "dark", PHONE),
        ("#open=certificate/www", "dark", DESKTOP),
        ("#open=certificate/www", "light", PHONE),
    ],
)
def test_no_rule_of_accessibility_is_broken(
    visitor: Visitor, axe: str, address: str, scheme: str, size: tuple[int, int]
) -> None:
    visitor.lenient()
    visitor.scheme(scheme)
    visitor.size(size)
    visitor.open(every_state(), address)
    tables = "document.querySelectorAll('details.as-table')"
    visitor.run(f"{tables}.forEach((each) => {{ each.open = true }})")
    visitor.run(axe)
    assert visitor.browser.execute_async_script(RULES) == []
