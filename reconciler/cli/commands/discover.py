"""certform discover."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click
from pydantic import TypeAdapter, ValidationError

from reconciler.cli.app import Console
from reconciler.cli.failures import show
from reconciler.cli.survey import hush, now
from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.discovery import Discovery, discover
from reconciler.drafting import Drafts, draft, written
from reconciler.errors import InvalidInput
from reconciler.ledger.reader import read_ledger
from reconciler.load.suggest import nearest
from reconciler.observe import make_targets, observe
from reconciler.render.discovery import render_json, render_table
from reconciler.render.escape import inert, visible
from reconciler.render.summary import count
from reconciler.repository import load
from reconciler.state import Desired, DesiredTarget
from schemas.target import HostPort


class Endpoint(click.ParamType[str]):
    """A host and a port."""

    name = "host:port"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the text; fails with a usage error."""
        try:
            return TypeAdapter(HostPort).validate_python(value)
        except ValidationError as why:
            self.fail(f"{value!r} {why.errors()[0]['msg']}", param, ctx)


@click.command("discover")
@click.argument("names", nargs=-1, metavar="[TARGET]...")
@click.option(
    "--directory",
    "directories",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Look at the certificate files below a directory, too.",
)
@click.option(
    "--endpoint",
    "endpoints",
    multiple=True,
    type=Endpoint(),
    metavar="HOST:PORT",
    help="Look at what a TLS server shows, too.",
)
@click.option(
    "--write",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write documents that adopt what was found, one file a target.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
def command(
    console: Console,
    names: tuple[str, ...],
    directories: tuple[Path, ...],
    endpoints: tuple[str, ...],
    folder: Path | None,
    form: str,
) -> int:
    """List the certificates that nobody manages.

    Looks at every target, or at those named; with --directory or --endpoint and no TARGET, only
    there. Changes nothing and opens no key. Exit 1 where something could not be read: there may
    be more.

    JSON has `certificates` (where, target, id, names, issuer, serial, sha256, not_before,
    not_after, days_left, key, usages, owner, hosted, used_by), `unknown` and `not_here` (where, detail).

    \b
    Examples:
      certform discover
      certform discover acm --write adopted
      certform discover --directory /etc/ssl --endpoint www.example.com:443
    """
    desired = load(console.root)
    ledger = read_ledger(console.root, desired.ledger)
    outside = bool(directories or endpoints)
    hush()
    looked = replace(desired, targets=_meant(desired, names, outside=outside))
    targets = make_targets(looked, ledger, console.root, to_read=True)
    found = discover(
        observe(looked, ledger, targets, None),
        targets,
        ledger,
        directories,
        endpoints,
        closely=folder is not None,
    )
    moment = now()
    if form == "json":
        console.write(render_json(found, moment))
    elif found.finds:
        console.write(render_table(found, moment))
    else:
        console.say("Nothing was found that nobody manages.")
    show(tuple(_remarks(found)), console)
    if folder is not None:
        _write(console, folder, draft(found.finds, desired, moment))
    return 1 if found.unknown else 0


def _meant(desired: Desired, names: Sequence[str], *, outside: bool) -> Mapping[str, DesiredTarget]:
    """Return the places that are meant, a Target's name meaning all its regions; raises `InvalidInput`."""
    if not names:
        return {} if outside else desired.targets
    known = {place.partition("/")[0] for place in desired.targets} | desired.targets.keys()
    if wrong := [name for name in names if name not in known]:
        raise InvalidInput(
            [error(f"there is no Target {name}", hint=nearest(name, known)) for name in wrong]
        )
    chosen = frozenset(names)
    return {
        place: target
        for place, target in desired.targets.items()
        if chosen & {place, place.partition("/")[0]}
    }


def _remarks(found: Discovery) -> list[Diagnostic]:
    remarks = [
        error(f"{where} could not be read, so there may be more", detail=why)
        for where, why in found.unknown.items()
    ]
    remarks += [
        warning(f"{where} is not on this host ({why}): run certform discover there")
        for where, why in found.elsewhere.items()
    ]
    return remarks


def _write(console: Console, folder: Path, drafts: Drafts) -> None:
    """Write a file for each target; raises `InvalidInput` before the first where one is there already."""
    files = {folder / f"{target}.yaml": those for target, those in drafts.by_target.items()}
    if there := [path for path in files if path.exists() or path.is_symlink()]:
        raise InvalidInput(
            [error(f"{path} is there already", hint="write to another folder") for path in there]
        )
    folder.mkdir(parents=True, exist_ok=True)
    for path, those in files.items():
        with path.open("x", encoding="utf-8") as file:
            file.write(written(those))
        console.say(f"Wrote {path}: {count(len(those), 'certificate')}.")
    for why, number in _reasons(drafts).items():
        console.say(inert(visible(f"Not written, {number:,}: {why}.")))
    if files:
        console.say("Nothing is adopted yet: look through them, plan, review, apply.")


def _reasons(drafts: Drafts) -> Mapping[str, int]:
    reasons: dict[str, int] = {}
    for _, why in drafts.left_out:
        reasons[why] = reasons.get(why, 0) + 1
    return reasons
