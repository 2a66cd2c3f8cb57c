"""OCSP responses for many certificates: signed, written, switched, and what a plan that finds them costs.

The same repository is measured with CRLs alone, then with responses beside them.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from answers import NAME, delegated
from key_kinds import KINDS, P256
from measurement import Cost, measure, median, scratch, seconds, show
from mint import Mint
from repository import Repository, make_repository

from providers import x509
from providers.base import Tree
from providers.local.location import Location
from providers.local.publisher import DirectoryPublisher
from providers.x509.ocsp import Freshness, read_responses, sign_responses
from schemas.request import KeyType

Result = TypeVar("Result")
CERTIFICATES = 10_000
RUNS = 5


def certform(folder: Path) -> tuple[dict[str, Cost], Path]:
    """Return what applies and plans cost without responses and with them, and where these are."""
    made = make_repository(folder / "certificates", CERTIFICATES)
    public = folder / "public"
    project = made.root / "certform.yaml"
    publish = f"  publish: {{to: {{directory: {public}}}, baseURL: 'http://pki.example.com'}}\n"
    project.write_text(project.read_text() + publish)
    made.run("apply", "--auto-approve")
    found = {"plan, CRLs alone": _plan(made)}
    documents = made.root / "authorities/internal.yaml"
    documents.write_text(documents.read_text() + "  ocsp: {}\n")
    found["apply, all responses"] = measure(
        made.command("apply", "--auto-approve"), made.environment
    )
    found["plan, CRLs and responses"] = _plan(made)
    return found, public / "ocsp/internal-g1"


def _plan(made: Repository) -> Cost:
    return median(RUNS, lambda: measure(made.command("plan"), made.environment))


def parts(folder: Path, kind: KeyType) -> list[tuple[str, float]]:
    """Return the seconds that each part takes in this process (signing: in one a processor)."""
    mint = Mint()
    issuing = mint.authority("services", kind)
    now = datetime.now(UTC).replace(microsecond=0)
    statuses: dict[str, x509.CrlEntry | None] = {
        x509.new_serial(): None for _ in range(CERTIFICATES)
    }
    responder, freshness = delegated(issuing, now), Freshness(now, now + timedelta(days=4))
    publisher = DirectoryPublisher(Location.of(folder, f"{kind.algorithm}"), "benchmark")
    signing, files = _timed(
        lambda: sign_responses(statuses, issuing.authority, responder, freshness)
    )
    tree = Tree(NAME, files)
    writing, _ = _timed(lambda: publisher.publish_tree(tree))
    again, _ = _timed(lambda: publisher.publish_tree(tree))
    reading, found = _timed(lambda: publisher.tree(NAME))
    judging, _ = _timed(lambda: (found and found.digest, read_responses(files.values())))
    return [
        (f"sign, {kind} responder's CA", signing),
        ("write and switch, the first", writing),
        ("write and switch, beside the one before", again),
        ("read back", reading),
        ("digest, and what they tell", judging),
    ]


def _timed(work: Callable[[], Result]) -> tuple[float, Result]:
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


def main() -> None:
    """Measure the parts, then whole commands."""
    with scratch() as name:
        folder = Path(name)
        rows = [row for kind in (P256, KINDS[0]) for row in parts(folder, kind)]
        show(
            f"Parts, {CERTIFICATES:,} responses, {os.cpu_count()} processors",
            ("", "wall"),
            [(words, seconds(spent)) for words, spent in rows],
        )
        costs, tree = certform(folder)
        files = list(tree.rglob("*"))
        size = sum(path.stat().st_size for path in files if path.is_file())
        folders = sum(path.is_dir() for path in files)
    show(
        f"Commands, {CERTIFICATES:,} certificates",
        ("", "wall", "processor", "memory"),
        [
            (words, seconds(c.wall), seconds(c.processor), f"{c.memory:.0f} MB")
            for words, c in costs.items()
        ],
    )
    print(f"\n{len(files) - folders:,} files in {folders:,} folders, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
