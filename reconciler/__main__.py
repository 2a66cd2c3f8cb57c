"""The one door: refuses to run when another package stands in for one of ours, then the command line."""

import sys
from importlib.util import find_spec
from pathlib import Path


def main() -> None:
    """Run `certform`; ends the process with the exit code."""
    _refuse_strangers()
    from reconciler.cli.app import run  # noqa: PLC0415 - nothing is imported before the check

    sys.exit(run(sys.argv[1:]))


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
