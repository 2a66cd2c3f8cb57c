"""certform init."""

import os
import re
from pathlib import Path

import click

from providers.sops.binary import Sops
from providers.sops.identity import identity_sources, make_identity
from reconciler.cli.app import Console
from reconciler.cli.options import DocumentName
from reconciler.cli.survey import now
from reconciler.diagnostics import error
from reconciler.errors import InvalidInput
from reconciler.git import Git
from reconciler.ledger.creation import create_ledger, existing_lineage
from reconciler.ledger.records import Lineage
from reconciler.load.edit import add_public_key
from reconciler.outfile import write_whole
from reconciler.repository import load
from reconciler.templates import Start, basic, mtls
from schemas.project import LedgerSettings, Recipient

PROJECT_FILE = "certform.yaml"
TEMPLATES = ("basic", "mtls")


@click.command("init")
@click.option(
    "--template",
    type=click.Choice(TEMPLATES),
    default="basic",
    show_default=True,
    help="What to start from, where there is no certform.yaml yet.",
)
@click.option("--name", type=DocumentName(), help="The project's name; the folder's by default.")
@click.argument("services", nargs=-1, type=DocumentName(), metavar="[SERVICE]...")
@click.pass_obj
def command(console: Console, template: str, name: str | None, services: tuple[str, ...]) -> None:
    """Make a repository: documents, an age key where sops looks for it, and the ledger.

    Safe to run again: what is there already is kept. Asks nothing. The template mtls takes the
    names of the services that get a certificate.

    \b
    Examples:
      certform init
      certform init --template mtls orders payments
    """
    if services and template != "mtls":
        raise click.UsageError("only the template mtls takes names of services")
    begun = (console.root / PROJECT_FILE).exists()
    if begun and (services or name):
        console.say(f"{PROJECT_FILE} is there already: names are for a new repository.")
    if template == "mtls" and not services and not begun:
        raise click.UsageError("the template mtls needs the name of a service at least")
    _make_repository(console)
    mine = _recipients(console)
    if begun:
        _complete(console, mine)
    else:
        _begin(console, mine, name or _name_from(console.root), template, services)


def _make_repository(console: Console) -> None:
    git = Git(console.root)
    if git.top_level() is None:
        git.run("init", "--quiet", "--initial-branch=main")
        console.say("Made a git repository.")


def _recipients(console: Console) -> tuple[str, ...]:
    """The public halves of the age identities on this machine; one is made where there is none."""
    sources = identity_sources(os.environ)
    found = tuple(recipient for source in sources for recipient in source.recipients)
    first = next(s for s in sources if s.recipients or s.vacant or s.opaque or s.problem)
    if first.recipients:
        return found
    if first.file is None or not first.vacant:
        text = first.problem or f"{first.name} does not show the public half of its age identity"
        hint = "run init once with SOPS_AGE_KEY or SOPS_AGE_KEY_FILE set to an identity"
        raise InvalidInput((error(text, hint=hint),))
    made = make_identity(first.file)
    console.say(
        f"Made an age key in {first.file}. Keep a copy of it: without it nothing can be opened."
    )
    return (made, *found)


def _begin(
    console: Console, mine: tuple[str, ...], project: str, template: str, services: tuple[str, ...]
) -> None:
    settings = LedgerSettings()
    lineage = existing_lineage(console.root, settings) or create_ledger(
        console.root, project, settings, (Recipient(age=mine[0]),), Sops(), now()
    )
    start = Start(project, mine[0], lineage.public_key)
    documents = mtls(start, services) if template == "mtls" else basic(start)
    for path, content in documents.items():
        _write_new(console, path, content)
    _tell(console, lineage)


def _complete(console: Console, mine: tuple[str, ...]) -> None:
    """Give a Project that has no ledger one, and write its public key into the document."""
    desired = load(console.root)
    if desired.ledger.public_key is not None:
        console.say("Nothing to do: the Project has a ledger.")
        return
    if not set(mine) & {r.age for r in desired.keyring} and any(r.age for r in desired.keyring):
        hint = f"add `- age: {mine[0]}` to spec.keyring in {PROJECT_FILE}"
        raise InvalidInput((error("no age key of this machine is in the keyring", hint=hint),))
    lineage = existing_lineage(console.root, desired.ledger) or create_ledger(
        console.root, desired.project, desired.ledger, desired.keyring, Sops(), now()
    )
    path = console.root / PROJECT_FILE
    text = path.read_text(encoding="utf-8")
    write_whole(path, add_public_key(text, lineage.public_key))
    console.say(f"Wrote the ledger's public key into {PROJECT_FILE}.")
    _tell(console, lineage)


def _write_new(console: Console, path: str, content: str) -> None:
    file = console.root / path
    if file.exists():
        console.say(f"Kept {path}, which was there.")
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8", newline="\n")
    console.say(f"Wrote {path}.")


def _tell(console: Console, lineage: Lineage) -> None:
    console.say(
        f"The ledger of {lineage.project} is on the branch certform/ledger."
        " Next: certform plan, then certform apply."
    )


def _name_from(root: Path) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", root.name.lower()).strip("-")[:63]
    return name or "certificates"
