"""certform revoke."""

from pathlib import Path

import click

from reconciler.cli.app import Console
from reconciler.cli.survey import now
from reconciler.diagnostics import Diagnostic, error
from reconciler.errors import InvalidInput
from reconciler.ledger.reader import read_ledger
from reconciler.ledger.records import LedgerState
from reconciler.load.edit import write_document
from reconciler.load.suggest import nearest
from reconciler.repository import load
from schemas.document import SPECS
from schemas.revocation import RevocationReason
from schemas.scalars import format_instant


@click.command("revoke")
@click.argument("what", nargs=-1, required=True, metavar="CERTIFICATE|SERIAL...")
@click.option(
    "--reason",
    type=click.Choice([reason.value for reason in RevocationReason]),
    required=True,
    help="Why; it is written into the CRL.",
)
@click.option("--name", help="The document's name; revoke-DATE-TIME by default.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to; revocations/NAME.yaml.",
)
@click.pass_obj
def command(
    console: Console, what: tuple[str, ...], reason: str, name: str | None, out: Path | None
) -> None:
    """Write the document that revokes certificates; apply, once it is merged, does it.

    By name, everything issued until now is revoked, and a successor is issued and installed first.

    \b
    Examples:
      certform revoke certificate/web --reason keyCompromise
      certform revoke 4a:97:1f:00 --reason superseded
    """
    ledger = read_ledger(console.root, load(console.root).ledger)
    names = [word.removeprefix("certificate/") for word in what]
    spec = _by_name(ledger, names) or _by_serial(ledger, what)
    if spec is None:
        raise InvalidInput(tuple(_unknown(ledger, names)))
    SPECS["Revocation"].model_validate({**spec, "reason": reason})
    called = name or f"revoke-{now():%Y%m%d-%H%M%S}"
    path = out or console.root / "revocations" / f"{called}.yaml"
    if path.exists():
        raise InvalidInput((error(f"{path} is there already", hint="choose another --name"),))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(write_document("Revocation", called, {**spec, "reason": reason}))
    console.say(f"Wrote {path}. Nothing is revoked yet: plan, review, apply.")


def _by_name(ledger: LedgerState, names: list[str]) -> dict[str, object] | None:
    if not all(name in ledger.certificates for name in names):
        return None
    return {"certificates": tuple(names), "issuedBefore": format_instant(now())}


def _by_serial(ledger: LedgerState, what: tuple[str, ...]) -> dict[str, object] | None:
    serials = tuple(word.replace(":", "").lower().lstrip("0") for word in what)
    known = {i.serial for r in ledger.certificates.values() for i in r.issuances}
    known |= {i.serial for r in ledger.authorities.values() for i in r.issuances}
    return {"serials": serials} if known.issuperset(serials) else None


def _unknown(ledger: LedgerState, names: list[str]) -> list[Diagnostic]:
    known = ledger.certificates
    return [
        error(
            f"the ledger knows neither a certificate nor a serial {name!r}",
            hint=nearest(name, known),
        )
        for name in names
        if name not in known
    ]
