"""System calls by which a run changes the disk: where they are, and what was told of those that failed."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import rig
from rig import Ended, Repository, Runner

WRITES = ("fsync", "syncfs", "rename", "renameat", "unlink", "unlinkat", "mkdirat", "symlinkat")
"""What changes the disk; the creation of files is found among all calls of openat."""
CALL = re.compile(r"^(\d+ +)?(\w+)\(.*", re.MULTILINE)
ERRORS = {
    "write": ("ENOSPC", "EIO"),
    "fsync": ("EIO",),
    "syncfs": ("EIO", "ENOSPC"),
    "openat": ("ENOSPC", "EROFS"),
    "rename": ("ENOSPC", "EIO"),
    "renameat": ("ENOSPC", "EIO"),
    "mkdirat": ("ENOSPC",),
    "unlinkat": ("EIO",),
}
PER_CALL = 3
Changes = Mapping[str, Sequence[int]]
"""The counts at which each system call changes the disk."""


def counted(runner: Runner, repository: Repository) -> Changes:
    """Apply, and return the counts at which certform's own process changes the disk, by system call."""
    log = repository.temporary.parent / "strace"
    options = ["-o", str(log), "-e", f"trace=openat,write,{','.join(WRITES)}"]
    assert runner.apply(repository, strace=options).status == 0
    return _changes(log.read_text())


def _changes(log: str) -> Changes:
    """Return the count of each call that changes the disk, by its name."""
    seen: dict[str, int] = {}
    changes: dict[str, list[int]] = {}
    for match in CALL.finditer(log):
        name = match[2]
        seen[name] = seen.get(name, 0) + 1
        reads = name == "openat" and "O_CREAT" not in match[0]
        if not reads and not (name == "write" and re.search(r"write\([12],", match[0])):
            changes.setdefault(name, []).append(seen[name])
    return changes


def _spread(counts: Sequence[int], wanted: int) -> Sequence[int]:
    """Return some of the counts, evenly spread, the first and the last among them."""
    if len(counts) <= wanted:
        return counts
    return sorted({counts[round(k * (len(counts) - 1) / (wanted - 1))] for k in range(wanted)})


def mostly(hit: Sequence[bool], share: float = 0.9) -> bool:
    """Whether nearly all faults happened: the number of files that Python opens varies a little."""
    return sum(hit) >= share * len(hit)


def points(calls: Changes, names: Iterable[str], per_call: int = PER_CALL) -> list[tuple[str, int]]:
    """Return (name, count) of some changes of each call, evenly spread: of all in a full sweep."""
    limit = 10**6 if rig.FULL else per_call
    return [(name, at) for name in names for at in _spread(calls.get(name, []), limit)]


def unclear(ended: Ended) -> Iterator[str]:
    """Yield what is wrong with how a failed run told about it."""
    if "met a bug" in ended.err or "Traceback" in ended.err + ended.out:
        yield f"no diagnostic: {ended.err}"
    if ended.status not in (0, 1, 3, 4):
        yield f"ended with {ended.status}: {ended.err}"
