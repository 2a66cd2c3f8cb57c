"""GitHub is down, a target's consumer refuses: nothing is lost, and the next run goes on."""

from github_answers import bad_gateway, said
from pull_request_town import USED, Town
from wire import Way

WEB = "teams/platform/web.yaml"


def test_without_github_a_plan_is_made_and_an_apply_does_what_is_due(town: Town) -> None:
    pull = town.github.pull(
        town.edited(WEB, "[api.example.com]", "[api.example.com, api2.example.com]")
    )
    town.github.wire.fail("*", Way.REFUSED, bad_gateway(), times=None)
    with town.clock.hurrying():
        step = town.plan(pull)
    assert "api2.example.com" in step.summary
    assert "**This plan is not recorded**" in step.summary
    unheard = [each for each in step.annotations if each.level == "notice"]
    assert len(unheard) == 2
    assert all("GitHub answered 502" in each.message for each in unheard)
    others = {each.place[0] for each in step.annotations if each not in unheard}
    assert others == {"config/policies.yaml"}
    town.github.wire.heal()
    assert not town.github.comments(pull.number)
    assert not town.github.checks(pull.head)

    town.plan(pull)  # run again, by whoever saw that
    before = town.held()
    town.clock.pass_(days=10)
    pushed = town.merge(pull)
    town.github.wire.fail("*", Way.REFUSED, bad_gateway(), times=None)
    with town.clock.hurrying():
        job = town.apply(pushed)
    assert job.conclusion == "failure"
    assert job.step(USED).outputs["failure-reason"] == "unreviewed"
    assert "What was reviewed could not be read (GitHub answered 502" in job.summary
    changed = town.changed(before)
    assert len(changed) == 7
    assert "edge/api" not in changed
    town.github.wire.heal()

    again = town.apply(pushed)
    assert again.conclusion == "success", again.log
    assert "api2.example.com" in town.names("edge/api")
    assert "**Applied**" in town.comment(pull).body


def test_a_token_that_may_not_read_what_was_applied_is_told_which_permission_it_lacks(
    town: Town,
) -> None:
    denied = said(
        403, "Resource not accessible by integration", X_Accepted_GitHub_Permissions="checks=read"
    )
    town.github.wire.fail("checks/list-for-ref", Way.REFUSED, denied, times=None)
    job = town.apply(town.push({"NOTES.md": "Ask us first.\n"}))
    assert "it needs the permission checks: read" in job.summary
    assert "failed with 403" not in job.log, "a library's own words"


def test_what_failed_in_one_place_is_done_by_the_next_merge(town: Town) -> None:
    both = town.propose(
        {
            **town.edited(WEB, "[proxy.example.com]", "[proxy.example.com, proxy2.example.com]"),
            **town.edited(
                "teams/shop/services.yaml",
                "{name: orders}",
                "{name: orders}\n    - {name: reviews}",
            ),
        }
    )
    before = town.held()
    with town.closed():
        job = town.apply(town.merge(both))
    step = job.step(USED)
    assert (job.conclusion, step.outputs["exit-code"]) == ("failure", "4")
    assert town.changed(before) == {"edge/proxy"}
    told = town.comment(both).body
    assert "**Failed** in [this run]" in told
    assert "certificate/reviews&#64;mesh-nodes" in told
    assert "Run the job again: it goes on from there, and what was reviewed stays so." in told
    assert town.applied().given["conclusion"] == "failure"

    other = town.propose(
        town.edited("staging/web.yaml", "[www.staging.example.com]", "[new.staging.example.com]")
    )
    told = town.comment(other).body
    assert (
        "### Certificates: 1 to replace, 1 to install, OCSP responses of 1 CA to publish; 2 due anyway"
        " (example-corp)"
    ) in told
    assert "Due anyway, whatever becomes of this: 2 to install" in told
    town.land(other)
    assert town.changed(before) == {"edge/proxy", "mesh/proxy", "mesh/reviews", "edge/staging-www"}
    assert town.held()["edge/proxy"] == town.held()["mesh/proxy"]
    town.names("mesh/reviews")
    for pull in (both, other):
        assert "**Applied** in [this run]" in town.comment(pull).body
