"""Failures in the user's words."""

import traceback
from collections.abc import Mapping, Sequence

from providers.errors import ProviderError
from reconciler.cli.app import Console
from reconciler.diagnostics import Diagnostic, error
from reconciler.errors import ReconcilerError
from reconciler.render.diagnostics import render_diagnostics


def report(failure: Exception, console: Console) -> int:
    """Show a failure on stderr and return the exit code that goes with it."""
    if isinstance(failure, ReconcilerError):
        show(failure.diagnostics, console)
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
    """Write findings to stderr, each with the line it is about; `known` are texts by file."""

    def source(file: str) -> str | None:
        if known and file in known:
            return known[file]
        try:
            return (console.root / file).read_text(errors="replace")
        except OSError:
            return None

    if diagnostics:
        console.say(render_diagnostics(diagnostics, source, colour=console.colour_err))


def _bug(failure: Exception, console: Console) -> None:
    """Tell where a bug is: the places of the call stack, never the values, which may be secret."""
    console.say(f"Error: certform met a bug: {type(failure).__name__}, at")
    for frame in traceback.extract_tb(failure.__traceback__):
        console.say(f"  {frame.filename}:{frame.lineno} in {frame.name}")
