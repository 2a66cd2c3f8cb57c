"""What must be true of a repository at every moment, and of one where certform ended well."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from rig import Repository, Runner

from reconciler.ledger.reader import read_ledger
from reconciler.ledger.records import LedgerState, Status
from schemas.project import LedgerSettings

TARGETS: Mapping[str, frozenset[str]] = {
    "edge": frozenset({"one", "two"}),
    "mesh": frozenset({"one", "three"}),
}
"""Which certificates are where once all is well."""
KEPT: Mapping[str, int] = {"edge": 2, "mesh": 1}
"""How many generations each target keeps."""
KEY_REFS = ("refs/certform/keys", "refs/certform/remote/keys")
AGE_FILE = b"age-encryption.org/v1"
PRIVATE_KEY = b"PRIVATE KEY-----"


def live_of(root: Path) -> Path:
    """Return where a repository's targets are; a clone has a link to those of its origin."""
    link = root / ".live"
    return link if link.exists() else root / "live"


@dataclass(frozen=True, slots=True)
class Sight:
    """What the world could see: the serials of certificates anywhere on disk, and CRL numbers."""

    serials: frozenset[int]
    crls: Mapping[str, int]


def look(root: Path) -> Sight:
    """Return what is visible now, hidden and half made folders as well."""
    live = live_of(root)
    certificates = [load(path) for path in live.rglob("cert.pem") if path.stat().st_size]
    crls = {path.name: crl(path).number for path in (live / "pki").glob("*.crl")}
    return Sight(frozenset(each.serial_number for each in certificates if each), crls)


def load(path: Path) -> x509.Certificate | None:
    """Return a certificate; None for one that was being written and that nobody was shown."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Published:
    number: int
    serials: frozenset[int]


def crl(path: Path) -> Published:
    """Return a published CRL's number and entries."""
    found = x509.load_der_x509_crl(path.read_bytes())
    number = found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    return Published(number, frozenset(entry.serial_number for entry in found))


def settings(root: Path) -> LedgerSettings:
    """Return where the Project says that the ledger is."""
    document = yaml.safe_load((root / "certform.yaml").read_text())
    return LedgerSettings.model_validate(document["spec"]["ledger"])


def ledger(root: Path) -> LedgerState:
    """Return the ledger as a reader sees it."""
    return read_ledger(root, settings(root))


def number(serial: str) -> int:
    """Return a serial of the ledger as a number."""
    return int(serial.replace(":", ""), 16)


def served(root: Path, complete: bool) -> Iterator[str]:
    """Yield what is wrong with what a server reads now; all of it must be there if `complete`."""
    for target, names in TARGETS.items():
        folder = live_of(root) / target
        shown = {path.name for path in folder.glob("[!.]*")} if folder.exists() else set()
        if complete and shown != names:
            yield f"{target} shows {sorted(shown)}"
        for name in sorted(shown):
            yield from unusable(folder / name / "current")


def unusable(current: Path) -> Iterator[str]:
    """Yield what keeps a server from using a pair: its files, the match, the chain by OpenSSL."""
    where = current.parent.relative_to(current.parents[2])
    try:
        key = load_pem_private_key((current / "privkey.pem").read_bytes(), None)
        leaf = x509.load_pem_x509_certificate((current / "fullchain.pem").read_bytes())
    except (OSError, ValueError) as error:
        yield f"{where}: {error}"
        return
    if key.public_key() != leaf.public_key():
        yield f"{where}: mixed pair"
    trust, chain = (str(current / name) for name in ("trust.pem", "chain.pem"))
    argv = ("openssl", "verify", "-x509_strict", "-CAfile", trust, "-untrusted", chain)
    done = subprocess.run(
        [*argv, current / "cert.pem"], check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        yield f"{where}: {done.stderr}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How it must end: serials issued per certificate, and those revoked."""

    issued: Mapping[str, int]
    revoked: frozenset[int] = frozenset()


Scenarios = Mapping[str, tuple[Repository, Wanted]]
"""Where to start from and how it must end, by what is done."""


def recovered(runner: Runner, repository: Repository, wanted: Wanted) -> list[str]:
    """Apply again, then plan: return what is still not as it must be."""
    seen = look(repository.root)
    again = runner.apply(repository)
    if again.status != 0:
        return [f"the next apply ended with {again.status}: {again.err}"]
    plan = runner.run(repository, "plan", "--detailed-exitcode")
    left = [] if plan.status == 0 else [f"the plan is not empty ({plan.status}): {plan.out}"]
    left += unsettled(repository.root, wanted, seen)
    return [*left, *keys_in(repository.temporary)]


def unsettled(root: Path, wanted: Wanted, seen: Sight) -> Iterator[str]:
    """Yield what is not as it must be when certform ended well, after a world that was `seen`."""
    yield from served(root, complete=True)
    state = ledger(root)
    now = look(root)
    known = {number(i.serial): i for r in state.certificates.values() for i in r.issuances}
    yield from (f"serial {s:x} is unrecorded" for s in (seen.serials | now.serials) - known.keys())
    for name, count in wanted.issued.items():
        issuances = state.certificates[name].issuances
        if len(issuances) != count:
            yield f"surplus: {name} has {[i.status for i in issuances]}, want {count}"
    for name, record in state.authorities.items():
        if [i.status for i in record.issuances] != [Status.ISSUED]:
            yield f"surplus: authority {name} has {[i.status for i in record.issuances]}"
    yield from crl_faults(root, state, wanted, seen)
    yield from left_over(root)
    yield from keys_in_git(root)


def crl_faults(root: Path, state: LedgerState, wanted: Wanted, seen: Sight) -> Iterator[str]:
    """Yield CRLs that went back, that the ledger does not know, or that lack a revocation."""
    files = {f"{name}-g{generation}.crl": r for (name, generation, _), r in state.crls.items()}
    if len(files) != 2:
        yield f"the ledger knows {sorted(files)}"
    for name, record in files.items():
        published = crl(live_of(root) / "pki" / name)
        if published.number != record.number or published.number < seen.crls.get(name, 0):
            yield f"{name} is number {published.number}, recorded {record.number}, seen {seen.crls}"
        revoked = wanted.revoked if name.startswith("issuing") else frozenset()
        if published.serials != revoked:
            yield f"{name} revokes {published.serials}"


def left_over(root: Path) -> Iterator[str]:
    """Yield what lies in targets and published folders beside what belongs there."""
    for target, names in TARGETS.items():
        folder = live_of(root) / target
        listed = {path.name for path in folder.iterdir()}
        if listed != {".certform-owner", *names}:
            yield f"{target} holds {sorted(listed)}"
        for name in names:
            yield from surplus_generations(folder / name, KEPT[target])
    published = {path.name for path in (live_of(root) / "pki").iterdir()}
    files = {f"{name}-g1.{kind}" for name in ("root", "issuing") for kind in ("crl", "crt")}
    if published != {".certform-owner", *files}:
        yield f"pki holds {sorted(published)}"


def surplus_generations(folder: Path, kept: int) -> Iterator[str]:
    """Yield what an object holds beside the newest generations, the shown one the newest of all."""
    held = {path.name for path in folder.iterdir()}
    generations = sorted(path.name for path in (folder / "generations").iterdir())
    shown = (folder / "current").readlink().name
    if held != {"current", "generations"} or generations[-1] != shown or len(generations) > kept:
        yield f"{folder.parent.name}/{folder.name} holds {held}, {generations}, shows {shown}"


def keys_in_git(root: Path) -> Iterator[str]:
    """Yield each leaf key that git still holds, and a lock that nobody holds any more."""
    refs = git(root, "for-each-ref", "--format=%(refname)").decode().split()
    yield from (f"{ref} is still there" for ref in (*KEY_REFS, "refs/certform/lock") if ref in refs)
    objects = git(root, "cat-file", "--batch-all-objects", "--batch", "--unordered")
    if (count := objects.count(b"\n" + AGE_FILE)) > 0:
        yield f"{count} bundles of leaf keys in the object store"
    if PRIVATE_KEY in objects:
        yield "a private key in the object store"
    yield from (f"a draft is left: {path}" for path in root.glob(".git/objects/??/tmp_obj_*"))


def keys_in(folder: Path) -> Iterator[str]:
    """Yield files below a folder that hold a key."""
    for path in folder.rglob("*"):
        if path.is_file() and PRIVATE_KEY in path.read_bytes():
            yield f"{path.name} holds a key"


def git(root: Path, *argv: str) -> bytes:
    """Return the output of git."""
    return subprocess.run(["git", *argv], cwd=root, check=True, capture_output=True).stdout


def summary(what: str, found: Sequence[Sequence[str]]) -> str:
    """Return the one line that tells how a sweep went."""
    every = [problem for problems in found for problem in problems]
    counts = (
        ("keys lost", ("mixed pair", "No such file")),
        ("surplus", ("surplus",)),
        ("unrecorded", ("unrecorded",)),
    )
    told = ", ".join(
        f"{sum(any(sign in problem for sign in signs) for problem in every)} {name}"
        for name, signs in counts
    )
    return f"{what}: {found.count([])} of {len(found)} converge, {told}"
