"""Directories of a host: each belongs to one Target, or to the Project's publications, alone.

So does everything below one: what a Target finds there that is not its own, it takes for a stranger's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import PurePath, PurePosixPath

from reconciler.diagnostics import Diagnostic, error
from reconciler.resolve.catalogue import Catalogue
from schemas.plan import Source


@dataclass(frozen=True, slots=True)
class Claim:
    """A directory that a document names, as `written` there; without hosts it is one of every host."""

    claimant: str
    written: str
    path: PurePosixPath
    hosts: frozenset[str]
    source: Source


def check_directories(everything: Catalogue, root: PurePath | None = None) -> Iterator[Diagnostic]:
    """Yield a finding for every directory that is claimed twice on one host, or lies in another.

    Relative paths begin at `root`; without it, none of them is taken for an absolute one.
    """
    claims: dict[PurePosixPath, list[Claim]] = {}
    for claim in _claims(everything, PurePosixPath(root or "")):
        claims.setdefault(claim.path, []).append(claim)
    for path, same in claims.items():
        above = (claim for parent in path.parents for claim in claims.get(parent, ()))
        for first, second in (*combinations(same, 2), *product(above, same)):
            if _meet(first.hosts, second.hosts):
                yield _shared(first, second)


def _claims(everything: Catalogue, root: PurePosixPath) -> Iterator[Claim]:
    for project in everything.projects.entries.values():
        if project.spec.publish is not None:
            source = project.document.at("spec", "publish", "to", "directory")
            path = project.spec.publish.to.directory
            yield Claim(
                "what the Project publishes", path, _joined(root, path), frozenset(), source
            )
    for name, entry in everything.targets.entries.items():
        if (settings := entry.spec.local_directory) is not None:
            source = entry.document.at("spec", "local-directory", "path")
            hosts = frozenset(host.lower().rstrip(".") for host in settings.hosts)
            path = settings.path
            yield Claim(f"Target {name}", path, _joined(root, path), hosts, source)


def _joined(root: PurePosixPath, path: str) -> PurePosixPath:
    """Return the one way to write a path: `./tls//web/` is `tls/web`, and `//tls` is `/tls`."""
    return PurePosixPath("/" + path.lstrip("/")) if path.startswith("/") else root / path


def _meet(some: frozenset[str], others: frozenset[str]) -> bool:
    """Whether one host may be meant by both: names may be short or full."""
    if not some or not others:
        return True
    names = {*some, *(host.partition(".")[0] for host in some)}
    return any(host in names or host.partition(".")[0] in some for host in others)


def _shared(first: Claim, second: Claim) -> Diagnostic:
    within = "" if first.path == second.path else f", which lies in {first.written}"
    summary = f"{second.claimant} has the directory {second.written}{within} of {first.claimant}"
    hint = f"give it a path of its own, or hosts of its own; the other is at {first.source}"
    return error(summary, second.source, hint=hint)
