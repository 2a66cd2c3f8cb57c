"""certform import."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from providers.sops.binary import Sops
from reconciler.cli.app import Console
from reconciler.cli.failures import show
from reconciler.importing.certbot import import_certbot
from reconciler.importing.certmanager import LARGEST, STANDARD_INPUT, import_cert_manager
from reconciler.importing.fitting import fit
from reconciler.importing.keys import held_key, keyring, seal
from reconciler.importing.lego import import_lego
from reconciler.importing.naming import documents_of, names_in
from reconciler.importing.notes import Note
from reconciler.importing.outcome import Draft, Outcome
from reconciler.importing.sources import Unread
from reconciler.importing.writing import as_stream, files, write
from reconciler.load.documents import Document
from reconciler.load.trees import WorkingTree
from reconciler.render.importing import render_json, render_markdown, render_text

F = TypeVar("F", bound=Callable[..., Any])

_EPILOG = "Offline: no CA is asked, and nothing of what is imported is changed."


@click.group("import", epilog=_EPILOG)
def command() -> None:
    """Read what certbot, lego or cert-manager declare, into documents of ours.

    The documents are printed, or written with --write. Every field of what was read is told on
    stderr, by file and line: carried over, changed on the way, or left, with what to do; with
    --write, JSON and Markdown go to stdout. Exit 0 also where something was left; 1 where nothing
    could be read.
    """


def _options(function: F) -> F:
    """Add the options of every import."""
    out = click.option(
        "--write",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Write config/, authorities/ and certificates/ below a folder: the repository's own.",
    )
    form = click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json", "markdown"]),
        default="text",
        help="The form of the report.",
    )
    return out(form(function))


def _with_keys(function: F) -> F:
    return click.option(
        "--with-account-keys",
        "with_keys",
        is_flag=True,
        help="Seal the accounts' keys to the Project's keyring, beside the Issuers; needs --write.",
    )(function)


@command.command("certbot")
@click.argument(
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default="/etc/letsencrypt",
)
@_options
@_with_keys
@click.pass_obj
def certbot(
    console: Console, directory: Path, folder: Path | None, form: str, *, with_keys: bool
) -> int:
    """Read certbot's configuration directory, /etc/letsencrypt by default.

    \b
    Examples:
      certform import certbot
      certform import certbot --write . --with-account-keys
    """
    documents = _present(console)
    outcome = import_certbot(directory, names_in(documents))
    return _finish(console, outcome, folder, form, documents, with_keys=with_keys)


@command.command("lego")
@click.argument("path", type=click.Path(exists=True, path_type=Path), default=".lego")
@click.option(
    "--server", metavar="URL", help="The CA's directory, where lego's files do not tell it."
)
@_options
@_with_keys
@click.pass_obj
def lego(
    console: Console,
    path: Path,
    server: str | None,
    folder: Path | None,
    form: str,
    *,
    with_keys: bool,
) -> int:
    """Read lego's storage folder, .lego by default, or the .lego.yml of its version 5.

    \b
    Examples:
      certform import lego ~/.lego
      certform import lego .lego.yml --write .
    """
    documents = _present(console)
    outcome = import_lego(path, names_in(documents), server)
    return _finish(console, outcome, folder, form, documents, with_keys=with_keys)


@command.command("cert-manager")
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
@_options
@click.pass_obj
def cert_manager(console: Console, paths: tuple[str, ...], folder: Path | None, form: str) -> int:
    """Read manifests of cert-manager: Certificate, Issuer, ClusterIssuer; `-` is standard input.

    \b
    Examples:
      certform import cert-manager issuer.yaml certificates.yaml
      kubectl get issuers,clusterissuers,certificates -A -o yaml | certform import cert-manager -
    """
    given = sys.stdin.buffer.read(LARGEST + 1) if STANDARD_INPUT in paths else b""
    documents = _present(console)
    outcome = import_cert_manager(paths, names_in(documents), given)
    return _finish(console, outcome, folder, form, documents, with_keys=False)


def _present(console: Console) -> tuple[Document, ...]:
    """Return the documents of the repository, so that no name is taken twice; none where there is none."""
    if not (console.root / "certform.yaml").is_file():
        return ()
    documents, _ = documents_of(WorkingTree(console.root))
    return documents


def _finish(
    console: Console,
    outcome: Outcome,
    folder: Path | None,
    form: str,
    documents: tuple[Document, ...],
    *,
    with_keys: bool,
) -> int:
    outcome = _fitted(outcome)
    if with_keys and folder is None:
        raise click.UsageError("--with-account-keys needs --write: a sealed key is a file")
    if folder is not None:
        contents = dict(files(outcome))
        keys = _sealed(outcome, documents, console) if with_keys else {}
        write(folder, {**contents, **keys}, frozenset(keys))
        for path in (*contents, *keys):
            console.say(f"Wrote {folder / path}.")
    elif outcome.drafts:
        console.write(as_stream(outcome))
    render = {"text": render_text, "json": render_json, "markdown": render_markdown}[form]
    apart = folder is not None and form != "text"
    (console.write if apart else console.say)(render(outcome))
    if form != "json":
        show(outcome.broken, console)  # without excerpts: there may be secrets in them
    return 1 if outcome.broken and not outcome.documents else 0


def _fitted(outcome: Outcome) -> Outcome:
    """Leave out what our words have no room for, and say so."""
    drafts: list[Draft] = []
    notes: list[Note] = [*outcome.notes]
    for draft in outcome.drafts:
        fitting, said = fit(draft)
        drafts += [fitting] if fitting else []
        notes += said
    return replace(outcome, drafts=tuple(drafts), notes=tuple(notes))


def _sealed(
    outcome: Outcome, documents: tuple[Document, ...], console: Console
) -> dict[str, bytes]:
    """Return the accounts' keys, each encrypted; one that cannot be read is told, and left out."""
    if not outcome.keys:
        return {}
    recipients, sops = keyring(documents), Sops()
    kept: dict[str, bytes] = {}
    for held in outcome.keys:
        try:
            secret = held_key(held)
        except Unread as why:
            show((why.finding,), console)
            continue
        kept[held.reference.name] = seal(secret, held.reference, recipients, sops)
    return kept
