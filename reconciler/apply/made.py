"""Making one thing for each of many changes: what fails stops none of the others."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from providers.errors import ProviderError
from reconciler.apply.session import Impossible, Outcome
from schemas.plan import Change

Made = TypeVar("Made")


def made(
    changes: Sequence[Change], make: Callable[[Change], Made], failed: list[Outcome]
) -> dict[str, Made]:
    """Make something for each change, by its id; `failed` gains those for which that fails."""
    result: dict[str, Made] = {}
    for change in changes:
        try:
            result[change.id] = make(change)
        except (Impossible, ProviderError) as why:
            failed.append(Outcome(change, str(why)))
    return result
