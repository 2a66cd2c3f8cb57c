"""Check runs: their names, and the fingerprints of a plan that they carry from its review to apply.

Only the app whose token a workflow has can write one as `github-actions`; a comment, anybody with
write access can edit.
"""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.github.forge import ACTIONS, Check, NewCheck
from reconciler.github.run import PullRequest, Run
from reconciler.github.workflow import Annotation
from schemas.base import digest as digest_of

_VERSION = 1
_PER_PAGE = 2_800
"""Fingerprints of 22 characters and a line's end; GitHub takes 65,535 characters of text."""
_MOST_PAGES = 100
_FINGERPRINT = re.compile(r"[0-9a-f]{32}")

Reader = Callable[[str], Iterable[Check]]
"""Returns the completed check runs of a name on one commit, newest first."""


def plan_check_name(label: str) -> str:
    """Return the name of the check run that shows a plan."""
    return f"certform plan ({label})"


def apply_check_name(label: str) -> str:
    """Return the name of the check run that tells how an apply ended."""
    return f"certform apply ({label})"


@dataclass(frozen=True, slots=True)
class PlanCheck:
    """What the check run of one plan says.

    `digest` and `fingerprints` are the plan's, in its order; a plan that failed has none of either.
    `sha` is the commit it is shown on, `base` the one it was compared with. `pull` is the number of the
    pull request it is of, 0 for a merge queue, and `onto` its branch: two of them may have the same head,
    and one may be turned to another branch.
    """

    label: str
    sha: str
    conclusion: str
    title: str
    summary: str
    pull: int = 0
    onto: str = ""
    base: str = ""
    digest: str = ""
    fingerprints: Sequence[str] = ()
    annotations: Sequence[Annotation] = ()
    details_url: str = ""


def plan_checks(plan: PlanCheck, run: Run) -> tuple[NewCheck, ...]:
    """Return the check runs that show a plan, in the order to make them.

    What carries the rest of the fingerprints comes first: once the last is made, which has the name
    itself, all of them are there.
    """
    texts = list(_texts(plan))
    name, mark = plan_check_name(plan.label), f"{plan.digest or 'failed'}/{run.id}/{run.attempt}"
    further = [
        NewCheck(
            name=_page_name(name, page),
            sha=plan.sha,
            conclusion=plan.conclusion,
            title=f"Page {page} of {len(texts)}",
            summary=f"Fingerprints of the plan that the check run `{name}` shows.",
            text=text,
            external_id=mark,
            details_url=plan.details_url,
        )
        for page, text in enumerate(texts[1:], 2)
    ]
    first = NewCheck(
        name=name,
        sha=plan.sha,
        conclusion=plan.conclusion,
        title=plan.title,
        summary=plan.summary,
        text=texts[0],
        external_id=mark,
        details_url=plan.details_url,
        annotations=plan.annotations,
    )
    return (*further, first)


def _texts(plan: PlanCheck) -> Iterator[str]:
    starts = range(0, max(1, len(plan.fingerprints)), _PER_PAGE)
    pages = [plan.fingerprints[start : start + _PER_PAGE] for start in starts]
    header = {
        "v": _VERSION,
        "pull": plan.pull,
        "onto": plan.onto,
        "digest": plan.digest,
        "base": plan.base,
        "pages": len(pages),
        "count": len(plan.fingerprints),
    }
    for each in pages:
        yield "\n".join((json.dumps(header), *map(_short, each)))


def shown(read: Reader, label: str, pull: PullRequest) -> frozenset[str] | None:
    """Return the fingerprints that a pull request's newest plan of a label shows on its head.

    A plan that ended after the merge is none: whoever merged cannot have seen it. None where none is
    shown: there is no check run of the app's, the newest plan failed, or what it says does not hold
    together. `read` is `partial(forge.checks, pull.head)`.
    """
    name = plan_check_name(label)
    first = next((check for check in _ours(read(name)) if _is_of(check, pull)), None)
    header = _header(first.text) if first and first.conclusion == "success" else None
    if first is None or header is None:
        return None
    found: list[str] = []
    for page in range(1, header["pages"] + 1):
        check = first if page == 1 else _page(read(_page_name(name, page)), first)
        listed = _listed(check.text) if check and _header(check.text) == header else None
        if listed is None:
            return None
        found += listed
    whole = len(found) == header["count"] and digest_of(found) == header["digest"]
    return frozenset(found) if whole else None


def _ours(checks: Iterable[Check]) -> Iterator[Check]:
    return (check for check in checks if check.app == ACTIONS)


def _is_of(check: Check, pull: PullRequest) -> bool:
    """Whether a plan is of a pull request as it was merged, and was there to be seen before that.

    One that does not say of which it is may be, and hides those before it.
    """
    header = _header(check.text)
    seen = not (pull.merged_at and check.ended) or check.ended <= pull.merged_at
    return seen and (header is None or (header["pull"], header["onto"]) == (pull.number, pull.onto))


def _page(checks: Iterable[Check], first: Check) -> Check | None:
    same = (check for check in _ours(checks) if check.external_id == first.external_id)
    return next(same, None)


def _header(text: str) -> dict[str, Any] | None:
    try:
        header = json.loads(text.partition("\n")[0])
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or header.get("v") != _VERSION:
        return None
    pages, count = header.get("pages"), header.get("count")
    of = isinstance(header.get("pull"), int) and isinstance(header.get("onto"), str)
    whole = of and isinstance(count, int)
    sane = whole and isinstance(pages, int) and 1 <= pages <= _MOST_PAGES
    return header if sane and isinstance(header.get("digest"), str) else None


def _listed(text: str) -> list[str] | None:
    """Return the fingerprints below a header; None where one line is none."""
    found = [_long(line.strip()) for line in text.splitlines()[1:]]
    return None if None in found else [each for each in found if each is not None]


def _page_name(name: str, page: int) -> str:
    return f"{name}, page {page}"


def _short(fingerprint: str) -> str:
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise ValueError("a fingerprint has 32 hex digits")
    return urlsafe_b64encode(bytes.fromhex(fingerprint)).decode().rstrip("=")


def _long(line: str) -> str | None:
    try:
        found = urlsafe_b64decode(f"{line}==").hex()
    except ValueError:
        return None
    return found if _FINGERPRINT.fullmatch(found) and _short(found) == line else None
