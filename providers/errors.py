"""What a provider raises; retry and reporting key on the class, never on the text.

ProviderError
├── Denied          credentials lack a permission, or a file may not be written
├── NotFound        what was named is not there
├── InUse           something still refers to it
├── QuotaExceeded   a limit that waiting a little does not lift
├── Throttled       too fast; `retry_after` seconds when the service said so
├── Transient       worth the same call again
├── Ambiguous       it may or may not have happened: read back, never repeat blindly
├── Conflict        what is there is not what was expected
├── MissingExtra    a library that certform installs on request is not there
├── Unreachable     the place could not be read whole
└── Rejected        the consumer refused what was installed (check, reload or verify)
    └── Unproved    a CA could not see that names are ours; `names` says which
"""


class ProviderError(Exception):
    """A provider could not do what was asked. The text is safe to print: it never holds a secret."""


class Denied(ProviderError):
    """Credentials lack a permission, or a file may not be written."""


class NotFound(ProviderError):
    """What was named is not there."""


class InUse(ProviderError):
    """Something still refers to it."""


class QuotaExceeded(ProviderError):
    """A limit that waiting a little does not lift."""


class Throttled(ProviderError):
    """Too many calls; `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Transient(ProviderError):
    """Worth the same call again."""


class Ambiguous(ProviderError):
    """It may or may not have happened: read back, never repeat blindly."""


class Conflict(ProviderError):
    """What is there is not what was expected."""


class MissingExtra(ProviderError):
    """A library that certform installs on request is not there."""

    def __init__(self, extra: str, what: str) -> None:
        super().__init__(f"{what} needs: pip install 'certform[{extra}]'")
        self.extra = extra


class Unreachable(ProviderError):
    """The place could not be read whole, so nothing is known about it."""


class Rejected(ProviderError):
    """The consumer refused what was installed: check, reload or verify failed."""


class Unproved(Rejected):
    """A CA could not see that `names` are ours; without names, it did not say which of the order's."""

    def __init__(self, message: str, names: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.names = names
