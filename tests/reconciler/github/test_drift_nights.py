"""Night after night: the job finds what somebody did, and one issue of the emulated GitHub tells of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from github_emulator import BOT
from github_events import pull_request
from night_house import House, stocked
from prometheus_client.parser import text_string_to_metric_families
from wire import Response, Way

from reconciler.github.drift_issue import LABEL
from reconciler.github.marker import Marker, MarkerKind


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stocked(tmp_path_factory.mktemp("nights"))


@pytest.fixture
def house(stock: Path, tmp_path: Path) -> Iterator[House]:
    with House.opened(stock, tmp_path) as house:
        yield house


def test_the_life_of_an_issue(house: House) -> None:
    quiet = house.look()
    assert (quiet.code, quiet.outputs["drift"], quiet.outputs["unknown"]) == (0, "0", "0")
    assert "issue-url" not in quiet.outputs
    assert house.github.issues == []

    house.tamper("edge", "one")
    first = house.look()
    assert (first.code, first.outputs["drift"]) == (0, "1")
    issue = house.issue
    assert (issue.title, issue.labels, issue.state) == (
        "Certificates: drift (faults)",
        [LABEL],
        "open",
    )
    assert first.outputs["issue-url"].endswith(f"/issues/{issue.number}")
    assert "cert.pem was changed by hand" in issue.body

    before = issue.body
    same = house.look()
    assert same.outputs["digest"] == first.outputs["digest"]
    assert house.remarks == [], "nothing is new"
    assert "/runs/8003/" in house.issue.body, "the newest look is told"
    assert re.findall(r"UTC \|", house.issue.body) == re.findall(r"UTC \|", before)

    house.tamper("mesh", "three")
    changed = house.look()
    assert changed.outputs["digest"] != first.outputs["digest"]
    assert ["certificate/three" in each.body for each in house.remarks] == [True]

    house.repair()
    clean = house.look()
    assert (clean.code, clean.outputs["drift"]) == (0, "0")
    assert (house.issue.state, house.issue.state_reason) == ("closed", "completed")
    assert "no drift" in house.issue.body
    assert len(house.remarks) == 2

    house.tamper("edge", "two")
    again = house.look()
    assert (house.issue.number, house.issue.state) == (issue.number, "open"), "the same issue"
    assert house.remarks[-1].body.startswith("**Again: 1 changed outside certform**")
    assert again.outputs["issue-url"] == first.outputs["issue-url"]


def test_a_target_that_cannot_be_read_is_told_and_closes_nothing(house: House) -> None:
    with house.unreadable("edge"):
        blind = house.look()
        assert (blind.code, blind.outputs["drift"], blind.outputs["unknown"]) == (1, "0", "1")
        assert blind.outputs["failure-reason"] == "unknown"
        assert house.issue.title == "Certificates: could not be checked (faults)"
        assert "could not be checked" in house.issue.body
        assert blind.commands("error")[0].startswith("::error title=edge could not be checked")
        house.look()
        assert (house.issue.state, house.remarks) == ("open", [])
    house.tamper("edge", "one")
    house.look()
    assert house.issue.title == "Certificates: drift (faults)"
    with house.unreadable("mesh"), house.unreadable("edge"):
        house.look()
        assert house.issue.state == "open", "what was found there before may still be so"
    house.repair()
    house.look()
    assert house.issue.state == "closed"


def test_only_an_issue_of_our_own_is_written_to(house: House) -> None:
    theirs = Marker(MarkerKind.DRIFT, "faults").over("mine")
    house.github.add_issue("Certificates: drift (faults)", theirs, author="eve", label=LABEL)
    house.github.add_issue("Certificates: drift (faults)", "no marker", author=BOT, label=LABEL)
    house.tamper("edge", "one")
    house.look()
    one, two, ours = house.github.issues
    assert (one.body, two.body) == (theirs, "no marker")
    assert ours.author == BOT
    house.look()
    assert len(house.github.issues) == 3


def test_each_label_has_an_issue_of_its_own(house: House) -> None:
    house.tamper("edge", "one")
    for label in ("prod", "test", "prod"):
        house.look(label=label)
    titles = [issue.title for issue in house.github.issues]
    assert titles == ["Certificates: drift (prod)", "Certificates: drift (test)"]
    house.repair()
    house.look(label="prod")
    assert [issue.state for issue in house.github.issues] == ["closed", "open"]


def test_what_a_person_did_to_the_issue_stays_but_its_closing(house: House) -> None:
    house.tamper("edge", "one")
    house.look()
    house.issue.title, house.issue.state = "Ask Ann", "closed"
    house.look()
    assert (house.issue.title, house.issue.state) == ("Ask Ann", "open")
    assert house.remarks[0].body.startswith("**Still: 1 changed outside certform**")


def test_drift_that_nobody_could_be_told_of_fails_the_job(house: House) -> None:
    reader = house.github.token(contents="read", issues="read")
    assert house.look(token=reader).code == 0, "there is nothing to tell"
    house.tamper("edge", "one")
    untold = house.look(token=reader)
    assert (untold.code, house.github.issues) == (2, [])
    assert "the drift issue: left out" in untold.commands("notice")[0]
    assert "cert.pem was changed by hand" in untold.summary
    assert house.look(token="").code == 2
    assert house.look(token=reader, issue="false").code == 0


def test_drift_fails_the_job_where_that_is_asked_for(house: House) -> None:
    house.tamper("edge", "one")
    failed = house.look(on_drift="fail")
    assert (failed.code, failed.outputs["exit-code"]) == (2, "2")
    assert house.issue.state == "open"


def test_a_look_that_fails_is_told_once_and_opens_and_closes_nothing(house: House) -> None:
    bad = "kind: Certificate\nmetadata: {name: bad}\nspec: {issuerRef: nobody}\n"
    good, broken = house.github.tip(), house.github.commit({"bad.yaml": bad})
    house.check_out(broken)
    assert house.look().code == 1
    assert house.github.issues == []
    house.check_out(good)
    house.tamper("edge", "one")
    house.look()
    text = house.issue.body.partition("\n")[2]
    house.check_out(broken)
    for _ in range(2):
        failed = house.look()
        assert (failed.code, failed.outputs["failure-reason"]) == (1, "invalid")
    assert house.issue.state == "open"
    assert house.issue.body.partition("\n")[2] == text, "the last real look is still told"
    assert [each.body.startswith("**Could not check**") for each in house.remarks] == [True]
    assert "bad.yaml" in house.remarks[0].body


def test_each_difference_is_a_warning_at_its_document(house: House) -> None:
    house.tamper("edge", "two")
    told = house.look().commands("warning")
    assert len(told) == 1
    assert "file=certificates.yaml,line=" in told[0]
    assert "cert.pem was changed by hand" in told[0]


def test_sarif_and_metrics_are_written_where_they_are_asked_for(house: House) -> None:
    house.tamper("edge", "one")
    prom = house.root.parent / "node" / "certform.prom"
    assert house.look(sarif_file="out/drift.sarif", metrics_file=str(prom)).code == 0
    log = json.loads((house.root / "out" / "drift.sarif").read_text())
    assert [result["ruleId"] for result in log["runs"][0]["results"]] == ["outside/Drifted"]
    families = {each.name: each for each in text_string_to_metric_families(prom.read_text())}
    kinds = {s.labels["kind"]: s.value for s in families["certform_drift"].samples}
    assert kinds == {"overdue": 0, "outside": 1, "blocked": 0, "pending": 0}
    ups = {s.labels["target"]: s.value for s in families["certform_target_up"].samples}
    assert ups == {"edge": 1, "mesh": 1}


def test_metrics_that_cannot_be_written_are_an_error_after_the_issue_was_told(
    house: House,
) -> None:
    house.tamper("edge", "one")
    failed = house.look(metrics_file="certform.yaml/x.prom")
    assert failed.code == 1
    assert "the input `metrics-file`" in failed.log
    assert house.issue.state == "open"


def test_a_github_that_fails_for_a_moment_changes_nothing(house: House) -> None:
    house.tamper("edge", "one")
    house.github.wire.fail("issues/create", Way.UNANSWERED)
    assert house.look().code == 0
    assert len(house.github.issues) == 1, "it was looked for before it was made again"
    house.github.wire.fail("issues/update", Way.REFUSED, Response(502))
    assert house.look().code == 0
    assert "/runs/8002/" in house.issue.body


def test_of_two_issues_the_older_is_closed_and_names_the_newer(house: House) -> None:
    house.tamper("edge", "one")
    house.look()
    first = house.issue
    twin = house.github.add_issue(first.title, first.body, author=BOT, label=LABEL)
    house.look()
    assert [(each.number, each.state) for each in house.github.issues] == [
        (first.number, "closed"),
        (twin.number, "open"),
    ]
    (remark,) = house.github.comments(first.number)
    assert remark.body == f"#{twin.number} tells of it from now on."
    assert first.state_reason == "not_planned"


def test_a_pull_request_is_not_looked_at(house: House) -> None:
    pull = house.github.pull({"more.yaml": "# nothing\n"})
    refused = house.look(event=pull_request(house.github, pull))
    assert refused.code == 1
    assert "not of a pull request" in refused.log
    assert "observed" not in refused.log
