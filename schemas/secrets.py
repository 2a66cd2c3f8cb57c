"""Where a secret is that a document needs: a key of a sops file, never the secret itself."""

from collections.abc import Iterator, Mapping

from schemas.base import Model
from schemas.scalars import FilePath, Text


class SecretReference(Model):
    """A value in a sops file: the file's path in the repository, and the key in it."""

    name: FilePath
    key: Text


def references(model: Model) -> Iterator[SecretReference]:
    """Yield every secret that a document's settings name, wherever in them it is."""
    for value in model.__dict__.values():
        yield from _within(value)


def _within(value: object) -> Iterator[SecretReference]:
    if isinstance(value, SecretReference):
        yield value
    elif isinstance(value, Model):
        yield from references(value)
    elif isinstance(value, Mapping | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _within(item)
