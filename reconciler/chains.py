"""The certificates above a leaf, as the ledger has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from providers.constraints import violations, widenings
from reconciler.ledger.records import AuthorityRecord, Issuance, Status
from schemas.authority import NameConstraints
from schemas.request import AuthorityRequest, LeafRequest

Line = tuple[tuple[str, int], ...]
"""The CAs above a certificate by name and generation, from its issuer to its root."""


@dataclass(frozen=True, slots=True)
class Chain:
    """`chain` runs from the issuer upwards and stops below the anchor; PEM."""

    chain: tuple[bytes, ...]
    anchors: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Ancestry:
    """The CA certificates that one certificate hangs by, from its issuer's up to the root's.

    `cross` is the root's key and name as the generation before it signed them, `older` what that is
    signed under; None where there is none that holds.
    """

    path: tuple[Issuance, ...]
    line: Line
    cross: Issuance | None = None
    older: Issuance | None = None

    def is_crossed(self, issuance: Issuance) -> bool:
        """Whether the cross-certificate is of use to a certificate: it must not end before that."""
        return self.cross is not None and self.cross.not_after >= issuance.not_after

    def chain(self, *, crossed: bool) -> Chain:
        """Return what is installed beside a certificate, with the cross-certificate or without."""
        if not crossed or self.cross is None or self.older is None:
            return Chain(_pems(self.path[:-1]), _pems(self.path[-1:]))
        above = (*self.path[:-1], self.cross)
        return Chain(_pems(above), _pems((self.path[-1], self.older)))


def issuers_of(
    authorities: Mapping[str, AuthorityRecord], issuer: str, generation: int
) -> tuple[Issuance, ...]:
    """Return what an issuer signs under now, and the CA certificates above up to its root.

    Empty where one is missing.
    """
    record = authorities.get(issuer)
    newest = record.issued(generation) if record else None
    return _upwards(authorities, newest) if newest else ()


def ancestry(authorities: Mapping[str, AuthorityRecord], issuance: Issuance) -> Ancestry | None:
    """Return what a certificate of ours was signed under, None where a CA above it is not known."""
    signer = _signer(authorities, issuance)
    path = _upwards(authorities, signer) if signer else ()
    if not path:
        return None
    line = line_of(issuance.request, path)
    cross = _crossing(authorities, line[-1])
    older = _signer(authorities, cross) if cross else None
    return Ancestry(path, line, cross if older else None, older)


def line_of(request: LeafRequest | AuthorityRequest, path: Sequence[Issuance]) -> Line:
    """Return the names and generations of the CAs above what was asked for."""
    below = (request, *(ca.request for ca in path[:-1]))
    return tuple((str(each.issuer), each.issuer_generation or 0) for each in below)


def _crossing(authorities: Mapping[str, AuthorityRecord], root: tuple[str, int]) -> Issuance | None:
    record = authorities.get(root[0])
    found = record.crossed(root[1]) if record else None
    return found if found is not None and found.status is Status.ISSUED else None


def _signer(authorities: Mapping[str, AuthorityRecord], issuance: Issuance) -> Issuance | None:
    """Return the CA certificate that signed another: the one it names, or the first of that generation."""
    record = authorities.get(str(issuance.request.issuer))
    if record is None:
        return None
    if issuance.signer is None:
        return record.first(issuance.request.issuer_generation or 0)
    return next((i for i in record.issuances if i.serial == issuance.signer), None)


def _upwards(authorities: Mapping[str, AuthorityRecord], first: Issuance) -> tuple[Issuance, ...]:
    found: list[Issuance] = []
    here: Issuance | None = first
    while here is not None:
        if here.certificate is None or not isinstance(here.request, AuthorityRequest):
            return ()
        if here in found:
            return ()
        found.append(here)
        if here.request.issuer is None:
            return tuple(found)
        here = _signer(authorities, here)
    return ()


def _pems(issuances: Sequence[Issuance]) -> tuple[bytes, ...]:
    return tuple((issuance.certificate or "").encode() for issuance in issuances)


def chain_above(authorities: Mapping[str, AuthorityRecord], issuance: Issuance) -> Chain | None:
    """Return what is installed beside a certificate: for one of others, what its CA gave with it."""
    if issuance.chain is not None or issuance.anchors is not None:
        chain, anchors = issuance.chain or (), issuance.anchors or ()
        return Chain(tuple(map(str.encode, chain)), tuple(map(str.encode, anchors)))
    above = ancestry(authorities, issuance)
    return above.chain(crossed=above.is_crossed(issuance)) if above else None


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
