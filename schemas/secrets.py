"""Where a secret is that a document needs: a key of a sops file, never the secret itself."""

from schemas.base import Model
from schemas.scalars import FilePath, Text


class SecretReference(Model):
    """A value in a sops file: the file's path in the repository, and the key in it."""

    name: FilePath
    key: Text
