"""A root that is replaced by an edit of one line, as whoever is served sees it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from command_line import Repository


def test_a_root_is_replaced_by_an_edit_and_both_roots_verify_what_is_served(
    applied: Repository, require: Callable[[str], str], tmp_path: Path
) -> None:
    served = applied.root / "out" / "tls" / "orders" / "current"
    old = tmp_path / "old.pem"
    old.write_bytes((served / "trust.pem").read_bytes())
    applied.edit(
        "authorities/root.yaml", "commonName:", "generation: 2\n  crossSign: true\n  commonName:"
    )
    plan = applied.run("plan").stdout
    assert "it hangs by root generation 1 and is to hang by root generation 2" in plan
    applied.run("apply", "--auto-approve")
    assert "No changes." in applied.run("plan").stdout
    openssl = require("openssl")
    for anchors in (old, served / "trust.pem"):
        command = (openssl, "verify", "-x509_strict", "-no-CApath", "-no-CAstore")
        files = ("-CAfile", str(anchors), "-untrusted", served / "chain.pem", served / "cert.pem")
        said = subprocess.run((*command, *files), check=False, capture_output=True, text=True)
        assert said.returncode == 0, said.stderr
    assert applied.run("log", "--verify")
