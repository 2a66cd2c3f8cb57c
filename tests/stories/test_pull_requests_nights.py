"""The nightly workflow as it is in example-repo, and the page that an apply leaves."""

import re

from pull_request_town import APPLY, USED, Town


def test_what_is_due_is_renewed_before_the_world_is_looked_at(town: Town) -> None:
    before = town.held()
    town.clock.pass_(days=10)
    jobs = town.night()
    assert list(jobs) == ["renew", "drift"]
    assert {name: job.conclusion for name, job in jobs.items()} == dict.fromkeys(jobs, "success")
    changed = town.changed(before)
    assert len(changed) == 7
    assert "19 applied (7 renewed, 7 installed, 5 published)" in jobs["renew"].summary
    assert not town.github.issues
    assert "no drift" in jobs["drift"].summary
    assert town.names("mesh/orders") == ["orders.svc.example.internal"]
    assert jobs["drift"].permissions["contents"] == "read"
    assert not town.github.checks(town.github.tip(), APPLY)[1:]


def test_the_world_is_looked_at_above_all_when_the_renewal_fails(town: Town) -> None:
    before = town.held()
    town.clock.pass_(days=12)  # more than half of the time to renew is over
    with town.closed():
        jobs = town.night()
    assert {name: job.conclusion for name, job in jobs.items()} == {
        "renew": "failure",
        "drift": "success",
    }
    assert jobs["renew"].step(USED).outputs["failure-reason"] == "partly-applied"
    assert town.changed(before) == {"edge/checkout"}
    (issue,) = town.github.issues
    assert "### Certificates: 6 overdue (example-corp)" in issue.body
    assert "Look at the newest run that renews, put right what it says" in issue.body
    assert "certificate/orders" in issue.body
    assert "certificate/checkout" not in issue.body.partition("Next to expire")[0]
    town.clock.pass_(days=1)
    jobs = town.night()
    assert {job.conclusion for job in jobs.values()} == {"success"}
    assert len(town.changed(before)) == 7
    assert issue.state == "closed"


def test_an_apply_leaves_the_inventory_as_one_page(town: Town) -> None:
    pull = town.propose(
        town.edited("teams/platform/web.yaml", "[api.example.com]", "[api2.example.com]")
    )
    town.land(pull)
    (page,) = (town.folder / "artifacts").iterdir()
    text = page.read_text()
    assert text.startswith("<!doctype html>")
    assert "api2.example.com" in text
    assert town.github.tip() in text
    links = re.findall(r"<[^>]+ (?:src|href)=[\"']([^\"']*)", text)
    assert links
    assert all(link.startswith(("#", "data:")) for link in links)
