"""The one door: refuses to run when another package stands in for one of ours, then the command line."""

import io
import os
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path


def main() -> None:
    """Run `certform`; ends the process with the exit code."""
    _refuse_strangers()
    _say_everything()
    if not sys.warnoptions:
        warnings.simplefilter(
            "ignore"
        )  # what libraries warn of is for developers, not for people here
    # else pydantic asks every package that is installed for plugins, and runs them
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    from reconciler.cli.app import run  # noqa: PLC0415 - nothing is imported before the check

    sys.exit(run(sys.argv[1:]))


def _say_everything() -> None:
    """Let output be UTF-8 where it goes to a file or a pipe, and fail on no character on a terminal."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                encoding=stream.encoding if stream.isatty() else "utf-8", errors="backslashreplace"
            )


def _refuse_strangers() -> None:
    """Stop when `schemas` or `providers` would come from elsewhere: `find_spec` runs nothing of theirs."""
    home = Path(__file__).resolve().parent.parent
    for name in ("schemas", "providers"):
        spec = find_spec(name)
        origin = Path(spec.origin).resolve() if spec and spec.origin else None
        if origin != home / name / "__init__.py":
            sys.exit(
                f"certform: the Python package {name!r} at {origin} is not certform's own."
                " Install certform in an environment of its own (uv tool install, pipx), and unset"
                " PYTHONPATH."
            )


if __name__ == "__main__":
    main()
