"""What was expected and what was found instead, in two short texts for each change of a plan."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from reconciler.address import owner
from reconciler.diff import World
from reconciler.diff.changes import seen
from reconciler.render.fields import brief
from schemas.plan import Action, Change, Reason

Contrast = tuple[str, str]
"""What was expected, and what was found."""


def contrast(world: World, step: Change) -> Contrast:
    """Return what a change expects and what there is; texts of others, to be escaped where they are shown."""
    return _CONTRASTS[step.action](world, step)


def _issue(_world: World, step: Change) -> Contrast:
    if step.fields:
        return "; ".join(map(brief, step.fields)), _held(step.before)
    if step.before is None:
        return "a certificate", step.message
    return "a new certificate", f"{_held(step.before)}: {step.message}"


def _install(world: World, step: Change) -> Contrast:
    if step.address.startswith("bundle/"):
        return _anchors(step.after), step.message
    record = world.records.get(owner(step.address))
    current = record.current if record else None
    wanted = _held(seen(current)) if current else "a certificate"
    return wanted, step.message


def _relabel(_world: World, step: Change) -> Contrast:
    before, after = step.before or {}, step.after or {}
    if step.reason is Reason.RENAMED:
        return f"the name {after.get('name')}", f"the name {before.get('name')}"
    return _labels(after.get("labels")), _labels(before.get("labels"))


def _configure(_world: World, step: Change) -> Contrast:
    if not step.fields:
        return step.message, ""
    return (
        "; ".join(f"{field.path} = {field.after}" for field in step.fields),
        "; ".join(f"{field.path} = {field.before}" for field in step.fields),
    )


def _publish(_world: World, step: Change) -> Contrast:
    return f"{(step.after or {}).get('file', step.address)}, up to date", step.message


def _remove(_world: World, step: Change) -> Contrast:
    if step.address.startswith("bundle/"):
        anchor = (step.before or {}).get("anchor")
        return "nothing", f"{anchor or 'trust anchors'}: {step.message}"
    return "nothing", f"{_held(step.before)}: {step.message}"


def _forget(_world: World, step: Change) -> Contrast:
    return "no longer managed", step.message


def _revoke(_world: World, step: Change) -> Contrast:
    return f"revoked ({(step.after or {}).get('reason', step.reason)})", "not revoked"


def _adopt(_world: World, step: Change) -> Contrast:
    return "taken over", step.message


def _blocked(_world: World, step: Change) -> Contrast:
    return "", step.message


def _held(held: Mapping[str, Any] | None) -> str:
    """Return what is told of one certificate."""
    serial, end = (held or {}).get("serial"), (held or {}).get("not_after")
    if not serial:
        return "no readable certificate" if held else "nothing"
    return f"serial {serial}, until {str(end)[:10]}" if end else f"serial {serial}"


def _anchors(held: Mapping[str, Any] | None) -> str:
    names = (held or {}).get("anchors")
    return f"the anchors {', '.join(map(str, names))}" if names else "trust anchors"


def _labels(labels: Any) -> str:
    if not isinstance(labels, Mapping):
        return ""
    return ", ".join(f"{k}={v}" if v is not None else f"no {k}" for k, v in labels.items())


_CONTRASTS: Mapping[Action, Callable[[World, Change], Contrast]] = MappingProxyType(
    {
        Action.ISSUE: _issue,
        Action.INSTALL: _install,
        Action.RELABEL: _relabel,
        Action.ADOPT: _adopt,
        Action.REMOVE: _remove,
        Action.REVOKE: _revoke,
        Action.PUBLISH: _publish,
        Action.CONFIGURE: _configure,
        Action.FORGET: _forget,
        Action.BLOCKED: _blocked,
    }
)
