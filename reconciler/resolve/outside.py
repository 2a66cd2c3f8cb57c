"""CAs of ours that a CA of others signs: whether it would."""

from collections.abc import Iterator

from reconciler.diagnostics import Diagnostic, error
from reconciler.load.documents import Place
from reconciler.resolve.catalogue import Entry
from schemas.issuer import IssuerSpec
from schemas.request import KeyType


def check_outside(entry: Entry[IssuerSpec], key: KeyType, place: Place) -> Iterator[Diagnostic]:
    """Yield why an issuer would not sign a CA of ours; `place` is the CA's document."""
    spec = entry.spec
    who = f"the issuer {entry.name} ({spec.kind})"
    if not spec.capabilities.authorities:
        hint = "refer to an Authority, or to an Issuer of kind vault"
        yield error(f"{who} signs no CAs", place.at("spec", "parentRef"), hint=hint)
    elif spec.capabilities.keys is not None and key not in spec.capabilities.keys:
        offered = ", ".join(map(str, spec.capabilities.keys))
        where = place.at("spec", "privateKey", "algorithm")
        yield error(f"{who} takes no key of type {key}", where, hint=f"it takes {offered}")
