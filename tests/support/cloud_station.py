"""The real command line over three clouds: a runner, clouds of its own, and repositories to begin with."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import judge
import rig
from cloud_rig import Clouds, digest_of
from rig import Ended, Repository, Runner

SDKS = ("providers.aws.acm", "providers.azure.vault", "providers.gcp.manager")
EDGE = """\
---
kind: Target
metadata: {name: edge}
spec: {local-directory: {path: live/edge, keepGenerations: 1}}
"""
CERTIFICATE = """\
kind: Certificate
metadata: {{name: web}}
spec: {{issuerRef: issuing, duration: 30d, dnsNames: [{names}], targets: [aws, azure, edge, gcp]}}
"""
NAMES = "www.example.com"
MORE = f"{NAMES}, also.example.com"
PLACES = ("aws/eu-west-1", "azure", "gcp/global")
ISSUED: Mapping[str, int] = {"issue": 1, "reissue": 2, "remove": 1, "return": 2}
"""What is done by a run, and how many certificates there were in the end."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a run begins: a repository, and what brings back what the clouds held then."""

    repository: Repository
    restore: Callable[[], None]


@dataclass(slots=True)
class Station:
    """One run at a time; other stations run beside it."""

    folder: Path
    runner: Runner
    clouds: Clouds
    beginnings: dict[str, Beginning] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def working(cls, folder: Path) -> Iterator["Station"]:
        """Yield a station with a beginning for each scenario."""
        runner = Runner(*SDKS)
        try:
            with Clouds.running(folder / "clouds") as clouds:
                station = cls(folder, runner, clouds)
                station.prepare()
                yield station
        finally:
            runner.stop()

    def run(self, repository: Repository, *argv: str, **variables: str) -> Ended:
        """Run certform to its end, with the way to the clouds in its environment."""
        return self.runner.run(repository, *argv, **self.clouds.environment(), **variables)

    def apply(self, repository: Repository, **variables: str) -> Ended:
        """Run `certform apply --auto-approve`."""
        return self.run(repository, "apply", "--auto-approve", **variables)

    def prepare(self) -> None:
        """Make the beginnings, each from the one before."""
        made = rig.prepare(self.runner, self.folder / "made")
        (made.root / "config/targets.yaml").write_text(self.clouds.documents() + EDGE)
        self.write(made, NAMES)
        self._begin("issue", made)
        self._applied(made)
        self.write(made, MORE)
        self._begin("reissue", made)
        self.write(made, None)
        self._begin("remove", made)
        self._applied(made)
        self.write(made, NAMES)
        self._begin("return", made)

    def write(self, repository: Repository, names: str | None) -> None:
        """Let the documents ask for a certificate of these names, None for none at all."""
        text = "" if names is None else CERTIFICATE.format(names=names)
        (repository.root / "certificates.yaml").write_text(text)

    @contextmanager
    def begun(self, scenario: str, place: Path) -> Iterator[Repository]:
        """Yield a copy of a beginning, the clouds as they were then."""
        beginning = self.beginnings[scenario]
        beginning.restore()
        with beginning.repository.copied(place) as repository:
            yield repository

    def _begin(self, scenario: str, made: Repository) -> None:
        place = self.folder / scenario
        self.beginnings[scenario] = Beginning(made.kept(place), self.clouds.kept())

    def _applied(self, made: Repository) -> None:
        ended = self.apply(made)
        assert ended.status == 0, ended.err + ended.out


def standing(clouds: Clouds, root: Path) -> dict[str, list[str]]:
    """Return the fingerprints of what is ours in each place of a cloud."""
    owner = judge.ledger(root).lineage.owner
    ours = [each for each in clouds.held() if each.owner == owner]
    return {place: [each.sha256 for each in ours if each.place == place] for place in PLACES}


def recovered(station: Station, repository: Repository, scenario: str) -> list[str]:
    """Apply again, then plan: return what is still not as it must be."""
    station.clouds.heal()
    again = station.apply(repository)
    if again.status != 0:
        return [f"the next apply ended with {again.status}: {again.err}"]
    plan = station.run(repository, "plan", "--detailed-exitcode")
    left = [] if plan.status == 0 else [f"the plan is not empty ({plan.status}): {plan.out}"]
    left += unsettled(station.clouds, repository.root, scenario)
    return [*left, *judge.keys_in(repository.temporary)]


def unsettled(clouds: Clouds, root: Path, scenario: str) -> Iterator[str]:
    """Yield what is not as it must be when certform ended well."""
    record = judge.ledger(root).certificates.get("web")
    issuances = record.issuances if record else ()
    if len(issuances) != ISSUED[scenario]:
        yield f"surplus: {[each.status for each in issuances]}"
    gone = scenario == "remove"
    wanted = [] if gone or record is None or not record.current else [record.current.sha256]
    for place, held in standing(clouds, root).items():
        if held != wanted:
            yield f"{place} holds {held}, not {wanted}"
    folder = root / "live/edge/web"
    if folder.exists() == gone:
        yield f"edge: {sorted(path.name for path in folder.parent.iterdir())}"
    elif not gone:
        yield from judge.unusable(folder / "current")
        local = judge.load(folder / "current/cert.pem")
        if local is None or [digest_of(local)] != wanted:
            yield "edge holds another certificate"
    yield from judge.keys_in_git(root)
