"""Drift as SARIF 2.1.0 for GitHub's code scanning: a rule for each reason, a result for each difference.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
https://docs.github.com/code-security/reference/code-scanning/sarif-files/sarif-support
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from reconciler.drifting import Difference, Drift, Kind, Unchecked
from reconciler.render.drift import TITLES
from reconciler.render.escape import flowing
from schemas.base import digest
from schemas.plan import Source
from schemas.scalars import format_instant

MOST_RESULTS = 5_000
"""Of the 25,000 results that GitHub takes it keeps so many; as many of ours stay below 10 MB, too."""
_LONGEST = 1_000
"""Characters of a message."""
_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_UNCHECKED = "unchecked"
_NOWHERE = Source(file="certform.yaml")
"""Where a result stands that is of no document: GitHub takes none without a place."""

_LEVELS: Mapping[str, str] = MappingProxyType(
    {
        Kind.OVERDUE: "error",
        Kind.OUTSIDE: "error",
        _UNCHECKED: "error",
        Kind.BLOCKED: "warning",
        Kind.PENDING: "note",
    }
)
_SAYING: Mapping[str, str] = MappingProxyType(
    {**{str(kind): title for kind, title in TITLES.items()}, _UNCHECKED: "Could not be checked"}
)

Result = Difference | Unchecked


def render_sarif(drift: Drift, folder: str = "", category: str = "") -> str:
    """Return one SARIF log; `folder` leads from the repository's root to the Project, a slash at its end.

    Results of another `category` stay as they are when this log is uploaded.
    """
    results = _by_level(drift)
    kept = results[:MOST_RESULTS]
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver(drift, kept)},
                "automationDetails": {"id": f"certform-drift/{category or drift.plan.project}/"},
                "columnKind": "unicodeCodePoints",
                "invocations": [_invocation(drift, len(results) - len(kept))],
                "results": [_result(each, folder) for each in kept],
            }
        ],
    }
    return json.dumps(log, indent=1) + "\n"


def _by_level(drift: Drift) -> Sequence[Result]:
    ranks = ("error", "warning", "note")
    found: tuple[Result, ...] = (*drift.unchecked, *drift.differences)
    return sorted(found, key=lambda each: ranks.index(_LEVELS[_kind(each)]))


def _driver(drift: Drift, results: Sequence[Result]) -> dict[str, Any]:
    rules = {_rule_id(each): each for each in results}
    return {
        "name": "certform",
        "version": drift.plan.certform_version,
        "rules": [_rule(id_, rules[id_]) for id_ in sorted(rules)],
    }


def _rule_id(each: Result) -> str:
    return f"{each.kind}/{each.reason}" if isinstance(each, Difference) else _UNCHECKED


def _rule(id_: str, each: Result) -> dict[str, Any]:
    kind = _kind(each)
    words = f"{_SAYING[kind]} ({each.reason})" if isinstance(each, Difference) else _SAYING[kind]
    return {
        "id": id_,
        "shortDescription": {"text": words},
        "defaultConfiguration": {"level": _LEVELS[kind]},
        "properties": {"tags": ["certificates", "drift"]},
    }


def _kind(each: Result) -> str:
    return each.kind if isinstance(each, Difference) else _UNCHECKED


def _result(each: Result, folder: str) -> dict[str, Any]:
    source = each.source or _NOWHERE
    same = digest([_rule_id(each), _name(each)])
    return {
        "ruleId": _rule_id(each),
        "level": _LEVELS[_kind(each)],
        "message": {"text": _message(each)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {
                        "uri": quote(f"{folder}{source.file}"),
                        "uriBaseId": "%SRCROOT%",
                    },
                    "region": {"startLine": source.line, "startColumn": source.column},
                },
                "logicalLocations": [{"fullyQualifiedName": _name(each)}],
            }
        ],
        # an alert is the same one whatever line its document has moved to, and whatever was found this time
        "partialFingerprints": {"primaryLocationLineHash": f"{same}:1", "certformChange/v1": same},
    }


def _name(each: Result) -> str:
    return each.address if isinstance(each, Difference) else f"target/{each.name}"


def _message(each: Result) -> str:
    text = f"{_name(each)}: {'; '.join(_said(each))}"
    # brackets would make a link of somebody's text
    safe = flowing(text).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return safe if len(safe) <= _LONGEST else safe[: _LONGEST - 1] + "…"


def _said(each: Result) -> Iterator[str]:
    if isinstance(each, Unchecked):
        yield f"could not be checked: {each.detail}"
        return
    yield f"found {each.found or 'nothing'}"
    if each.expected:
        yield f"expected {each.expected}"


def _invocation(drift: Drift, left: int) -> dict[str, Any]:
    """Return how the look went: not well where something could not be read."""
    said = [f"{each.name} could not be checked" for each in drift.unchecked[:100]]
    if left:
        said.append(f"{left:,} more results do not fit; the least urgent were left out")
    return {
        "executionSuccessful": not drift.unchecked,
        "endTimeUtc": format_instant(drift.plan.created_at),
        "toolExecutionNotifications": [
            {"level": "warning", "message": {"text": flowing(each)[:_LONGEST]}} for each in said
        ],
    }
