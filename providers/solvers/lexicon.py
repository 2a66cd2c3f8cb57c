"""TXT records by dns-lexicon, for the providers that certform has no solver of its own for.

The zone is found by lexicon's own means: the public suffix list, or its options `delegated` and
`resolve_zone_name`. https://dns-lexicon.readthedocs.io/
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from lexicon.client import Client
from lexicon.config import ConfigResolver

from providers.calls import Calls
from providers.errors import Ambiguous, ProviderError, Rejected
from providers.issuing import no_secrets
from providers.secret import Secret
from providers.solvers.lexicon_errors import explain
from providers.solving import SolverConfig, TxtRecord
from schemas.secrets import SecretReference
from schemas.solvers import Lexicon

TTL = 60
LONGEST = 120.0
"""Seconds that one change may take: most of lexicon's providers wait for an answer for ever."""
_GENERAL = frozenset({"delegated", "resolve_zone_name", "ttl"})
"""The options that are lexicon's own; all others are its provider's."""


@dataclass
class LexiconSolver:
    """One account at one provider. `sleep` and `longest` are in seconds."""

    settings: Lexicon
    secret: Callable[[SecretReference], Secret] = no_secrets
    sleep: Callable[[float], None] = time.sleep
    longest: float = LONGEST
    calls: Calls = field(init=False, repr=False)
    # most providers read all values of a name and write them back: never two at once
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self.calls = Calls(self._explain, sleep=self.sleep)

    @classmethod
    def from_config(cls, config: SolverConfig, /) -> Self:
        """Make the solver; reads nothing and connects nowhere."""
        return cls(config.of(Lexicon), config.secret)

    def present(self, record: TxtRecord, /) -> None:
        """Add a value to a name; lexicon leaves one that is there."""
        self._change("create_record", record)

    def clean_up(self, record: TxtRecord, /) -> None:
        """Delete a value; lexicon says nothing of one that is gone."""
        self._change("delete_record", record)

    def _change(self, verb: str, record: TxtRecord) -> None:
        options = self._options(record.name)

        def change() -> None:
            make: Callable[[], ConfigResolver] = ConfigResolver  # lexicon gives it no type
            with Client(make().with_dict(options)) as operations:
                wanted = {"rtype": "TXT", "name": record.name, "content": record.value}
                getattr(operations, verb)(**wanted)

        with self._lock:
            try:
                self.calls.change_secretly(lambda: self._in_time(change))
            except Ambiguous:
                # to add or delete one value twice is to do it once, so what got lost is simply repeated
                self.calls.change_secretly(lambda: self._in_time(change))

    def _options(self, name: str) -> dict[str, Any]:
        mine = self.settings
        opened = {word: _text(self.secret(each)) for word, each in mine.secret_refs.items()}
        said = {**mine.options, **opened}
        general: dict[str, Any] = {k: v for k, v in said.items() if k in _GENERAL}
        return {
            "domain": name,
            "provider_name": mine.provider,
            **general,
            "ttl": _seconds(general.get("ttl", str(TTL))),
            mine.provider: {k: v for k, v in said.items() if k not in _GENERAL},
        }

    def _in_time(self, change: Callable[[], None]) -> None:
        """Make a change on a thread of its own, which is left behind if it never ends."""
        failed: list[Exception] = []

        def run() -> None:
            try:
                change()
            except Exception as error:  # noqa: BLE001  raised by the thread that waits
                failed.append(error)

        thread = threading.Thread(target=run, name=f"lexicon {self.settings.provider}", daemon=True)
        thread.start()
        thread.join(self.longest)
        if thread.is_alive():
            raise Ambiguous(f"{self.settings.provider} did not answer within {self.longest:.0f} s")
        if failed:
            raise failed[0]

    def _explain(self, error: Exception) -> ProviderError | None:
        return explain(error, self.settings.provider)


def _text(secret: Secret) -> str:
    try:
        return secret.reveal().decode().strip("\n")
    except UnicodeDecodeError:
        pass  # raised below, so that what was read is not its context
    raise Rejected("a secret of dns-lexicon's is not text")


def _seconds(ttl: str) -> int:
    if not ttl.isdecimal():
        raise Rejected(f"`ttl` is no number of seconds: {ttl}")
    return int(ttl)
