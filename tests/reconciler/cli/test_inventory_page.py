"""`certform inventory` into a file, and as a page."""

import json
import re
import stat

from command_line import Repository

DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>')


def test_the_page_is_written_whole_for_everyone_to_read(applied: Repository) -> None:
    out = applied.root / "page.html"
    out.write_text("older")
    url = "https://git.example/corp/pki/blob/abc"
    done = applied.run("inventory", "--format", "html", "-o", out, "--blob-url", url)
    assert done.stdout == ""
    assert stat.S_IMODE(out.stat().st_mode) == 0o644
    html = out.read_text()
    assert html.startswith("<!doctype html>")
    found = DATA.search(html)
    assert found is not None
    data = json.loads(found[1])
    assert data["project"] == "pki"
    assert data["blob_url"] == url
    assert {row["state"] for row in data["certificates"]} == {"ok"}
    assert [path.name for path in applied.root.glob(".page.html*")] == []


def test_the_page_goes_to_stdout_without_a_file(applied: Repository) -> None:
    html = applied.run("inventory", "--format", "html").stdout
    assert html.rstrip().endswith("</html>")


def test_no_key_and_no_secret_is_in_the_page(applied: Repository) -> None:
    html = applied.run("inventory", "--format", "html").stdout
    keys = [*applied.root.rglob("privkey.pem"), *applied.root.parent.rglob("keys.txt")]
    assert keys
    secrets = {line for key in keys for line in key.read_text().split() if len(line) > 40}
    assert secrets
    assert not any(secret in html for secret in secrets)
    assert "PRIVATE KEY" not in html
    assert "ENC[" not in html


def test_a_selection_is_told(applied: Repository) -> None:
    html = applied.run("inventory", "--format", "html", "-l", "team=nobody").stdout
    found = DATA.search(html)
    assert found is not None
    assert json.loads(found[1])["selection"] == ["team=nobody"]
    assert json.loads(found[1])["certificates"] == []


def test_every_form_goes_into_a_file(applied: Repository) -> None:
    for form in ("table", "json", "csv"):
        out = applied.root / f"inventory.{form}"
        applied.run("inventory", "--format", form, "--out", out)
        assert out.read_text() == applied.run("inventory", "--format", form).stdout


def test_json_tells_of_targets_and_places(applied: Repository) -> None:
    data = json.loads(applied.run("inventory", "--format", "json").stdout)
    assert data["format_version"] == "1.3"
    assert [(each["name"], each["status"]) for each in data["targets"]] == [("local", "observed")]
    orders = next(row for row in data["certificates"] if row["address"] == "certificate/orders")
    (place,) = orders["places"]
    assert (place["target"], place["state"]) == ("local", "ok")
    assert place["sha256"] == orders["sha256"]
    assert orders["source"] == {"file": "services/orders.yaml", "line": 2}


def test_a_file_that_cannot_be_written_is_named(applied: Repository) -> None:
    out = applied.root / "nowhere" / "page.html"
    refused = applied.run("inventory", "--format", "html", "--out", out, code=1)
    assert f"No such file or directory: {out}" in refused.stderr


def test_an_address_that_is_none_is_refused(applied: Repository) -> None:
    for url in ("javascript:alert(1)", "git.example/blob", "https://a b"):
        refused = applied.run("inventory", "--format", "html", "--blob-url", url, code=1)
        assert "does not begin with https:// or http://" in refused.stderr
    assert "--format html" in applied.run("inventory", "--blob-url", "https://x", code=1).stderr
