"""The inventory in its three forms."""

import csv
import io
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.render.inventory import InventoryRow, render_csv, render_json, render_table

ROW = InventoryRow(
    name="web",
    address="certificate/web",
    issuer="services",
    serial="4a97",
    not_after=datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC),
    days_left=39,
    key="ECDSA 256",
    names=("web.example.com", "www.example.com"),
    targets=("nginx", "edge"),
    status="valid",
)
BARE = InventoryRow("new", "certificate/new", "services", "", None, None, "", (), (), "missing")


def test_the_plain_table_has_aligned_columns() -> None:
    heading, first, second = render_table([ROW, BARE]).splitlines()
    assert heading.split()[:4] == ["ADDRESS", "STATUS", "DAYS", "EXPIRES"]
    assert first.index("valid") == second.index("missing") == heading.index("STATUS")
    assert "web.example.com and 1 more" in first
    assert "nginx, edge" in first


def test_the_plain_table_does_without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.table", None)
    assert "certificate/web" in render_table([ROW])


@pytest.mark.parametrize("width", [60, 120, 200])
def test_a_terminal_is_not_overrun(width: int) -> None:
    lines = render_table([ROW, BARE], width=width).splitlines()
    assert max(map(len, lines)) <= width


def test_brackets_are_text_and_not_markup_in_a_terminal() -> None:
    assert "[red]x[/]" in render_table([replace(ROW, issuer="[red]x[/]")], width=200)


def test_json_says_everything() -> None:
    data = json.loads(render_json([ROW, BARE]))
    assert data["format_version"] == "1.3"
    assert data["certificates"][0]["not_after"] == "2027-01-02T03:04:05Z"
    assert data["certificates"][0]["names"] == ["web.example.com", "www.example.com"]
    assert data["certificates"][1]["days_left"] is None


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1", "@sum(a1)", "\t=1", "\r=1"])
def test_a_spreadsheet_finds_no_formula(text: str) -> None:
    row = replace(ROW, name=text, names=(text,))
    record = next(csv.DictReader(io.StringIO(render_csv([row]), newline="")))
    assert record["name"][0] in "'\\"
    assert record["names"][0] in "'\\"


def test_csv_reads_back() -> None:
    first, second = csv.DictReader(io.StringIO(render_csv([ROW, replace(BARE, days_left=-3)])))
    assert first["serial"] == "4a97"
    assert first["names"] == "web.example.com www.example.com"
    assert second["days_left"] == "-3"
    assert second["not_after"] == ""


@pytest.mark.parametrize("width", [None, 200])
def test_a_hostile_row_commands_nobody(hostile_text: str, width: int | None) -> None:
    row = replace(ROW, address=f"::{hostile_text}", issuer=hostile_text, names=(hostile_text,))
    for line in render_table([row], width=width).splitlines():
        assert line.isprintable()
        assert not line.lstrip().startswith("::")
