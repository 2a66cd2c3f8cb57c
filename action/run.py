"""Runs `certform action` from the checkout that this file is in.

Only the packages that certform needs come from the Python that runs it; certform's own are those
of the commit the action was pinned to, whatever else is installed.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

NEEDED = (
    "click",
    "cryptography",
    "git",
    "github",
    "pydantic",
    "pyrage",
    "ruamel",
    "tenacity",
    "yaml",
)
"""What every command needs; the packages of clouds are asked for when one is spoken to."""


def main() -> None:
    """Run the command; ends the process with its exit code."""
    if not sys.flags.isolated:
        sys.exit("certform: action/run.py is to be run by `python -I`")
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        print(_without(missing))
        sys.exit(1)
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from reconciler.__main__ import main as certform  # noqa: PLC0415 - from this checkout alone

    sys.argv = ["certform", "action"]
    certform()


def _without(missing: list[str]) -> str:
    return (
        f"::error title=certform::{sys.executable} does not have {', '.join(missing)}. Leave out"
        " `install: none`, or install action/requirements.lock into this Python beforehand."
    )


main()
