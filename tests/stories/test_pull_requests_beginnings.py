"""A repository's first pull request, and those that send certform to other places."""

import re
import subprocess

from pull_request_town import USED, Plot, Town, git


def test_the_first_pull_request_is_planned_without_asking_anybody_and_applied(plot: Plot) -> None:
    with plot.unborn() as (town, documents):
        town.live.mkdir()
        town.live.chmod(0)
        pull = town.propose(documents)
        town.live.chmod(0o755)
        told = town.comment(pull).body
        assert "### Certificates: 20 to issue (5 CAs), 17 to install, 3 to configure" in told
        assert (
            "nobody was asked anything; the ledger and every target are taken to be empty" in told
        )
        assert f"local-directory.path: nothing → <code>{town.live}/edge</code>" in told
        assert "**Nobody looked at 2 targets:**" in told
        assert not list(town.live.glob("*"))

        step = town.land(pull)
        assert len(town.held()) == 16
        assert town.names("edge/www") == ["example.com", "www.example.com"]
        assert town.names("mesh/proxy") == town.names("edge/proxy") == ["proxy.example.com"]
        done = "51 applied (20 issued, 17 installed, 3 configured, 11 published)"
        assert done in town.comment(pull).body
        assert "No commit of this branch was applied before." in step.summary
        assert town.plan_of_main().startswith("No changes. 15 certificates match")


def test_a_target_that_moves_is_not_looked_at_before_the_merge_and_filled_after_it(
    town: Town,
) -> None:
    other = town.live / "other"
    other.mkdir()
    (other / "theirs").write_text("what a plan must not see")
    guard = town.edited("certform.yaml", "maxChange: 30%", "maxChange: 60%")
    moved = town.edited("config/targets.yaml", "live/mesh", "live/other")
    pull = town.propose({**guard, **moved})
    told = town.comment(pull).body
    assert "### Certificates: 7 to replace, 9 to install, 1 to configure (example-corp)" in told
    assert f"local-directory.path: <code>{town.live}/mesh</code> → <code>{other}</code>" in told
    assert (
        "<code>mesh-nodes</code>, taken to hold nothing: another place than before, not looked at"
        in told
    )
    assert [each.name for each in other.iterdir()] == ["theirs"]

    (other / "theirs").unlink()
    before = town.held()
    pushed = town.merge(pull)
    job = town.apply(pushed)  # an empty folder may be a file system that is not mounted
    assert job.step(USED).outputs["failure-reason"] == "partly-applied"
    assert town.held() == before
    (command,) = set(re.findall(r"^mkdir -p .*", job.log, re.MULTILINE))
    subprocess.run(command, shell=True, check=True)
    again = town.apply(pushed)
    assert again.conclusion == "success", again.log
    filled = {place.replace("mesh/", "other/") for place in before if place.startswith("mesh/")}
    assert town.changed(before) == {*filled, "edge/proxy"}
    assert town.names("other/orders") == ["orders.svc.example.internal"]
    assert "**Applied** in [this run]" in town.comment(pull).body


def test_a_ledger_that_moves_is_read_there_once_that_is_merged(town: Town) -> None:
    other = town.folder / "ledger.git"
    remote = f'  ledger:\n    remote: "file://{other}"\n'
    pull = town.propose({
        **town.edited("certform.yaml", "  ledger:\n", remote),
        **town.edited("staging/web.yaml", "[www.staging.example.com]", "[new.staging.example.com]"),
    })  # fmt: skip
    told = town.comment(pull).body
    assert f"ledger.remote: nothing → <code>file&#58;//{other}</code>" in told
    assert "1 to replace, 1 to install, 1 to configure" in told

    git(town.folder, "clone", "--quiet", "--bare", str(town.github.bare.root), str(other))
    left = town.github.tip("certform/ledger")
    town.land(pull)
    assert town.names("edge/staging-www") == ["new.staging.example.com"]
    assert town.github.tip("certform/ledger") == left
    moved = subprocess.run(
        ["git", "rev-list", "--count", f"{left}..certform/ledger"],
        cwd=other, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(moved.stdout) > 0
