"""A repository like example-repo on the emulated GitHub, its real workflows run as jobs, its targets on disk.

Everything was applied by the time that a story begins. Targets are outside of the jobs' workspaces; a
certificate in `mesh-nodes` is refused by its consumer while there is a file `closed`.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from cryptography import x509
from github_emulator import BOT, GitHub, Method
from github_events import Event, pull_request, push, schedule, workflow_dispatch
from github_state import Check, Comment, Pull
from judge import ledger
from town_clock import Clock
from workflow_runner import JobResult, Machine
from workflow_steps import StandIn, StepResult, Use

from providers.sops.identity import make_identity
from reconciler.ledger.records import LedgerState

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "example-repo"
WORKFLOWS = EXAMPLE / ".github/workflows"
USED = "certform/certform"
LABEL = "example-corp"
PLAN, APPLY = f"certform plan ({LABEL})", f"certform apply ({LABEL})"
Results = Mapping[str, JobResult]


@dataclass(slots=True)
class Town:
    """The repository, the folder that its targets are in, and the machine that jobs run on."""

    github: GitHub
    machine: Machine
    folder: Path
    clock: Clock
    asked: list[tuple[str, Counter[str]]] = field(default_factory=list)

    @property
    def live(self) -> Path:
        return self.folder / "live"

    def text(self, path: str) -> str:
        """Return a document of main."""
        return self.github.bare.git("show", f"main:{path}") + "\n"

    def edited(self, path: str, old: str, new: str) -> dict[str, str | None]:
        """Return a document of main with something else in it, as files to propose."""
        text = self.text(path)
        assert old in text, text
        return {path: text.replace(old, new)}

    def run(self, workflow: str, event: Event) -> Results:
        """Run a workflow of example-repo, and note what GitHub was asked."""
        before = self.github.wire.counts
        done = self.machine.run(WORKFLOWS / f"{workflow}.yaml", event)
        assert not [job for job in done.values() if "Traceback" in job.log], done
        self.asked.append((workflow, self.github.wire.counts - before))
        return done

    def event(self, pull: Pull, action: str = "opened", actor: str = "") -> Event:
        """Return that something happened to a pull request."""
        return pull_request(self.github, pull, action, actor)

    def plan(self, pull: Pull, action: str = "opened", actor: str = "") -> StepResult:
        """Let a pull request be planned; the job has to end well."""
        job = self.run("plan", self.event(pull, action, actor))["plan"]
        assert job.conclusion == "success", job.summary[-2500:] + job.log[-6000:]
        return job.step(USED)

    def plan_by_hand(self, number: int) -> StepResult:
        """Let a maintainer plan a pull request by its number."""
        event = workflow_dispatch(self.github, {"pull-request": str(number)}, actor="maintainer")
        job = self.run("plan", event)["plan"]
        assert job.conclusion == "success", job.summary[-2500:] + job.log[-6000:]
        return job.step(USED)

    def propose(self, files: Mapping[str, str | None], **more: str) -> Pull:
        """Open a pull request and let it be planned."""
        pull = self.github.pull(files, **more)
        self.plan(pull)
        return pull

    def merge(self, pull: Pull, method: Method = "merge") -> Event:
        """Merge a pull request, and return the push that this is; nothing is run."""
        before = self.github.tip()
        return push(self.github, before, self.github.merge(pull.number, method))

    def push(self, files: Mapping[str, str | None]) -> Event:
        """Push to main, past all review; nothing is run."""
        before = self.github.tip()
        return push(self.github, before, self.github.commit(files, author="hasty"))

    def apply(self, event: Event | None = None) -> JobResult:
        """Run the workflow of a push, without one that which somebody starts by hand."""
        return self.run("apply", event or workflow_dispatch(self.github))["apply"]

    def land(self, pull: Pull, method: Method = "merge") -> StepResult:
        """Merge a pull request and apply it; the job has to end well."""
        job = self.apply(self.merge(pull, method))
        assert job.conclusion == "success", job.summary[-2500:] + job.log[-6000:]
        return job.step(USED)

    def night(self) -> Results:
        """Run the nightly workflow."""
        return self.run("nightly", schedule(self.github))

    def comment(self, pull: Pull) -> Comment:
        """Return the one comment of ours on a pull request."""
        (only,) = self.github.comments(pull.number, author=BOT)
        assert len(only.body) <= 65_536
        return only

    def planned(self, pull: Pull) -> Check:
        """Return the newest check run of a pull request's plan, on its head."""
        return self.github.checks(pull.head, PLAN)[-1]

    def applied(self, sha: str = "") -> Check:
        """Return the newest check run of an apply, by default on main."""
        return self.github.checks(sha or self.github.tip(), APPLY)[-1]

    def checkout(self) -> Path:
        """Return a fresh clone of main, for somebody who looks."""
        root = self.folder / f"clone-{len(list(self.folder.glob('clone-*')))}"
        subprocess.run(["git", "clone", "--quiet", self.github.bare.root, root], check=True)
        return root

    def plan_of_main(self) -> str:
        """Return what `certform plan` says in short of main, run by hand."""
        told = certform(self.checkout(), self.folder, "plan")
        return next(line for line in told.splitlines() if line.startswith(("No changes", "Plan: ")))

    def ledger(self) -> LedgerState:
        """Return the ledger as it is on the remote."""
        return ledger(self.checkout())

    def held(self) -> dict[str, x509.Certificate]:
        """Return what is installed, by `target/name`."""
        files = self.live.glob("*/*/current/cert.pem")
        return {f"{path.parts[-4]}/{path.parts[-3]}": certificate(path) for path in files}

    def changed(self, before: Mapping[str, x509.Certificate]) -> set[str]:
        """Return where something else is now, or something that was not, or nothing any more."""
        now = self.held()
        return {place for place in {*before, *now} if before.get(place) != now.get(place)}

    def serial(self, name: str) -> int:
        """Return the serial of a certificate by the ledger."""
        current = self.ledger().certificates[name].current
        assert current
        return int(current.serial, 16)

    def names(self, place: str) -> list[str]:
        """Return the DNS names of what is installed as `target/name`, once OpenSSL accepts it."""
        folder = self.live / place / "current"
        verify(folder, self.clock.now)
        said = certificate(folder / "cert.pem").extensions
        found = said.get_extension_for_class(x509.SubjectAlternativeName).value
        return found.get_values_for_type(x509.DNSName)

    def tamper(self, place: str) -> None:
        """Let somebody write over a certificate that was installed, by hand."""
        path = self.live / place / "current" / "cert.pem"
        path.chmod(0o644)
        path.write_bytes((self.live / "edge/mail/current/cert.pem").read_bytes())

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Let the consumer of `mesh-nodes` refuse what it is given."""
        (self.folder / "closed").touch()
        yield
        (self.folder / "closed").unlink()


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def verify(folder: Path, at: datetime) -> None:
    """Check with OpenSSL that a certificate leads to the root beside it, and that the key is its own."""
    root, between, leaf = (folder / f"{name}.pem" for name in ("trust", "chain", "cert"))
    moment = ("-attime", str(int(at.timestamp())))
    above = ("-CAfile", root, "-untrusted", between)
    chain = ("openssl", "verify", "-x509_strict", *moment, *above, leaf)
    told = subprocess.run(chain, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    spoken = [
        ("openssl", "x509", "-in", leaf, "-noout", "-pubkey"),
        ("openssl", "pkey", "-in", folder / "privkey.pem", "-pubout"),
    ]
    ours, keys = (subprocess.run(each, capture_output=True, check=True).stdout for each in spoken)
    assert ours == keys


def artifacts(folder: Path) -> StandIn:
    """Return what stands in for actions/upload-artifact: it keeps the one file it is given."""

    def keep(use: Use) -> None:
        file = use.job.workspace / use.inputs["path"]
        if file.exists():
            folder.mkdir(exist_ok=True)
            shutil.copy(file, folder / f"{use.inputs['name']}-{use.job.machine.runs}")

    return keep


@dataclass(frozen=True, slots=True)
class Plot:
    """Where towns are built, again and again at the same place: their targets are named by their path."""

    place: Path
    kept: Path
    clock: Path
    asked: list[tuple[str, Counter[str]]] = field(default_factory=list)

    @classmethod
    def made(cls, folder: Path) -> "Plot":
        """Build the first one, everything applied, at `folder`/town."""
        plot = cls(folder / "town", folder / "kept", Clock.built(folder / "clock.so"))
        plot.place.mkdir()
        root, bare = plot.place / "repository", plot.place / "github.git"
        recipient = make_identity(plot.place / "identity.txt")
        for path, text in documents(plot.place, recipient).items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        git(plot.place, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
        git(bare, "config", "uploadpack.allowAnySHA1InWant", "true")
        git(root, "init", "--quiet", "--initial-branch=main")
        git(root, "remote", "add", "origin", str(bare))
        certform(root, plot.place, "init")
        git(root, "add", ".")
        git(root, "commit", "--quiet", "--message", "Documents")
        git(root, "push", "--quiet", "origin", "main")
        shutil.copytree(plot.place, plot.kept / "unborn", symlinks=True)
        certform(root, plot.place, "apply", "--auto-approve")
        shutil.copytree(plot.place, plot.kept / "settled", symlinks=True)
        return plot

    @contextmanager
    def town(self) -> Iterator[Town]:
        """Yield one as it was at first, for which it is recorded that everything was applied."""
        with self._opened("settled") as town:
            town.github.add_check(town.github.tip(), APPLY)
            yield town

    @contextmanager
    def unborn(self) -> Iterator[tuple[Town, dict[str, str | None]]]:
        """Yield one whose branch has nothing of certform, and the documents that go with its ledger."""
        with self._opened("unborn") as town:
            paths = town.github.bare.git("ls-tree", "-r", "--name-only", "main").splitlines()
            proposed = {path: town.text(path) for path in paths}
            first = town.github.bare.commit({"README.md": "Nothing yet.\n"})
            town.github.bare.update("refs/heads/main", first)
            yield town, {**proposed}

    @contextmanager
    def _opened(self, stage: str) -> Iterator[Town]:
        shutil.rmtree(self.place)
        shutil.copytree(self.kept / stage, self.place, symlinks=True)
        with GitHub.running(self.place, bare=self.place / "github.git") as github:
            town = town_at(github, self.place, Clock(self.clock))
            yield town
            self.asked.extend(town.asked)

    def tally(self) -> Iterator[str]:
        """Yield in lines how many requests the runs of each workflow have made to GitHub."""
        for name in sorted({workflow for workflow, _ in self.asked}):
            runs = sorted((c for n, c in self.asked if n == name), key=Counter.total)
            middle = runs[len(runs) // 2]
            each = ", ".join(f"{number} {what}" for what, number in sorted(middle.items()))
            least, most = runs[0].total(), runs[-1].total()
            yield f"GitHub, {name}: {least} to {most} requests in {len(runs)} runs; {middle.total()}: {each}"


def town_at(
    github: GitHub,
    folder: Path,
    clock: Clock,
    actions: Mapping[str, StandIn] = MappingProxyType({}),
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Town:
    """Return a town on an emulated GitHub; `actions` stand in for others than ours."""
    key = re.search(r"AGE-SECRET-KEY-\w+", (folder / "identity.txt").read_text())
    assert key
    clock.environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ours: dict[str, Path | StandIn] = {
        USED: ROOT,
        "actions/upload-artifact": artifacts(folder / "artifacts"),
    }
    machine = Machine.of(
        github,
        folder / "machine",
        actions={**ours, **actions},
        variables=variables,
        environments={"certificates": {"SOPS_AGE_KEY": key[0]}},
        inputs={USED: {"install": "none"}},
        environment=clock.environment,
    )
    return Town(github, machine, folder, clock)


def documents(folder: Path, recipient: str) -> dict[str, str]:
    """Return those of example-repo, for targets in a folder and a key of one's own."""
    found = {
        path.relative_to(EXAMPLE).as_posix(): path.read_text()
        for path in sorted(EXAMPLE.rglob("*"))
        if path.is_file() and path.name != ".gitignore"
    }
    project = re.sub(r"age1\w+", recipient, found["certform.yaml"])
    found["certform.yaml"] = project.replace("live/", f"{folder}/live/")
    gate = f'  check: [test, "!", "-e", {folder}/closed]\n'
    found["config/targets.yaml"] = (
        found["config/targets.yaml"].replace("live/edge  ", f"{folder}/live/edge  ")
        .replace("path: live/mesh\n", f"path: {folder}/live/mesh\n{gate}")
    )  # fmt: skip
    return found


def certform(root: Path, home: Path, *argv: str, **variables: str) -> str:
    """Return what certform prints, run by hand; it has to end well."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    told = {**kept, "HOME": str(home), "SOPS_AGE_KEY_FILE": str(home / "identity.txt"), **variables}
    argv = (sys.executable, "-P", "-m", "reconciler", *argv)
    done = subprocess.run(argv, cwd=root, env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def git(root: Path, *argv: str) -> None:
    """Run git as a person."""
    author = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    subprocess.run(["git", *author, *argv], cwd=root, check=True, capture_output=True)
