"""OpenSSL finds in the part of a CRL that a certificate names just what it finds in the whole of it."""

import subprocess
from base64 import encodebytes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from fleet import Fleet
from fleet_documents import Ca, Leaf

from providers import x509
from reconciler.chains import chain_above
from schemas.certificate import OnRemove

LEAVES = 6
UNKNOWN, REVOKED, GOOD = "ifferent CRL scope", "certificate revoked", ": OK"


@dataclass(frozen=True)
class Bench:
    """A fleet and a folder in which OpenSSL judges it."""

    fleet: Fleet
    folder: Path

    def verdict(self, name: str, *lists: str) -> str:
        """What OpenSSL says of a certificate, having the root's list and some of its issuer's."""
        leaf = self.fleet.journal.state.certificates[name].current
        assert leaf is not None
        above = chain_above(self.fleet.journal.state.authorities, leaf)
        assert above is not None
        self._write("leaf.pem", (leaf.certificate or "").encode())
        self._write("above.pem", b"".join(above.chain))
        self._write("root.pem", b"".join(above.anchors))
        self._write("lists.pem", b"".join(self._pem(file) for file in ("root-g1.crl", *lists)))
        moment = str(int(self.fleet.now.timestamp()) + 60)
        argv = ["openssl", "verify", "-attime", moment, "-crl_check_all", "-x509_strict"]
        argv += ["-CAfile", "root.pem", "-untrusted", "above.pem", "-CRLfile", "lists.pem"]
        done = subprocess.run(
            [*argv, "leaf.pem"], cwd=self.folder, check=False, capture_output=True, text=True
        )
        said = done.stdout + done.stderr
        found = [each for each in (REVOKED, UNKNOWN, GOOD) if each in said]
        assert found, said
        return found[0]

    def part(self, name: str) -> str:
        """The file of the part that a certificate names."""
        return str(self.fleet.current(name).urls.crl).rpartition("/")[2]

    def _pem(self, file: str) -> bytes:
        text = encodebytes(self.fleet.publisher.files[file]).decode()
        return f"-----BEGIN X509 CRL-----\n{text}-----END X509 CRL-----\n".encode()

    def _write(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)


@pytest.fixture
def bench(tmp_path: Path, require: Callable[[str], str]) -> Bench:
    require("openssl")
    cas = {"root": Ca(), "services": Ca(parent="root", crl_shards=3)}
    leaves = {f"c{n}": Leaf(issuer="services", on_remove=OnRemove.REVOKE) for n in range(LEAVES)}
    return Bench(Fleet(cas=cas, leaves=leaves).converge().wait(1), tmp_path)


def test_the_part_and_the_whole_agree(bench: Bench, tell: Callable[[str], None]) -> None:
    bench.fleet.revoke("inc", serials=tuple(bench.fleet.current(f"c{n}").serial for n in range(3)))
    serials = {n: bench.fleet.journal.state.certificates[n] for n in bench.fleet.leaves}
    bench.fleet.apply()
    old = {name: record.issuances[0] for name, record in serials.items()}
    for name, issuance in old.items():
        record = bench.fleet.journal.state.certificates[name]
        bench.fleet.journal.rewrite(record.model_copy(update={"issuances": (issuance,)}))
    agreed = 0
    for number, name in enumerate(old):
        own, parts = bench.part(name), [f"services-g1-s{k}.crl" for k in (1, 2, 3)]
        expected = REVOKED if number < 3 else GOOD
        assert bench.verdict(name, "services-g1.crl") == expected
        assert bench.verdict(name, own) == expected
        assert bench.verdict(name, *parts) == expected
        others = [part for part in parts if part != own]
        assert bench.verdict(name, *others) == UNKNOWN, "no other part speaks for it"
        agreed += 1
    tell(f"OpenSSL on parts of a CRL: as on the whole for {agreed} of {LEAVES} certificates")


def test_a_compromised_ca_is_refused_and_what_replaced_it_is_not(bench: Bench) -> None:
    before = bench.fleet.journal.state
    bench.fleet.compromise("services").converge()
    after = bench.fleet.journal.state
    assert bench.verdict("c0", "services-g2.crl") == GOOD
    bench.fleet.journal.state = before
    assert bench.verdict("c0", "services-g1.crl") == REVOKED
    bench.fleet.journal.state = after


def test_the_number_reads_the_same_to_openssl(bench: Bench) -> None:
    der = bench.fleet.publisher.files["services-g1.crl"]
    argv = ["openssl", "crl", "-inform", "DER", "-noout", "-crlnumber"]
    said = subprocess.run(argv, input=der, check=True, capture_output=True).stdout.decode()
    assert int(said.strip().partition("=")[2], 16) == x509.read_crl(der).number
