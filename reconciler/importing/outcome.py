"""What is made of documents of others: documents of ours, files beside them, and keys to be sealed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.diagnostics import Diagnostic
from reconciler.importing.notes import Note
from reconciler.importing.survey import Words
from schemas.secrets import SecretReference

ACCOUNT_KEY = "privateKey"
"""What an account's key is called in its sops file."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One document of ours: `remarks` stand above its spec, `words` are what it was made of."""

    kind: str
    name: str
    spec: Mapping[str, Any]
    words: Words
    remarks: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeldKey:
    """The key of an ACME account, in the file that another client keeps it in."""

    issuer: str
    reference: SecretReference
    file: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that came of one import; `broken` is what could not be read at all."""

    source: str
    drafts: tuple[Draft, ...] = ()
    notes: tuple[Note, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    keys: tuple[HeldKey, ...] = ()
    documents: int = 0
    broken: tuple[Diagnostic, ...] = ()


def sealed_file(name: str) -> str:
    """Return the path of a sops file in a repository, beside the Issuers that name it."""
    return f"config/{name}.sops.yaml"


def account_key(issuer: str) -> dict[str, str]:
    """Return the reference to the key of an Issuer's account."""
    return {"name": sealed_file(f"{issuer}-account"), "key": ACCOUNT_KEY}
