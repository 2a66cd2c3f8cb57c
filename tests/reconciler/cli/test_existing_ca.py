"""CAs of before, made by OpenSSL's own `ca`, are taken over by the program; OpenSSL judges the outcome."""

import os
import re
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest
from command_line import Repository, environment
from legacy import EASYRSA, TUTORIAL, LegacyCa

CA = """\
kind: Authority
metadata: {name: %s}
spec:
  commonName: %s
  privateKey: {custody: %s}
  existing: {certificate: %s/ca.pem, crl: %s/ca.crl, index: %s/index.txt}
"""
WEB = """\
kind: Certificate
metadata: {name: web}
spec: {issuerRef: %s, dnsNames: [web.example.com], targets: [disk]}
"""


@dataclass
class House:
    """A repository with a ledger, and nothing that issues yet."""

    repository: Repository
    age: str

    @property
    def root(self) -> Path:
        return self.repository.root

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(exist_ok=True)
        (self.root / name).write_text(text, encoding="utf-8")

    def bring(self, ca: LegacyCa, name: str) -> None:
        """Copy a CA's files in, its key sealed the way the documentation tells."""
        folder = self.root / name
        folder.mkdir(exist_ok=True)
        for file in ("ca.pem", "ca.crl", "index.txt"):
            shutil.copy(ca.folder / file, folder / file)
        sops = Path(sysconfig.get_path("scripts")) / "sops"
        binary = ("--input-type", "binary", "--output-type", "binary")
        done = subprocess.run(
            [sops, "encrypt", *binary, "--age", self.age, ca.folder / "ca.key"],
            check=True,
            capture_output=True,
            env={**os.environ, "HOME": str(self.root.parent)},
        )
        (folder / "ca-key.sops").write_bytes(done.stdout)

    def apply(self) -> str:
        """Apply, and expect that nothing is left to do."""
        done = self.repository.run("apply", "--auto-approve").stdout
        assert "No changes" in self.repository.run("plan").stdout
        return done

    def crl(self, name: str) -> str:
        """What OpenSSL reads in a published CRL."""
        arguments = ("-inform", "DER", "-in", self.root / "public" / name, "-noout", "-text")
        return _openssl("crl", *arguments)

    def judge(self, certificate: Path, *cas: str) -> str:
        """Whether OpenSSL takes a certificate, with every CRL that is published below these CAs."""
        crls = [self.root / "public" / f"{name}.crl" for name in cas]
        pems = [_openssl("crl", "-inform", "DER", "-in", crl) for crl in crls]
        (self.root.parent / "all.crl").write_text("".join(pems))
        anchors = "".join(
            _openssl("x509", "-inform", "DER", "-in", self.root / "public" / f"{name}.crt")
            for name in cas
        )
        (self.root.parent / "anchors.pem").write_text(anchors)
        checks = ("-crl_check_all", "-CRLfile", self.root.parent / "all.crl")
        trusted = ("-CAfile", self.root.parent / "anchors.pem")
        done = subprocess.run(
            ["openssl", "verify", *checks, *trusted, certificate],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr


def _openssl(*arguments: str | Path) -> str:
    return subprocess.run(
        ["openssl", *arguments], check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def house(tmp_path: Path) -> House:
    (tmp_path / "pki").mkdir()
    repository = Repository(tmp_path / "pki", environment(tmp_path))
    repository.run("init")
    for name in ("certificates/web.yaml", "authorities/issuing.yaml", "authorities/root.yaml"):
        (repository.root / name).unlink()
    project = (repository.root / "certform.yaml").read_text()
    publish = "  publish: {to: {directory: public}, baseURL: 'http://pki.example.com'}\n"
    (repository.root / "certform.yaml").write_text(project + publish)
    found = re.search("age1[a-z0-9]+", project)
    assert found is not None
    made = House(repository, found[0])
    target = "kind: Target\nmetadata: {name: disk}\nspec: {local-directory: {path: tls}}\n"
    (repository.root / "config/targets.yaml").write_text(target)
    return made


def test_a_root_with_a_past_is_taken_over_and_nothing_is_unrevoked(
    house: House, tmp_path: Path
) -> None:
    old = LegacyCa.founded(tmp_path / "old")
    good, bad, more = (old.issue(f"{name}.example.com") for name in ("good", "bad", "more"))
    gone = old.issue(
        "gone.example.com", "-startdate", "20240101000000Z", "-enddate", "20250101000000Z"
    )
    old.revoke("bad.example.com", "keyCompromise")
    old.revoke("gone.example.com")
    (old.folder / "crlnumber").write_text("7FFFFFFFFF\n")  # above what a clock would give
    old.publish()
    house.bring(old, "legacy")
    custody = "{sops: legacy/ca-key.sops}"
    house.write("authorities/legacy.yaml", CA % ("legacy", "Legacy CA", custody, *["legacy"] * 3))
    house.write("web.yaml", WEB % "legacy")
    plan = house.repository.run("plan").stdout
    assert "3 certificates that it issued, 1 of them revoked" in plan
    assert f"numbers above {0x7FFFFFFFFF}" in plan
    house.apply()
    assert str(0x7FFFFFFFFF + 1) in house.crl("legacy-g1.crl")
    first = house.crl("legacy-g1.crl")
    assert f"Serial Number: {bad}" in first
    assert "Key Compromise" in first
    assert f"Serial Number: {gone}" not in first
    assert "OK" in house.judge(house.root / "tls/web/current/cert.pem", "legacy-g1")
    assert "OK" in house.judge(old.folder / "good.example.com.pem", "legacy-g1")
    assert "revoked" in house.judge(old.folder / "bad.example.com.pem", "legacy-g1")
    house.write(
        "revoke.yaml",
        f"kind: Revocation\nmetadata: {{name: more}}\nspec: {{serials: ['{more}'], reason: superseded}}\n",
    )
    said = house.repository.run("plan").stdout
    assert "/CN=more.example.com, issued before the takeover" in said
    house.apply()
    second = house.crl("legacy-g1.crl")
    assert [f"Serial Number: {serial}" in second for serial in (bad, more, good)] == [
        *(True, True, False)
    ]
    assert str(0x7FFFFFFFFF + 2) in second
    assert "revoked" in house.judge(old.folder / "more.example.com.pem", "legacy-g1")
    shown = house.repository.run("show", "authority/legacy").stdout
    assert "before generation 1 was taken over: 3 certificates not yet expired, 2 of them" in shown
    assert "(+3 of before)" in house.repository.run("inventory").stdout
    fallen = house.repository.run("graph", "--impact", "authority/legacy").stdout
    assert "1 certificate issued before a takeover: nobody here knows in which places" in fallen
    house.repository.run("log", "--verify")


def test_a_ca_below_an_easyrsa_root_that_is_an_anchor_goes_on(house: House, tmp_path: Path) -> None:
    elliptic = ("EC", "ec_paramgen_curve:P-384")
    root = LegacyCa.founded(tmp_path / "root", name="CN = Easy-RSA CA", root=EASYRSA, key=elliptic)
    below = LegacyCa.founded(tmp_path / "below", name="CN = unused", root=TUTORIAL, key=elliptic)
    root.openssl(
        *("req", "-new", "-key", below.folder / "ca.key", "-subj", "/CN=Services", "-out", "s.csr"),
    )
    root.openssl(
        *("ca", "-batch", "-config", "openssl.cnf", "-in", "s.csr", "-notext", "-days", "1800"),
        *("-out", below.folder / "ca.pem", "-extensions", "sub"),
    )
    served = below.issue("served.example.com")
    below.revoke("served.example.com", "superseded")
    for ca in (root, below):
        ca.publish()
    house.bring(root, "easyrsa")
    house.bring(below, "services")
    house.write("authorities/root.yaml", CA % ("easy", "Easy-RSA CA", "none", *["easyrsa"] * 3))
    custody = "{sops: services/ca-key.sops}"
    services = CA % ("services", "Services", custody, *["services"] * 3)
    house.write("authorities/services.yaml", services.replace("spec:", "spec:\n  parentRef: easy"))
    house.write("web.yaml", WEB % "services")
    assert "it is an anchor, and signs nothing here" in house.repository.run("plan").stdout
    house.apply()
    assert f"Serial Number: {served}" in house.crl("services-g1.crl")
    assert not (house.root / "public/easy-g1.crl").exists()
    chain = (house.root / "tls/web/current/chain.pem").read_text()
    assert chain == (below.folder / "ca.pem").read_text()


def test_a_key_that_is_not_the_certificates_is_refused_and_nothing_is_recorded(
    house: House, tmp_path: Path
) -> None:
    elliptic = ("EC", "ec_paramgen_curve:P-256")
    old = LegacyCa.founded(tmp_path / "old", key=elliptic)
    old.publish()
    old.key("ca", elliptic)
    house.bring(old, "legacy")
    custody = "{sops: legacy/ca-key.sops}"
    house.write("authorities/legacy.yaml", CA % ("legacy", "Legacy CA", custody, *["legacy"] * 3))
    house.write("web.yaml", WEB % "legacy")
    done = house.repository.run("apply", "--auto-approve", code=4)
    assert "the key at hand is not that of the certificate" in done.stdout + done.stderr
    assert "Take over" not in house.repository.run("log").stdout
    assert not (house.root / "tls/web").exists()
