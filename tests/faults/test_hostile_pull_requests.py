"""A plan of a stranger's pull request runs nothing, asks nobody, looks nowhere else, and ends.

What is offline is watched by strace: every program, every socket and every file that is opened.
"""

import os
import queue
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest
import rig
from hostile_corpus import Corpus, lie_about
from rig import Ended, Repository, Runner
from system_calls import OPENS, OPTIONS, PROGRAMS, Call, calls

PROJECT = Path(__file__).parents[2]
LIMITS = {"RLIMIT_CPU": 60, "RLIMIT_AS": 1 << 30}
"""Seconds and bytes: generous, since it is to hold where many tests run. Who takes more is killed."""
SYSTEM = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/gitconfig", "/dev/null")
"""What every program reads, and git."""
REFS = (
    *(
        "--upload-pack=touch owned",
        "-h",
        "--all",
        "--output=owned",
        "-",
        "",
        " ",
        "@{-1}",
        "..",
        ":/x",
    ),
    *(
        "HEAD^{tree}",
        "HEAD:certform.yaml",
        "\x1b[31mHEAD",
        "HEAD\n::error::x",
        "::error::x",
        "\u202eHEAD",
    ),
    *("$(touch owned)", "refs/heads/../../config", "ext::sh -c touch% owned", "x" * 100_000),
)
SAID, OUTPUT = ("/dev/null",), ("/out", "/err")
"""Where the runner itself sends what a run says."""
RAW = re.compile(r"[^\n\x20-\x7e\u00a0-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Trial:
    """How one command ended for one pull request, and what it asked the system for."""

    case: str
    argv: Sequence[str]
    ended: Ended
    calls: Sequence[Call]

    def __str__(self) -> str:
        return f"{self.argv[0]} of {self.case}"


@dataclass(frozen=True, slots=True)
class House:
    """One repository with all pull requests, and runners that look at them side by side."""

    repository: Repository
    corpus: Corpus
    runners: Sequence[Runner]

    @property
    def allowed(self) -> tuple[PurePosixPath, ...]:
        """Where files may be opened."""
        ours = (PROJECT / name for name in ("reconciler", "providers", "schemas"))
        python = (sys.prefix, sys.base_prefix)
        places: tuple[str | Path, ...] = (
            self.repository.root,
            self.repository.temporary.parent,
            *ours,
            *python,
            *SYSTEM,
        )
        return tuple(PurePosixPath(place) for place in places)

    def trials(self, argvs: Sequence[tuple[str, Sequence[str]]]) -> list[Trial]:
        """Run each command under strace."""
        idle: queue.SimpleQueue[tuple[Runner, Repository]] = queue.SimpleQueue()
        for runner in self.runners:
            place = self.repository.temporary / f"{len(list(self.repository.temporary.iterdir()))}"
            idle.put((runner, self.repository.beside(place)))

        def attempt(wanted: tuple[str, Sequence[str]]) -> Trial:
            runner, repository = idle.get()
            log = repository.temporary.parent / "strace"
            try:
                variables = {"HOME": str(repository.temporary), "PYTHONDONTWRITEBYTECODE": "1"}
                watch = ("-o", str(log), *OPTIONS)
                ended = runner.run(repository, *wanted[1], strace=watch, **variables)
                return Trial(wanted[0], wanted[1], ended, tuple(calls(log)))
            finally:
                idle.put((runner, repository))

        with ThreadPoolExecutor(len(self.runners)) as pool:
            return list(pool.map(attempt, argvs))


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory, require: Callable[[str], str]
) -> Iterator[House]:
    for program in ("git", "strace"):
        require(program)
    maker = Runner()
    repository = rig.prepare(maker, tmp_path_factory.mktemp("hostile"))
    assert maker.apply(repository).status == 0
    maker.stop()
    corpus = Corpus.written(repository.root)
    lie_about(repository.root)
    rig.git(repository.root, "config", "remote.origin.url", "https://127.0.0.1:9/away.git")
    made = House(repository, corpus, [Runner("git", **LIMITS) for _ in range(rig.WORKERS)])
    yield made
    for runner in made.runners:
        runner.stop()


@pytest.fixture(scope="module")
def trials(house: House) -> Sequence[Trial]:
    """Every pull request, planned and validated."""
    corpus = house.corpus
    wanted = [
        (name, argv)
        for name, head in corpus.heads.items()
        for argv in (
            ("plan", "--offline", "--base", corpus.base, "--ref", head),
            ("validate", "--ref", head),
        )
    ]
    return house.trials(wanted)


@pytest.fixture(scope="module")
def refs(house: House) -> Sequence[Trial]:
    """Every revision that is none, as a head and as a base."""
    heads = [
        (ref, ("plan", "--offline", "--base", house.corpus.base, f"--ref={ref}")) for ref in REFS
    ]
    bases = [(ref, ("plan", "--offline", f"--base={ref}")) for ref in REFS]
    return house.trials([*heads, *bases])


@pytest.fixture(scope="module")
def everything(trials: Sequence[Trial], refs: Sequence[Trial]) -> Sequence[Trial]:
    return [*trials, *refs]


def test_each_ends_as_it_should_and_none_with_a_bug(
    house: House, trials: Sequence[Trial], tell: Callable[[str], None]
) -> None:
    assert len(house.corpus.cases) >= 60
    wrong = [
        f"{trial} ended with {trial.ended.status}: {trial.ended.err[-500:]}"
        for trial in trials
        if trial.argv[0] == "plan" and trial.ended.status != house.corpus.cases[trial.case].code
    ]
    assert wrong == []
    slowest = max(trials, key=lambda trial: trial.ended.seconds)
    largest = max(trials, key=lambda trial: trial.ended.mebibytes)
    tell(
        f"{len(house.corpus.cases)} hostile pull requests; slowest: {slowest}, {slowest.ended.seconds} s;"
        f" largest: {largest}, {largest.ended.mebibytes} MiB"
    )


def test_no_run_is_killed_or_meets_a_bug(everything: Sequence[Trial]) -> None:
    assert [str(trial) for trial in everything if trial.ended.status not in (0, 1, 3)] == []
    told = {str(trial): trial.ended.out + trial.ended.err for trial in everything}
    assert [name for name, text in told.items() if "Traceback" in text or "met a bug" in text] == []
    assert [str(trial) for trial in everything if trial.ended.mebibytes >= 1024] == []


def test_a_revision_that_is_none_is_told(refs: Sequence[Trial]) -> None:
    assert [str(trial) for trial in refs if trial.ended.status != 1 or not trial.ended.err] == []


def test_no_program_runs_but_git(everything: Sequence[Trial]) -> None:
    started = [
        (str(trial), call.text)
        for trial in everything
        for call in trial.calls
        if call.name in PROGRAMS and not call.text.endswith("ENOENT (No such file or directory)")
    ]
    assert len(started) > len(everything), "strace saw nothing"
    programs = {call.partition(",")[0] for _, call in started}
    assert {Path(program.strip('"')).name for program in programs} == {"git"}
    assert all("repository" not in program for program in programs)


def test_nobody_is_spoken_to(everything: Sequence[Trial]) -> None:
    spoken = [
        (str(t), call.name, call.text) for t in everything for call in t.calls if call.is_network
    ]
    assert spoken == []


def test_nothing_is_opened_elsewhere_and_nothing_is_written(
    house: House, everything: Sequence[Trial]
) -> None:
    allowed = house.allowed
    looked = {
        (path, str(trial))
        for trial in everything
        for call in trial.calls
        if call.name in OPENS
        for path in call.paths
        if not _is_within(path, allowed) and not _is_own(path, call) and path != str(PROJECT)
    }
    assert looked == set()
    written = {
        (call.name, call.text, str(trial))
        for trial in everything
        for call in trial.calls
        if call.is_write and not all(path in SAID or path.endswith(OUTPUT) for path in call.paths)
    }
    assert written == set()


def _is_within(path: str, places: Sequence[PurePosixPath]) -> bool:
    asked = PurePosixPath(path)
    return any(asked == place or place in asked.parents for place in places)


def _is_own(path: str, call: Call) -> bool:
    """Whether a path tells a process of itself."""
    return path.startswith(("/proc/self/", f"/proc/{call.pid}/"))


def test_nothing_hostile_is_shown_raw(everything: Sequence[Trial]) -> None:
    for trial in everything:
        for text in (trial.ended.out, trial.ended.err):
            assert not RAW.search(text), str(trial)
            assert all(character.isprintable() or character == "\n" for character in text), str(
                trial
            )
            for line in text.splitlines():
                assert not line.lstrip().startswith("::"), (str(trial), line[:200])
                assert "##[" not in line, (str(trial), line[:200])


def test_nothing_that_lies_about_was_run(house: House, everything: Sequence[Trial]) -> None:
    assert everything
    assert [*house.repository.root.rglob("*owned*")] == []


if os.geteuid() == 0:  # others cannot be sent where there is no network at all

    def test_it_needs_no_network_at_all(house: House) -> None:
        corpus, root = house.corpus, house.repository.root
        head = corpus.heads["a vault of a stranger"]
        argv = ["plan", "--offline", "--base", corpus.base, "--ref", head]
        ended = subprocess.run(
            ["unshare", "--net", sys.executable, "-P", "-m", "reconciler", "-C", root, *argv],
            env=house.repository.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        assert 'vault = "kv-example-prod" -> "https://evil.example"' in re.sub(
            " +", " ", ended.stdout
        )
