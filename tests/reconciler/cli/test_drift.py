"""certform drift: what it says, and what it exits with."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

from command_line import Repository
from prometheus_client.parser import text_string_to_metric_families


def spoil(applied: Repository) -> None:
    (applied.root / "out" / "tls" / "orders" / "current" / "cert.pem").write_text("not it")


def test_where_nothing_differs_it_exits_with_nothing(applied: Repository) -> None:
    assert "No drift. 2 certificates match" in applied.run("drift").stdout


def test_what_somebody_changed_is_told_with_what_was_expected(applied: Repository) -> None:
    spoil(applied)
    told = applied.run("drift", code=2).stdout
    assert (
        "Changed outside certform:\n\n  certificate/orders in local  services/orders.yaml:" in told
    )
    assert "expected  serial " in told
    assert "found     cert.pem was changed by hand" in told
    assert "Drift: 1 changed outside certform." in told


def test_an_edit_that_was_not_applied_is_drift_of_another_kind(applied: Repository) -> None:
    applied.edit(
        "services/orders.yaml", "orders.svc.internal]", "orders.svc.internal, a.svc.internal]"
    )
    data = json.loads(applied.run("drift", "--format", "json", code=2).stdout)
    (row,) = data["differences"]
    assert (data["kind"], data["outcome"], row["kind"]) == ("drift", "drift", "pending")
    assert row["source"]["file"] == "services/orders.yaml"


def test_what_could_not_be_checked_alone_is_an_error_and_never_clean(applied: Repository) -> None:
    (applied.root / "out" / "tls" / ".certform-owner").unlink()
    told = applied.run("drift", code=1).stdout
    assert "Not known: 1 place could not be checked. Nothing else differs." in told
    assert "match" not in told


def test_drift_and_what_could_not_be_checked_is_drift(applied: Repository) -> None:
    applied.edit(
        "services/orders.yaml", "orders.svc.internal]", "orders.svc.internal, a.svc.internal]"
    )
    (applied.root / "out" / "tls" / ".certform-owner").unlink()
    told = applied.run("drift", code=2).stdout
    assert "1 place could not be checked." in told


def test_sarif_and_markdown_and_metrics_of_the_same_look(
    applied: Repository, tmp_path: Path
) -> None:
    spoil(applied)
    metrics = tmp_path / "certform.prom"
    run = json.loads(
        applied.run("drift", "--format", "sarif", "--metrics", metrics, code=2).stdout
    )["runs"][0]
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "services/orders.yaml"
    names = {family.name for family in text_string_to_metric_families(metrics.read_text())}
    assert "certform_certificate_not_after_timestamp_seconds" in names
    assert "| <code>Drifted</code> |" in applied.run("drift", "--format", "markdown", code=2).stdout


def test_paths_in_sarif_begin_at_the_root_of_the_repository(
    applied: Repository, tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(applied.root, whole / "pki", symlinks=True)
    (whole / "pki" / ".git").rename(whole / ".git")
    below = replace(applied, root=whole / "pki")
    spoil(below)
    run = json.loads(below.run("drift", "--format", "sarif", code=2).stdout)["runs"][0]
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "pki/services/orders.yaml"


def test_metrics_that_cannot_be_written_are_an_error(applied: Repository) -> None:
    failed = applied.run("drift", "--metrics", applied.root / "certform.yaml" / "x", code=1)
    assert "certform.yaml/x" in failed.stderr
