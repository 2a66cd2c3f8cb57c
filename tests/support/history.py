"""Histories: what may happen to a repository and its targets, in any order, and what must hold throughout."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from course import Course
from disturbances import DISTURBANCES
from document_edits import EDITS

from reconciler.events import Event, EventStatus


class History(Course):
    """Applies steps, each given by a verb and two numbers; what makes no sense at the time is skipped."""

    verbs: ClassVar[dict[str, Callable[["History", int, int], object]]] = {
        verb.__name__: verb for verb in (*EDITS, *DISTURBANCES)
    }

    def step(self, verb: str, one: int, two: int) -> None:
        self.verbs[verb](self, one, two)


def failed(events: Sequence[Event]) -> list[Event]:
    """The events that tell of anything but success."""
    return [event for event in events if event.status is not EventStatus.DONE]
