"""The certificates above a leaf, as the ledger has them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from providers.constraints import violations, widenings
from reconciler.ledger.records import AuthorityRecord, Issuance, Status
from schemas.authority import NameConstraints
from schemas.request import AuthorityRequest, LeafRequest

Generation = tuple[str, int]
"""A CA by its name, and the number of its key and name."""
Line = tuple[Generation, ...]
"""The CAs above a certificate, from its issuer to its root; a CA of others ends it, with the number 0."""


Cross = tuple[Issuance, Issuance]
"""A cross-certificate of a root, and the certificate of the generation before that it is signed under."""


@dataclass(frozen=True, slots=True)
class Chain:
    """`chain` runs from the issuer upwards and stops below the anchor; PEM."""

    chain: tuple[bytes, ...]
    anchors: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Ancestry:
    """The CA certificates that one certificate hangs by, from its issuer's up to the root's.

    `crosses` are the root's key and name as the generation before it signed them, oldest first, each with
    what it is signed under; those that are revoked are left out.
    """

    path: tuple[Issuance, ...]
    line: Line
    crosses: tuple[Cross, ...] = ()

    def cross(self, issuance: Issuance, leaving: Collection[str] = ()) -> Cross | None:
        """The cross-certificate of use to a certificate: the first that does not end before it.

        It is one CA more below the older root, whose pathLength may leave no room for that. `leaving` are
        serials that are about to be revoked: they get into no chain any more.
        """
        lasting = (
            each
            for each in self.crosses
            if each[0].not_after >= issuance.not_after and each[0].serial not in leaving
        )
        return next((each for each in lasting if _has_room(each[1], len(self.path))), None)

    def chain(self, cross: Cross | None) -> Chain:
        """Return what is installed beside a certificate, with a cross-certificate or without."""
        if self.path[-1].request.issuer_id is not None:
            chain, anchors = _given(self.path[-1])
            return Chain((*_pems(self.path), *chain), anchors)
        if cross is None:
            return Chain(_pems(self.path[:-1]), _pems(self.path[-1:]))
        return Chain(_pems((*self.path[:-1], cross[0])), _pems((self.path[-1], cross[1])))


def issuers_of(
    authorities: Mapping[str, AuthorityRecord], issuer: str, generation: int
) -> tuple[Issuance, ...]:
    """Return what an issuer signs under now, and the CA certificates above up to its root.

    Empty where one is missing.
    """
    record = authorities.get(issuer)
    newest = record.issued(generation) if record else None
    return _upwards(authorities, newest) if newest else ()


def issuers_from(
    authorities: Mapping[str, AuthorityRecord], issuance: Issuance
) -> tuple[Issuance, ...]:
    """Return a CA certificate, and those above it up to its root; empty where one is missing."""
    return _upwards(authorities, issuance)


def ancestry(authorities: Mapping[str, AuthorityRecord], issuance: Issuance) -> Ancestry | None:
    """Return what a certificate of ours was signed under, None where a CA above it is not known."""
    signer = _signer(authorities, issuance)
    path = _upwards(authorities, signer) if signer else ()
    if not path:
        return None
    line = line_of(issuance.request, path)
    return Ancestry(path, line, tuple(_crosses(authorities, line[-1])))


def certificates_of(path: Sequence[Issuance]) -> tuple[bytes, ...]:
    """Return CA certificates (PEM), and above them those that a CA of others gave with the last."""
    chain, anchors = _given(path[-1])
    return (*_pems(path), *chain, *anchors)


def is_rooted(path: Sequence[Issuance]) -> bool:
    """Whether CA certificates lead to a root: a CA of others may not have given its own."""
    return path[-1].request.issuer_id is None or bool(path[-1].anchors)


def line_of(request: LeafRequest | AuthorityRequest, path: Sequence[Issuance]) -> Line:
    """Return the names and generations of the CAs above what was asked for."""
    below = (request, *(ca.request for ca in path[:-1]))
    line = tuple((str(each.issuer), each.issuer_generation or 0) for each in below)
    top = path[-1].request
    return line if top.issuer_id is None else (*line, outside(top))


def outside(request: LeafRequest | AuthorityRequest) -> Generation:
    """Return the CA of others that signs what is asked for, as the end of a line."""
    return f"{request.issuer} ({request.issuer_id})", 0


def _crosses(authorities: Mapping[str, AuthorityRecord], root: tuple[str, int]) -> Iterator[Cross]:
    record = authorities.get(root[0])
    for cross in reversed(tuple(record.crosses(root[1]))) if record else ():
        older = _signer(authorities, cross)
        if cross.status is Status.ISSUED and older is not None:
            yield cross, older


def _signer(authorities: Mapping[str, AuthorityRecord], issuance: Issuance) -> Issuance | None:
    """Return the CA certificate that signed another: the one it names, or the first of that generation."""
    record = authorities.get(str(issuance.request.issuer))
    if record is None or issuance.request.issuer_id is not None:
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
        if here.request.issuer is None or here.request.issuer_id is not None:
            return tuple(found)
        here = _signer(authorities, here)
    return ()


def _given(issuance: Issuance) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return the chain and the anchors that a CA of others gave with a certificate."""
    chain, anchors = issuance.chain or (), issuance.anchors or ()
    return tuple(map(str.encode, chain)), tuple(map(str.encode, anchors))


def _pems(issuances: Sequence[Issuance]) -> tuple[bytes, ...]:
    return tuple((issuance.certificate or "").encode() for issuance in issuances)


def chain_above(
    authorities: Mapping[str, AuthorityRecord], issuance: Issuance, leaving: Collection[str] = ()
) -> Chain | None:
    """Return what is installed beside a certificate: for one of others, what its CA gave with it.

    `leaving` are serials of cross-certificates that are about to be revoked.
    """
    if issuance.chain is not None or issuance.anchors is not None:
        return Chain(*_given(issuance))
    above = ancestry(authorities, issuance)
    return above.chain(above.cross(issuance, leaving)) if above else None


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


def _has_room(ca: Issuance, below: int) -> bool:
    return isinstance(ca.request, AuthorityRequest) and not _too_deep(ca.request, below)


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
