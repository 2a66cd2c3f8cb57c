"""What GitHub did not do, and what ended a step, in words for people; none of them holds a token."""

from providers.errors import ProviderError
from reconciler.diagnostics import Diagnostic, error
from reconciler.errors import ReconcilerError


class ForgeError(ReconcilerError):
    """GitHub did not do it, or cannot be reached; the text says why."""


class ForgeDenied(ForgeError):
    """The token may not do this: a fork's, or one that was given too few `permissions`."""


class ForgeIncomplete(ForgeError):
    """It was made, but for something that stands elsewhere as well."""


class ForgeUnsure(ForgeError):
    """Something was to be made, and GitHub may have made it before the answer was lost."""


def findings_of(failure: BaseException) -> tuple[Diagnostic, ...]:
    """Return what to tell of a failure; of a bug only that it is one, since its text may hold a secret."""
    if isinstance(failure, ReconcilerError):
        return failure.diagnostics
    if isinstance(failure, ProviderError):
        return (error(str(failure)),)
    if isinstance(failure, OSError):
        where = f": {failure.filename}" if failure.filename else ""
        return (error(f"{failure.strerror or type(failure).__name__}{where}"),)
    if isinstance(failure, KeyboardInterrupt):
        return (error("the step was interrupted"),)
    said = f"certform met a bug: {type(failure).__name__}"
    return (error(said, hint="the job's log says where"),)
