"""What must be true of a repository at every moment, and of one where certform ended well."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from rig import Repository, Runner

from reconciler.ledger.reader import read_ledger
from reconciler.ledger.records import Issuance, LedgerState, Status
from schemas.project import LedgerSettings

TARGETS: Mapping[str, frozenset[str]] = {
    "edge": frozenset({"one", "two"}),
    "mesh": frozenset({"one", "three"}),
}
"""Which certificates are where once all is well."""
BUNDLE = "corp"
"""What the anchors are called that each target holds as well, where documents have a bundle."""
KEPT: Mapping[str, int] = {"edge": 2, "mesh": 1}
"""How many generations each target keeps."""
KEY_REFS = ("refs/certform/keys", "refs/certform/remote/keys")
AGE_FILE = b"age-encryption.org/v1"
PRIVATE_KEY = b"PRIVATE KEY-----"


def live_of(root: Path) -> Path:
    """Return where a repository's targets are; a clone has a link to those of its origin."""
    link = root / ".live"
    return link if link.exists() else root / "live"


def names_in(root: Path, target: str) -> frozenset[str]:
    """Return what a target shows once all is well."""
    trusts = (root / "config/bundles.yaml").exists()
    return TARGETS[target] | ({BUNDLE} if trusts else frozenset())


@dataclass(frozen=True, slots=True)
class Sight:
    """What the world could see: the serials of certificates anywhere on disk, and CRL numbers."""

    serials: frozenset[int]
    crls: Mapping[str, int]


def look(root: Path) -> Sight:
    """Return what is visible now, hidden and half made folders as well."""
    live = live_of(root)
    found = [loaded(path) for path in live.rglob("*.pem") if path.name != "privkey.pem"]
    found += [[x509.load_der_x509_certificate(p.read_bytes())] for p in live.glob("pki/*.crt")]
    crls = {path.name: crl(path).number for path in (live / "pki").glob("*.crl")}
    return Sight(frozenset(each.serial_number for many in found for each in many), crls)


def load(path: Path) -> x509.Certificate | None:
    """Return the first certificate of a file; None where there is none, or half of one."""
    return next(iter(loaded(path)), None)


def loaded(path: Path) -> list[x509.Certificate]:
    """Return the certificates of a file; none of one that was being written and that nobody was shown."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except ValueError:
        return []


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
    for target in TARGETS:
        folder, names = live_of(root) / target, names_in(root, target)
        shown = {path.name for path in folder.glob("[!.]*")} if folder.exists() else set()
        if complete and shown != names:
            yield f"{target} shows {sorted(shown)}"
        for name in sorted(shown - {BUNDLE}):
            yield from unusable(folder / name / "current")
        if BUNDLE in shown and not loaded(folder / BUNDLE / "current/ca-certificates.pem"):
            yield f"{target} shows no anchors"


def unusable(current: Path, anchors: Path | None = None) -> Iterator[str]:
    """Yield what keeps a server from using a pair: its files, the match, the chain by OpenSSL.

    `anchors` are in the place of those that lie beside the pair.
    """
    where = current.parent.relative_to(current.parents[2])
    try:
        key = load_pem_private_key((current / "privkey.pem").read_bytes(), None)
        leaf = x509.load_pem_x509_certificate((current / "fullchain.pem").read_bytes())
    except (OSError, ValueError) as error:
        yield f"{where}: {error}"
        return
    if key.public_key() != leaf.public_key():
        yield f"{where}: mixed pair"
    trust, chain = str(anchors or current / "trust.pem"), str(current / "chain.pem")
    argv = ("openssl", "verify", "-x509_strict", "-CAfile", trust, "-untrusted", chain)
    done = subprocess.run(
        [*argv, current / "cert.pem"], check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        yield f"{where}: {done.stderr}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How it must end: serials issued per certificate and CA, those revoked, lists, anchors and responses."""

    issued: Mapping[str, int]
    revoked: frozenset[int] = frozenset()
    authorities: Mapping[str, int] = field(default_factory=lambda: {"root": 1, "issuing": 1})
    lists: frozenset[str] = frozenset({"root-g1", "issuing-g1"})
    anchors: frozenset[str] = frozenset()
    """The roots in each bundle, by name and generation."""
    trees: Mapping[str, int] = field(default_factory=dict)
    """How many responses a generation of a CA has."""


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
    known = {number(each.serial): each for each in issuances(state)}
    yield from (f"serial {s:x} is unrecorded" for s in (seen.serials | now.serials) - known.keys())
    for name, count in {**wanted.issued, **wanted.authorities}.items():
        record = state.authorities.get(name) or state.certificates[name]
        found = [i.status for i in record.issuances]
        if len(found) != count or not set(found) <= {Status.ISSUED, Status.REVOKED}:
            yield f"surplus: {name} has {found}, want {count}"
    revoked = {key for key, each in known.items() if each.status is Status.REVOKED}
    if revoked != wanted.revoked:
        yield f"revoked are {revoked}, want {wanted.revoked}"
    yield from crl_faults(root, state, wanted, seen)
    yield from left_over(root, wanted)
    yield from keys_in_git(root)


def issuances(state: LedgerState) -> Iterator[Issuance]:
    """Yield every serial that the ledger knows, of leaves and CAs."""
    for certificate in state.certificates.values():
        yield from certificate.issuances
    for authority in state.authorities.values():
        yield from authority.issuances


def crl_faults(root: Path, state: LedgerState, wanted: Wanted, seen: Sight) -> Iterator[str]:
    """Yield CRLs that went back, that the ledger does not know, or that lack a revocation."""
    files = {f"{name}-g{generation}": r for (name, generation, _), r in state.crls.items()}
    if files.keys() != wanted.lists:
        yield f"the ledger knows {sorted(files)}"
    for name, record in files.items():
        published, file = crl(live_of(root) / "pki" / f"{name}.crl"), f"{name}.crl"
        if published.number != record.number or published.number < seen.crls.get(file, 0):
            yield f"{file} is number {published.number}, recorded {record.number}, seen {seen.crls}"
        below = {number(i.serial) for i in issuances(state) if signer(i) == name}
        if published.serials != wanted.revoked & below:
            yield f"{file} revokes {published.serials}"


def signer(issuance: Issuance) -> str:
    """Return whose list a certificate would be in; nobody's, when it is self-signed."""
    request = issuance.request
    return f"{request.issuer}-g{request.issuer_generation}" if request.issuer else ""


def left_over(root: Path, wanted: Wanted) -> Iterator[str]:
    """Yield what lies in targets and published folders beside what belongs there."""
    for target in TARGETS:
        folder, names = live_of(root) / target, names_in(root, target)
        listed = {path.name for path in folder.iterdir()}
        if listed != {".certform-owner", *names}:
            yield f"{target} holds {sorted(listed)}"
        for name in names:
            yield from surplus_generations(folder / name, KEPT[target])
    published = {path.name for path in (live_of(root) / "pki").iterdir()}
    files = {f"{name}.{kind}" for name in wanted.lists for kind in ("crl", "crt")}
    if published != {".certform-owner", *files, *(["ocsp"] if wanted.trees else [])}:
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
