"""Pull requests, comments and words of people who are not trusted."""

import re

import pytest
from github_emulator import BOT
from github_state import Pull
from pull_request_town import LABEL, ROOT, USED, Town
from workflow_steps import StepResult, loaded

from reconciler.github.marker import Marker, MarkerKind

WEB = "teams/platform/web.yaml"
FORGED = Marker(MarkerKind.PLAN, LABEL, {"status": "planned"}).over("### Certificates: no changes")


def test_among_a_hundred_and_fifty_comments_of_others_ours_is_found_and_stays_one(
    town: Town,
) -> None:
    pull = town.github.pull(town.edited(WEB, "[api.example.com]", "[api2.example.com]"))
    for author in ("mallory", "github-actions", "another-app[bot]"):
        town.github.add_comments(pull.number, 25, author, FORGED)
    town.plan(pull)
    ours = town.comment(pull)
    town.github.add_comments(pull.number, 75, "mallory", ours.body.replace("api2", "safe"))
    town.github.push(pull, town.edited(WEB, "[api.example.com]", "[api3.example.com]"))
    town.plan(pull, "synchronize")
    assert town.comment(pull).id == ours.id
    assert "api3.example.com" in town.comment(pull).body
    assert "api2.example.com" not in town.comment(pull).body
    others = [each for each in town.github.comments(pull.number) if each.author != BOT]
    assert (len(others), any(each.edited for each in others)) == (150, False)
    town.land(pull)
    assert "**Applied**" in town.comment(pull).body
    assert not any(each.edited for each in others)


@pytest.mark.parametrize("bot", [False, True])
def test_a_strangers_pull_request_is_applied_once_a_maintainer_planned_it(
    town: Town, *, bot: bool
) -> None:
    actor = "dependabot[bot]" if bot else "stranger"
    files = town.edited(WEB, "[api.example.com]", "[api.example.com, api2.example.com]")
    town.tamper("edge/www")  # which nobody looks at
    pull = town.github.pull(files, author=actor, fork="" if bot else "stranger/pki")
    step = town.plan(pull, actor=actor)
    assert "dnsNames: + api2.example.com" in step.summary
    assert "Nobody looked at 2 targets" in step.summary
    assert "**This plan is not recorded**" in step.summary
    assert "Before the merge, a maintainer plans it" in step.summary
    assert "certificate/www" not in step.summary
    assert [each.message.partition(", ")[0] for each in step.annotations] == [
        "the comment: left out",
        "The reason given: tills of before 2020 know RSA alone",
    ]
    assert not town.github.comments(pull.number)
    assert not town.github.checks(pull.head)
    town.plan_by_hand(pull.number)
    assert "dnsNames: + api2.example.com" in town.comment(pull).body
    assert "certificate/www" in town.comment(pull).body
    assert town.planned(pull).given["conclusion"] == "success"
    before = town.held()
    town.land(pull)
    assert town.changed(before) == {"edge/api", "edge/www"}
    assert "api2.example.com" in town.names("edge/api")


UNRULY = """\
kind: Certificate
metadata:
  name: unruly
  labels: {a: "::add-mask::example", b: "@everyone #1 <img>", c: "[x](http://evil.test)"}
spec:
  profileRef: staging-web
  commonName: "::error::owned by all"
  subject: {organizations: ["@everyone <img src=x> `|` #1", "##[error]owned"]}
  dnsNames: [unruly.staging.example.com]
"""
BROKEN = """\
kind: Certificate
metadata: {name: "::add-mask::example ##[error]owned @everyone [x](http://evil.test) <img src=x>"}
spec: {profileRef: "##[error]owned", dnsNames: ["::error::owned.staging.example.com"]}
"""


def many(size: int) -> str:
    """Return certificates with so many bytes of names, none of them with more than a hundred."""
    name = "n{:04}.a-name-that-is-rather-long-as-names-go.staging.example.com"
    names = [name.format(number) for number in range(size // len(name.format(0)))]
    spec = "{{profileRef: staging-web, dnsNames: [{}]}}"
    return "".join(
        f"---\nkind: Certificate\nmetadata: {{name: many-{at}}}\n"
        f"spec: {spec.format(', '.join(names[at : at + 90]))}\n"
        for at in range(0, len(names), 90)
    )


def check_inert(town: Town, pull: Pull, step: StepResult) -> None:
    """Check that nothing which was written in a document has done anything."""
    for text in (
        town.comment(pull).body,
        step.summary,
        town.planned(pull).given["output"]["summary"],
    ):
        read = re.sub(
            r"^(`{3,})\w*\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE
        )  # no Markdown
        assert not re.search(r"@everyone|<img|\]\(https?://evil|\x1b", read)
        assert "unruly" in text or "owned" in text
    assert "***" not in step.log.replace("::***::", "").replace("stop-commands::***", "")
    assert "\x1b[31m" not in step.log
    assert not [each for each in step.annotations if each.message.startswith("owned")]
    assert step.outputs.keys() == loaded(ROOT / "action.yml")["outputs"].keys()
    assert step.outputs["exit-code"] in ("0", "1")


def test_words_of_a_pull_request_are_obeyed_by_nobody(town: Town) -> None:
    pull = town.github.pull({"staging/unruly.yaml": UNRULY + many(60_000)})
    step = town.plan(pull)
    check_inert(town, pull, step)
    assert step.summary.count("a-name-that-is-rather-long") >= 60_000 // 80
    before = town.held()
    done = town.land(pull)
    check_inert(town, pull, done)
    assert len(town.changed(before)) == 12


def test_words_of_documents_that_are_not_valid_are_obeyed_by_nobody(town: Town) -> None:
    pull = town.github.pull({"staging/broken.yaml": BROKEN})
    job = town.run("plan", town.event(pull))["plan"]
    assert job.conclusion == "failure"
    step = job.step(USED)
    assert step.outputs["failure-reason"] == "invalid"
    check_inert(town, pull, step)
