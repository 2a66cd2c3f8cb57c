"""The certificates above a leaf, as the ledger has them."""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.ledger.records import AuthorityRecord, Issuance
from schemas.request import AuthorityRequest


@dataclass(frozen=True, slots=True)
class Chain:
    """`chain` runs from the issuer upwards and stops below the anchor; PEM."""

    chain: tuple[bytes, ...]
    anchors: tuple[bytes, ...]


def issuers_of(
    authorities: Mapping[str, AuthorityRecord], issuer: str, generation: int
) -> tuple[Issuance, ...]:
    """Return the issued CA certificates from an issuer up to its root; empty where one is missing."""
    found: list[Issuance] = []
    name: str | None = issuer
    while name is not None:
        record = authorities.get(name)
        issuance = record.generation(generation) if record else None
        if issuance is None or issuance.certificate is None:
            return ()
        if not isinstance(issuance.request, AuthorityRequest) or issuance in found:
            return ()
        found.append(issuance)
        name, generation = issuance.request.issuer, issuance.request.issuer_generation or 0
    return tuple(found)


def chain_of(
    authorities: Mapping[str, AuthorityRecord], issuer: str, generation: int
) -> Chain | None:
    """Return what is installed beside a certificate of this issuer, None while a CA is not issued."""
    pems = [(i.certificate or "").encode() for i in issuers_of(authorities, issuer, generation)]
    return Chain(tuple(pems[:-1]), tuple(pems[-1:])) if pems else None
