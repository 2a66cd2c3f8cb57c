"""What a plan would have our CAs sign: every issue of it, with what was asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.diff import World
from reconciler.diff.authorities import prospects_of
from reconciler.diff.patience import patient
from reconciler.diff.revocations import wanted_revocations
from reconciler.limits import Judgement
from reconciler.state import DesiredAuthority, DesiredCertificate
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
    """Yield every issue by a CA of ours, CAs first: what others issue, they answer for.

    What is asked for is as the diff settled it: a leaf may go on below another generation meanwhile.
    """
    steps = [step for step in changes if step.action is Action.ISSUE]
    if not steps:
        return
    above = prospects_of(world, frozenset(wanted_revocations(world)))
    settled = patient(above)[0].desired.certificates
    for step in sorted(steps, key=lambda step: step.address.startswith("certificate/")):
        if (errand := above.errands.get(step.address)) is not None:
            desired = world.desired.authorities[errand.name]
            yield _of(world, step, desired, errand.request)
            continue
        leaf = settled.get(step.address.partition("/")[2])
        if leaf is not None and leaf.request.issuer_id is None:
            yield _of(world, step, leaf, leaf.request)


def _of(
    world: World,
    step: Change,
    wanted: DesiredCertificate | DesiredAuthority,
    request: LeafRequest | AuthorityRequest,
) -> Issue:
    limits = wanted.limits
    judged, accepted = limits.judged(world.now), limits.accepted
    return Issue(step.address, wanted.name, request, wanted.source, judged, accepted)
