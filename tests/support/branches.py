"""A repository under git as a pull request sees it: a base, and what is proposed against it."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from command_line import Repository
from wire import Request, Response, Wire


def git(repository: Repository, *argv: str) -> str:
    """Return what git says."""
    identity = ("-c", "user.name=T", "-c", "user.email=t@localhost")
    command = ["git", "-C", str(repository.root), *identity, *argv]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(repository: Repository) -> str:
    """Commit everything; return the commit's full id."""
    git(repository, "add", "-A")
    git(repository, "commit", "--quiet", "--allow-empty", "-m", "all")
    return git(repository, "rev-parse", "HEAD")


@contextmanager
def stranger() -> Iterator[Wire]:
    """Serve at an address that somebody proposes: whatever it is asked is an asked too much."""

    said = {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "nobody is let in"}}

    def serve(_: Request) -> Response:
        return Response(403, json.dumps(said).encode(), {"Content-Type": "application/json"})

    with Wire(serve, lambda request: f"{request.method} {request.path}").running() as wire:
        yield wire
