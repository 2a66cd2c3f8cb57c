"""What a plan would have our CAs sign: every issue of it, with what was asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.diff import World
from reconciler.limits import Judgement, Limits
from reconciler.published_names import list_key
from reconciler.state import DesiredAuthority
from schemas.plan import Action, Change, Source
from schemas.request import AuthorityRequest, LeafRequest


@dataclass(frozen=True, slots=True)
class Issue:
    """One certificate that would be signed; `judged` are the rules of others that it has to meet.

    `name` is what its document is called.
    """

    address: str
    name: str
    request: LeafRequest | AuthorityRequest
    source: Source
    judged: tuple[Judgement, ...] = ()
    accepted: frozenset[str] = frozenset()

    @property
    def kind(self) -> str:
        """The kind of its document."""
        return "Certificate" if isinstance(self.request, LeafRequest) else "Authority"


def issues(world: World, changes: Sequence[Change]) -> Iterator[Issue]:
    """Yield every issue by a CA of ours, CAs first: what others issue, they answer for."""
    found = [issue for c in changes if c.action is Action.ISSUE and (issue := _issue(world, c))]
    yield from sorted(found, key=lambda issue: issue.kind)


def _issue(world: World, step: Change) -> Issue | None:
    kind, _, name = step.address.partition("/")
    if kind == "certificate":
        leaf = world.desired.certificates[name]
        ours = leaf.request.issuer_id is None
        return _of(world, step, name, leaf.request, leaf.limits, leaf.source) if ours else None
    name, generation = (name, 0) if kind == "authority" else list_key(step.address)[:2]
    desired = world.desired.authorities.get(name)
    request = _request(kind, desired, generation) if desired else None
    if desired is None or request is None:
        return None
    return _of(world, step, name, request, desired.limits, desired.source)


def _of(
    world: World,
    step: Change,
    name: str,
    request: LeafRequest | AuthorityRequest,
    limits: Limits,
    source: Source,
) -> Issue:
    return Issue(step.address, name, request, source, limits.judged(world.now), limits.accepted)


def _request(kind: str, desired: DesiredAuthority, generation: int) -> AuthorityRequest | None:
    """Return what a CA is asked to be: as it is, as it stands by, or as the generation before signs it."""
    if kind == "standby":
        return desired.standby
    if kind == "cross":
        signer = {"issuer": desired.name, "issuer_generation": generation - 1}
        return desired.request.model_copy(update=signer)
    return desired.request
