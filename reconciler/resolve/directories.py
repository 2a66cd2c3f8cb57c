"""Directories of a host: each belongs to one Target, or to the Project's publications, alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from reconciler.diagnostics import Diagnostic, error
from reconciler.resolve.catalogue import Catalogue
from schemas.plan import Source


@dataclass(frozen=True, slots=True)
class Claim:
    """A directory that a document names; without hosts it is one of every host."""

    claimant: str
    path: str
    hosts: frozenset[str]
    source: Source


def check_directories(everything: Catalogue) -> Iterator[Diagnostic]:
    """Yield a finding for every directory that is claimed twice on one host."""
    claims: dict[str, list[Claim]] = {}
    for claim in _claims(everything):
        claims.setdefault(claim.path, []).append(claim)
    for same in claims.values():
        for first, second in combinations(same, 2):
            if _meet(first.hosts, second.hosts):
                yield _shared(first, second)


def _claims(everything: Catalogue) -> Iterator[Claim]:
    for project in everything.projects.entries.values():
        if project.spec.publish is not None:
            source = project.document.at("spec", "publish", "to", "directory")
            path = _normal(project.spec.publish.to.directory)
            yield Claim("what the Project publishes", path, frozenset(), source)
    for name, entry in everything.targets.entries.items():
        if (settings := entry.spec.local_directory) is not None:
            source = entry.document.at("spec", "local-directory", "path")
            hosts = frozenset(host.lower().rstrip(".") for host in settings.hosts)
            yield Claim(f"Target {name}", _normal(settings.path), hosts, source)


def _normal(path: str) -> str:
    """Return the one way to write a path: `./tls//web/` is `tls/web`."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return ("/" if path.startswith("/") else "") + "/".join(parts)


def _meet(some: frozenset[str], others: frozenset[str]) -> bool:
    """Whether one host may be meant by both: names may be short or full."""
    if not some or not others:
        return True
    names = {*some, *(host.partition(".")[0] for host in some)}
    return any(host in names or host.partition(".")[0] in some for host in others)


def _shared(first: Claim, second: Claim) -> Diagnostic:
    summary = f"{second.claimant} has the directory {second.path} of {first.claimant}"
    hint = f"give it a path of its own, or hosts of its own; the other is at {first.source}"
    return error(summary, second.source, hint=hint)
