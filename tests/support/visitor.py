"""Somebody who looks at a page in a browser: opens it at a chosen moment, types, and reads what is there."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from page_stock import BLOB_URL
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from reconciler.render.inventory import InventoryRow
from reconciler.render.page import render_page
from schemas.plan import Plan

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1400,1000",
)
DESKTOP, PHONE = (1400, 1000), (360, 740)
STOPPED_CLOCK = "(() => {{ const at = {0}; Date.now = () => at; }})();"


@dataclass
class Visitor:
    """One person, one tab."""

    browser: webdriver.Chrome
    folder: Path
    _scripts: list[str] = field(default_factory=list)

    def open(
        self,
        shown: tuple[Plan, Sequence[InventoryRow]],
        address: str = "",
        *,
        at: datetime | None = None,
    ) -> None:
        """Open the page of an inventory from a file, as of a moment, by default when it was made."""
        plan, rows = shown
        self.open_text(render_page(plan, rows, blob_url=BLOB_URL), address, at or plan.created_at)

    def open_text(self, text: str, address: str, at: datetime) -> None:
        """Open HTML from a file."""
        file = self.folder / "inventory.html"
        file.write_text(text, encoding="utf-8")
        self.go(f"{file.as_uri()}{address}", at)

    def go(self, url: str, at: datetime) -> None:
        """Go to an address while the clock stands still."""
        self._before_any_script(STOPPED_CLOCK.format(int(at.timestamp() * 1000)))
        self.browser.get("about:blank")
        self.told()
        self.asked()
        self.browser.get(url)

    def _before_any_script(self, source: str) -> None:
        self._withdraw()
        made = self._cdp("Page.addScriptToEvaluateOnNewDocument", source=source)
        self._scripts.append(made["identifier"])

    def _withdraw(self) -> None:
        while self._scripts:
            identifier = self._scripts.pop()
            self._cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=identifier)

    def forget(self) -> None:
        """Begin as on the first day: a desktop, a light scheme, nothing stored."""
        self._cdp("Storage.clearDataForOrigin", origin="*", storageTypes="all")
        self.scheme("light")
        self.size(DESKTOP)

    def leave(self) -> None:
        """Close the page."""
        self._withdraw()
        self._cdp("Page.setBypassCSP", enabled=False)
        self.browser.get("about:blank")

    def scheme(self, name: str, media: str = "") -> None:
        """Prefer light or dark; `media` may be print."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        features.append({"name": "prefers-reduced-motion", "value": "reduce"})
        self._cdp("Emulation.setEmulatedMedia", media=media, features=features)

    def size(self, size: tuple[int, int]) -> None:
        """Look through a window of another size."""
        width, height = size
        mobile = width < 600
        self._cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=mobile,
        )

    def lenient(self) -> None:
        """Let scripts of a test run in pages that allow none; counts from the next page on."""
        self._cdp("Page.setBypassCSP", enabled=True)

    def _cdp(self, command: str, **arguments: Any) -> Any:
        return self.browser.execute_cdp_cmd(command, arguments)

    def told(self) -> list[str]:
        """What the console was told since the last time."""
        return [f"{entry['level']}: {entry['message']}" for entry in self._log("browser")]

    def asked(self) -> list[str]:
        """The addresses asked for since the last time; what is in an address itself counts for none."""
        messages = (json.loads(entry["message"])["message"] for entry in self._log("performance"))
        sent = (m["params"] for m in messages if m["method"] == "Network.requestWillBeSent")
        urls = (request["request"]["url"] for request in sent)
        return [url for url in urls if not url.startswith("data:") and url != "about:blank"]

    def _log(self, kind: str) -> list[dict[str, str]]:
        entries: list[dict[str, str]] = self.browser.execute("getLog", {"type": kind})["value"]
        return entries

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page."""
        return self.browser.execute_script(script, *arguments)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, wherever the focus is."""
        for key in keys:
            ActionChains(self.browser, duration=0).send_keys(key).perform()

    def type(self, text: str) -> None:
        """Put text into the search field in place of what is there."""
        field_ = self.find("#search")
        field_.clear()
        field_.send_keys(text)

    def choose(self, field_: str, value: str) -> None:
        """Choose an option of a filter."""
        self.find(f'#{field_} option[value="{value}"]').click()

    def find(self, selector: str) -> WebElement:
        """The first element of a selector."""
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        """The texts of all elements of a selector, as somebody sees them."""
        seen = "[...document.querySelectorAll(arguments[0])].filter((e) => e.checkVisibility())"
        script = f"return {seen}.map((e) => e.innerText.trim())"
        found: list[str] = self.run(script, selector)
        return found

    def content(self, selector: str) -> str:
        """The text of the first element of a selector, be it in sight or not."""
        found: str = self.run("return document.querySelector(arguments[0]).textContent", selector)
        return found

    def listed(self) -> list[str]:
        """The names of the certificates in the list, as far as they are drawn."""
        return self.texts("#list tbody .name")

    def focused(self) -> str:
        """What has the focus: its identity, or its text."""
        script = "const e = document.activeElement; return e.id || e.innerText.trim() || e.tagName"
        found: str = self.run(script)
        return found

    @property
    def hash(self) -> str:
        """What the address says behind #."""
        found: str = self.run("return location.hash")
        return found
