"""What apply reports while it works."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.plan import Action


class EventStatus(StrEnum):
    """How far one change has come; the last four are final.

    What is `postponed` waits for its turn or for somebody else, and a later run goes on with it.
    """

    STARTED = "started"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    POSTPONED = "postponed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Event:
    """One moment of one change. `message` never holds a secret."""

    address: str
    action: Action
    status: EventStatus
    message: str = ""
    elapsed_seconds: float = 0.0

    @property
    def final(self) -> bool:
        """Whether nothing follows for this change."""
        return self.status not in (EventStatus.STARTED, EventStatus.WAITING)
