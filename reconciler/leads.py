"""How long before its end a certificate is renewed: a time, or a share of a life that its CA decides."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from schemas.scalars import format_duration

SHORT_LIVED = timedelta(days=10)
"""Up to this life half of it is left at a renewal, where a document does not say."""
LATEST = 0.9
"""The share of a life that was asked for that the time to renew it in may take."""
LATEST_OF_OTHERS = 2 / 3
"""That of a life that its CA decides: of 160 hours, three renewals a week; Let's Encrypt takes five."""


@dataclass(frozen=True, slots=True)
class Share:
    """How much of its life is left when a certificate is renewed, whatever `duration` its CA was asked for.

    In percent; where none is written a third, of a short life half. `asked` is a time that is written
    instead: it counts where the life is long enough for it.
    """

    percent: int | None = None
    asked: timedelta | None = None

    def of(self, life: timedelta) -> timedelta:
        """Return it as a time, for a certificate that lives so long."""
        if self.asked is not None and self.fits(life):
            return self.asked
        return life * self.percent / 100 if self.percent is not None else usual(life)

    def fits(self, life: timedelta) -> bool:
        """Whether what is written leaves so long a life room to be lived."""
        return self.asked is None or self.asked <= life * LATEST_OF_OTHERS

    def __str__(self) -> str:
        """Tell it as a user would."""
        if self.asked is not None:
            return format_duration(self.asked)
        if self.percent is not None:
            return f"{self.percent}% of its life"
        return f"a third of its life, half where it lives {format_duration(SHORT_LIVED)} or less"


Lead: TypeAlias = timedelta | Share
"""As `renewBefore` comes out: a time where what is issued lives as long as it was asked to."""


def usual(life: timedelta) -> timedelta:
    """Return how long before its end a certificate is renewed whose document does not say."""
    return life / (2 if life <= SHORT_LIVED else 3)


def time_left(lead: Lead, life: timedelta) -> timedelta:
    """Return how much is left of so long a life when it is time to renew."""
    return lead.of(life) if isinstance(lead, Share) else lead


def most_left(lead: Lead, life: timedelta) -> timedelta:
    """Return the most that may be left of it, or a certificate would be renewed as soon as it is made."""
    return life * (LATEST_OF_OTHERS if isinstance(lead, Share) else LATEST)


def told(lead: Lead) -> str:
    """Return it in the words of a document, as far as they say it."""
    return format_duration(lead) if isinstance(lead, timedelta) else str(lead)
