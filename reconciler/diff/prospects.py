"""What each CA signs as once a plan is done, so that what hangs by it can be decided in the same plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TypeVar

from reconciler.chains import Generation, Line, beyond, issuers_of, outside
from reconciler.custody import signs_nothing
from reconciler.diff.changes import change_id
from reconciler.diff.trust import Waits, requirements
from reconciler.diff.world import World
from reconciler.ledger.records import Issuance, Status
from reconciler.schedule import is_ahead
from schemas.plan import Action, Change
from schemas.request import AuthorityRequest, LeafRequest

Request = TypeVar("Request", LeafRequest, AuthorityRequest)


@dataclass(frozen=True, slots=True)
class Errand:
    """One CA certificate that is to be issued, whoever has the key: what it is to say, for whom.

    Its `address` is `authority/NAME`, `standby/NAME-gN` or `cross/NAME-gN`.
    """

    address: str
    name: str
    request: AuthorityRequest
    digest: str

    @property
    def crosses(self) -> bool:
        """Whether a root's generation is signed by the one before it."""
        return self.request.issuer == self.name

    @property
    def is_ordered(self) -> bool:
        """Whether a CA of others signs it."""
        return self.request.issuer_id is not None

    @property
    def signer(self) -> Generation:
        """Whose key signs it: its parent's, or its own; for a CA of others it signs the request."""
        if self.request.issuer is None or self.is_ordered:
            return self.name, self.request.generation
        return self.request.issuer, self.request.issuer_generation or 0


@dataclass(frozen=True, slots=True)
class Prospect:
    """As what a CA signs: what its certificate says, and the line of what it signs, itself included.

    `coming` tells that this plan issues that certificate, `renewal` that the one it has would do as well.
    """

    request: AuthorityRequest
    line: Line
    coming: bool = False
    renewal: bool = False


@dataclass(frozen=True)
class Prospects:
    """All CAs as they are once a plan is done, with the changes that make them so.

    A CA that cannot sign has no prospect. `errands` are by address, those of blocked changes included.
    """

    world: World
    changes: tuple[Change, ...] = ()
    errands: Mapping[str, Errand] = field(default_factory=dict)
    signing: Mapping[str, Prospect] = field(default_factory=dict)

    def having(
        self,
        changes: Sequence[Change] = (),
        errand: Errand | None = None,
        signing: Prospect | None = None,
    ) -> "Prospects":
        """Return these with what one more CA needs; `signing` is as what it signs."""
        return Prospects(
            self.world,
            (*self.changes, *changes),
            {**self.errands, **({errand.address: errand} if errand else {})},
            {**self.signing, **({signing.line[0][0]: signing} if signing else {})},
        )

    def vouching(self, issuance: Issuance | None) -> tuple[str, ...]:
        """Return what adds a cross-certificate to the chain of a certificate of ours that has none yet."""
        found = self.world.ancestry(issuance) if issuance and self.errands else None
        if issuance is None or issuance.reference is not None or found is None:
            return ()
        (root, number), own = found.line[-1], found.path[-1]
        has_one = found.cross(issuance, self.world.leaving) is not None
        errand = self.errands.get(f"cross/{root}-g{number}")
        if errand is None or has_one:
            return ()
        older = self.world.authority(root).issued(errand.signer[1])
        if older is None or min(older.not_after, own.not_after) < issuance.not_after:
            return ()
        id_ = change_id(Action.ISSUE, errand.address)
        return (id_,) if any(step.id == id_ for step in self.changes) else ()

    def comes(self, issuer: str, generation: int) -> bool:
        """Whether this plan issues what a CA's generation signs under."""
        found = self.signing.get(issuer)
        return found is not None and found.coming and found.request.generation == generation

    def requires(self, request: LeafRequest | AuthorityRequest) -> tuple[str, ...]:
        """Return what must be issued before something is signed: what it is signed under, if it is new."""
        return () if self._is_renewed(request) else self._issues(request)

    def follows(self, request: LeafRequest | AuthorityRequest) -> tuple[str, ...]:
        """Return what should be issued first: a CA that cannot be renewed now may sign still."""
        return self._issues(request) if self._is_renewed(request) else ()

    def _is_renewed(self, request: LeafRequest | AuthorityRequest) -> bool:
        found = self.signing.get(request.issuer or "")
        return found is not None and found.renewal

    def _issues(self, request: LeafRequest | AuthorityRequest) -> tuple[str, ...]:
        issuer = request.issuer
        if issuer is None:
            return ()
        root, number = (self.line(request) or ((issuer, 0),))[-1]
        cross = f"cross/{root}-g{number}"
        above = (cross,) if cross in self.errands else ()
        if self.comes(issuer, request.issuer_generation or 0):
            above = (f"authority/{issuer}", *above)
        return tuple(change_id(Action.ISSUE, address) for address in above)

    def placed(self, request: Request) -> Request:
        """Return a request below the generation of its parent that can sign, where the wanted one cannot.

        It waits, or it is revoked and the parent went on with a later one.
        """
        above = self.signing.get(request.issuer or "")
        wanted = request.issuer_generation or 0
        if above is None or above.request.generation == wanted:
            return request
        if above.request.generation > wanted and not self._is_revoked(above.line[0][0], wanted):
            return request
        return request.model_copy(update={"issuer_generation": above.request.generation})

    def _is_revoked(self, name: str, generation: int) -> bool:
        issued = self.world.authority(name).issued(generation)
        return issued is not None and issued.status is Status.REVOKED

    def line(self, request: LeafRequest | AuthorityRequest) -> Line:
        """Return the CAs above what is signed now; empty for a root, and where one is not known."""
        if request.issuer is None:
            return ()
        if isinstance(request, AuthorityRequest) and request.issuer_id is not None:
            return (outside(request),)
        issuer = (request.issuer, request.issuer_generation or 0)
        found = self.signing.get(issuer[0])
        if found is not None and found.request.generation == issuer[1]:
            return found.line
        if issuer not in self._lines:
            newest = self.world.authority(issuer[0]).issued(issuer[1])
            self._lines[issuer] = (issuer, *self.world.line(newest)) if newest else ()
        return self._lines[issuer]

    @cached_property
    def _lines(self) -> dict[Generation, Line]:
        return {}

    def waits(self, line: Line, had: Issuance | None = None) -> Waits:
        """Return what has to bring the anchor of a line's root first, before something hangs by it.

        `had` is the certificate that it has so far: nothing has to come first below the same root, and where
        that certificate is lost in any case, no place is waited for that nobody can look at.
        """
        known = self.world.line(had) if had else ()
        if not line or known[-1:] == line[-1:]:
            return Waits()
        root = line[-1]
        if root not in self._waits:
            self._waits[root] = requirements(self.world, root)
        found = self._waits[root]
        if found.missing and had and self._is_lost(had, known):
            return Waits(found.requires, ignored=found.missing)
        return found

    def _is_lost(self, had: Issuance, line: Line) -> bool:
        """Whether nobody believes a certificate any more, or soon will not, and its CAs sign no other."""
        gone = [self.world.given_up.get(generation) for generation in line]
        if any(each is not None and each.immediate for each in gone):
            return True
        ended = had.status is Status.REVOKED or had.not_after <= self.world.now
        return any(self._is_revoked(*each) for each in line) or (ended and any(gone))

    @cached_property
    def _waits(self) -> dict[Generation, Waits]:
        return {}

    def unready(self, request: LeafRequest | AuthorityRequest) -> str:
        """Say why an issuer cannot sign, neither now nor after this plan; empty when it can."""
        if request.issuer_id is not None:
            return ""  # a CA of others: nobody asks it for a plan
        if request.issuer is None:
            return ""
        issuer = (request.issuer, request.issuer_generation or 0)
        found, gone = self.signing.get(issuer[0]), self.world.given_up.get(issuer)
        if gone is not None and found is not None and found.request.generation != issuer[1]:
            return (
                f"revocation/{gone.name} gives up generation {issuer[1]} of authority/{issuer[0]}"
            )
        above = self._above(issuer)
        if above is None:
            return f"authority/{request.issuer} cannot sign: see what blocks it"
        if reasons := beyond(request, self._edited(issuer, above)):
            return f"authority/{request.issuer}, as it was issued, does not allow it: {reasons[0]}"
        return ""

    def outlasts(self, request: LeafRequest | AuthorityRequest, issued: Issuance) -> bool:
        """Whether another certificate could end later: below a CA that ends, nothing is gained by one."""
        if request.issuer is None or request.issuer_id is not None:
            return True
        end = self._end((request.issuer, request.issuer_generation or 0))
        return end is not None and end > issued.not_after

    def _end(self, issuer: Generation) -> datetime | None:
        """When what a CA signs under ends: never, as far as is known, where it is yet to come."""
        if issuer not in self._ends:
            parent = self.world.authority(issuer[0]).issued(issuer[1])
            coming = datetime.max.replace(tzinfo=UTC) if self.comes(*issuer) else None
            self._ends[issuer] = coming or (parent.not_after if parent else None)
        return self._ends[issuer]

    @cached_property
    def _ends(self) -> dict[Generation, datetime | None]:
        return {}

    def _above(self, issuer: Generation) -> tuple[AuthorityRequest, ...] | None:
        """What the CAs from an issuer upwards say; None when it cannot sign."""
        if issuer not in self._requests:
            self._requests[issuer] = self._look_up(issuer)
        return self._requests[issuer]

    @cached_property
    def _requests(self) -> dict[Generation, tuple[AuthorityRequest, ...] | None]:
        return {}

    def _look_up(self, issuer: Generation) -> tuple[AuthorityRequest, ...] | None:
        if self.comes(*issuer):
            request = self.signing[issuer[0]].request
            if request.issuer is None or request.issuer_id is not None:
                return (request,)
            above = self._above((request.issuer, request.issuer_generation or 0))
            return None if above is None else (request, *above)
        if not is_sound(self.world, self.world.authority(issuer[0]).issued(issuer[1])):
            return None
        chain = issuers_of(self.world.ledger.authorities, *issuer)
        return tuple(i.request for i in chain if isinstance(i.request, AuthorityRequest))

    def _edited(
        self, issuer: Generation, above: tuple[AuthorityRequest, ...]
    ) -> tuple[AuthorityRequest, ...]:
        """What the CAs above say; none when the documents, which were checked, say the same."""
        if issuer not in self._differing:
            wanted = {a.request for a in self.world.desired.authorities.values()}
            self._differing[issuer] = above if set(above) - wanted else ()
        return self._differing[issuer]

    @cached_property
    def _differing(self) -> dict[Generation, tuple[AuthorityRequest, ...]]:
        return {}


def is_sound(world: World, issuance: Issuance | None) -> bool:
    """Whether a CA certificate can be signed under: it is issued and valid, and its key is one of ours."""
    if issuance is None or issuance.status is not Status.ISSUED or signs_nothing(issuance):
        return False
    return issuance.not_after > world.now and not is_ahead(issuance.not_before, world.now)
