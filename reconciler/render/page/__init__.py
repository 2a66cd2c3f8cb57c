"""The inventory as a page: one HTML file that asks nobody for anything, with its data inside."""

import base64
import hashlib
import html
import re
from collections.abc import Sequence
from importlib.resources import files

from reconciler.render.escape import visible
from reconciler.render.inventory import InventoryRow
from reconciler.render.page.data import embedded, page_data
from schemas.plan import Plan

__all__ = ["render_page"]

_PLACEHOLDER = re.compile(r"<<(\w+)>>")
_SCRIPTS = (
    "model",
    "elements",
    "choice",
    "overview",
    "timeline",
    "window",
    "list",
    "matrix",
    "authorities",
    "details",
    "main",
)
_POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; img-src data:; base-uri 'none'; "
    "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Nothing is loaded and no text becomes markup (https://www.w3.org/TR/CSP3/, Trusted Types)."""


def render_page(plan: Plan, rows: Sequence[InventoryRow], *, blob_url: str = "") -> str:
    """Return the page of these rows; `blob_url` is what files of the repository are below, if anything.

    The plan says when it was made, of which commit, how targets were found and what is to be done.
    """
    script, style = _script(), _text("page.css")
    values = {
        "title": html.escape(f"{visible(plan.project)}: certificates"),
        "policy": _POLICY.format(script=_hash(script), style=_hash(style)),
        "style": style,
        "data": embedded(page_data(plan, rows, blob_url)),
        "script": script,
    }
    return _PLACEHOLDER.sub(lambda match: values[match[1]], _text("page.html"))


def _script() -> str:
    parts = "".join(_text(f"script/{name}.js") for name in _SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}}})();\n'


def _text(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
