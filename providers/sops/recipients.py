"""Who can open a sops file, read from its metadata without opening it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from providers.errors import Conflict
from schemas.project import Recipient

FIELDS = ("age", "pgp", "aws_kms", "gcp_kms", "azure_key_vault", "hc_vault")
"""The fields of a `Recipient`, one of which is set."""


def value_of(recipient: Recipient) -> str:
    """Return a recipient as it was written, without its kind."""
    return next(str(value) for field in FIELDS if (value := getattr(recipient, field)) is not None)


def recipients_of(ciphertext: bytes) -> tuple[str, ...]:
    """Return who can open a sops JSON file; raises Conflict for no such file.

    Each is named as a user writes it (sops `stores.Metadata` keeps some of them in parts).
    """
    try:
        metadata = json.loads(ciphertext)["sops"]
        return tuple(_recipients(metadata))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Conflict("not a sops file in JSON form") from None


def wanted_recipients(
    recipients: Sequence[Recipient], actual: Iterable[str] = ()
) -> frozenset[str]:
    """Return the names that `recipients` have in a sops file.

    A key of Azure that is written without its version stands for the version the file has.
    """
    have = sorted(actual)
    return frozenset(name for entry in recipients for name in _names(entry, have))


def _names(entry: Recipient, have: Sequence[str]) -> Iterator[str]:
    for part in value_of(entry).split(","):
        name = part.replace(" ", "").rstrip("/")
        if entry.azure_key_vault and "/" not in name.partition("/keys/")[2]:
            name = next((found for found in have if found.startswith(f"{name}/")), name)
        yield name


_TEMPLATES = {
    "age": "{recipient}",
    "pgp": "{fp}",
    "kms": "{arn}",
    "gcp_kms": "{resource_id}",
    "azure_kv": "{vault_url}/keys/{name}/{version}",
    "hc_vault": "{vault_address}/v1/{engine_path}/keys/{key_name}",
}


def _recipients(metadata: Mapping[str, Any]) -> Iterator[str]:
    groups = metadata.get("key_groups") or [metadata]
    for group in groups:
        for kind, template in _TEMPLATES.items():
            for entry in group.get(kind) or ():
                role = f"+{entry['role']}" if kind == "kms" and entry.get("role") else ""
                yield template.format_map(entry) + role
