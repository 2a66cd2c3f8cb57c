"""The certificates above a leaf, as the ledger has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from providers.constraints import violations, widenings
from reconciler.ledger.records import AuthorityRecord, Issuance
from schemas.authority import NameConstraints
from schemas.request import AuthorityRequest, LeafRequest


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


def chain_above(authorities: Mapping[str, AuthorityRecord], issuance: Issuance) -> Chain | None:
    """Return what is installed beside a certificate: for one of others, what its CA gave with it."""
    if issuance.chain is not None or issuance.anchors is not None:
        chain, anchors = issuance.chain or (), issuance.anchors or ()
        return Chain(tuple(map(str.encode, chain)), tuple(map(str.encode, anchors)))
    request = issuance.request
    return chain_of(authorities, str(request.issuer), request.issuer_generation or 0)


def beyond(
    request: LeafRequest | AuthorityRequest, above: Sequence[AuthorityRequest]
) -> tuple[str, ...]:
    """Return what a request asks for that the CAs above it, from its issuer upwards, do not allow."""
    below = 1 if isinstance(request, AuthorityRequest) else 0
    return tuple(
        f"{reason} ({ca.common_name})"
        for depth, ca in enumerate(above)
        for reason in (*_too_deep(ca, depth + below), *_not_permitted(request, ca))
    )


def _too_deep(ca: AuthorityRequest, below: int) -> tuple[str, ...]:
    fits = ca.path_length is None or below <= ca.path_length
    return () if fits else (f"its pathLength {ca.path_length} leaves no room for it",)


def _not_permitted(
    request: LeafRequest | AuthorityRequest, ca: AuthorityRequest
) -> tuple[str, ...]:
    if ca.name_constraints is None:
        return ()
    if isinstance(request, LeafRequest):
        return violations(request, ca.name_constraints)
    return widenings(request.name_constraints or NameConstraints(), ca.name_constraints)
