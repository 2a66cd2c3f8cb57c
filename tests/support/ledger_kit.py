"""A repository that has a ledger, and records to put into it."""

import base64
import subprocess
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from providers.sops.binary import Sops
from reconciler.ledger.journal import Access, LedgerJournal, open_journal
from reconciler.ledger.lock import Patience
from reconciler.ledger.reader import read_ledger
from reconciler.ledger.records import CertificateRecord, Issuance, LedgerState, Status
from schemas.certificate import Algorithm, Custody, Usage
from schemas.project import LedgerSettings
from schemas.request import KeyType, LeafRequest

NOW = datetime(2026, 11, 23, 2, 41, tzinfo=UTC)
QUICK = Patience(timeout=0, poll=0.01, ttl=300)


def run_git(directory: Path, *argv: str, check: bool = True) -> str:
    done = subprocess.run(
        ["git", *argv], cwd=directory, check=False, capture_output=True, text=True
    )
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.strip()


def make_repository(directory: Path) -> Path:
    directory.mkdir(parents=True)
    run_git(directory, "init", "--quiet", "--initial-branch=main")
    (directory / "certform.yaml").write_text("kind: Project\n")
    run_git(directory, "add", ".")
    identity = ("-c", "user.name=Test", "-c", "user.email=test@localhost")
    for message in ("begin", "go on"):
        run_git(directory, *identity, "commit", "--quiet", "--allow-empty", "-m", message)
    return directory


def issuance(serial: str, status: Status = Status.ISSUED, **changes: object) -> Issuance:
    made = Issuance(
        serial=serial,
        status=status,
        request=LeafRequest(
            issuer="services",
            issuer_generation=1,
            dns_names=("web.example.com",),
            usages=(Usage.SERVER_AUTH,),
            key=KeyType(algorithm=Algorithm.ECDSA, size=256),
            duration=7_776_000,
        ),
        digest="0123456789abcdef0123456789abcdef",
        not_before=NOW,
        not_after=NOW + timedelta(days=90),
        spki="c3BraQ==",
        custody=Custody.UNTIL_INSTALLED,
        reserved_at=NOW,
    )
    return made.model_copy(update=changes)


def certificate(name: str, *issuances: Issuance) -> CertificateRecord:
    return CertificateRecord(name=name, issuances=issuances or (issuance("1f"),))


def every_object(directory: Path) -> dict[str, bytes]:
    """Return the content of every object in the store, reachable or not, by id."""
    listing = run_git(directory, "cat-file", "--batch-all-objects", "--batch-check")
    ids = [line.split()[0] for line in listing.splitlines()]
    kinds = [line.split()[1] for line in listing.splitlines()]
    return {
        oid: subprocess.run(
            ["git", "cat-file", kind, oid], cwd=directory, check=True, capture_output=True
        ).stdout
        for oid, kind in zip(ids, kinds, strict=True)
    }


@dataclass(frozen=True)
class Site:
    """One clone, and what its Project says of the ledger."""

    path: Path
    settings: LedgerSettings

    @property
    def home(self) -> Path:
        """The repository the ledger lives in."""
        origin = run_git(self.path, "remote", "get-url", "origin", check=False)
        return self.path.parent / "origin.git" if origin else self.path

    def journal(
        self, patience: Patience = QUICK, now: datetime = NOW
    ) -> AbstractContextManager[LedgerJournal]:
        return open_journal(self.path, self.settings, Access(Sops(), lambda: now, patience))

    def read(self) -> LedgerState:
        return read_ledger(self.path, self.settings)

    def clone(self, directory: Path, *options: str) -> "Site":
        origin = run_git(self.path, "remote", "get-url", "origin")
        run_git(directory.parent, "clone", "--quiet", *options, f"file://{origin}", str(directory))
        return replace(self, path=directory)


def der(text: str) -> bytes:
    """Return bytes that stand for a private key and are easily found again."""
    return b"0\x82 private " + base64.b64encode(text.encode()) + b" key \x00\xff"
