"""Merges that come in quick succession, late jobs, and time that passes between review and merge."""

from pull_request_town import Town

WEB = "teams/platform/web.yaml"


def test_the_next_run_applies_what_a_dropped_one_would_have(town: Town) -> None:
    names = town.propose(
        town.edited(WEB, "[api.example.com]", "[api.example.com, api2.example.com]")
    )
    service = town.propose(
        town.edited(
            "teams/shop/services.yaml", "{name: orders}", "{name: orders}\n    - {name: reviews}"
        )
    )
    dropped = town.merge(names)
    before = town.held()
    second = town.apply(town.merge(service))
    assert second.conclusion == "success", second.log
    assert town.changed(before) == {"edge/api", "mesh/reviews"}
    assert "api2.example.com" in town.names("edge/api")
    assert town.names("mesh/reviews") == ["reviews.svc.example.internal"]
    for pull in (names, service):
        assert "**Applied** in [this run]" in town.comment(pull).body
        assert f"#{pull.number}, " in second.summary

    held, checks = town.held(), len(town.github.state.checks)
    late = town.apply(dropped)
    assert late.conclusion == "success", late.log
    assert "a newer commit of main, was applied already: nothing is done" in late.summary
    assert (town.held(), len(town.github.state.checks)) == (held, checks)


def test_a_renewal_that_falls_due_after_the_review_is_applied_and_told_apart(town: Town) -> None:
    pull = town.propose(
        town.edited(WEB, "[www.example.com, ", "[www.example.com, static.example.com, ")
    )
    assert "due anyway" not in town.comment(pull).body
    before = town.held()
    town.clock.pass_(days=10)
    step = town.land(pull)
    changed = town.changed(before)
    assert {"edge/www", "edge/checkout", "mesh/orders"} <= changed
    assert len(changed) == 8
    assert "static.example.com" in town.names("edge/www")
    for text in (town.comment(pull).body, town.applied().given["output"]["summary"], step.summary):
        assert "19 of these were in no reviewed plan: time alone made them due." in text
    assert "21 applied (7 renewed, 1 replaced, 8 installed, 5 published)" in town.comment(pull).body
