"""Saved plans: written whole, read with suspicion."""

import json
from pathlib import Path

from pydantic import ValidationError

from reconciler.diagnostics import error
from reconciler.errors import InvalidInput, Refused
from reconciler.outfile import write_whole
from schemas.base import digest
from schemas.plan import FORMAT_VERSION, Action, Plan

MAJOR = FORMAT_VERSION.partition(".")[0]
SIZE_LIMIT = 256 * 1024 * 1024


def save(plan: Plan, path: Path) -> None:
    """Write a plan, appearing whole; raises OSError, which names the path."""
    write_whole(path, plan.model_dump_json(indent=2, exclude_none=True) + "\n")


def load(path: Path) -> Plan:
    """Read a plan; raises `InvalidInput` for what is no plan, `Refused` for one that was altered."""
    plan = _parse(path)
    names = [step.id for step in plan.changes if step.action is not Action.BLOCKED]
    twice = len(set(names)) < len(names)
    if twice or digest([step.fingerprint for step in plan.changes]) != plan.digest:
        raise Refused(f"{path} was altered after it was made", hint="make the plan again")
    return plan


def _parse(path: Path) -> Plan:
    try:
        text = path.read_text(encoding="utf-8") if path.stat().st_size <= SIZE_LIMIT else ""
        data = json.loads(text)
        version = data.get("format_version") if isinstance(data, dict) else None
        if isinstance(version, str) and version.partition(".")[0] == MAJOR:
            return Plan.model_validate_json(text)
    except OSError as failure:
        raise InvalidInput((error(f"{path} cannot be read: {failure.strerror}"),)) from None
    except ValidationError as failure:
        place = ".".join(str(part) for part in failure.errors()[0]["loc"])
        raise InvalidInput((error(f"{path} is not a certform plan (at {place})"),)) from None
    except (ValueError, RecursionError):
        raise InvalidInput((error(f"{path} is not a certform plan: it is not JSON"),)) from None
    hint = f"this certform reads format {FORMAT_VERSION}"
    raise InvalidInput((error(f"{path} is not a plan of a format known here", hint=hint),))
