"""Known keys, in every form they could take, searched for wherever a run leaves or shows anything."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import judge
import pytest
from canaries import forms, hits, left_behind
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key
from rig import Repository, Runner, Workshop

from providers.sops.binary import Sops
from providers.sops.identity import make_identity
from reconciler.ledger import keyring, layout

Canaries = Callable[[Repository], dict[str, bytes]]


@pytest.fixture
def canaries(monkeypatch: pytest.MonkeyPatch) -> Canaries:
    """Return every secret of a repository once certform has filled it, in all their forms."""

    def gather(repository: Repository) -> dict[str, bytes]:
        monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(repository.identity))
        found: dict[str, bytes] = {}
        for path in repository.root.glob("live/*/*/current/privkey.pem"):
            found |= forms(
                "/".join(path.parts[-4:-2]), load_pem_private_key(path.read_bytes(), None)
            )
        for name in judge.ledger(repository.root).authorities:
            opened = Sops().decrypt(stored(repository, layout.authority_key_path(name, 1)))
            found |= forms(name, load_der_private_key(opened.reveal(), None))
        state = judge.ledger(repository.root)
        sealed = stored(repository, layout.KEYRING)
        ring = keyring.opened(sealed, state.lineage, Sops())
        found |= forms("ledger key", ring.signing_key)
        found["leaf identity"] = str(ring.leaf_identity).encode()
        identity = re.search(rb"AGE-SECRET-KEY-\w+", repository.identity.read_bytes())
        assert identity is not None
        found["age identity"] = identity[0]
        return found

    return gather


def stored(repository: Repository, path: str) -> bytes:
    return judge.git(repository.root, "cat-file", "blob", f"certform/ledger:{path}")


def watched(repository: Repository, *argv: str) -> dict[str, bytes]:
    """Run the installed program and return what others could see meanwhile, and its output."""
    program = Path(sys.executable).with_name("certform")
    beside = repository.temporary.parent
    seen: dict[str, bytes] = {}
    with (beside / "out").open("wb") as out, (beside / "err").open("wb") as err:
        run = subprocess.Popen(
            [program, *argv],
            cwd=repository.root,
            env=repository.environment,
            stdout=out,
            stderr=err,
        )
        while run.poll() is None:
            for pid in family(run.pid):
                note(seen, f"/proc/{pid}", ("cmdline", "environ"))
            for path in repository.temporary.rglob("*"):
                note(seen, str(path.parent), (path.name,))
            time.sleep(0.001)
    assert run.returncode == 0, (beside / "err").read_text()
    words = " ".join(argv)
    return seen | {
        f"stdout of {words}": (beside / "out").read_bytes(),
        f"stderr of {words}": (beside / "err").read_bytes(),
    }


def family(pid: int) -> list[int]:
    """Return a process and all below it."""
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(each for child in below for each in family(int(child)))]


def note(seen: dict[str, bytes], folder: str, names: Iterable[str]) -> None:
    """Remember what can be read this moment; a process may be another program by the next."""
    for name in names:
        try:
            data = Path(folder, name).read_bytes()
        except OSError:
            continue
        place = f"{folder}/{name}"
        if data not in seen.get(place, b""):
            seen[place] = seen.get(place, b"") + data


def test_no_key_is_seen_outside_its_place(
    empty: Repository, canaries: Canaries, tell: Callable[[str], None], tmp_path: Path
) -> None:
    with empty.copied(tmp_path / "leaks") as repository:
        surfaces: dict[str, bytes] = {}
        for form in ("text", "json", "markdown"):
            surfaces |= watched(repository, "plan", "--format", form, "--out", f"{form}.json")
        surfaces |= watched(repository, "apply", "--auto-approve")
        surfaces |= watched(repository, "plan", "--out", "after.json")
        document = repository.root / "certform.yaml"
        second = f"}}, {{age: {make_identity(tmp_path / 'second.txt')}}}]"
        document.write_text(document.read_text().replace("}]", second, 1))
        surfaces |= watched(repository, "apply", "keyring", "authority/root", "--auto-approve")
        surfaces |= left_behind(repository)
        secrets = canaries(repository)
        processes = {place.split("/")[2] for place in surfaces if place.startswith("/proc/")}
        assert len(processes) > 20, "the programs that certform starts were not seen"
        found = list(hits(secrets, surfaces))
        tell(
            f"leaks: {len(found)} of {len(secrets)} canaries on {len(surfaces)} surfaces,"
            f" {len(processes)} processes among them"
        )
        assert found == []


def test_keys_in_targets_are_found_by_the_same_search_and_readable_by_their_owner_alone(
    empty: Repository, workshop: Workshop, canaries: Canaries, tmp_path: Path
) -> None:
    with empty.copied(tmp_path / "modes") as repository:
        assert workshop.runner.apply(repository).status == 0
        files = [path for path in repository.root.rglob("*") if path.is_file()]
        secrets = canaries(repository)
        holding = {path for path in files if list(hits(secrets, {"": path.read_bytes()}))}
        assert holding == {path for path in files if path.name == "privkey.pem"}
        assert {path.stat().st_mode & 0o077 for path in holding} == {0}


def test_no_failure_tells_a_key(
    workshop: Workshop,
    empty: Repository,
    canaries: Canaries,
    tell: Callable[[str], None],
    tmp_path: Path,
) -> None:
    log = tmp_path / "points"
    with empty.copied(tmp_path / "points-of") as repository:
        workshop.runner.apply(repository, CERTFORM_FAILPOINT_LOG=str(log))
    points = sorted(set(log.read_text().split()))

    def trial(runner: Runner, repository: Repository, point: str) -> tuple[list[str], int]:
        first = runner.apply(repository, CERTFORM_FAILPOINT=f"{point}:1:raise")
        # what a failure leaves behind is searched too, before the next run clears it away
        surfaces = {f"{point}, {place}": c for place, c in left_behind(repository).items()}
        then = runner.apply(repository)
        outputs = {"out": first.out, "err": first.err, "then out": then.out, "then err": then.err}
        surfaces |= {f"{point}, {name}": text.encode() for name, text in outputs.items()}
        return list(hits(canaries(repository), surfaces)), len(surfaces)

    results = workshop.sweep(empty, points, trial)
    found = [leak for leaks, _ in results for leak in leaks]
    searched = sum(count for _, count in results)
    tell(f"leaks after {len(points)} injected failures: {len(found)} on {searched} surfaces")
    assert found == []
