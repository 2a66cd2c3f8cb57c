"""Failures in the user's words."""

import traceback
from collections.abc import Mapping, Sequence

from providers.errors import ProviderError
from reconciler.cli.app import Console
from reconciler.diagnostics import Diagnostic, error
from reconciler.errors import ReconcilerError
from reconciler.render.diagnostics import render_diagnostics
from reconciler.render.summary import skipped


def report(failure: Exception, console: Console) -> int:
    """Show a failure on stderr and return the exit code that goes with it."""
    if isinstance(failure, ReconcilerError):
        show(failure.diagnostics, console, failure.sources)
        return failure.exit_code
    if isinstance(failure, ProviderError):
        show((error(str(failure)),), console)
    elif isinstance(failure, OSError):
        where = f": {failure.filename}" if failure.filename else ""
        show((error(f"{failure.strerror or type(failure).__name__}{where}"),), console)
    else:
        _bug(failure, console)
    return 1


def show(
    diagnostics: Sequence[Diagnostic], console: Console, known: Mapping[str, str] | None = None
) -> None:
    """Write findings to stderr, each with the line it is about if its text is known, by file.

    No file is opened for it: by now another may stand there, or a link to one that is not shown.
    """
    if diagnostics:
        texts = known or {}
        console.say(render_diagnostics(diagnostics, texts.get, colour=console.colour_err))


def tell_skipped(places: Sequence[str], console: Console) -> None:
    """Name the YAML that was passed over, on stderr: a certificate in it would be missed."""
    if places:
        console.say(skipped(places))


def _bug(failure: Exception, console: Console) -> None:
    """Tell where a bug is: the places of the call stack, never the values, which may be secret."""
    console.say(f"Error: certform met a bug: {type(failure).__name__}, at")
    for frame in traceback.extract_tb(failure.__traceback__):
        console.say(f"  {frame.filename}:{frame.lineno} in {frame.name}")
