"""certform revoke."""

from pathlib import Path

import click

from reconciler.cli.app import Console
from reconciler.cli.options import DocumentName
from reconciler.cli.survey import now
from reconciler.diagnostics import Diagnostic, error
from reconciler.errors import InvalidInput
from reconciler.ledger.reader import read_ledger
from reconciler.ledger.records import AuthorityRecord, CertificateRecord, LedgerState
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
@click.option(
    "--name", type=DocumentName(), help="The document's name; revoke-DATE-TIME by default."
)
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
    spec = {**_meant(ledger, what), "reason": reason}
    SPECS["Revocation"].model_validate(spec)
    called = name or f"revoke-{now():%Y%m%d-%H%M%S}"
    path = out or console.root / "revocations" / f"{called}.yaml"
    if path.exists():
        raise InvalidInput((error(f"{path} is there already", hint="choose another --name"),))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(write_document("Revocation", called, spec), encoding="utf-8", newline="\n")
    console.say(f"Wrote {path}. Nothing is revoked yet: plan, review, apply.")


def _meant(ledger: LedgerState, what: tuple[str, ...]) -> dict[str, object]:
    """Return what a Revocation says of names or of serials; raises `InvalidInput`."""
    names = {word: word.removeprefix("certificate/") for word in what}
    names = {word: name for word, name in names.items() if name in ledger.certificates}
    records: tuple[AuthorityRecord | CertificateRecord, ...] = (
        *ledger.authorities.values(),
        *ledger.certificates.values(),
    )
    known = {issuance.serial for record in records for issuance in record.issuances}
    serials = {
        word: word.replace(":", "").lower().lstrip("0") for word in what if word not in names
    }
    if unknown := [word for word, serial in serials.items() if serial not in known]:
        raise InvalidInput([_unknown(ledger, word) for word in unknown])
    if names and serials:
        said = f"{next(iter(names))} is a name and {next(iter(serials))} is a serial"
        hint = "a Revocation lists names or serials: write two"
        raise InvalidInput((error(said, hint=hint),))
    if serials:
        return {"serials": tuple(serials.values())}
    return {"certificates": tuple(names.values()), "issuedBefore": format_instant(now())}


def _unknown(ledger: LedgerState, word: str) -> Diagnostic:
    authority = ledger.authorities.get(word.removeprefix("authority/"))
    if authority is not None:
        return _authority(authority)
    said = f"the ledger knows neither a certificate nor a serial {word!r}"
    return error(said, hint=nearest(word.removeprefix("certificate/"), ledger.certificates))


def _authority(record: AuthorityRecord) -> Diagnostic:
    """Say what can be done about a CA: its certificates need another one before it may go."""
    said = f"authority/{record.name} is a CA, and a CA is not revoked by name"
    last = record.issuances[-1] if record.issuances else None
    if last is None or last.request.issuer is None:
        detail = "A root stands in no CRL: it ends when it leaves the trust stores that hold it."
        return error(said, detail=detail, hint="revoke the CAs below it, by serial")
    hint = (
        "raise `generation` in its document and apply, which re-issues what is below it;"
        f" then: certform revoke {last.serial} --reason ..."
    )
    return error(said, hint=hint)
