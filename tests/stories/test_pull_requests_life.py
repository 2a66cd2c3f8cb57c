"""A pull request from its opening until the world is as it said, and what becomes of drift afterwards."""

import pytest
from github_emulator import BOT, Method
from pull_request_town import APPLY, USED, Town
from workflow_runner import JobResult

WEB = "teams/platform/web.yaml"
NAMES = "[www.example.com, "


def more_names(town: Town, *names: str) -> dict[str, str | None]:
    """Return the document of `www` with more names."""
    return town.edited(WEB, NAMES, NAMES + "".join(f"{name}, " for name in names))


def test_a_pull_request_does_what_it_showed_and_nothing_else(town: Town) -> None:
    before = town.held()
    pull = town.propose(more_names(town, "static.example.com"))
    opened = town.comment(pull)
    assert "1 to replace, 1 to install (example-corp)" in opened.body
    assert "dnsNames: + static.example.com" in opened.body
    assert "14 of 15 certificates stay as they are" in opened.body
    first = town.planned(pull)

    town.github.push(pull, more_names(town, "img.example.com"))
    town.github.add_comments(pull.number, 1, "reviewer", "Not static, img. Looks good now.")
    town.plan(pull, "synchronize")
    pushed = town.comment(pull)
    assert (pushed.id, pushed.edited > "") == (opened.id, True)
    assert "dnsNames: + img.example.com" in pushed.body
    assert "static" not in pushed.body
    assert pull.head[:12] in pushed.body
    assert town.planned(pull).given["conclusion"] == "success"
    assert town.planned(pull).text != first.text
    assert town.held() == before

    step = town.land(pull)
    assert town.changed(before) == {"edge/www"}
    assert sorted(town.names("edge/www")) == ["example.com", "img.example.com", "www.example.com"]
    told = town.comment(pull)
    assert told.id == opened.id
    assert "**Applied** in [this run]" in told.body
    assert "2 applied (1 replaced, 1 installed)" in told.body
    assert "Merging" not in told.body
    assert town.applied().given["conclusion"] == "success"
    assert "### Certificates: 2 applied (1 replaced, 1 installed)" in step.summary
    assert (
        f"#{pull.number}, <code>{pull.head[:12]}</code>: its plan showed 2 changes" in step.summary
    )
    assert town.serial("www") == town.held()["edge/www"].serial_number
    assert town.ledger().certificates["www"].pending is None
    assert [each.author for each in town.github.comments(pull.number)] == [BOT, "reviewer"]


@pytest.mark.parametrize("method", ["squash", "rebase"])
def test_however_it_is_merged_its_plan_counts(town: Town, method: Method) -> None:
    pull = town.github.pull(more_names(town, "one.example.com"))
    town.github.push(
        pull,
        town.edited(
            "teams/shop/web.yaml", "[shop.example.com]", "[shop.example.com, new.shop.example.com]"
        ),
    )
    town.plan(pull)
    before = town.held()
    step = town.land(pull, method)
    assert town.changed(before) == {"edge/www", "edge/shop"}
    assert "one.example.com" in town.names("edge/www")
    assert "new.shop.example.com" in town.names("edge/shop")
    assert "4 applied" in town.comment(pull).body
    assert "came by no pull request" not in step.summary
    assert len(town.github.checks(town.github.tip(), APPLY)) == 1


def drift_of(town: Town) -> JobResult:
    jobs = town.night()
    assert jobs["renew"].conclusion == "success", jobs["renew"].log
    return jobs["drift"]


def test_what_somebody_changed_is_found_at_night_and_repaired_by_the_next_merge(town: Town) -> None:
    issued = town.serial("www")
    town.tamper("edge/www")
    town.clock.pass_(hours=14)
    night = drift_of(town)
    assert night.conclusion == "success", night.log
    (issue,) = town.github.issues
    assert (issue.state, issue.labels) == ("open", ["certform-drift"])
    found = f"<code>edge</code> | serial {issued:040x}, until "
    assert found in issue.body
    assert "cert.pem was changed by hand" in issue.body
    assert "### Certificates: 1 changed outside certform (example-corp)" in night.summary

    again = town.apply()  # nobody was shown how it would be put right
    assert again.conclusion == "failure"
    assert again.step(USED).outputs["failure-reason"] == "unreviewed"
    assert "Open a pull request, so that its plan shows this, and merge that" in again.summary

    pull = town.propose({"teams/shop/README.md": "Ask us first.\n"})
    told = town.comment(pull).body
    assert "### Certificates: no changes of its own; 2 changed outside (example-corp)" in told
    assert "Changed outside certform, and put right: 1 to replace, 1 to install" in told
    town.land(pull)
    assert "2 applied (1 replaced, 1 installed)" in town.comment(pull).body
    assert town.serial("www") == town.held()["edge/www"].serial_number
    assert town.names("edge/www") == ["example.com", "www.example.com"]
    assert issue.state == "open"

    town.clock.pass_(days=1)
    assert drift_of(town).conclusion == "success"
    assert (issue.state, issue.state_reason) == ("closed", "completed")
    (remark,) = town.github.comments(issue.number)
    assert "Nothing differs any more" in remark.body
