"""A repository in which certform really runs, and the means to stop, starve and watch a run."""

import json
import os
import queue
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from providers.sops.identity import make_identity
from reconciler.ledger.records import LedgerState

Case = TypeVar("Case")
Found = TypeVar("Found")
HERE = Path(__file__).parent
WORKERS = 2
FULL = bool(os.environ.get("CERTFORM_FULL_SWEEP"))
"""Whether every point is tried, not only the first, a middle and the last of each name."""

PROJECT = """\
apiVersion: certform.dev/v1
kind: Project
metadata: {name: faults}
spec:
  keyring: [{age: {recipient}}]
  publish: {to: {directory: live/pki}, baseURL: "http://pki.example.com"}
"""
AUTHORITIES = """\
kind: Authority
metadata: {name: root}
spec: {commonName: Fault Root, duration: 10y}
---
kind: Authority
metadata: {name: issuing}
spec: {parentRef: root, commonName: Fault Issuing, duration: 5y}
"""
TARGETS = """\
kind: Target
metadata: {name: edge}
spec:
  local-directory: {path: live/edge, keepGenerations: 2}
  check: [test, -e, live/edge]
  reload: [touch, reloaded]
---
kind: Target
metadata: {name: mesh}
spec: {local-directory: {path: live/mesh, keepGenerations: 1}}
"""
CERTIFICATES = """\
kind: Certificate
metadata: {name: one}
spec: {issuerRef: issuing, duration: 30d, dnsNames: [one.example.com], targets: [edge, mesh]}
---
kind: Certificate
metadata: {name: two}
spec: {issuerRef: issuing, duration: 30d, dnsNames: [two.example.com], targets: [edge]}
---
kind: Certificate
metadata: {name: three}
spec: {issuerRef: issuing, duration: 30d, dnsNames: [three.example.com], targets: [mesh]}
"""
DOCUMENTS = {
    "certform.yaml": PROJECT,
    "authorities/ca.yaml": AUTHORITIES,
    "config/targets.yaml": TARGETS,
    "certificates.yaml": CERTIFICATES,
}
FOURTH = """\
kind: Certificate
metadata: {name: four}
spec: {issuerRef: issuing, duration: 30d, dnsNames: [four.example.com], targets: [edge, mesh]}
"""
REVOCATION = """\
kind: Revocation
metadata: {{name: incident}}
spec: {{serials: ["{serial}"], reason: superseded}}
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended; `status` is negative for a signal. What it used is of git, too."""

    status: int
    out: str
    err: str
    seconds: float = 0
    mebibytes: int = 0


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository, the age identity that opens its secrets, and its runs' temporary directory.

    `options` are what an apply of it is given besides.
    """

    root: Path
    identity: Path
    temporary: Path
    options: tuple[str, ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        """What a run sees: nothing of the tests' own environment but PATH and HOME."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {
            **kept,
            "SOPS_AGE_KEY_FILE": str(self.identity),
            "TMPDIR": str(self.temporary),
            "LC_ALL": "C.UTF-8",
        }

    @contextmanager
    def copied(self, place: Path) -> Iterator["Repository"]:
        """Yield a copy that is gone afterwards, unless what was done with it failed."""
        yield self.kept(place)
        shutil.rmtree(place)

    def kept(self, place: Path) -> "Repository":
        """Return a copy that stays."""
        shutil.copytree(self.root, place / "repository", symlinks=True)
        (place / "tmp").mkdir()
        return replace(self, root=place / "repository", temporary=place / "tmp")

    def beside(self, place: Path) -> "Repository":
        """Return the same repository as a second process uses it, its output kept apart."""
        (place / "tmp").mkdir(parents=True)
        return replace(self, temporary=place / "tmp")

    def cloned(self, place: Path) -> "Repository":
        """Return a clone that keeps its ledger in this repository, and shares its targets."""
        clone, live = place / "repository", self.root / "live"
        git(self.root, "clone", "--quiet", "--no-checkout", str(self.root), str(clone))
        for name in DOCUMENTS:
            text = (self.root / name).read_text()
            (clone / name).parent.mkdir(exist_ok=True)
            (clone / name).write_text(text.replace("live/", f"{live}/"))
        live.mkdir(exist_ok=True)
        (clone / ".live").symlink_to(live)  # for the judge; certform does not look at it
        (place / "tmp").mkdir()
        return Repository(clone, self.identity, place / "tmp")


@dataclass(slots=True)
class Run:
    """A run that has begun."""

    pid: int
    _server: "subprocess.Popen[str]"
    _repository: Repository

    def wait(self) -> Ended:
        """Wait for the end."""
        status, seconds, mebibytes = _line(self._server).split()
        out, err = (self._repository.temporary.parent / name for name in ("out", "err"))
        used = float(seconds), int(mebibytes)
        return Ended(int(status), out.read_text(), err.read_text(), *used)


class Runner:
    """Runs certform, one run at a time, in forks of one process that has loaded it, and `modules` too."""

    def __init__(self, *modules: str, **limits: int) -> None:
        """`limits` are those of every run by their names in `resource`, as RLIMIT_CPU=60."""
        self._limits = limits
        self._server = subprocess.Popen(
            [sys.executable, HERE / "runner.py", *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(
        self, repository: Repository, *argv: str, strace: Sequence[str] = (), **variables: str
    ) -> Run:
        """Begin a run."""
        assert self._server.stdin is not None
        beside = repository.temporary.parent
        for name in ("out", "err"):
            (beside / name).write_bytes(b"")  # a run may be stopped before it has opened them
        request = {
            "root": str(repository.root),
            "argv": argv,
            "environment": {**repository.environment, **variables},
            "out": str(beside / "out"),
            "err": str(beside / "err"),
            "strace": list(strace),
            "limits": self._limits,
        }
        print(json.dumps(request), file=self._server.stdin, flush=True)
        return Run(int(_line(self._server)), self._server, repository)

    def run(
        self, repository: Repository, *argv: str, strace: Sequence[str] = (), **variables: str
    ) -> Ended:
        """Run certform to its end."""
        return self.start(repository, *argv, strace=strace, **variables).wait()

    def apply(
        self, repository: Repository, *, strace: Sequence[str] = (), **variables: str
    ) -> Ended:
        """Run `certform apply --auto-approve`."""
        argv = ("apply", "--auto-approve", *repository.options)
        return self.run(repository, *argv, strace=strace, **variables)

    def stop(self) -> None:
        """Stop the loaded process."""
        self._server.communicate()


def _line(server: "subprocess.Popen[str]") -> str:
    assert server.stdout is not None
    line = server.stdout.readline()
    assert line, "the runner ended"
    return line


@dataclass(frozen=True, slots=True)
class Workshop:
    """Runners that work side by side, each on a copy of its own."""

    folder: Path
    runners: Sequence[Runner]
    lines: list[str] = field(default_factory=list)

    @property
    def runner(self) -> Runner:
        """One of the runners, for what is done alone."""
        return self.runners[0]

    def sweep(
        self,
        template: Repository,
        cases: Sequence[Case],
        trial: Callable[[Runner, Repository, Case], Found],
    ) -> list[Found]:
        """Return what a trial on a fresh copy of the template found, for each case."""
        idle: queue.SimpleQueue[Runner] = queue.SimpleQueue()
        for runner in self.runners:
            idle.put(runner)
        base = self.folder / f"sweep-{len(list(self.folder.iterdir()))}"

        def attempt(numbered: tuple[int, Case]) -> Found:
            number, case = numbered
            runner = idle.get()
            try:
                with template.copied(base / str(number)) as repository:
                    return trial(runner, repository, case)
            finally:
                idle.put(runner)

        base.mkdir()
        with ThreadPoolExecutor(len(self.runners)) as pool:
            return list(pool.map(attempt, enumerate(cases)))


def prepare(runner: Runner, place: Path, documents: Mapping[str, str] = DOCUMENTS) -> Repository:
    """Make the repository, initialised and with nothing issued yet."""
    repository = written(place, documents)
    ended = runner.run(repository, "init")
    assert ended.status == 0, ended.err
    return repository


def written(place: Path, documents: Mapping[str, str] = DOCUMENTS) -> Repository:
    """Make the repository, and nothing but its documents."""
    root, temporary = place / "repository", place / "tmp"
    temporary.mkdir(parents=True)
    recipient = make_identity(place / "identity.txt")
    for name, text in documents.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("{recipient}", recipient))
    git(root, "init", "--quiet", "--initial-branch=main")
    return Repository(root, place / "identity.txt", temporary)


def fill(runner: Runner, empty: Repository, place: Path) -> Repository:
    """Return a copy in which everything was issued and installed."""
    filled = empty.kept(place)
    ended = runner.apply(filled)
    assert ended.status == 0, ended.err
    return filled


def change(filled: Repository, state: LedgerState, place: Path) -> Repository:
    """Return a copy whose documents ask for one more name, and for a revocation."""
    changed = filled.kept(place)
    documents = changed.root / "certificates.yaml"
    text = documents.read_text()
    documents.write_text(text.replace("[one.example.com]", "[one.example.com, also.example.com]"))
    serial = state.certificates["three"].issuances[0].serial
    (changed.root / "revocation.yaml").write_text(REVOCATION.format(serial=serial))
    return changed


def unwant(runner: Runner, filled: Repository, place: Path) -> Repository:
    """Return a copy with a certificate in both targets that no document asks for any more."""
    wanted = filled.kept(place)
    document = wanted.root / "fourth.yaml"
    document.write_text(FOURTH)
    ended = runner.apply(wanted)
    assert ended.status == 0, ended.err
    document.unlink()
    return wanted


def git(root: Path, *argv: str) -> bytes:
    """Return the output of git."""
    return subprocess.run(["git", *argv], cwd=root, check=True, capture_output=True).stdout


def reached(runner: Runner, repository: Repository) -> list[str]:
    """Apply, and return the named points that were reached, in order."""
    log = repository.temporary.parent / "points"
    assert runner.apply(repository, CERTFORM_FAILPOINT_LOG=str(log)).status == 0
    return log.read_text().split()


def spread(names: Sequence[str], wanted: int, always: Sequence[str] = ()) -> list[tuple[str, int]]:
    """Return (name, n) of points spread over a run, and the first of those that are `always` tried."""
    seen: Counter[str] = Counter()
    points = []
    for name in names:
        seen[name] += 1
        points.append((name, seen[name]))
    if FULL:
        return points
    even = {round(k * (len(points) - 1) / max(1, wanted - 1)) for k in range(wanted)}
    first = {n for n, (name, at) in enumerate(points) if at == 1 and name.startswith(tuple(always))}
    return [points[n] for n in sorted(even | first)]


def chosen(names: Iterable[str], per_name: int = 2) -> list[tuple[str, int]]:
    """Return (name, n) for occurrences of names: all in a full sweep, else spread over each name."""
    points = []
    for name, count in sorted(Counter(names).items()):
        wanted = count if FULL else min(per_name, count)
        spread = {1 + round(k * (count - 1) / max(1, wanted - 1)) for k in range(wanted)}
        points += [(name, at) for at in sorted(spread)]
    return points
