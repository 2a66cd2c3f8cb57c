"""Judges of a chain, each given the anchors of one bundle alone, and what a rotation has them judge."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import DNSName, load_der_x509_crl, load_pem_x509_certificate
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from fleet import Fleet

Pems = tuple[bytes, ...]
NAME = "www.example.com"
SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
ALLOWED: Mapping[str, frozenset[str]] = {
    "old": frozenset({"old", "both"}),
    "cross": frozenset({"old", "both", "new"}),
    "new": frozenset({"both", "new"}),
}
"""Which bundles have to follow a chain; no other may."""
VERSIONS = {("root-g1",): "old", ("root-g1", "root-g2"): "both", ("root-g2",): "new"}


@dataclass
class Bench:
    """The judges. What was judged once is remembered: a step repeats most of the step before."""

    folder: Path
    openssl: str
    certtool: str
    known: dict[object, Mapping[str, bool]] = field(default_factory=dict)

    @property
    def verdicts(self) -> int:
        """How many verdicts there were."""
        return sum(map(len, self.known.values()))

    def judge(self, anchors: Pems, chain: Pems) -> Mapping[str, bool]:
        """Say of each judge whether it follows a chain of a server to one of the anchors."""
        if (anchors, chain) not in self.known:
            self.known[anchors, chain] = {
                "OpenSSL": self._openssl(anchors, chain) is None,
                "GnuTLS": self._gnutls(anchors, chain),
                "cryptography": follows(anchors, chain),
            }
        return self.known[anchors, chain]

    def revoking(self, anchors: Pems, chain: Pems, crls: Mapping[str, bytes]) -> str | None:
        """Return what OpenSSL says against a chain when it asks a CRL about every link; None if nothing."""
        key = (anchors, chain, frozenset(crls.values()))
        lists = self.folder / "crls.pem"
        lists.write_bytes(b"".join(map(crl_pem, crls.values())))
        said = self._openssl(anchors, chain, "-crl_check_all", "-CRLfile", str(lists))
        self.known[key] = {"OpenSSL with CRLs": said is None}
        return said

    def _openssl(self, anchors: Pems, chain: Pems, *more: str) -> str | None:
        argv = ("verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-purpose", "sslserver")
        trust = ("-CAfile", self._file("anchors", anchors))
        shown = (
            "-untrusted",
            self._file("above", chain[1:] or chain),
            self._file("leaf", chain[:1]),
        )
        done = _run(self.openssl, *argv, *more, *trust, *shown)
        return None if done.returncode == 0 else done.stderr

    def _gnutls(self, anchors: Pems, chain: Pems) -> bool:
        trust = ("--load-ca-certificate", self._file("anchors", anchors))
        shown = ("--verify-purpose", SERVER_AUTH, "--infile", self._file("chain", chain))
        return _run(self.certtool, "--verify", *trust, *shown).returncode == 0

    def _file(self, name: str, pems: Pems) -> str:
        path = self.folder / f"{name}.pem"
        path.write_bytes(b"".join(pems))
        return str(path)


def _run(*argv: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(argv, check=False, capture_output=True, text=True)


def follows(anchors: Pems, chain: Pems) -> bool:
    """Say whether cryptography's verifier follows a chain to one of the anchors."""
    store = Store(list(map(load_pem_x509_certificate, anchors)))
    verifier = PolicyBuilder().store(store).build_server_verifier(DNSName(NAME))
    leaf, *above = map(load_pem_x509_certificate, chain)
    try:
        verifier.verify(leaf, above)
    except VerificationError:
        return False
    return True


def crl_pem(der: bytes) -> bytes:
    """Return a CRL as PEM."""
    return load_der_x509_crl(der).public_bytes(Encoding.PEM)


def crls(fleet: Fleet) -> Mapping[str, bytes]:
    """Return the CRLs that are published now."""
    return {name: der for name, der in fleet.publisher.files.items() if name.endswith(".crl")}


def unlisted(chain: Pems, lists: Mapping[str, bytes]) -> list[str]:
    """Return whoever signed a link of a chain and has no list published."""
    told = {load_der_x509_crl(der).issuer for der in lists.values()}
    above = [load_pem_x509_certificate(pem).issuer for pem in chain]
    return [issuer.rfc4514_string() for issuer in above if issuer not in told]


def served(fleet: Fleet, target: str, name: str) -> Pems:
    """Return what a server shows that reads a leaf there."""
    held = fleet.store(target).objects[name].bundle
    assert held is not None
    return (held.certificate, *held.chain)


def trusted(fleet: Fleet, target: str, name: str = "corp") -> Pems:
    """Return what a client trusts that reads a bundle there."""
    return tuple(fleet.store(target).trust[name].anchors.values())


def kind_of(above: Sequence[bytes], leaf: bytes) -> str:
    """Say by which of its roots a chain goes: the old one, the new one, or both by a cross-certificate."""
    links = [load_pem_x509_certificate(pem) for pem in (leaf, *above)]
    if any(link.subject.rfc4514_string().endswith("root G2") for link in links):
        return "cross"
    return "old" if links[-1].issuer.rfc4514_string().endswith("root G1") else "new"


@dataclass
class Field:
    """All that is or was somewhere: a client may not have read the new bundle, nor a server the new chain."""

    fleet: Fleet
    leaves: Mapping[str, str]
    """The target that each leaf is served from."""
    bundles: dict[str, Pems] = field(default_factory=dict)
    chains: dict[tuple[str, str, bytes], Pems] = field(default_factory=dict)
    """Chains by leaf, kind, and the leaf's certificate."""

    def look(self) -> None:
        """Note what the targets hold now, and what may be shown that is made of it."""
        for target in self.fleet.stores:
            if self.fleet.store(target).trust:
                version = VERSIONS[tuple(self.fleet.trusted(target))]
                self.bundles[version] = trusted(self.fleet, target)
        for name, target in self.leaves.items():
            leaf, *above = served(self.fleet, target, name)
            self._note(name, leaf, above)
            if kind_of(above, leaf) == "cross":  # who shows it without that link shows a new chain
                self._note(name, leaf, above[:-1])

    def _note(self, name: str, leaf: bytes, above: Sequence[bytes]) -> None:
        """Note a chain; a CA that was signed again has the same key, so either leaf goes with either."""
        self.chains[name, kind_of(above, leaf), leaf] = (leaf, *above)
        for (other, kind, _), chain in list(self.chains.items()):
            if other == name and above and len(chain) > 1:
                self.chains[name, kind, leaf] = (leaf, *chain[1:])
                self.chains[name, kind_of(above, leaf), chain[0]] = (chain[0], *above)

    def standing(self) -> Iterator[tuple[str, str, Pems, Pems]]:
        """Yield each bundle with each chain that are in targets now: any client may call any server."""
        for target in self.fleet.stores:
            for name, place in self.leaves.items():
                if self.fleet.store(target).trust:
                    version = VERSIONS[tuple(self.fleet.trusted(target))]
                    chain = served(self.fleet, place, name)
                    yield version, kind_of(chain[1:], chain[0]), trusted(self.fleet, target), chain
