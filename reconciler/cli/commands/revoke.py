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
from reconciler.state import Desired
from schemas.document import SPECS
from schemas.revocation import COMPROMISES, RevocationReason
from schemas.scalars import format_instant


@click.command("revoke")
@click.argument("what", nargs=-1, required=True, metavar="CERTIFICATE|SERIAL|AUTHORITY...")
@click.option(
    "--reason",
    type=click.Choice([reason.value for reason in RevocationReason]),
    required=True,
    help="Why; it is written into the CRL.",
)
@click.option(
    "--generation",
    type=click.IntRange(min=1),
    help="Which generation of an Authority: with it goes everything it signed.",
)
@click.option(
    "--immediate",
    is_flag=True,
    help="Wait for nothing that takes its place; the plan names whom that takes down.",
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
    console: Console,
    what: tuple[str, ...],
    reason: str,
    generation: int | None,
    immediate: bool,
    name: str | None,
    out: Path | None,
) -> None:
    """Write the document that revokes certificates; apply, once it is merged, does it.

    By name, everything issued until now is revoked, and a successor is issued and installed first.
    A generation of an Authority is replaced by the next one, and everything that it signed with it.

    \b
    Examples:
      certform revoke certificate/web --reason keyCompromise
      certform revoke 4a:97:1f:00 --reason superseded
      certform revoke authority/services --generation 1 --reason keyCompromise --immediate
    """
    desired = load(console.root)
    ledger = read_ledger(console.root, desired.ledger)
    asked = RevocationReason(reason)
    if immediate and asked not in COMPROMISES:
        raise InvalidInput((error("--immediate is for keyCompromise and cACompromise alone"),))
    if generation is None:
        meant = _meant(desired, ledger, what)
    else:
        meant = _generation(desired, ledger, what, generation)
    if meant.get("certificates") and asked is RevocationReason.CA_COMPROMISE:
        hint = "write keyCompromise"
        raise InvalidInput((error("cACompromise is said of CAs alone", hint=hint),))
    spec = {**meant, **({"immediate": True} if immediate else {}), "reason": reason}
    SPECS["Revocation"].model_validate(spec)
    path = _written(console, spec, name or f"revoke-{now():%Y%m%d-%H%M%S}", out)
    console.say(f"Wrote {path}. Nothing is revoked yet: plan, review, apply.")
    if generation is not None:
        console.say(_goes_on(desired, str(spec["authorityRef"]), generation))


def _written(console: Console, spec: dict[str, object], called: str, out: Path | None) -> Path:
    path = out or console.root / "revocations" / f"{called}.yaml"
    if path.exists():
        raise InvalidInput((error(f"{path} is there already", hint="choose another --name"),))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(write_document("Revocation", called, spec), encoding="utf-8", newline="\n")
    return path


def _generation(
    desired: Desired, ledger: LedgerState, what: tuple[str, ...], number: int
) -> dict[str, object]:
    """Return what a Revocation says of a CA's generation; raises `InvalidInput`."""
    name = what[0].removeprefix("authority/")
    if len(what) > 1 or name not in desired.authorities:
        unknown = next((word for word in what if _bare(word) not in desired.authorities), what[-1])
        summary = f"--generation is of one Authority, and not of {unknown!r}"
        several = "write a document for each CA, and one for certificates"
        hint = nearest(_bare(unknown), desired.authorities) if len(what) == 1 else several
        raise InvalidInput((error(summary, hint=hint),))
    if number not in (numbers := _generations(ledger.authorities.get(name))):
        summary = f"authority/{name} has no generation {number}"
        raise InvalidInput((error(summary, detail=_has(numbers)),))
    return {"authorityRef": name, "generation": number}


def _bare(word: str) -> str:
    return word.removeprefix("authority/")


def _goes_on(desired: Desired, name: str, number: int) -> str:
    """Say which generation issues from then on, and what to write."""
    authority = desired.authorities[name]
    issues = authority.request.generation
    if authority.retired:
        return f"authority/{name} is retired: nothing issues in its place."
    if number != issues:
        return f"authority/{name} issues with generation {issues}, as it does now."
    gone = {r.generation for r in desired.revocations if r.authority == name} | {number}
    while issues in gone:
        issues += 1
    written = f"write generation: {issues} in its document, too ({authority.source})"
    return f"authority/{name} issues with generation {issues} from then on; {written}."


def _meant(desired: Desired, ledger: LedgerState, what: tuple[str, ...]) -> dict[str, object]:
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
        raise InvalidInput([_unknown(desired, ledger, word) for word in unknown])
    if names and serials:
        said = f"{next(iter(names))} is a name and {next(iter(serials))} is a serial"
        hint = "a Revocation lists names or serials: write two"
        raise InvalidInput((error(said, hint=hint),))
    if serials:
        return {"serials": tuple(serials.values())}
    return {"certificates": tuple(names.values()), "issuedBefore": format_instant(now())}


def _unknown(desired: Desired, ledger: LedgerState, word: str) -> Diagnostic:
    authority = ledger.authorities.get(_bare(word))
    if authority is not None:
        return _authority(desired, authority)
    said = f"the ledger knows neither a certificate nor a serial {word!r}"
    return error(said, hint=nearest(word.removeprefix("certificate/"), ledger.certificates))


def _authority(desired: Desired, record: AuthorityRecord) -> Diagnostic:
    """Say that it takes a generation: what a CA signed goes with it."""
    said = f"authority/{record.name} is a CA: say which generation of it"
    numbers, wanted = _generations(record), desired.authorities.get(record.name)
    issues = wanted.request.generation if wanted else max(numbers, default=1)
    hint = f"the one that issues: certform revoke authority/{record.name} --generation {issues} ..."
    return error(said, detail=_has(numbers), hint=hint)


def _generations(record: AuthorityRecord | None) -> list[int]:
    """Return the generations that a CA has had, one that is kept ready included."""
    issuances = record.issuances if record else ()
    return sorted({i.request.generation for i in issuances if i.request.kind == "authority"})


def _has(numbers: list[int]) -> str:
    return f"It has {', '.join(map(str, numbers))}." if numbers else "None was issued yet."
