"""Whoever relies on what is served: by the bundles, lists and responses that are there at that moment."""

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import judge
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from judge import BUNDLE, Wanted, live_of

from reconciler.ledger.records import Status

Told = Mapping[int, ocsp.OCSPCertStatus]
"""What a tree of responses says of each serial."""


@dataclass(frozen=True, slots=True)
class View:
    """What there was to rely on at a moment: the numbers of lists, and what each tree of responses told."""

    crls: Mapping[str, int]
    trees: Mapping[str, Told]

    @classmethod
    def of(cls, root: Path) -> "View":
        """Return what there is to rely on now."""
        trees = {name: told for name, (told, _) in _trees(root).items()}
        return cls(judge.look(root).crls, trees)


def troubles(root: Path, before: View, *, listed: bool = True) -> Iterator[str]:
    """Yield what somebody meets who relies on what is there now, after a view of `before`.

    Without `listed` nobody asks for lists: one that could not be published holds back no certificate.
    """
    yield from refused(root, listed=listed)
    yield from revoked_and_served(root)
    yield from mixed(root, before)
    for name, number in judge.look(root).crls.items():
        if number < before.crls.get(name, 0):
            yield f"{name} went back to {number}"


def refused(root: Path, *, listed: bool) -> Iterator[str]:
    """Yield each chain in a place that OpenSSL refuses, by any bundle and by all lists as they are now."""
    live = live_of(root)
    bundles = sorted(live.glob(f"*/{BUNDLE}/current/ca-certificates.pem"))
    lists = live / "lists.pem"  # nobody's place: it is gone again below
    crls = [x509.load_der_x509_crl(path.read_bytes()) for path in live.glob("pki/*.crl")]
    lists.write_bytes(b"".join(crl.public_bytes(Encoding.PEM) for crl in crls))
    for bundle, pair in product(bundles, _pairs(root)):
        argv: list[str | Path] = [
            "openssl",
            "verify",
            "-x509_strict",
            "-no-CApath",
            "-no-CAstore",
            "-CAfile",
            bundle,
        ]
        argv += ["-untrusted", pair / "chain.pem"]
        argv += ["-crl_check_all", "-CRLfile", lists] if listed else []
        done = subprocess.run(
            [*argv, pair / "cert.pem"], check=False, capture_output=True, text=True
        )
        if done.returncode != 0:
            yield f"{pair.parent.relative_to(live)} by {bundle.relative_to(live)}: {done.stderr}"
    lists.unlink()


def revoked_and_served(root: Path) -> Iterator[str]:
    """Yield each certificate that is shown in a place although the ledger says that it is revoked."""
    known = judge.issuances(judge.ledger(root))
    revoked = {judge.number(i.serial) for i in known if i.status is Status.REVOKED}
    for pair in _pairs(root):
        shown = {each.serial_number for each in judge.loaded(pair / "fullchain.pem")}
        if shown & revoked:
            yield f"{pair.parent.name} shows what is revoked"


def mixed(root: Path, before: View) -> Iterator[str]:
    """Yield each tree of responses that is neither the one of before nor one of all that there is now."""
    known = tuple(judge.issuances(judge.ledger(root)))
    settled = (Status.ISSUED, Status.REVOKED)
    for name, (told, moments) in _trees(root).items():
        issued = {
            judge.number(i.serial) for i in known if judge.signer(i) == name and i.status in settled
        }
        if len(moments) != 1:
            yield f"responses of {name} are of {len(moments)} runs"
        if told.keys() != issued and told != before.trees.get(name):
            yield f"{name} has {len(told)} responses, {len(issued)} certificates"


def unsettled(root: Path, wanted: Wanted) -> Iterator[str]:
    """Yield what is not as it must be, once certform ended well, of anchors and responses."""
    state = judge.ledger(root)
    names = {
        i.sha256: f"{record.name}-g{getattr(i.request, 'generation', 0)}"
        for record in state.authorities.values()
        for i in record.issuances
    }
    for bundle in live_of(root).glob(f"*/{BUNDLE}/current/ca-certificates.pem"):
        held = {names.get(c.fingerprint(SHA256()).hex(), "other") for c in judge.loaded(bundle)}
        if held != wanted.anchors:
            yield f"{bundle.parts[-4]} trusts {sorted(held)}"
    trees = _trees(root)
    if {name: len(told) for name, (told, _) in trees.items()} != wanted.trees:
        yield f"responses: { {name: len(told) for name, (told, _) in trees.items()} }"
    good = ocsp.OCSPCertStatus.GOOD
    wrong = {
        s for told, _ in trees.values() for s in told if (told[s] is good) == (s in wanted.revoked)
    }
    yield from (f"the response about {serial:x} is wrong" for serial in wrong)
    yield from _left_trees(live_of(root) / "pki" / "ocsp", wanted)


def _left_trees(folder: Path, wanted: Wanted) -> Iterator[str]:
    """Yield what lies beside the trees: each is a link, to one of at most two folders of its name."""
    for path in folder.glob("*"):
        name = path.name.partition(".")[0]
        if name not in wanted.trees or path.is_symlink() != (path.name == name):
            yield f"ocsp holds {path.name}"
    for name in wanted.trees:
        if len(list(folder.glob(f"{name}.*"))) > 2:
            yield f"more than one old tree of {name}"


def _pairs(root: Path) -> list[Path]:
    """Return the folders that servers read now."""
    found = (path.parent for path in live_of(root).glob("*/*/current/cert.pem"))
    return sorted(found)


def _trees(root: Path) -> dict[str, tuple[Told, frozenset[object]]]:
    """Return what each tree that is shown tells, and of which moments its responses are."""
    found: dict[str, tuple[Told, frozenset[object]]] = {}
    for link in (live_of(root) / "pki" / "ocsp").glob("*"):
        if not link.is_symlink() or link.name.startswith("."):  # a link that is not shown yet
            continue
        files = [path for path in link.resolve().rglob("*") if path.is_file()]
        responses = [ocsp.load_der_ocsp_response(path.read_bytes()) for path in files]
        told = {each.serial_number: each.certificate_status for each in responses}
        found[link.name] = (told, frozenset(each.this_update_utc for each in responses))
    return found
