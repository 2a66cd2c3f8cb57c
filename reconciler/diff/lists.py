"""Every CRL there has to be, and what each of them has to tell: looked up once for a whole diff."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.chains import Generation
from reconciler.crl_terms import settled_terms, wanted_terms
from reconciler.diff.sides import Sides
from reconciler.ledger.publications import CrlKey, CrlTerms
from reconciler.ledger.records import Issuance, PastEntry, Status
from reconciler.published_names import file_name, shard_named
from schemas.request import AuthorityRequest

_STANDING = (Status.ISSUED, Status.REVOKED, Status.RESERVED)


@dataclass(frozen=True, slots=True)
class Signing:
    """A CA generation that has, or in this plan gets, a certificate that is not expired.

    `issuance` is the newest one it has; `coming` are the ids of the changes that bring it another one.
    """

    name: str
    generation: int
    issuance: Issuance | None
    coming: tuple[str, ...] = ()

    @property
    def key(self) -> Generation:
        """The CA and its generation."""
        return self.name, self.generation


@dataclass(frozen=True, slots=True)
class Contents:
    """What the ledger says that lists must tell of, and where the certificates look that may be in them.

    `revoked` are unexpired serials; `urls` are those that unexpired certificates name, of shards alone.
    """

    revoked: Mapping[CrlKey, frozenset[str]] = field(default_factory=dict)
    urls: Mapping[CrlKey, frozenset[str]] = field(default_factory=dict)


def contents(sides: Sides) -> Contents:
    """Return what the ledger says of every list, also what was revoked before a CA was taken over."""
    revoked: dict[CrlKey, set[str]] = {}
    urls: dict[CrlKey, set[str]] = {}
    for _, issuance in sides.serials.values():
        if issuance.not_after <= sides.now or issuance.status not in _STANDING:
            continue
        for key in lists_of(issuance):
            if issuance.status is Status.REVOKED:
                revoked.setdefault(key, set()).add(issuance.serial)
            if key[2] is not None:
                urls.setdefault(key, set()).add(str(issuance.urls.crl))
    for (name, generation), past in sides.ledger.past.items():
        told = {e.serial for e in past.entries if e.revoked and not _is_over(e, sides)}
        revoked.setdefault((name, generation, None), set()).update(told)
    return Contents(
        {key: frozenset(serials) for key, serials in revoked.items()},
        {key: frozenset(named) for key, named in urls.items()},
    )


def lists_of(issuance: Issuance) -> Iterator[CrlKey]:
    """Yield the lists that tell of a certificate of ours once it is revoked."""
    request = issuance.request
    if request.issuer is None or request.issuer_generation is None:
        return  # a root stands in no list
    yield request.issuer, request.issuer_generation, None
    if shard := shard_named(issuance):
        yield request.issuer, request.issuer_generation, shard


def lists_for(sides: Sides, signing: Signing, known: Contents) -> Iterator[CrlKey]:
    """Yield the lists of a CA's generation: the whole, its shards, and those that certificates still name."""
    yield (*signing.key, None)
    terms = (settled(sides, signing), wanted(sides, signing))
    most = max((each.shards for each in terms if each), default=1)
    asked = range(1, most + 1) if most > 1 else ()
    named = {shard for *whose, shard in known.urls if tuple(whose) == signing.key and shard}
    yield from ((*signing.key, shard) for shard in sorted(named.union(asked)))


def settled(sides: Sides, signing: Signing) -> CrlTerms | None:
    """Return the terms that were reviewed last."""
    desired = sides.desired.authorities.get(signing.name)
    return settled_terms(sides.ledger, *signing.key, desired)


def wanted(sides: Sides, signing: Signing) -> CrlTerms | None:
    """Return the terms that the documents ask for; None where none speaks of the CA."""
    desired = sides.desired.authorities.get(signing.name)
    return wanted_terms(desired) if desired else None


def urls_for(sides: Sides, key: CrlKey, known: Contents) -> frozenset[str]:
    """Return the URLs that a shard must say it is the list of: those that are named, and where it is now."""
    publish = sides.desired.publish
    if key[2] is None or publish is None:
        return frozenset()
    now = f"{publish.base_url.rstrip('/')}/{file_name(key[0], key[1], 'crl', key[2])}"
    return known.urls.get(key, frozenset()) | {now}


def kept_where(sides: Sides, signing: Signing) -> str | None:
    """Return the reference of a generation's key, such as `offline`; None for one in the ledger."""
    if signing.issuance is not None and isinstance(signing.issuance.request, AuthorityRequest):
        return signing.issuance.request.key_ref
    desired = sides.desired.authorities.get(signing.name)
    return desired.request.key_ref if desired else None


def _is_over(entry: PastEntry, sides: Sides) -> bool:
    return entry.not_after is not None and entry.not_after <= sides.now
