"""What commands say about one address, and about addresses, labels and serials that nobody has."""

import json

import pytest
from command_line import Repository


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("authority/root", "to replace a CA, raise `generation`"),
        ("certificate/orders@local", "did you mean certificate/orders?"),
        ("certificate/order", "did you mean certificate/orders?"),
    ],
)
def test_only_certificates_are_replaced(applied: Repository, address: str, hint: str) -> None:
    refused = applied.run("plan", "--replace", address, code=1).stderr
    assert f"--replace takes certificates, not {address}\n  hint: {hint}" in refused


@pytest.mark.parametrize("command", ["plan", "inventory"])
def test_labels_that_nothing_has_are_told(applied: Repository, command: str) -> None:
    applied.edit("services/orders.yaml", "name: orders", "name: orders, labels: {team: shop}")
    told = applied.run(command, "-l", "team=shp").stderr
    assert "nothing has the labels team=shp\n  hint: did you mean team=shop?" in told
    assert "nothing has" not in applied.run(command, "-l", "team=shop").stderr


def test_a_removal_shows_whose_certificate_it_is(applied: Repository) -> None:
    (applied.root / "services" / "orders.yaml").unlink()
    removal = applied.run("plan").stdout.partition("will be REMOVED")[2]
    assert 'dnsNames = ["orders.svc.internal"]' in removal
    assert "serial " in removal
    assert "notAfter" in removal


def test_show_of_what_is_neither_plan_nor_address_says_so(applied: Repository) -> None:
    for address in ("crl/root-g1", "target/local", "target/local@x"):
        assert f"there is no {address} to show" in applied.run("show", address, code=1).stderr
    assert "issued" in applied.run("show", "certificate/orders@local").stdout
    assert "cannot be read" in applied.run("show", "dir/plan.json", code=1).stderr


def test_show_of_an_address_has_a_json_form(applied: Repository) -> None:
    data = json.loads(
        applied.run("show", "certificate/orders", "--resolved", "--format", "json").stdout
    )
    assert data["wanted"]["dnsNames"] == ["orders.svc.internal"]
    assert data["origins"]["dnsNames"] == "services/orders.yaml:6"
    assert data["issued"][0]["serial"] == data["found"][0]["serial"]
    authority = json.loads(applied.run("show", "authority/root", "--format", "json").stdout)
    assert authority["wanted"]["privateKey"]
    assert applied.run("show", "authority/root", "--format", "markdown").stdout.startswith("```")


def test_show_says_in_words_what_was_found(applied: Repository) -> None:
    (applied.root / "out" / "tls" / "orders" / "current" / "cert.pem").write_text("not it")
    assert "changed by hand" in applied.run("show", "certificate/orders").stdout
    (applied.root / "out" / "tls" / ".certform-owner").unlink()
    assert "local: could not be checked: " in applied.run("show", "certificate/orders").stdout


def test_log_of_one_address_tells_what_was_done_to_it(applied: Repository) -> None:
    lines = applied.run("log", "certificate/orders").stdout.splitlines()
    words = [line[36:].partition(" ")[0] for line in lines]
    assert words == ["seen", "erased", "to", "issued", "reserved"]
    assert len(applied.run("log", "authority/root").stdout.splitlines()) == 2
    assert "certificate/orders?" in applied.run("log", "certificate/order", code=1).stderr


def test_log_follows_a_rename(applied: Repository) -> None:
    applied.edit("services/orders.yaml", "name: orders", "name: baskets, formerly: [orders]")
    applied.run("apply", "--auto-approve")
    told = applied.run("log", "certificate/baskets").stdout
    assert "reserved " in told.splitlines()[-1]


def test_log_is_cut_by_time_and_number(applied: Repository) -> None:
    assert applied.run("log", "--since", "2199-01-01").stdout.strip() == ""
    assert len(applied.run("log", "-n", "2").stdout.splitlines()) == 2


def test_revoke_writes_nowhere_else(applied: Repository) -> None:
    refused = applied.run(
        "revoke", "orders", "--reason", "superseded", "--name", "../x", code=1
    ).stderr
    assert "lower-case letters" in refused
    assert not (applied.root / "revocations").exists()


def test_revoke_takes_names_or_serials(applied: Repository) -> None:
    data = json.loads(applied.run("show", "certificate/orders", "--format", "json").stdout)
    serial = data["issued"][0]["serial"]
    mixed = applied.run("revoke", "payments", serial, "--reason", "superseded", code=1).stderr
    assert f"payments is a name and {serial} is a serial" in mixed
    applied.run("revoke", serial, "--reason", "superseded", "--name", "one")
    assert serial in (applied.root / "revocations" / "one.yaml").read_text()


def test_a_ca_is_revoked_by_its_generation_and_goes_on_with_the_next(applied: Repository) -> None:
    asked = ("revoke", "authority/services", "--reason", "keyCompromise")
    told = applied.run(*asked, code=1).stderr
    assert "certform revoke authority/services --generation 1" in told
    assert (
        "services"
        in applied.run("revoke", "service", *asked[2:], "--generation", "1", code=1).stderr
    )
    written = applied.run(*asked, "--generation", "1", "--name", "inc-1").stderr
    assert "authority/services issues with generation 2 from then on" in written
    warned = applied.run("validate").stderr
    assert "authority/services goes on with generation 2: write generation: 2" in warned
    assert "authorities/" in warned
    assert "gives up generation 1" in applied.run("plan").stdout
    applied.run("apply", "--auto-approve")
    assert "No changes." in applied.run("plan").stdout


def test_an_immediate_revocation_takes_a_compromise(applied: Repository) -> None:
    asked = ("revoke", "authority/services", "--generation", "1", "--immediate", "--name", "inc-1")
    told = applied.run(*asked, "--reason", "superseded", code=1).stderr
    assert "--immediate is for keyCompromise" in told
    applied.run(*asked, "--reason", "keyCompromise")
    assert "immediate: true" in (applied.root / "revocations" / "inc-1.yaml").read_text()
    assert applied.run("validate").stdout.startswith("Valid")
