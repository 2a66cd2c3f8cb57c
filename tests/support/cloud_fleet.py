"""A repository whose targets are real ones, in clouds on loopback, and whose ledger is in memory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from fleet import Fleet
from fleet_documents import HERE, LINEAGE
from key_kinds import P256

from providers.base import Target
from reconciler.diff import World
from reconciler.observe import inspect
from reconciler.state import Desired, DesiredTarget
from schemas.base import digest
from schemas.target import TargetSpec

OWNER_LABEL = LINEAGE.owner
Make = Callable[[str, TargetSpec], Target]


@dataclass
class CloudFleet(Fleet):
    """`places` are the targets, each made anew for every run, as a process would."""

    places: Mapping[str, TargetSpec] = field(default_factory=dict)
    make: Make | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.now = datetime.now(UTC).replace(microsecond=0)

    def desired(self) -> Desired:
        """What the documents ask for, with keys of a kind that every cloud takes."""
        written = super().desired()
        certificates = {}
        for name, certificate in written.certificates.items():
            request = certificate.request.model_copy(update={"key": P256})
            changed = replace(certificate, request=request, digest=digest(request.to_json()))
            certificates[name] = changed
        targets = {
            n: DesiredTarget(n, HERE, s, digest(s.to_json())) for n, s in self.places.items()
        }
        return replace(written, certificates=certificates, targets=targets)

    def reach(self) -> Mapping[str, Target]:
        """Every target, connected to nothing yet."""
        assert self.make is not None
        return {name: self.make(name, spec) for name, spec in self.places.items()}

    def world(self) -> World:
        """The three sides at this moment, what a listing leaves out looked up as every command does."""
        return inspect(super().world(), self.reach())
