"""The label that says what we installed, for places whose listings tell less than the certificate itself.

A listing gives some witness of what is there: a serial, a SHA-1 thumbprint. The seal holds that
witness beside serial, SHA-256 and trust of what was installed; while it agrees with what is listed,
they are true of it, and where it does not, somebody changed the object: it has to be read.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from providers.pairing import Pair

CONTENT = "certform-content"
"""The label's key; no other label of ours differs from place to place."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What was installed; all hex. `trust` is as in `providers.base.Installed`."""

    witness: str
    serial: str
    sha256: str
    trust: str

    @classmethod
    def of(cls, pair: Pair, witness: str) -> "Seal":
        """Return the seal of a sound bundle."""
        return cls(witness, pair.serial, pair.sha256, pair.trust)

    def __str__(self) -> str:
        return f"1/{self.witness}/{self.serial}/{self.sha256}/{self.trust}"


def read_seal(labels: Mapping[str, str], witness: str) -> Seal | None:
    """Return the seal among an object's labels while it agrees with what a listing tells of the object."""
    version, *rest = labels.get(CONTENT, "").split("/")
    if version != "1" or len(rest) != 4 or rest[0] != witness:
        return None
    return Seal(*rest)


def unsealed(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels without the seal."""
    return {key: value for key, value in labels.items() if key != CONTENT}
