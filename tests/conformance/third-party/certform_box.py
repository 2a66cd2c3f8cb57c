"""A target of somebody else's, whole: one JSON file that holds certificates, written anew at each change.

It imports nothing of certform but `reconciler.sdk`.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Self

from reconciler.sdk import (
    Capabilities,
    Conflict,
    FilePath,
    Installed,
    InstallRequest,
    Model,
    Pairing,
    RelabelRequest,
    TargetConfig,
    Unreachable,
)


class BoxSettings(Model):
    """What stands below `example.com/box` in a Target."""

    path: FilePath


@dataclass(frozen=True, slots=True)
class BoxTarget:
    """The file, and whose objects in it are ours."""

    config_model: ClassVar[type[Model]] = BoxSettings
    capabilities: ClassVar[Capabilities] = Capabilities(ed25519=False)

    path: Path
    owner: str

    @classmethod
    def from_config(cls, config: TargetConfig, /) -> Self:
        """Make the target; reads nothing."""
        assert config.spec.plugin is not None
        settings = BoxSettings.model_validate(config.spec.plugin.settings)
        return cls(config.root / settings.path, config.owner)

    def observe(self) -> Sequence[Installed]:
        """Return everything in the file; a missing one is empty, a broken one is unreachable."""
        return tuple(self._seen(name, held) for name, held in sorted(self._read().items()))

    def install(self, request: InstallRequest, /) -> Installed:
        """Put one object into the file."""
        pair = Pairing().check(request.bundle)
        box = self._read()
        there = self._seen(request.name, box[request.name]) if request.name in box else None
        if there is not None and there.sha256 == pair.sha256 and there.labels == request.labels:
            return there
        self._expect(there, request.predecessor)
        box[request.name] = {
            "labels": dict(request.labels),
            "serial": pair.serial,
            "sha256": pair.sha256,
            "notAfter": pair.not_after.isoformat(),
            "trust": pair.trust,
            "certificate": request.bundle.certificate.decode(),
            "key": request.bundle.held_key.reveal().decode(),
        }
        self._write(box)
        return self._seen(request.name, box[request.name])

    def remove(self, installed: Installed, /) -> None:
        """Take one object out of the file."""
        box = self._read()
        if installed.name in box:
            self._expect(self._seen(installed.name, box[installed.name]), installed)
            del box[installed.name]
            self._write(box)

    def relabel(self, request: RelabelRequest, /) -> Installed:
        """Give one object other labels."""
        box, name = self._read(), request.installed.name
        self._expect(self._seen(name, box[name]) if name in box else None, request.installed)
        box[name] = {**box[name], "labels": dict(request.labels)}
        self._write(box)
        return self._seen(name, box[name])

    def _expect(self, there: Installed | None, expected: Installed | None) -> None:
        if there is not None and not there.owned_by(self.owner):
            raise Conflict(f"{there.id} is not ours")
        if (there and there.sha256) != (expected and expected.sha256):
            raise Conflict("what is there is not what was observed")

    def _seen(self, name: str, held: Mapping[str, Any]) -> Installed:
        return Installed(
            id=f"{self.path}#{name}",
            name=name,
            labels=held["labels"],
            serial=held["serial"],
            sha256=held["sha256"],
            not_after=datetime.fromisoformat(held["notAfter"]),
            trust=held["trust"],
        )

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            box: dict[str, dict[str, Any]] = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {}
        except ValueError:
            raise Unreachable(f"{self.path} is not JSON: put it right, or move it away") from None
        return box

    def _write(self, box: Mapping[str, Any]) -> None:
        beside = self.path.with_suffix(".new")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(box, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)
