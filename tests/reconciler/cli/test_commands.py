import csv
import io
import json
import subprocess
import sys

import pytest
from command_line import Repository

from reconciler.cli.app import COMMANDS
from schemas.plan import Plan


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(empty: Repository, name: str) -> None:
    assert "Usage: certform" in empty.run(name, "--help").stdout


def test_a_usage_error_is_not_taken_for_changes(empty: Repository) -> None:
    assert "No such option" in empty.run("plan", "--nonsense", code=1).stderr


def test_a_command_that_does_not_exist_gets_a_suggestion(empty: Repository) -> None:
    assert "Did you mean 'plan'?" in empty.run("pln", code=1).stderr


def test_without_a_project_the_next_step_is_named(empty: Repository) -> None:
    assert "`certform init` writes one" in empty.run("plan", code=1).stderr


def test_init_twice_changes_nothing(applied: Repository) -> None:
    before = (applied.root / "certform.yaml").read_text()
    assert "Nothing to do" in applied.run("init").stderr
    assert (applied.root / "certform.yaml").read_text() == before


def test_init_gives_a_project_without_a_ledger_one(applied: Repository) -> None:
    text = (applied.root / "certform.yaml").read_text()
    kept = text[: text.index("  ledger:")]
    (applied.root / "certform.yaml").write_text(kept)
    subprocess.run(["git", "-C", applied.root, "branch", "-qD", "certform/ledger"], check=True)
    subprocess.run(
        ["git", "-C", applied.root, "update-ref", "-d", "refs/certform/seen"], check=True
    )
    applied.run("init")
    changed = (applied.root / "certform.yaml").read_text()
    assert changed.startswith(kept.rstrip())
    assert "publicKey: ssh-ed25519 " in changed


def test_init_refuses_names_for_a_template_that_takes_none(empty: Repository) -> None:
    assert "only the template mtls" in empty.run("init", "orders", code=1).stderr


def test_validate_counts_and_tells_everything_at_once(applied: Repository) -> None:
    assert applied.run("validate").stdout == "Valid: 2 authorities, 2 certificates, 1 target.\n"
    applied.edit("services/orders.yaml", "profileRef: service", "profileRef: servce")
    applied.edit("services/payments.yaml", "dnsNames:", "dnsName:")
    found = applied.run("validate", code=1).stderr
    assert "services/orders.yaml:" in found
    assert "services/payments.yaml:" in found
    assert found.rstrip().endswith("errors")


def test_validate_as_json_names_the_place(applied: Repository) -> None:
    applied.edit("services/orders.yaml", "profileRef: service", "profileRef: servce")
    data = json.loads(applied.run("validate", "--format", "json", code=1).stdout)
    (first, *_) = data["diagnostics"]
    assert (data["valid"], first["file"]) == (False, "services/orders.yaml")
    assert first["line"] > 1
    assert "service" in first["hint"]


def test_plan_tells_changes_by_exit_code_only_when_asked(applied: Repository) -> None:
    assert "No changes." in applied.run("plan", "--detailed-exitcode").stdout
    applied.edit(
        "services/orders.yaml", "orders.svc.internal]", "orders.svc.internal, a.svc.internal]"
    )
    applied.run("plan")
    applied.run("plan", "--detailed-exitcode", code=2)


def test_plan_as_json_reads_back(applied: Repository) -> None:
    data = applied.run("plan", "--replace", "certificate/orders", "--format", "json").stdout
    plan = Plan.model_validate_json(data)
    assert [c.address for c in plan.changes] == ["certificate/orders", "certificate/orders@local"]


def test_plan_ahead_shows_what_will_be_due(applied: Repository) -> None:
    done = applied.run("plan", "--at", "2199-01-01")
    assert "certificate/orders" in done.stdout
    assert "apply will refuse" not in done.stderr


def test_an_address_that_is_nothing_is_an_error(applied: Repository) -> None:
    refused = applied.run("plan", "certificate/order", code=1).stderr
    assert "there is no certificate/order\n  hint: did you mean certificate/orders?" in refused
    applied.run("renew", "certificate/order", code=1)


def test_an_address_limits_the_plan_to_what_it_needs(applied: Repository) -> None:
    shown = applied.run("plan", "--replace", "certificate/orders", "certificate/payments").stdout
    assert "No changes." in shown or "0" in shown
    assert "certificate/orders will" not in shown


def test_a_saved_plan_is_applied_as_reviewed(applied: Repository) -> None:
    applied.edit(
        "services/orders.yaml", "orders.svc.internal]", "orders.svc.internal, a.svc.internal]"
    )
    plan = applied.root / "plan.json"
    applied.run("plan", "--out", plan)
    assert "Apply complete: 1 replaced, 1 installed." in applied.run("apply", plan).stderr
    assert "No changes." in applied.run("plan").stdout


def test_what_was_not_reviewed_is_refused_whole(applied: Repository) -> None:
    applied.edit(
        "services/orders.yaml", "orders.svc.internal]", "orders.svc.internal, a.svc.internal]"
    )
    plan = applied.root / "plan.json"
    applied.run("plan", "--out", plan)
    applied.edit("services/orders.yaml", "a.svc.internal]", "b.svc.internal]")
    refused = applied.run("apply", plan, code=3).stderr
    assert "nothing was applied" in refused
    assert '"a.svc.internal"' in refused
    assert '"b.svc.internal"' in refused
    assert "issue certificate/orders: not as it was in the plan\n      dnsNames was " in refused
    assert "hint: plan again with --out" in refused


def test_apply_asks_and_takes_no_answer_for_no(applied: Repository) -> None:
    applied.edit(
        "services/orders.yaml", "orders.svc.internal]", "orders.svc.internal, a.svc.internal]"
    )
    told = applied.run("apply", code=1).stderr
    assert "Not approved: nothing was applied." in told
    assert "Error" not in told


def test_apply_of_nothing_is_a_success(applied: Repository) -> None:
    applied.run("apply", "--auto-approve")


def test_renew_leaves_an_edit_alone(applied: Repository) -> None:
    applied.edit(
        "services/orders.yaml", "orders.svc.internal]", "orders.svc.internal, a.svc.internal]"
    )
    applied.run("renew")
    assert "1 to replace" in applied.run("plan").stdout


def test_drift_is_told_by_exit_code(applied: Repository) -> None:
    applied.run("drift")
    (applied.root / "out" / "tls" / "orders" / "current" / "cert.pem").write_text("not it")
    assert "changed by hand" in applied.run("drift", code=2).stdout


def test_too_much_at_once_is_refused(applied: Repository) -> None:
    applied.edit("certform.yaml", "spec:\n", "spec:\n  guard: {maxChange: 10%, from: 1}\n")
    (applied.root / "services" / "orders.yaml").unlink()
    assert "--allow-mass-change" in applied.run("apply", "--auto-approve", code=3).stderr
    applied.run("apply", "--auto-approve", "--allow-mass-change")
    assert not (applied.root / "out" / "tls" / "orders").exists()


def test_what_is_blocked_is_told_by_the_exit_code(applied: Repository) -> None:
    (applied.root / "out" / "tls" / ".certform-owner").unlink()
    applied.run("apply", "--auto-approve", code=4)
    applied.run("renew", code=4)


def test_renew_does_not_claim_that_everything_matches(applied: Repository) -> None:
    (applied.root / "out" / "tls" / "orders" / "current" / "cert.pem").write_text("not it")
    assert "Nothing is due." in applied.run("renew").stdout


def test_a_plan_that_apply_would_refuse_says_so(applied: Repository) -> None:
    applied.edit("certform.yaml", "spec:\n", "spec:\n  guard: {maxChange: 10%, from: 1}\n")
    (applied.root / "services" / "orders.yaml").unlink()
    assert (
        "apply will refuse this: 1 of 2 certificates would be removed" in applied.run("plan").stderr
    )


def test_a_look_ahead_cannot_be_saved(applied: Repository) -> None:
    refused = applied.run("plan", "--at", "2199-01-01", "--out", applied.root / "p.json", code=1)
    assert "not saved" in refused.stderr


def test_fields_have_one_spelling(applied: Repository) -> None:
    applied.edit("services/orders.yaml", "dnsNames:", "dns_names:")
    assert "dnsNames" in applied.run("validate", code=1).stderr


def test_inventory_in_every_form(applied: Repository) -> None:
    table = applied.run("inventory").stdout
    assert "certificate/payments" in table
    rows = list(csv.DictReader(io.StringIO(applied.run("inventory", "--format", "csv").stdout)))
    data = json.loads(applied.run("inventory", "--format", "json").stdout)
    assert len(rows) == len(data["certificates"]) == 4
    assert {row["status"] for row in rows} == {"ok"}


def test_inventory_lists_strangers_when_asked(applied: Repository) -> None:
    stranger = applied.root / "out" / "tls" / "theirs"
    stranger.mkdir()
    assert "theirs" not in applied.run("inventory").stdout
    assert "foreign" in applied.run("inventory", "--foreign").stdout


def test_show_tells_where_values_come_from(applied: Repository) -> None:
    shown = applied.run("show", "certificate/orders", "--resolved").stdout
    assert "config/profiles.yaml:" in shown
    assert "verified at" in shown


def test_show_of_nothing_suggests(applied: Repository) -> None:
    assert "did you mean" in applied.run("show", "certificate/order", code=1).stderr.lower()


def test_show_prints_a_saved_plan(applied: Repository) -> None:
    plan = applied.root / "plan.json"
    printed = applied.run("plan", "--replace", "certificate/orders", "--out", plan).stdout
    assert applied.run("show", plan).stdout == printed


def test_log_verifies_the_whole_history(applied: Repository) -> None:
    done = applied.run("log", "--verify")
    assert done.stdout.splitlines()[-1].endswith("Begin the ledger of pki")
    assert "signed, linear and consistent" in done.stderr


def test_revoke_writes_a_document_that_revokes(applied: Repository) -> None:
    applied.run("revoke", "certificate/orders", "--reason", "keyCompromise", "--name", "inc-1")
    planned = applied.run("plan").stdout
    assert "REVOKED (keyCompromise)" in planned
    applied.run("apply", "--auto-approve")
    assert "No changes." in applied.run("plan").stdout


def test_revoke_refuses_what_the_ledger_does_not_know(applied: Repository) -> None:
    refused = applied.run("revoke", "order", "--reason", "superseded", code=1).stderr
    assert "orders" in refused


def test_graph_shows_the_tree(applied: Repository) -> None:
    shown = applied.run("graph").stdout
    assert "└── certificate/payments -> local" in shown


def test_unlock_of_no_lock_says_so(applied: Repository) -> None:
    assert applied.run("unlock", "0123456789abcdef", code=3).stderr


def test_a_sound_ledger_needs_no_recovery(applied: Repository) -> None:
    assert "in order" in applied.run("ledger", "recover").stdout


def test_a_missing_ledger_is_refused(applied: Repository) -> None:
    subprocess.run(["git", "-C", applied.root, "branch", "-qD", "certform/ledger"], check=True)
    assert "ledger" in applied.run("plan", code=3).stderr


def test_schemas_are_printed_as_json(empty: Repository) -> None:
    assert json.loads(empty.run("schema").stdout)["$schema"]
    assert json.loads(empty.run("schema", "--plan").stdout)["title"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_is_printed(empty: Repository, shell: str) -> None:
    assert "_CERTFORM_COMPLETE" in empty.run("completion", shell).stdout


def test_doctor_finds_a_sound_repository_sound(applied: Repository) -> None:
    report = applied.run("doctor").stdout
    assert "problem" not in report
    assert "is signed" in report


def test_doctor_finds_a_key_that_others_can_read(applied: Repository) -> None:
    key = applied.root.parent / ".config" / "sops" / "age" / "keys.txt"
    key.chmod(0o644)
    assert "can be read by others" in applied.run("doctor", code=1).stdout


def test_colour_follows_no_color_and_the_option(applied: Repository) -> None:
    assert "\x1b[" not in applied.run("plan").stdout
    always = ("--color", "always", "plan", "--replace", "certificate/orders")
    assert "\x1b[" in applied.run(*always).stdout
    forced = applied.run("plan", "--replace", "certificate/orders", FORCE_COLOR="1", NO_COLOR="1")
    assert "\x1b[" not in forced.stdout


def test_a_reader_that_goes_away_is_no_bug(applied: Repository) -> None:
    program = [sys.executable, "-P", "-m", "reconciler", "-C", str(applied.root), "schema"]
    with subprocess.Popen(
        program, env=applied.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()


def test_packages_of_strangers_stop_the_program(applied: Repository) -> None:
    stranger = applied.root / "schemas"
    stranger.mkdir()
    (stranger / "__init__.py").write_text("raise SystemExit('their code ran')")
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "version"],
        cwd=applied.root,
        env=applied.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "not certform's own" in done.stderr
    assert "their code ran" not in done.stderr


def test_nothing_that_is_installed_may_plug_itself_into_the_models(applied: Repository) -> None:
    place = applied.root.parent / "installed"
    about = place / "eavesdropper-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: eavesdropper\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[pydantic]\nlistens = eavesdropper\n")
    (place / "eavesdropper.py").write_text("raise SystemExit('their code ran')")
    told = {**applied.environment, "PYTHONPATH": str(place)}
    for program, code in (("-mreconciler", 0), ("-cimport schemas.project", 1)):
        argv = [sys.executable, "-P", program, *(["validate"] if code == 0 else [])]
        done = subprocess.run(
            argv, cwd=applied.root, env=told, capture_output=True, text=True, check=False
        )
        assert ("their code ran" in done.stderr) is bool(code), "pydantic does run plugins"
        assert done.returncode == code, done.stderr
