"""A kind of DNS of somebody else's, whole: one JSON file of TXT values by name, which some name server reads.

It imports nothing of certform but `reconciler.sdk`.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from reconciler.sdk import Denied, Model, Secret, SecretReference, SolverConfig, Text, TxtRecord


class RecordsSettings(Model):
    """What stands below `example.com/records` in a solver."""

    path: Text
    token_secret_ref: SecretReference


@dataclass(frozen=True, slots=True)
class RecordsSolver:
    """The file, and the token that opens it."""

    config_model: ClassVar[type[Model]] = RecordsSettings

    path: Path
    token: Secret

    @classmethod
    def from_config(cls, config: SolverConfig, /) -> Self:
        """Make the solver; reads nothing but the secret."""
        settings = config.of(RecordsSettings)
        return cls(Path(settings.path), config.secret(settings.token_secret_ref))

    def present(self, record: TxtRecord, /) -> None:
        """Add a value beside those that are there."""
        with self._open() as names:
            values = names.setdefault(record.name, [])
            if record.value not in values:
                values.append(record.value)

    def clean_up(self, record: TxtRecord, /) -> None:
        """Take a value out, and nothing else."""
        with self._open() as names:
            names[record.name] = [v for v in names.get(record.name, ()) if v != record.value]

    @contextmanager
    def _open(self) -> Iterator[dict[str, list[str]]]:
        """Read all values, and write them back before anybody else reads them."""
        if self.token.reveal() != b"a-test-token":
            raise Denied(f"{self.path} does not take this token")
        with self.path.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            names: dict[str, list[str]] = json.loads(file.read() or "{}")
            yield names
            file.truncate(0)
            json.dump(names, file)
