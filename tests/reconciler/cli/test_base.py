"""certform plan --base: what is proposed against a commit, without speaking to anybody it does not name."""

import json
from pathlib import Path
from typing import Any

import pytest
from branches import commit, git
from command_line import Repository

TARGETS, PROFILES, PROJECT = "config/targets.yaml", "config/profiles.yaml", "certform.yaml"
POLICIES = "config/policies.yaml"


@pytest.fixture
def pki(applied: Repository) -> Repository:
    """A repository that was applied, all of it committed."""
    commit(applied)
    return applied


def planned(repository: Repository, base: str, *more: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(
        repository.run("plan", "--base", base, "--format", "json", *more).stdout
    )
    return data


def steps(plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{step['action']}:{step['address']}": step for step in plan["changes"]}


def states(plan: dict[str, Any]) -> dict[str, str]:
    return {target["name"]: target["status"] for target in plan["targets"]}


def test_a_plan_tells_what_is_proposed_and_what_would_be_done_anyway(pki: Repository) -> None:
    base = git(pki, "rev-parse", "HEAD")
    pki.edit("services/orders.yaml", "orders.svc.internal", "new.svc.internal")
    (pki.root / "out/tls/payments/current/cert.pem").write_text("spoilt")
    plan = planned(pki, base)
    assert plan["base"] == base
    marked = {id_: (step["proposed"], step["outside"]) for id_, step in steps(plan).items()}
    assert marked == {
        "issue:certificate/orders": (True, False),
        "install:certificate/orders@local": (True, False),
        "issue:certificate/payments": (False, True),
        "install:certificate/payments@local": (False, True),
    }
    shown = pki.run("plan", "--base", base).stdout
    assert f"Proposed against {base[:12]}; only who is named there was spoken to." in shown
    assert "2 of these are proposed here; 2 would be done without that, too." in shown
    assert shown.count("# not proposed here: it would be done without that, too") == 1
    assert shown.count("# because something was changed outside certform") == 1


def test_a_plan_against_itself_proposes_nothing(pki: Repository) -> None:
    plan = planned(pki, "HEAD")
    assert plan["changes"] == []
    assert states(plan) == {"local": "observed"}


def test_a_base_that_is_not_there_is_told(pki: Repository) -> None:
    assert 'there is no commit "nowhere"' in pki.run("plan", "--base", "nowhere", code=1).stderr


def test_a_new_target_is_not_looked_at_and_its_installs_are_planned(pki: Repository) -> None:
    elsewhere = pki.root / "out/spare"
    with (pki.root / TARGETS).open("a") as file:
        file.write("\n---\nkind: Target\nmetadata: {name: spare}\n")
        file.write(f"spec: {{local-directory: {{path: {elsewhere}}}}}\n")
    pki.edit(PROFILES, "targets: [local]", "targets: [local, spare]")
    plan = planned(pki, "HEAD")
    assert states(plan) == {"local": "observed", "spare": "assumed"}
    found = steps(plan)
    install = found["install:certificate/orders@spare"]
    assert install["proposed"] is True
    assert "configure:target/spare" in install["requires"]
    paths = [(f["path"], f.get("before")) for f in found["configure:target/spare"]["fields"]]
    assert paths == [("kind", None), ("local-directory.path", None)]
    shown = pki.run("plan", "--base", "HEAD").stdout
    assert "taken to hold nothing: new here, not looked at" in shown


def test_a_target_that_moves_is_planned_anew_and_applied_where_its_directory_moved(
    pki: Repository, tmp_path: Path
) -> None:
    pki.edit(TARGETS, "path: out/tls", "path: out/other")
    saved = tmp_path / "plan.json"
    shown = pki.run("plan", "--base", "HEAD", "--out", saved).stdout
    assert "2 certificates stay installed at the old one" in shown
    assert "taken to hold nothing: another place than before" in shown
    assert "All of this is proposed here." in shown
    commit(pki)
    assert (
        "If the path was changed, move the old directory here."
        in pki.run("apply", saved, code=4).stdout
    )
    (pki.root / "out/tls").rename(pki.root / "out/other")
    applied = pki.run("apply", saved)
    assert "target/local: Configured" in applied.stderr
    assert "No changes." in pki.run("plan").stdout
    assert "No changes." in pki.run("plan", "--base", "HEAD").stdout


def test_a_saved_plan_is_not_applied_where_somebody_else_would_be_spoken_to_by_now(
    pki: Repository, tmp_path: Path
) -> None:
    pki.edit(TARGETS, "path: out/tls", "path: out/other")
    saved = tmp_path / "plan.json"
    pki.run("plan", "--base", "HEAD", "--out", saved)
    pki.edit(TARGETS, "path: out/other", "path: out/third")
    refused = pki.run("apply", saved, code=3).stderr
    assert "configure target/local: not as it was in the plan" in refused
    assert 'local-directory.path was "out/other"' in refused
    assert not (pki.root / "out/other").exists()
    assert not (pki.root / "out/third").exists()


def test_nobody_is_spoken_to_whom_a_saved_plan_does_not_show(
    pki: Repository, tmp_path: Path
) -> None:
    pki.edit(TARGETS, "path: out/tls", "path: out/other")
    saved = tmp_path / "plan.json"
    pki.run("plan", "--base", "HEAD", "--out", saved)
    saved.write_text(saved.read_text().replace("out/other", "out/fine"))
    ended = pki.run("apply", saved, code=3)
    assert "configure target/local: not as it was in the plan" in ended.stderr
    assert "taken to hold nothing: another place than before, not looked at" in ended.stdout


def test_commands_are_shown_and_the_place_is_still_looked_at(pki: Repository) -> None:
    pki.edit(TARGETS, "  # check: [nginx, -t] ", "  check: [touch, ran]\n  # ")
    plan = planned(pki, "HEAD")
    assert states(plan) == {"local": "observed"}
    (found,) = plan["changes"]
    assert (found["address"], found["reason"]) == ("target/local", "ConnectionChanged")
    assert found["fields"] == [{"path": "check", "after": ["touch", "ran"]}]


def test_the_ledger_is_the_one_that_the_base_names(pki: Repository) -> None:
    pki.edit(PROJECT, "    publicKey:", "    branch: nowhere\n    publicKey:")
    plan = planned(pki, "HEAD")
    (found,) = plan["changes"]
    assert found["address"].startswith("project/")
    assert found["fields"] == [
        {"path": "ledger.branch", "before": "certform/ledger", "after": "nowhere"}
    ]
    assert "is missing" in pki.run("plan", code=3).stderr


def test_a_saved_plan_with_another_ledger_is_applied_with_that_one_only(
    pki: Repository, tmp_path: Path
) -> None:
    saved = tmp_path / "plan.json"
    pki.edit("services/orders.yaml", "orders.svc.internal", "new.svc.internal")
    pki.run("plan", "--base", "HEAD", "--out", saved)
    pki.edit(PROJECT, "    publicKey:", "    branch: nowhere\n    publicKey:")
    refused = pki.run("apply", saved, code=3).stderr
    assert "where the ledger is was changed, and that was not reviewed" in refused


def test_a_policy_in_force_binds_until_its_change_is_merged(pki: Repository) -> None:
    pki.edit(POLICIES, "wildcards: false", "wildcards: true")
    pki.edit("services/orders.yaml", "orders.svc.internal", '"*.svc.internal"')
    refused = pki.run("plan", "--base", "HEAD", code=1).stderr
    assert "*.svc.internal is a wildcard: policy services, as it is in force" in refused
    assert "have the change of the policy merged first, by itself" in refused
    assert git(pki, "rev-parse", "HEAD")[:12] in refused
    pki.run("plan")
    commit(pki)
    assert "No changes" not in pki.run("plan", "--base", "HEAD").stdout


def test_a_policy_that_is_taken_away_binds_as_long(pki: Repository) -> None:
    (pki.root / POLICIES).unlink()
    pki.edit("services/orders.yaml", "orders.svc.internal", '"*.svc.internal"')
    assert "as it is in force" in pki.run("plan", "--base", "HEAD", code=1).stderr


def test_what_a_policy_refuses_that_stays_is_told_once(pki: Repository) -> None:
    pki.edit("services/orders.yaml", "orders.svc.internal", '"*.svc.internal"')
    assert pki.run("plan", "--base", "HEAD", code=1).stderr.count("is a wildcard") == 1


def test_a_base_that_is_not_valid_trusts_nobody(pki: Repository) -> None:
    pki.edit(PROFILES, "issuerRef: services", "issuerRef: nobody")
    commit(pki)
    pki.edit(PROFILES, "issuerRef: nobody", "issuerRef: services")
    shown = pki.run("plan", "--base", "HEAD")
    assert "are not valid: nobody was asked anything" in shown.stderr
    assert "nobody" in shown.stderr
    plan = planned(pki, "HEAD")
    assert states(plan) == {"local": "assumed"}
    assert all(step["proposed"] for step in plan["changes"])
    assert (plan["lineage"], plan["ledger_tip"]) == ("", "")


@pytest.fixture
def first(empty: Repository) -> Repository:
    """A repository with a README alone at its base, and certform's documents proposed."""
    git(empty, "init", "--quiet", "--initial-branch", "main")
    (empty.root / "README.md").write_text("nothing yet")
    commit(empty)
    empty.run("init", "--template", "mtls", "orders", "payments")
    commit(empty)
    return empty


def test_the_first_pull_request_is_planned_without_asking_anybody(first: Repository) -> None:
    shown = first.run("plan", "--base", "HEAD^")
    assert "there is no Project at" in shown.stderr
    assert "All of this is proposed here." in shown.stdout
    plan = planned(first, "HEAD^")
    assert states(plan) == {"local": "assumed"}
    found = steps(plan)
    configured = {id_ for id_ in found if id_.startswith("configure:")}
    assert configured == {"configure:project/pki", "configure:target/local"}
    assert {"issue:authority/root", "install:certificate/orders@local"} <= found.keys()


def test_the_first_pull_request_is_applied_as_it_was_reviewed(
    first: Repository, tmp_path: Path
) -> None:
    saved = tmp_path / "plan.json"
    first.run("plan", "--base", "HEAD^", "--out", saved)
    first.run("apply", saved)
    assert (first.root / "out/tls/orders/current/cert.pem").is_file()
    assert "No changes." in first.run("plan").stdout


def test_the_first_plan_of_one_repository_is_not_applied_in_another(
    first: Repository, pki: Repository, tmp_path: Path
) -> None:
    pki.edit(PROJECT, "name: pki", "name: other")
    saved = tmp_path / "plan.json"
    first.run("plan", "--base", "HEAD^", "--out", saved)
    assert "there is no commit" in pki.run("apply", saved, code=1).stderr
