"""certform validate."""

import json
from datetime import UTC, datetime

import click

from reconciler.cli.app import Console
from reconciler.cli.failures import show, tell_skipped
from reconciler.cli.options import ref_option
from reconciler.diagnostics import Diagnostic, has_errors, in_order
from reconciler.forewarning import foretold
from reconciler.render.summary import count
from reconciler.repository import Examination, examine


@click.command("validate", epilog="Offline: reads neither the ledger nor a target.")
@ref_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
def command(console: Console, ref: str | None, form: str) -> int:
    """Check every document and show all that is wrong at once."""
    found = examine(console.root, ref)
    failed = found.desired is None or has_errors(found.diagnostics)
    ahead = foretold(found.desired, datetime.now(UTC)) if found.desired else ()
    told = in_order((*found.diagnostics, *ahead))
    if form == "json":
        data = {
            "valid": not failed,
            "diagnostics": [_data(d) for d in told],
            "skipped": found.skipped,
        }
        console.write(json.dumps(data, indent=2))
    else:
        show(told, console, found.sources)
        tell_skipped(found.skipped, console)
        if not failed:
            console.write(_counts(found))
    return 1 if failed else 0


def _counts(found: Examination) -> str:
    desired = found.desired
    if desired is None:
        return ""
    numbers = (
        (len(desired.authorities), "authority", "authorities"),
        (len(desired.certificates), "certificate", "certificates"),
        (len(desired.targets), "target", "targets"),
        (len(desired.bundles), "bundle", "bundles"),
        (len(desired.revocations), "revocation", "revocations"),
    )
    words = ", ".join(count(number, one, many) for number, one, many in numbers if number)
    return f"Valid: {words or 'a Project, and nothing in it yet'}."


def _data(diagnostic: Diagnostic) -> dict[str, object]:
    source = diagnostic.source
    place = {"file": source.file, "line": source.line, "column": source.column} if source else {}
    return {
        "severity": diagnostic.severity,
        "summary": diagnostic.summary,
        **place,
        "detail": diagnostic.detail,
        "hint": diagnostic.hint,
    }
