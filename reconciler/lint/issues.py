"""What a plan would have our CAs sign, or a ceremony: every issue of it, with what was asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.diff import World
from reconciler.diff.authorities import prospects_of
from reconciler.diff.patience import patient
from reconciler.diff.prospects import Errand
from reconciler.diff.revocations import wanted_revocations
from reconciler.limits import Judgement
from reconciler.state import DesiredAuthority, DesiredCertificate
from schemas.plan import Action, Change, Reason, Source
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
    """Yield every issue by a CA of ours, CAs first: what leaves others issue, they answer for.

    What is asked for is as the diff settled it: a leaf may go on below another generation meanwhile.
    """
    steps = [step for step in changes if step.action is Action.ISSUE or _waits(step)]
    if not steps:
        return
    above = prospects_of(world, frozenset(wanted_revocations(world)))
    settled = patient(above)[0].desired.certificates
    for step in sorted(steps, key=lambda step: step.address.startswith("certificate/")):
        if (errand := above.errands.get(step.address)) is not None:
            yield entrusted(world, errand)
            continue
        leaf = settled.get(step.address.partition("/")[2])
        if leaf is not None and leaf.request.issuer_id is None:
            yield _of(world, step.address, leaf, leaf.request)


def entrusted(world: World, errand: Errand) -> Issue:
    """Return the issue of a CA's certificate, whoever is to sign it."""
    return _of(world, errand.address, world.desired.authorities[errand.name], errand.request)


def _waits(step: Change) -> bool:
    """Whether a CA's certificate waits for a ceremony: nobody is to go there for what is unsound."""
    return step.reason is Reason.CEREMONY and not step.address.startswith(("crl/", "ocsp/"))


def _of(
    world: World,
    address: str,
    wanted: DesiredCertificate | DesiredAuthority,
    request: LeafRequest | AuthorityRequest,
) -> Issue:
    limits = wanted.limits
    judged, accepted = limits.judged(world.now), limits.accepted
    return Issue(address, wanted.name, request, wanted.source, judged, accepted)
