"""A repository on the emulated GitHub, all of it applied, and what planning a pull request of it takes.

The workflow is the example repository's, its steps are the action's own, run as a runner runs them.
"""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clouds import Clouds
from github_emulator import GitHub
from github_events import pull_request
from measurement import Cost, measure
from repository import CERTFORM, example, in_clouds, make_key
from wire import Request, Response
from workflow_runner import Machine

ROOT = Path(__file__).resolve().parent.parent
WORKFLOW = ROOT / "example-repo/.github/workflows/plan.yaml"
USED = "certform/certform"
POSTING = ("issues/create-comment", "issues/update-comment")
FETCHING = ("PIP_INDEX_URL", "UV_", "SSL_", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "NO_PROXY")
"""Variables that begin so lead to where packages are."""
_ADDED = """\
kind: Certificate
metadata: {{name: added-{n}, labels: {{team: shop}}}}
spec: {{profileRef: public-web, dnsNames: [added-{n}.shop.example.com]}}
"""
_TARGETS = """\
kind: Target
metadata: {{name: aws}}
spec: {{aws-acm: {{regions: [eu-west-1]}}}}
---
kind: Target
metadata: {{name: azure}}
spec: {{azure-key-vault: {{vault: "{vault}", verifyChallengeResource: false}}}}
---
kind: Target
metadata: {{name: gcp}}
spec: {{gcp-certificate-manager: {{project: example-project, endpoint: "{endpoint}"}}}}
"""
STAMP = '#!/bin/sh\ndate +%s.%N >> "{file}"\nexec "$@"\n'


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds of the step Install, and of Run until the comment is there; requests to GitHub.

    `processor` are the seconds of the whole job, checkout included.
    """

    install: float
    run: float
    processor: float
    requests: int
    workspace: Path

    @property
    def whole(self) -> float:
        """Seconds from the action's start to the comment."""
        return self.install + self.run


@dataclass(slots=True)
class Site:
    """The repository; `change` returns the files of a pull request by its number."""

    github: GitHub
    folder: Path
    variables: Mapping[str, str]
    change: Callable[[int], Mapping[str, str]]
    posted: float = 0.0
    opened: int = 0

    def machine(
        self, name: str, path: str, action: Path = ROOT, install: str = "auto", **more: str
    ) -> Machine:
        """Return a machine on which nothing is installed yet; `path` is its PATH."""
        folder = self.folder / name
        folder.mkdir()
        stamp = folder / "stamp"
        stamp.write_text(STAMP.format(file=folder / "stamps"))
        stamp.chmod(0o755)
        fetching = {k: v for k, v in os.environ.items() if k.startswith(FETCHING)}
        told = {"PIP_CONFIG_FILE": os.devnull, **fetching, **self.variables, **more, "PATH": path}
        return Machine.of(
            self.github,
            folder,
            actions={USED: action},
            environment=told,
            inputs={USED: {"install": install}},
            prefix=(str(stamp),),
        )

    def plan(self, machine: Machine) -> Latency:
        """Open a pull request and let it be planned."""
        self.opened += 1
        pull = self.github.pull(self.change(self.opened))
        stamps = machine.folder / "stamps"
        stamps.write_text("")
        before, self.posted = len(self.github.requests), 0.0
        event, spent = pull_request(self.github, pull), processor()
        job = machine.run(WORKFLOW, event)["plan"]
        spent = processor() - spent
        if job.conclusion != "success" or not self.posted:
            sys.exit(job.log)
        install, run = map(float, stamps.read_text().split())
        asked = len(self.github.requests) - before
        return Latency(run - install, self.posted - run, spent, asked, job.workspace)

    def phases(self, machine: Machine) -> Mapping[str, float]:
        """Plan by an action that is `watched`; return the seconds of each phase."""
        self.plan(machine)
        told = json.loads((machine.folder / "phases.json").read_text())
        begun = float((machine.folder / "stamps").read_text().split()[1])
        return {"start of bash and Python": told["begun"] - begun, **told["spent"]}

    def alone(self, workspace: Path) -> Cost:
        """Return what `certform plan` of the same commits costs, which tells GitHub nothing."""
        command = [CERTFORM, "--chdir", str(workspace), "plan", "--ref", "HEAD", "--base", "HEAD^1"]
        return measure(command, {**os.environ, **self.variables})

    def note(self, service: Callable[[Request], Response]) -> Callable[[Request], Response]:
        """Return the service, which notes when a comment was posted."""

        def noting(request: Request) -> Response:
            answer = service(request)
            if self.github.wire.operation(request) in POSTING:
                self.posted = time.time()
            return answer

        return noting


def processor() -> float:
    """Return the seconds of processor of all programs that were run and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def watched(folder: Path) -> Path:
    """Return a copy of the action that measures its phases."""
    action = Path(shutil.copytree(ROOT / "action", folder / "watched/action")).parent
    shutil.copy(ROOT / "action.yml", action)
    shutil.copy(ROOT / "benchmarks/phases.py", action / "action/run.py")
    return action


def fresh(folder: Path) -> Path:
    """Return a copy of the action as a runner fetches it: nothing of it was compiled yet."""
    action, unwanted = folder / "fresh", shutil.ignore_patterns("__pycache__")
    shutil.rmtree(action, ignore_errors=True)
    for name in ("action", "reconciler", "schemas", "providers"):
        shutil.copytree(ROOT / name, action / name, ignore=unwanted)
    shutil.copy(ROOT / "action.yml", action)
    return action


@contextmanager
def site(
    folder: Path,
    documents: Mapping[str, str],
    variables: Mapping[str, str],
    change: Callable[[int], Mapping[str, str]],
) -> Iterator[Site]:
    """Yield a repository of some documents, applied and pushed; the key is in `folder`/key.age."""
    root, bare = folder / "repository", folder / "github.git"
    for path, text in documents.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    git(bare, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "remote", "add", "origin", str(bare))
    told = {**os.environ, **variables, "SOPS_AGE_KEY_FILE": str(folder / "key.age")}
    for argv in (("init",), ("apply", "--auto-approve")):
        measure([CERTFORM, "--chdir", str(root), *argv], told)
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "Documents")
    git(root, "push", "--quiet", "origin", "main")
    with GitHub.running(folder, bare=bare) as github:
        made = Site(github, folder, variables, change)
        github.wire.service = made.note(github.wire.service)
        yield made


def git(root: Path, *argv: str) -> None:
    """Run git as a person."""
    author = ("-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.com")
    subprocess.run(["git", "-C", str(root), *author, *argv], check=True, capture_output=True)


@contextmanager
def example_site(folder: Path) -> Iterator[Site]:
    """Yield the example repository, its targets beside it; a pull request adds a certificate."""
    folder.mkdir()
    root = example(str(folder))
    found = {
        path.relative_to(root).as_posix(): path.read_text()
        for path in root.rglob("*.yaml")
        if ".github" not in path.parts
    }
    project = re.sub(r"age1\w+", make_key(folder / "key.age"), found["certform.yaml"])
    found["certform.yaml"] = project.replace("live/", f"{folder}/live/")
    places = found["config/targets.yaml"]
    found["config/targets.yaml"] = places.replace("path: live/", f"path: {folder}/live/")
    with site(folder, found, {}, lambda n: {f"teams/shop/{n}.yaml": _ADDED.format(n=n)}) as made:
        yield made


@contextmanager
def cloud_site(folder: Path, clouds: Clouds, counts: Mapping[str, int]) -> Iterator[Site]:
    """Yield a repository of so many certificates in each cloud; a pull request changes ten of them."""
    folder.mkdir()
    targets = _TARGETS.format(vault=clouds.azure.url, endpoint=clouds.gcp.wire.url)
    found = in_clouds(make_key(folder / "key.age"), targets, counts)
    path = "teams/payments/file-00.yaml"

    def change(number: int) -> Mapping[str, str]:
        name = f"    - other-{number}.example.internal\n"
        return {path: found[path].replace("  duration:", f"{name}  duration:")}

    with site(folder, found, clouds.environment(), change) as made:
        yield made
