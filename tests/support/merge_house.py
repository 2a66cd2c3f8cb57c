"""A repository on the emulated GitHub with a history of its own, and jobs of its workflows.

Its certificates were issued some days ago, and everything was applied by then.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from cryptography.x509 import DNSName, SubjectAlternativeName, load_pem_x509_certificate
from github_emulator import NOWHERE, GitHub
from github_events import Event, pull_request, push
from github_rig import forge_at, run_of
from github_state import Pull
from merge_documents import AUTHORITY, PROJECT, TARGETS, certificate
from rig import Repository, Run, Runner

from providers.sops.binary import Sops
from providers.sops.identity import identity_sources, make_identity
from reconciler.cli.app import Console
from reconciler.cli.console import ColourOption
from reconciler.cli.options import Choice
from reconciler.cli.running import Limits, carry_out
from reconciler.cli.survey import session, survey
from reconciler.github.checks import PlanCheck, plan_checks
from reconciler.github.commits import fetched
from reconciler.ledger.creation import create_ledger
from reconciler.ledger.journal import LedgerJournal
from reconciler.load.edit import add_public_key
from reconciler.planning import make_plan
from reconciler.repository import examine, load, read_base
from schemas.plan import Plan
from schemas.project import LedgerSettings, Recipient

LABEL = "pki"
APPLY, PLAN = f"certform apply ({LABEL})", f"certform plan ({LABEL})"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended."""

    code: int
    log: str
    outputs: Mapping[str, str]
    summary: str

    @property
    def reason(self) -> str:
        return self.outputs.get("failure-reason", "")


@dataclass(slots=True)
class House:
    """The repository, the folder that its targets are in, and where jobs run."""

    github: GitHub
    folder: Path
    token: str
    runner: Runner | None = None
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> Path:
        return self.folder / "identity.txt"

    @property
    def live(self) -> Path:
        return self.folder / "live"

    @property
    def gate(self) -> Path:
        """What has to be there for anything to be installed in the target `mesh`."""
        return self.live / "gate"

    def conclusions(self, sha: str = "", name: str = APPLY) -> list[str]:
        """Return how the check runs of a commit ended, oldest first."""
        found = self.github.checks(sha or self.github.tip(), name)
        return [check.given["conclusion"] for check in found]

    def held(self, target: str = "edge") -> set[str]:
        """Return the certificates in a target."""
        return {each.name for each in (self.live / target).glob("[!.]*")}

    def names(self, certificate: str, target: str = "edge") -> set[str]:
        """Return the names of a certificate in a target."""
        content = (self.live / target / certificate / "current" / "cert.pem").read_bytes()
        extensions = load_pem_x509_certificate(content).extensions
        found = extensions.get_extension_for_class(SubjectAlternativeName).value
        return set(found.get_values_for_type(DNSName))

    def propose(self, files: Mapping[str, str | None], *, at: datetime | None = None) -> Pull:
        """Open a pull request, and let its plan be shown, as of a moment if there is one."""
        pull = self.github.pull(files)
        self.show(pull, at=at)
        return pull

    def show(self, pull: Pull, *, at: datetime | None = None) -> Plan:
        """Show the plan of a pull request as a check run, as its workflow does."""
        plan = self.plan(self.github.merge_ref(pull), pull.base, at=at)
        forge, run = forge_at(self.github), run_of(self.github)
        shown = PlanCheck(
            label=LABEL,
            sha=pull.head,
            conclusion="success",
            title="a plan",
            summary="a plan",
            pull=pull.number,
            onto=pull.onto,
            digest=plan.digest,
            fingerprints=[step.fingerprint for step in plan.changes],
        )
        for check in plan_checks(shown, run):
            forge.create_check(check)
        return plan

    def plan(self, sha: str, base: str | None = None, *, at: datetime | None = None) -> Plan:
        """Return what would be done by a commit's documents."""
        root = self.checkout(sha)
        before = read_base(root, fetched(root, base)) if base else None
        read = examine(root, sha, before)
        return make_plan(survey(console(root), read, at=at, base=before).world)

    def merged(self, files: Mapping[str, str | None], *, at: datetime | None = None) -> str:
        """Propose, show and merge; return the commit that the branch is at."""
        return self.github.merge(self.propose(files, at=at).number)

    def settle(self, moment: datetime | None = None) -> None:
        """Apply what main asks for, by hand, now or as of a moment."""
        sha, at = self.github.tip(), moment or _now()
        root = self.checkout(sha)
        with session(console(root), ref=sha, clock=lambda: at) as held:
            told = carry_out(console(root), held, Choice(), Limits(ask=False, mass=False))
        assert told.code == 0

    def forget(self) -> None:
        """Let nothing have been applied by a workflow yet."""
        for check in self.github.checks(self.github.tip(), APPLY):
            check.app = "somebody"

    def brief(self, target: str = "edge") -> None:
        """Let a certificate have been applied that has fallen due by now."""
        document = certificate("brief", target=target).replace("30d", "7d")
        self.github.commit({"brief.yaml": document})
        self.settle(_now() - timedelta(days=4))
        self.github.add_check(self.github.tip(), APPLY)

    def replace(self, address: str) -> None:
        """Let somebody replace a certificate by hand."""
        root = self.checkout(self.github.tip())
        with session(console(root), replace=frozenset({address})) as held:
            carry_out(console(root), held, Choice(), Limits(ask=False, mass=False))

    @contextmanager
    def locked(self) -> Iterator[str]:
        """Hold the ledger's lock; yields its id."""
        with session(console(self.checkout(self.github.tip()))) as held:
            journal = held.journal
            assert isinstance(journal, LedgerJournal)
            yield journal.lock.holder.id

    def text(self, path: str) -> str:
        """Return a document of main."""
        return self.github.bare.git("show", f"main:{path}") + "\n"

    def documents(self) -> dict[str, str]:
        """Make the ledger, and return the documents that go with it; nothing of them is on main."""
        (source, *_) = identity_sources({"SOPS_AGE_KEY_FILE": str(self.identity)})
        (recipient,) = source.recipients
        documents = documented(self, recipient)
        root = self.checkout(self.github.tip())
        keyring = (Recipient(age=recipient),)
        made = create_ledger(root, LABEL, LedgerSettings(), keyring, Sops(), _now())
        project = add_public_key(documents["certform.yaml"], made.public_key)
        return {**documents, "certform.yaml": project}

    def checkout(self, sha: str) -> Path:
        """Return a fresh clone of one commit, and what came before it, as actions/checkout makes it."""
        root = self.folder / f"job-{len(list(self.folder.glob('job-*')))}"
        root.mkdir()
        git = partial(subprocess.run, cwd=root, check=True, capture_output=True)
        git(["git", "init", "--quiet"])
        git(["git", "remote", "add", "origin", f"file://{self.github.bare.root}"])
        git(["git", "fetch", "--quiet", "--depth=1", "origin", sha])
        git(["git", "checkout", "--quiet", "--detach", sha])
        return root

    def apply(self, sha: str = "", branch: str = "main", **inputs: str) -> Ended:
        """Run the job of a push to a branch."""
        return self.start_apply(sha, branch, **inputs).wait()

    def start_apply(self, sha: str = "", branch: str = "main", **inputs: str) -> "Begun":
        """Begin the job of a push to a branch."""
        after = sha or self.github.tip(branch)
        before = next(iter(self.github.bare.commits([after])[0].parents), NOWHERE)
        return self.start("apply", push(self.github, before, after, branch=branch), **inputs)

    def plan_job(self, pull: Pull, **inputs: str) -> Ended:
        """Run the job of a pull request."""
        return self.run_on_pull("plan", pull, **inputs)

    def run_on_pull(self, command: str, pull: Pull, **inputs: str) -> Ended:
        """Run a command for a pull request."""
        return self.run(command, pull_request(self.github, pull), **inputs)

    def run(self, command: str, event: Event, **inputs: str) -> Ended:
        """Run one command of the action as a process."""
        return self.start(command, event, **inputs).wait()

    def start(self, command: str, event: Event, **inputs: str) -> "Begun":
        """Begin one command of the action in a fresh checkout of the event's commit."""
        root = self.checkout(event.sha)
        beside = root.with_name(f"files-{root.name}")
        given = {"command": command, "token": self.token, **inputs}
        environment = {
            **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
            **event.variables(self.github, beside, run_id=root.name[4:]),
            **{f"CERTFORM_INPUT_{name.upper()}": value for name, value in given.items()},
            "HOME": str(self.folder),
            "SOPS_AGE_KEY_FILE": str(self.identity),
            "GITHUB_WORKSPACE": str(root),
            "GITHUB_OUTPUT": str(beside / "output"),
            "GITHUB_STEP_SUMMARY": str(beside / "summary"),
            **self.variables,
        }
        for name in ("output", "summary", "out"):
            (beside / name).touch()
        (beside / "err").symlink_to("out")  # one log, in the order it was written
        assert self.runner is not None
        machine = Machine(root, self.identity, beside / "tmp")
        return Begun(self.runner.start(machine, "action", **environment), beside)


class Machine(Repository):
    """Where a job runs: it sees what its runner tells it, and nothing else."""

    @property
    def environment(self) -> dict[str, str]:
        return {}


@dataclass(frozen=True, slots=True)
class Begun:
    """A job that runs; `files` is where the runner's files are."""

    run: Run
    files: Path

    def await_line(self, words: str) -> None:
        """Wait until the log has some words."""
        while words not in (self.files / "out").read_text():
            time.sleep(0.02)

    def signal(self, number: int) -> None:
        """Send the job a signal."""
        os.kill(self.run.pid, number)

    def wait(self) -> Ended:
        """Wait for the end."""
        ended = self.run.wait()
        assert "met a bug" not in ended.out, ended.out
        assert "Traceback" not in ended.out, ended.out
        outputs = dict(_outputs((self.files / "output").read_text()))
        return Ended(ended.status, ended.out, outputs, (self.files / "summary").read_text())


def _outputs(text: str) -> Iterator[tuple[str, str]]:
    lines = iter(text.splitlines())
    for line in lines:
        name, _, mark = line.partition("<<")
        value = iter(lines.__next__, mark)
        yield name, "\n".join(value)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def console(root: Path) -> Console:
    return Console(root, ColourOption.NEVER)


@dataclass(frozen=True, slots=True)
class Site:
    """Where houses are built: again and again at the same place, since targets are named by their path."""

    place: Path
    kept: Path

    @classmethod
    def made(cls, folder: Path, certificates: Mapping[str, str], days: int) -> "Site":
        """Build the first one: everything was applied so many days ago."""
        site = cls(folder / "house", folder / "kept")
        (site.place / "live").mkdir(parents=True)
        (site.place / "live" / "gate").touch()
        recipient = make_identity(site.place / "identity.txt")
        past = _now() - timedelta(days=days)
        with GitHub.running(site.place) as github:
            house = House(github, site.place, github.token())
            documents = documented(house, recipient)
            _begin(house, {**documents, **certificates}, past)
            house.settle(past)
        shutil.copytree(site.place, site.kept, symlinks=True)
        return site

    @contextmanager
    def house(self, runner: Runner) -> Iterator[House]:
        """Yield one as it was at first; that everything was applied is recorded."""
        shutil.rmtree(self.place)
        shutil.copytree(self.kept, self.place, symlinks=True)
        with GitHub.running(self.place, bare=self.place / "github.git") as github:
            github.add_check(github.tip(), APPLY)
            yield House(github, self.place, github.token(), runner)


@contextmanager
def unborn(folder: Path, runner: Runner) -> Iterator[House]:
    """Yield a repository whose branch has a file of somebody else, and that has a ledger for `documents`."""
    (folder / "live").mkdir()
    (folder / "live" / "gate").touch()
    make_identity(folder / "identity.txt")
    with GitHub.running(folder) as github:
        github.commit({"README": "nothing yet"})
        yield House(github, folder, github.token(), runner)


def documented(house: House, recipient: str) -> dict[str, str]:
    """Return the documents that every certificate needs."""
    return {
        "certform.yaml": PROJECT.replace("RECIPIENT", recipient),
        "authorities/root.yaml": AUTHORITY,
        "config/targets.yaml": TARGETS.replace("LIVE", str(house.live)),
    }


def _begin(house: House, documents: Mapping[str, str], past: datetime) -> None:
    root = house.checkout(house.github.commit(documents))
    desired = load(root)
    made = create_ledger(
        root, desired.project, desired.ledger, desired.keyring, Sops(), past - timedelta(hours=1)
    )
    project = add_public_key(documents["certform.yaml"], made.public_key)
    house.github.commit({"certform.yaml": project})
