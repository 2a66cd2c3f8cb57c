"""What GitHub did not do, in words for people; none of them holds a token."""

from reconciler.errors import ReconcilerError


class ForgeError(ReconcilerError):
    """GitHub did not do it, or cannot be reached; the text says why."""


class ForgeDenied(ForgeError):
    """The token may not do this: a fork's, or one that was given too few `permissions`."""


class ForgeUnsure(ForgeError):
    """Something was to be made, and GitHub may have made it before the answer was lost."""
