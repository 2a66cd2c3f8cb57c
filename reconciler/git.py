"""git, driven with fixed verbs and full object ids, everything dangerous in it shut off.

GitPython starts the program, with a list of arguments, and ends it when nobody listens any more; nothing
else of GitPython is used: `Git.execute` could not keep variables from it. User text may be an argument's
value or come after `--end-of-options`, never an option.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, Popen
from threading import Thread
from types import MappingProxyType
from typing import IO, cast

from reconciler.errors import ReconcilerError

# A hook or an outer git may have set these; they would point us at another repository.
_INHERITED = frozenset(
    {
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_COMMON_DIR",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_QUARANTINE_PATH",
        "GIT_NAMESPACE",
        "GIT_PREFIX",
        "GIT_GRAFT_FILE",
        "GIT_SHALLOW_FILE",
        "GIT_REPLACE_REF_BASE",
        "CERTFORM_PKCS11_PIN",
    }
)
_ENVIRONMENT = MappingProxyType(
    {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_LITERAL_PATHSPECS": "1",
        "LANGUAGE": "C",
        "LC_ALL": "C",
    }
)
_UNCONNECTED = MappingProxyType({"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"})
"""No protocol is called `none`; a git that does not know the second variable minds the first."""
_SETTINGS = MappingProxyType(
    {
        "core.hooksPath": "/dev/null",
        "core.fsmonitor": "false",
        "core.symlinks": "false",
        "core.logAllRefUpdates": "false",
        "protocol.ext.allow": "never",
        "protocol.file.allow": "never",
        "submodule.recurse": "false",
        "gc.auto": "0",
        "maintenance.auto": "false",
    }
)
_CREDENTIALS = re.compile(r"(?<=://)[^/\s]*@")
_REMARKS = ("warning: ", "hint: ", "To ")
"""How lines begin in which git tells something other than what went wrong."""
_ECHOES = frozenset(
    {
        "fatal: Could not read from remote repository.",
        "fatal: the remote end hung up unexpectedly",
        "Please make sure you have the correct access rights",
        "and the repository exists.",
    }
)
"""What git adds whatever the reason was."""
_MISSING = "git is not installed"
_OBJECT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class GitError(ReconcilerError):
    """git failed. `status` is its exit code; the text is what it said, credentials left out.

    The message holds the line that tells why, `detail` the others.
    """

    def __init__(self, verb: str, status: int, said: str, *, hint: str = "") -> None:
        why, detail = _reason(without_credentials(said))
        super().__init__(f"git {verb} failed ({status}): {why}", detail=detail, hint=hint)
        self.status = status


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one call ended."""

    status: int
    stdout: bytes
    stderr: str


@dataclass(frozen=True, slots=True)
class Git:
    """git in one directory. `settings` are configuration values that override the defaults."""

    directory: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    def run(self, *argv: str, stdin: bytes | None = None, check: bool = True) -> bytes:
        """Return the output of one git verb; `GitError` if it fails and `check` is set."""
        outcome = self.attempt(*argv, stdin=stdin)
        if check and outcome.status != 0:
            raise GitError(argv[0], outcome.status, outcome.stderr)
        return outcome.stdout

    def attempt(self, *argv: str, stdin: bytes | None = None) -> Outcome:
        """Run one git verb and return how it ended; raise `GitError` only when there is no git."""
        process = self._start(*argv)
        stdout, stderr = process.communicate(stdin)
        return Outcome(process.returncode, stdout, stderr.decode(errors="replace"))

    def _start(self, *argv: str) -> Popen[bytes]:
        try:
            # what reads documents from the working tree needs no git, and waits for none
            from git.cmd import Git as GitPython  # noqa: PLC0415
            from git.cmd import safer_popen  # noqa: PLC0415
        except ImportError:  # it asks git for its version
            raise GitError(argv[0], 127, _MISSING) from None
        settings = {**_SETTINGS, **self.settings}
        options = (word for key, value in settings.items() for word in ("-c", f"{key}={value}"))
        command = ["git", "--no-replace-objects", "--no-pager", *options, *argv]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), PIPE)
        try:
            started = safer_popen(command, cwd=self.directory, env=_environment(), **pipes)
        except OSError as why:
            raise GitError(argv[0], 127, _unstarted(why, self.directory)) from None
        return cast("Popen[bytes]", GitPython.AutoInterrupt(started, command))

    def blobs(self, object_ids: Sequence[str]) -> list[bytes]:
        """Return the contents of blobs in order, with one process; `GitError` if one is missing."""
        return list(self.contents("blob", object_ids))

    def contents(self, kind: str, object_ids: Sequence[str]) -> Iterator[bytes]:
        """Yield the contents of objects of one kind in order, each as soon as git has found it.

        Raises `GitError` when one is missing.
        """
        if not object_ids:
            return
        asked = "".join(f"{full(oid)}\n" for oid in object_ids).encode()
        process = self._start("cat-file", "--batch", "--buffer")
        stdin, stdout = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        # asked by this thread as well, git and it could each wait for the other to read
        asking = Thread(target=_ask, args=(stdin, asked))
        asking.start()
        try:
            for _ in object_ids:
                yield _content(stdout, kind)
        except EOFError:
            said = cast("IO[bytes]", process.stderr).read().decode(errors="replace")
            raise GitError("cat-file", process.poll() or 1, said) from None
        finally:
            process.kill()  # GitPython closes and reaps it once nobody refers to it
            asking.join()

    def commit(self, revision: str) -> str | None:
        """Return the full id of the commit that a revision, as a user writes it, stands for."""
        named = f"{revision}^{{commit}}"
        found = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", named, check=False)
        return found.decode().strip() or None

    def top_level(self) -> Path | None:
        """Return the work tree's root; None outside a work tree."""
        found = self.run("rev-parse", "--show-toplevel", check=False)
        return Path(found.decode().rstrip("\n")) if found else None

    def common_directory(self) -> Path:
        """Return the directory that holds objects and refs, shared by all work trees."""
        found = self.run("rev-parse", "--path-format=absolute", "--git-common-dir")
        return Path(found.decode().rstrip("\n"))


@contextmanager
def unconnected() -> Iterator[None]:
    """Let no git speak to a remote until the end, not even for what a partial clone left there."""
    former = {name: os.environ.get(name) for name in _UNCONNECTED}
    os.environ.update(_UNCONNECTED)
    try:
        yield
    finally:
        for name, value in former.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _environment() -> dict[str, str]:
    """Return what a git of ours sees, its words in English."""
    kept = {name: value for name, value in os.environ.items() if name not in _INHERITED}
    return {**kept, **_ENVIRONMENT}


def _unstarted(why: OSError, directory: Path) -> str:
    if directory.is_dir() and isinstance(why, FileNotFoundError):
        return _MISSING
    return f"git cannot be started in {directory}: {why.strerror}"


def without_credentials(text: str) -> str:
    """Return text in which no address names a user or a password any more."""
    return _CREDENTIALS.sub("", text)


def _reason(said: str) -> tuple[str, str]:
    """Return the line that says why git failed, and the rest without what it always says."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if line not in _ECHOES] or lines
    why = next((line for line in telling if not line.startswith(_REMARKS)), "it gave no reason")
    others = "\n".join(line for line in telling if line != why)
    return why.removeprefix("fatal: ").removeprefix("error: "), others


def full(object_id: str) -> str:
    """Return an object id if it is a full one; anything else raises ValueError."""
    if not _OBJECT_ID.fullmatch(object_id):
        raise ValueError(f"not a full object id: {object_id!r}")
    return object_id


def _ask(stdin: IO[bytes], asked: bytes) -> None:
    with suppress(BrokenPipeError), stdin:
        stdin.write(asked)


def _content(output: IO[bytes], kind: str) -> bytes:
    line = output.readline()
    if not line:
        raise EOFError
    name, *header = line.decode().rstrip("\n").split(" ")
    if len(header) != 2 or header[0] != kind:
        raise GitError("cat-file", 1, f"no {kind} {name}")
    size = int(header[1])
    content = output.read(size + 1)
    if len(content) <= size:
        raise EOFError
    return content[:size]
