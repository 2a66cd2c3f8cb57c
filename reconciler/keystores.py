"""Keystores for Java as they are wanted: what is in them, and what their passwords are known by."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from schemas.base import digest
from schemas.secrets import SecretReference


@dataclass(frozen=True, slots=True)
class DesiredKeystore:
    """Two files for Java of one form. `sealed` is the sops file that `password` names, opened by nobody yet.

    `told` is the digest of the password's ciphertext: with another one the files are written anew.
    """

    form: str
    alias: str
    profile: str
    password: SecretReference
    told: str
    sealed: bytes = field(repr=False, default=b"")


def keystores_digest(wanted: Sequence[DesiredKeystore]) -> str:
    """Return what is wanted of some keystores, passwords included, in 128 bits; empty where none are."""
    if not wanted:
        return ""
    return digest([[each.form, each.alias, each.profile, each.told] for each in wanted])
