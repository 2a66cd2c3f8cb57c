"""The page in a real browser: what it shows, what it asks for, and how it is worked."""

from datetime import timedelta

import pytest
from page_stock import (
    BLOB_URL,
    MADE,
    ca,
    every_state,
    fingerprint,
    leaf,
    planned,
    serial,
    there,
)
from selenium.webdriver.common.keys import Keys
from visitor import Visitor

from reconciler.render.inventory import PlaceState


def test_it_asks_nobody_for_anything_and_the_console_stays_empty(visitor: Visitor) -> None:
    visitor.open(every_state())
    for view in ("matrix", "authorities", "list"):
        visitor.find(f"#tab-{view}").click()
    visitor.find("#list tbody .name").click()
    assert [url.rpartition("/")[2] for url in visitor.asked()] == ["inventory.html"]
    assert visitor.told() == []


def test_the_head_tells_of_what_and_when(visitor: Visitor) -> None:
    visitor.open(every_state(), at=MADE + timedelta(hours=2, minutes=5))
    assert visitor.browser.title == "example-corp: certificates"
    assert visitor.find("#made").text.startswith("As of 24 Nov 2026, 03:35 UTC, 2 hours ago")
    commit = visitor.find("#made a")
    assert commit.text == "4f6b2c1d9e"
    assert commit.get_attribute("href") == BLOB_URL.replace("/blob/", "/tree/")


def test_what_could_not_be_checked_and_what_was_assumed_come_first(visitor: Visitor) -> None:
    visitor.open(every_state())
    unchecked, assumed = visitor.texts("#notices .notice")
    assert "1 target could not be checked" in unchecked
    assert "acm/us-east-1: the third page of the listing failed" in unchecked
    assert "was not looked at" in assumed
    assert "keyvault" in assumed


def test_where_nothing_is_wrong_that_is_said(visitor: Visitor) -> None:
    visitor.open((planned(), [ca("root"), leaf("web", there("web", "edge"))]))
    assert visitor.texts("#attention li") == [
        "Nothing: everything that was looked at is as the documents ask."
    ]
    waiting = leaf(
        "api", there("api", "edge", PlaceState.OUTDATED), status="out of date (SpecChanged)"
    )
    visitor.open((planned(), [ca("root"), waiting]))
    assert visitor.texts("#attention li") == [
        "Nothing is broken. 1 certificate not as the documents ask yet"
    ]
    visitor.find("#attention button").click()
    assert visitor.listed() == ["api"]


@pytest.mark.parametrize(("days", "tone"), [(0, ""), (3, "warn"), (9, "bad")])
def test_a_stale_page_looks_stale(visitor: Visitor, days: int, tone: str) -> None:
    visitor.open(every_state(), at=MADE + timedelta(days=days))
    told = [text for text in visitor.texts("#notices .notice") if "This page is" in text]
    assert told == ([] if not tone else [told[0]])
    assert visitor.find("#age").get_attribute("class") == f"age {tone}"


def test_a_page_older_than_a_certificate_tells_that_it_has_expired(visitor: Visitor) -> None:
    visitor.open(every_state(), "#status=expired", at=MADE + timedelta(days=21))
    assert visitor.listed() == ["vpn", "ldap", "legacy", "api-00"]
    assert "Expired after this page was made" in visitor.content("#list")


def test_every_state_is_counted_once_in_its_tile(visitor: Visitor) -> None:
    visitor.open(every_state())
    titles, counts = visitor.texts(".tile-title"), visitor.texts(".tile-count")
    assert dict(zip(titles, counts, strict=True)) == {
        "Certificates": "38",
        "In order": "22",
        "Over, or within 30 days": "4",
        "Need repair": "7",
        "Could not check": "1",
    }


def test_what_needs_attention_is_told_worst_first_and_opens(visitor: Visitor) -> None:
    visitor.open(every_state())
    visitor.find("#attention .more button").click()
    words = visitor.texts("#attention .chip")
    assert words[:4] == ["Expired", "Blocked", "Blocked", "Blocked"]
    assert words[-1] == "Renewal is late"
    assert {"CRL is over", "Missing", "Drift", "Not yet valid", "Ends soon"} < set(words)
    visitor.find("#attention .link").click()
    assert visitor.find("#details-title").text == "vpn"


FINDS = {
    "www.checkout.exa": ["checkout"],
    "CHECKOUT": ["checkout"],
    serial("www")[:14]: ["www"],
    ":".join(serial("www")[n : n + 2] for n in range(0, 14, 2)).upper(): ["www"],
    fingerprint("another mail")[:12]: ["mail"],
    "mail-host imap": ["imap"],
    "amazon": ["static"],
    "team=shop billing": ["billing"],
    "authorities/root.yaml": ["root, generation 1"],
    "nothing-like-this": [],
}


def test_the_search_finds_by_whatever_one_has(visitor: Visitor) -> None:
    visitor.open(every_state())

    def found(typed: str) -> list[str]:
        visitor.type(typed)
        return visitor.listed()

    assert {typed: found(typed) for typed in FINDS} == FINDS
    assert "Clear a filter" in visitor.run(
        "return getComputedStyle(document.querySelector('#list tbody'), '::after').content"
    )


BROKEN = ["vpn", "mail", "shop", "www", "static", "services, generation 1", "clock"]
KEEPS = {
    ("status", "broken"): BROKEN,
    ("status", "unseen"): ["cdn"],
    ("status", "revoked"): ["leaked"],
    ("target", "mail-host"): ["imap", "smtp", "checkout"],
    ("issuer", "amazon"): ["static"],
    ("expires", "overdue"): ["vpn"],
    ("expires", "7"): ["vpn", "ldap"],
}


def test_each_filter_keeps_what_it_says(visitor: Visitor) -> None:
    visitor.open(every_state())

    def kept(field: str, value: str) -> list[str]:
        visitor.choose(field, value)
        found, told = visitor.listed(), visitor.find("#count").text
        assert told == f"{len(found)} of 38 certificates"
        visitor.find("#clear").click()
        assert visitor.find("#count").text == "38 certificates"
        return found

    assert {(field, value): kept(field, value) for field, value in KEEPS} == KEEPS


def test_a_link_that_is_sent_shows_the_same(visitor: Visitor) -> None:
    visitor.open(every_state())
    visitor.choose("target", "edge")
    visitor.type("api")
    visitor.find('[data-sort="name"] button').click()
    visitor.find('[data-sort="name"] button').click()
    here, address = visitor.listed(), visitor.hash
    assert here == [f"api-{n:02}" for n in range(11, -1, -1)]
    visitor.open(every_state(), address)
    assert visitor.listed() == here
    assert visitor.find('[data-sort="name"]').get_attribute("aria-sort") == "descending"


def test_an_address_of_nonsense_shows_everything(visitor: Visitor) -> None:
    visitor.open(every_state(), "#sort=constructor&view=x&open=y&order=&expires=")
    assert visitor.find("#count").text == "38 certificates"
    assert visitor.told() == []


def test_a_week_of_the_timeline_filters_and_tells_its_names(visitor: Visitor) -> None:
    visitor.open(every_state())
    bar = visitor.find("#chart .week:has(.bar.bad)")
    assert bar.get_attribute("aria-label") == "Over already: 1 certificate: vpn"
    bars = visitor.run("return [...document.querySelectorAll('.week')].map((b) => b.ariaLabel)")
    wanted = next(label for label in bars if "api-03" in label)
    visitor.find(f'.week[aria-label="{wanted}"]').click()
    assert visitor.listed() == wanted.rpartition(": ")[2].split(", ")
    assert visitor.hash.startswith("#expires=2027-")
    assert " to " in visitor.find("#expires option[data-extra]").text


def test_the_timeline_is_a_table_too(visitor: Visitor) -> None:
    visitor.open(every_state())
    visitor.find(".as-table summary").click()
    shown = visitor.run(
        "return [...document.querySelectorAll('.week-count')].map((e) => e.textContent)"
    )
    assert visitor.texts("#chart-table td.number") == shown
    assert sum(map(int, shown)) == 32


def test_the_tree_folds_and_leads_to_what_is_below(visitor: Visitor) -> None:
    visitor.open(every_state(), "#view=authorities")
    names = visitor.texts("#tree .name")
    assert names[0] == "root, generation 1"
    assert names[2:5] == ["services, generation 2", "mesh, generation 1", "services, generation 1"]
    fold = visitor.find("#tree .fold")
    fold.send_keys(Keys.ENTER)
    assert fold.get_attribute("aria-expanded") == "false"
    assert visitor.texts("#tree .name") == ["root, generation 1"]
    fold.send_keys(Keys.ENTER)
    visitor.find("#tree ul ul .node-words .link").click()
    assert visitor.find("#issuer").get_attribute("value") == "authority/services#1"
    assert visitor.find("#count").text == "31 of 38 certificates"


def test_the_matrix_tells_what_is_found_and_what_was_wanted(visitor: Visitor) -> None:
    visitor.open(every_state(), "#view=matrix&q=www&target=edge&place=drift")
    assert visitor.texts("#matrix thead th") == ["Certificate", "edge\nChecked"]
    found, wanted = fingerprint("another www"), fingerprint("www")
    (cell,) = visitor.texts("#matrix tbody td.bad")
    lines = ["Drift", f"{found[:4]} {found[4:8]}", f"want {wanted[:4]} {wanted[4:8]}"]
    assert cell.split("\n") == lines


def test_the_legend_of_the_matrix_filters(visitor: Visitor) -> None:
    visitor.open(every_state(), "#view=matrix")
    labels = visitor.texts("#matrix-legend button")
    assert labels[:3] == ["Drift 1", "Missing 1", "Occupied 1"]
    visitor.find("#matrix-legend li:nth-child(2) button").click()
    assert visitor.texts("#matrix tbody .name") == ["shop"]
    assert visitor.find('#matrix-legend [aria-pressed="true"]').text == "Missing 1"


def test_the_details_tell_everything_of_one_certificate(visitor: Visitor) -> None:
    visitor.open(every_state(), "#open=certificate/www")
    details = visitor.find("#details").text
    for wanted in (
        "www.www.example.com",
        serial("www"),
        fingerprint("www"),
        fingerprint("another www"),
        "ECDSA 256",
        "services, generation 1 until",
        "team=shop",
        "Install in edge (Drifted) serial 77e1 was found instead",
        "changed outside certform",
        "24 Dec 2026, 03:35 UTC",
    ):
        assert wanted in details
    source = visitor.find('#details a[href*="teams/shop/web.yaml"]')
    assert source.get_attribute("href") == f"{BLOB_URL}/teams/shop/web.yaml#L7"


def test_the_chain_leads_upwards_in_the_details(visitor: Visitor) -> None:
    visitor.open(every_state(), "#open=certificate/www")
    visitor.find("#details .chain .link").click()
    assert visitor.find("#details-title").text == "services, generation 1"
    assert visitor.hash == "#open=authority%2Fservices%231"


def test_the_theme_is_chosen_and_remembered(visitor: Visitor) -> None:
    visitor.open(every_state())
    ground = "return getComputedStyle(document.body).backgroundColor"
    light = visitor.run(ground)
    visitor.find("#theme").click()
    visitor.find("#theme").click()
    dark = visitor.run(ground)
    assert dark != light
    visitor.browser.refresh()
    assert visitor.find("#theme").text == "Theme: dark"
    assert visitor.run(ground) == dark
    visitor.find("#theme").click()
    visitor.scheme("dark")
    assert visitor.run(ground) == dark, "the system's scheme counts again"
