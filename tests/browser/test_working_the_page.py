"""The page worked by keyboard alone, on a phone, on paper, and with ten thousand certificates."""

import pytest
from page_stock import every_state, fingerprint, many
from selenium.webdriver.common.keys import Keys
from visitor import PHONE, Visitor

FOCUS = """
const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.width > 0;
return [e === document.body, seen, e.id || e.innerText.trim()];
"""
WIDER = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"


def walk(visitor: Visitor, key: str = Keys.TAB, most: int = 80) -> list[str]:
    """Press Tab until the page is left; return what had the focus, which must be seen."""
    stops: list[str] = []
    for _ in range(most):
        visitor.press(key)
        left, seen, stop = visitor.run(FOCUS)
        if left:
            return stops
        assert seen, f"no one sees the focus on {stop}"
        stops.append(stop)
    pytest.fail(f"the focus is caught: {stops[-6:]}")


def test_everything_is_reached_by_tab_and_nothing_holds_the_focus(visitor: Visitor) -> None:
    visitor.open(every_state())
    stops = walk(visitor)
    assert stops[:3] == ["Skip to the certificates", "4f6b2c1d9e", "print"]
    inside = ["search", "status", "issuer", "target", "expires", "tab-list", "list-region"]
    assert [stop for stop in stops if stop in inside] == inside
    assert {"vpn", "Show all 11", "theme", "chart-region", "As a table"} < set(stops)


def test_the_other_views_are_reached_by_tab_too(visitor: Visitor) -> None:
    visitor.open(every_state(), "#view=matrix")
    stops = walk(visitor)
    assert stops[-3] == "matrix-region"
    assert stops[-2].startswith("vpn")
    visitor.open(every_state(), "#view=authorities")
    assert {"root, generation 1", "services, generation 2", "31 certificates below"} < set(
        walk(visitor)
    )


def test_slash_goes_to_the_search_and_arrows_to_the_list(visitor: Visitor) -> None:
    visitor.open(every_state())
    visitor.press("/")
    assert visitor.focused() == "search"
    visitor.press("/", Keys.BACKSPACE)
    assert visitor.find("#search").get_attribute("value") == ""
    visitor.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert visitor.focused() == "old"
    visitor.press(Keys.END)
    assert visitor.focused() == "billing"
    visitor.press(Keys.HOME)
    assert visitor.focused() == "vpn"


def test_details_open_and_close_by_key_and_the_focus_returns(visitor: Visitor) -> None:
    visitor.open(every_state())
    visitor.press("/", Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER)
    assert visitor.find("#details-title").text == "ldap"
    assert visitor.focused() == "Close"
    assert visitor.hash == "#open=certificate%2Fldap"
    visitor.press(Keys.ESCAPE)
    assert not visitor.find("#details").is_displayed()
    assert visitor.focused() == "ldap"
    assert visitor.hash == ""


def test_the_tabs_of_the_views_are_one_stop_and_turn_by_arrows(visitor: Visitor) -> None:
    visitor.open(every_state())
    visitor.run("document.getElementById('tab-list').focus()")
    visitor.press(Keys.ARROW_RIGHT)
    assert visitor.focused() == "tab-matrix"
    assert visitor.find("#view-matrix").is_displayed()
    visitor.press(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert visitor.focused() == "tab-authorities"
    assert not visitor.find("#view-matrix").is_displayed()


def test_the_matrix_is_walked_by_arrows(visitor: Visitor) -> None:
    visitor.open(every_state(), "#view=matrix")
    visitor.find("#matrix tbody th").click()
    visitor.press(Keys.ESCAPE)
    assert visitor.focused().startswith("vpn")
    visitor.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    found = fingerprint("vpn")
    assert visitor.focused() == f"OK\n{found[:4]} {found[4:8]}"
    visitor.press("c")
    assert "fingerprint of vpn" in visitor.content("#said")
    visitor.press(Keys.ENTER)
    assert visitor.run("return document.activeElement.dataset.target") == "edge"
    visitor.press(Keys.ESCAPE, Keys.END)
    assert visitor.run("return document.activeElement.cellIndex") == 5
    assert visitor.run("return document.querySelectorAll('#matrix [tabindex=\"0\"]').length") == 1


def test_the_bars_of_the_timeline_are_one_stop_and_turn_by_arrows(visitor: Visitor) -> None:
    visitor.open(every_state())
    visitor.run("document.querySelector('#chart button').focus()")
    visitor.press(Keys.ARROW_RIGHT)
    note = visitor.find("#chart-note").text
    assert note == visitor.run("return document.activeElement.ariaLabel")
    assert "ldap" in note
    visitor.press(Keys.ENTER)
    assert visitor.listed() == ["ldap"]


def test_ten_thousand_are_drawn_where_they_are_looked_at(visitor: Visitor) -> None:
    visitor.open(many(10_000))
    lines = "return document.querySelectorAll('#list tbody tr').length"
    assert visitor.run(lines) < 80
    assert visitor.find("#list").get_attribute("aria-rowcount") == "10003"
    visitor.press("/", Keys.ARROW_DOWN, Keys.END)
    assert visitor.focused() == "root, generation 1"
    assert visitor.run(lines) < 80
    visitor.press(Keys.PAGE_UP, Keys.PAGE_DOWN)
    assert visitor.focused() == "root, generation 1"
    visitor.type("service-09997")
    assert visitor.listed() == ["service-09997"]
    assert visitor.told() == []


def test_a_thousand_by_sixty_targets_scroll_both_ways(visitor: Visitor) -> None:
    visitor.open(many(1_000, targets=60), "#view=matrix")
    corner = "return document.querySelector('#matrix thead th').getBoundingClientRect().toJSON()"
    assert visitor.run("return document.querySelectorAll('#matrix tbody tr').length") < 60
    visitor.find("#matrix tbody th").click()
    visitor.press(Keys.ESCAPE)
    visitor.press(Keys.PAGE_DOWN, Keys.PAGE_DOWN, Keys.END)
    assert visitor.run("return document.activeElement.cellIndex") == 60
    cell = visitor.run("return document.activeElement.getBoundingClientRect().toJSON()")
    grid = visitor.run(
        "return document.getElementById('matrix-region').getBoundingClientRect().toJSON()"
    )
    assert grid["left"] <= cell["left"] < cell["right"] <= grid["right"]
    assert grid["top"] <= cell["top"] < cell["bottom"] <= grid["bottom"]
    heading = visitor.run(corner)
    assert (heading["left"], heading["top"]) == (grid["left"], grid["top"])


@pytest.mark.parametrize(
    "address", ["", "#view=matrix", "#view=authorities", "#open=certificate/www"]
)
def test_a_phone_never_scrolls_the_page_sideways(visitor: Visitor, address: str) -> None:
    visitor.size(PHONE)
    visitor.open(every_state(), address)
    assert visitor.run(WIDER) == 0
    assert visitor.run("return document.getElementById('details').scrollWidth <= innerWidth")


def test_what_is_printed_is_everything_without_what_is_for_fingers(visitor: Visitor) -> None:
    visitor.open(many(300))
    visitor.run("dispatchEvent(new Event('beforeprint'))")
    visitor.scheme("dark", media="print")
    assert len(visitor.listed()) == 302
    assert not visitor.find(".filters").is_displayed()
    assert (
        visitor.run("return getComputedStyle(document.body).backgroundColor")
        == "rgb(255, 255, 255)"
    )
    assert (
        visitor.run("return getComputedStyle(document.getElementById('list-region')).maxHeight")
        == "none"
    )
    visitor.run("dispatchEvent(new Event('afterprint'))")
    visitor.scheme("light")
    assert len(visitor.listed()) < 80
