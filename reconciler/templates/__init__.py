"""Repositories to start from: what `init --template` writes, as paths and their contents."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from schemas.document import Metadata
from schemas.project import LedgerSettings, Recipient

_PLACEHOLDER = re.compile(r"<<(\w+)>>")
_TITLE = 48
"""How much of the project's name a CA's common name holds: it has 64 characters in all."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a new repository is told: its name, its age recipient, and its ledger's public key."""

    project: str
    recipient: str
    public_key: str

    def __post_init__(self) -> None:
        """Raise ValueError for what would not be a valid Project."""
        Metadata(name=self.project)
        Recipient(age=self.recipient)
        LedgerSettings(public_key=self.public_key)


def basic(start: Start) -> Mapping[str, str]:
    """Return a root, one intermediate, and one certificate in one directory."""
    return _filled(("common", "basic"), _values(start))


def mtls(start: Start, services: Sequence[str]) -> Mapping[str, str]:
    """Return a private PKI for mutual TLS: a certificate for each of `services`, such as `orders`.

    Raises ValueError for a name that no document may have, or when there is none.
    """
    if not services:
        raise ValueError("name at least one service")
    paths = dict(_filled(("common", "mtls"), {**_values(start), "first": services[0]}))
    for name in dict.fromkeys(services):
        paths |= _filled(("service",), {"name": Metadata(name=name).name})
    return paths


def _values(start: Start) -> dict[str, str]:
    return {
        "project": start.project,
        "title": start.project[:_TITLE],
        "recipient": start.recipient,
        "public_key": start.public_key,
    }


def _filled(folders: Sequence[str], values: Mapping[str, str]) -> Mapping[str, str]:
    """Return the files of folders of this package, placeholders filled in names and contents."""
    found: dict[str, str] = {}
    for folder in folders:
        _collect(files(__name__).joinpath(folder), "", values, found)
    return found


def _collect(
    folder: Traversable, above: str, values: Mapping[str, str], found: dict[str, str]
) -> None:
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        name = entry.name.replace("dot-", ".", 1).replace("NAME", values.get("name", "NAME"))
        if entry.is_dir():
            _collect(entry, f"{above}{name}/", values, found)
        else:
            found[f"{above}{name}"] = _fill(entry.read_text(encoding="utf-8"), values)


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)
