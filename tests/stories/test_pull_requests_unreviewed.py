"""What no pull request showed is not applied, and a pull request cannot use what only it allows."""

from pull_request_town import USED, Town

WEB = "teams/platform/web.yaml"


def test_a_push_past_review_is_refused_with_the_difference_and_a_pull_request_heals_it(
    town: Town,
) -> None:
    before = town.held()
    town.clock.pass_(days=10)  # seven certificates are due
    job = town.apply(
        town.push(town.edited(WEB, "[api.example.com]", "[api.example.com, back.example.com]"))
    )
    step = job.step(USED)
    assert job.conclusion == "failure"
    assert (step.outputs["exit-code"], step.outputs["failure-reason"]) == ("3", "unreviewed")
    changed = town.changed(before)
    assert len(changed) == 7
    assert "mesh/orders" in changed
    assert "edge/api" not in changed
    for text in (step.log, step.summary, town.applied().text):
        assert "back.example.com" in text
    assert town.applied().given["conclusion"] == "failure"
    assert [each.place for each in step.annotations][:2] == [(WEB, 14), (WEB, 14)]

    pull = town.propose({"teams/platform/NOTES.md": "back.example.com is the office.\n"})
    told = town.comment(pull).body
    assert "### Certificates: no changes of its own; 2 not applied yet (example-corp)" in told
    assert "<details open><summary>Not of this pull request: the branch asks for it already" in told
    assert "dnsNames: + back.example.com" in told
    town.land(pull)
    assert "back.example.com" in town.names("edge/api")
    assert "**Applied**" in town.comment(pull).body


def test_a_policy_that_is_loosened_cannot_be_used_by_the_same_pull_request(town: Town) -> None:
    loose = town.edited("config/policies.yaml", "wildcards: false", "wildcards: true")
    use = town.edited("teams/shop/web.yaml", "[shop.example.com]", '["*.shop.example.com"]')
    pull = town.github.pull({**loose, **use})
    job = town.run("plan", town.event(pull))["plan"]
    assert job.conclusion == "failure"
    step = job.step(USED)
    assert step.outputs["failure-reason"] == "invalid"
    assert step.annotations[0].place == ("teams/shop/web.yaml", 6)
    assert "have the change of the policy merged first, by itself" in step.annotations[0].message
    assert "is a wildcard: policy shop-team, as it is in force" in town.comment(pull).body
    assert town.planned(pull).given["conclusion"] == "failure"
    town.land(town.propose(loose))  # one after the other it may
    town.plan(pull, "synchronize")
    assert "*.shop.example.com" in town.comment(pull).body.replace("&#42;", "*")
    town.land(pull)
    assert town.names("edge/shop") == ["*.shop.example.com"]
