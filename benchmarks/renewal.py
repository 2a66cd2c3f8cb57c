"""What a kill in the midst of a renewal costs: certform and others at one Pebble, by the same rule.

Each program is killed (SIGKILL, by strace) at as many points, evenly spread over its own sequence of calls
that change files or go over the network. A reader looks at once; then comes the run of the next night,
and where the new certificate is not in use then, one more renewal that is forced.
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import renewers
from acme_estate import AcmeEstate
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from measurement import scratch, show
from pebble import Pebble
from renewers import Renewer
from rig import Runner

POINTS = int(os.environ.get("BENCHMARK_POINTS", "30"))
TRIES = 3
CALLS = (
    *("openat", "write", "sendto", "sendmsg", "connect", "rename", "renameat", "renameat2"),
    *("unlink", "unlinkat", "symlink", "symlinkat", "link", "linkat", "mkdir", "mkdirat", "rmdir"),
    *("chmod", "fchmod", "fchmodat", "ftruncate", "fsync", "fdatasync", "syncfs"),
)
SYNCS = ("fsync", "fdatasync", "syncfs", "sync", "msync", "sync_file_range")
PACE = 20_000
"""Microseconds for which each call of a program with threads is held, so that it does not outrun us."""
_CALL = re.compile(r"^(?:\d+ +)?(?P<name>\w+)\((?P<rest>.*)$")
_WRITES = re.compile(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)")
_BYPATHS = re.compile(r"/dev/|/logs/|certbot-log|<pipe:|<anon_inode|/var/run/nscd")


@dataclass(frozen=True, slots=True)
class Sight:
    """What a reader finds: `state` is consistent, missing or mixed."""

    state: str
    serial: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One kill: what a reader saw then and in the end, and what the CA was asked for in all."""

    killed: bool
    then: Sight
    after: Sight
    end: Sight
    orders: int
    issued: frozenset[int]

    @property
    def healed(self) -> bool:
        """Whether the next run left a pair that can be used."""
        return self.after.state == "consistent"

    @property
    def stranded(self) -> int:
        """How many certificates the CA has issued that no reader was ever shown."""
        return len(self.issued - {sight.serial for sight in (self.then, self.after, self.end)})


@dataclass(frozen=True, slots=True)
class Account:
    """What one program did at all points."""

    name: str
    calls: int
    syncs: int
    outcomes: Sequence[Outcome]

    def count(self, what: Callable[[Outcome], int]) -> int:
        """Add up something over all kills."""
        return sum(what(outcome) for outcome in self.outcomes)


def look(renewer: Renewer) -> Sight:
    """Read the pair as a server does: every file there, and all of one key."""
    try:
        key = load_pem_private_key(renewer.key.read_bytes(), None)
        found = [x509.load_pem_x509_certificate(chain.read_bytes()) for chain in renewer.chains]
    except (OSError, ValueError):
        return Sight("missing")
    if len(set(found)) > 1 or key.public_key() != found[0].public_key():
        return Sight("mixed")
    return Sight("consistent", found[0].serial_number)


def changing(line: str) -> str | None:
    """Return which call a line of strace is of, where it changes a file or goes over the network."""
    call = _CALL.match(line)
    if call is None or (" = -1 E" in line and "EINPROGRESS" not in line) or _BYPATHS.search(line):
        return None
    name, rest = call["name"], call["rest"]
    if name == "openat" and not _WRITES.search(rest):
        return None
    if name == "write" and re.match(r"[12]<", rest):
        return None
    return name


def spread(found: Sequence[tuple[str, int]]) -> list[tuple[int, str, int]]:
    """Return (position, call, count) for some of the calls, evenly spread, first and last among them."""
    last = max(1, min(POINTS, len(found)) - 1)
    places = sorted({round(k * (len(found) - 1) / last) for k in range(last + 1)})
    return [(place, *found[place]) for place in places]


def sequence(renewer: Renewer, log: Path) -> list[tuple[str, int]]:
    """Renew under strace, and return which calls change something: each as its name and count."""
    watch = ["strace", "-y", "-s", "8", "-o", str(log), "-e", f"trace={','.join(CALLS)}"]
    assert renewer.run(renewer.renew, [*watch, *(["-f"] if renewer.threads else [])]) == 0
    seen: dict[str, int] = {}
    found = []
    for line in log.read_text(errors="replace").splitlines():
        if (call := _CALL.match(line)) is not None:
            seen[call["name"]] = seen.get(call["name"], 0) + 1
            if name := changing(line):
                found.append((name, seen[name]))
    return found


def syncs(renewer: Renewer, log: Path) -> int:
    """Renew once more, and return how often it or a child had something made durable."""
    watch = ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={','.join(SYNCS)}"]
    assert renewer.run(renewer.renew, watch) == 0
    return sum(f"{name}(" in line for line in log.read_text().splitlines() for name in SYNCS)


def strike(renewer: Renewer, place: int, name: str, at: int) -> bool:
    """Renew, killed as a call begins; return whether it was."""
    if renewer.threads:
        return _strike_threads(renewer, place)
    kill = ["-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={at}"]
    return renewer.run(renewer.renew, ["strace", "-qq", "-o", os.devnull, *kill]) == -signal.SIGKILL


def _strike_threads(renewer: Renewer, place: int) -> bool:
    """Count the calls of all threads as they begin, and kill the program before the last one is done."""
    ours, theirs = os.pipe()
    names = ",".join(CALLS)
    watch = ["strace", "-f", "-y", "-s", "8", "-qq", "-o", f"/dev/fd/{theirs}"]
    slow = ["-e", f"trace={names}", "-e", f"inject={names}:delay_enter={PACE}"]
    with subprocess.Popen(
        [*watch, *slow, *renewer.renew],
        env=renewer.environment,
        pass_fds=[theirs],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(theirs)
        told = b""
        while part := os.read(ours, 65536):
            told += part
            lines = told.decode(errors="replace").splitlines()
            if sum(changing(line) is not None for line in lines) > place:
                os.killpg(process.pid, signal.SIGKILL)
                break
        os.close(ours)
    return process.returncode == -signal.SIGKILL


def trial(renewer: Renewer, pebble: Pebble, point: tuple[int, str, int]) -> Outcome:
    """Kill one renewal, and see what becomes of it."""
    old, before = look(renewer), pebble.log
    killed = strike(renewer, *point)
    then = look(renewer)
    renewer.run(renewer.pass_by)
    after = look(renewer)
    if after.serial in (None, old.serial):
        renewer.run(renewer.renew)
    told = pebble.log[len(before) :]
    issued = re.findall(r"Issued certificate serial (\w+)", told)
    return Outcome(
        killed,
        then,
        after,
        look(renewer),
        len(re.findall(r"Added order ", told)),
        frozenset(int(serial, 16) for serial in issued),
    )


def account(renewer: Renewer, pebble: Pebble, folder: Path) -> Account:
    """Kill one program at all its points, each time from the same state."""
    log, kept = folder / f"{renewer.name}.strace", folder / f"{renewer.name}.kept"
    assert renewer.run(renewer.begin) == 0
    shutil.copytree(renewer.state, kept, symlinks=True)
    synced = syncs(_restored(renewer, kept), log)
    found = sequence(_restored(renewer, kept), log)
    outcomes = [_tried(renewer, kept, pebble, point) for point in spread(found)]
    return Account(renewer.name, len(found), synced, outcomes)


def _tried(renewer: Renewer, kept: Path, pebble: Pebble, point: tuple[int, str, int]) -> Outcome:
    """Kill at one point; now and then a run makes a call less than another, and is tried again."""
    for _ in range(TRIES - 1):
        if (outcome := trial(_restored(renewer, kept), pebble, point)).killed:
            return outcome
    return trial(_restored(renewer, kept), pebble, point)


def _restored(renewer: Renewer, kept: Path) -> Renewer:
    """Put a program's state back, and return it."""
    shutil.rmtree(renewer.state)
    shutil.copytree(kept, renewer.state, symlinks=True)
    return renewer


COUNTS: Sequence[tuple[str, Callable[[Outcome], int]]] = (
    ("killed", lambda o: o.killed),
    ("at once: consistent pair", lambda o: o.then.state == "consistent"),
    ("at once: a file missing or half written", lambda o: o.then.state == "missing"),
    ("at once: key and certificate of two pairs", lambda o: o.then.state == "mixed"),
    ("after the next run: a pair that can be used", lambda o: o.healed),
    ("after one more renewal: the new certificate in use", lambda o: o.end.serial in o.issued),
    ("a certificate issued that nobody was ever shown", lambda o: o.stranded > 0),
)
USED: Sequence[tuple[str, Callable[[Outcome], int]]] = (
    ("orders", lambda o: o.orders),
    ("certificates", lambda o: len(o.issued)),
)


def rows(accounts: Sequence[Account]) -> Iterator[tuple[str, ...]]:
    """Yield what was counted, one column a program."""
    for words, what in COUNTS:
        yield (words, *(f"{a.count(what)} of {len(a.outcomes)}" for a in accounts))
    for words, what in USED:
        used = [(a.count(what), len(a.outcomes)) for a in accounts]
        yield (f"{words} used, needed = 1", *(f"{n}, {n / needed:.2f}" for n, needed in used))
    yield ("calls in its sequence", *(f"{a.calls}" for a in accounts))
    yield ("fsync and its like, one renewal", *(f"{a.syncs}" for a in accounts))


def main() -> None:
    """Kill each program that is installed."""
    with scratch() as name:
        folder, runner = Path(name), Runner()
        webroot = folder / "webroot"
        webroot.mkdir()
        trusting = {"PEBBLE_VA_ALWAYS_VALID": "1"}
        with AcmeEstate.founded(runner, folder / "certform", trusting) as estate:
            pebble = estate.pebble
            made: Iterable[Renewer] = (
                renewers.certform(estate, webroot),
                renewers.certbot(pebble, folder / "certbot", webroot),
                renewers.lego(pebble, folder / "lego", webroot),
            )
            there = [renewer for renewer in made if shutil.which(renewer.begin[0])]
            accounts = [account(renewer, pebble, folder) for renewer in there]
        runner.stop()
    head = ("", *(account.name for account in accounts))
    show(f"A renewal killed at {POINTS} points", head, rows(accounts))


if __name__ == "__main__":
    main()
