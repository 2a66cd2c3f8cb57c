"""OpenSSL and GnuTLS follow what is served after a rotation, by whichever anchors they were given so far."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fleet import Fleet
from fleet_documents import Ca, Leaf

from reconciler.ledger.records import Issuance


@dataclass(frozen=True)
class Served:
    """What a server shows, and the anchors of each generation of the root, PEM."""

    chain: tuple[bytes, ...]
    anchors: dict[str, bytes]


@pytest.fixture
def judged(tmp_path: Path, require: Callable[[str], str]) -> Callable[..., list[bool]]:
    openssl, certtool = require("openssl"), require("certtool")

    def judge(served: Served, *trusted: str) -> list[bool]:
        """Say whether OpenSSL and GnuTLS follow a chain to one of the anchors that are trusted."""
        paths = {name: tmp_path / name for name in ("leaf", "above", "chain", "anchors")}
        paths["leaf"].write_bytes(served.chain[0])
        paths["above"].write_bytes(b"".join(served.chain[1:]) or served.chain[0])
        paths["chain"].write_bytes(b"".join(served.chain))
        paths["anchors"].write_bytes(b"".join(served.anchors[name] for name in trusted))
        anchors = str(paths["anchors"])
        lonely = ("verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-CAfile", anchors)
        chain = ("-untrusted", str(paths["above"]), str(paths["leaf"]))
        usage = ("--verify-purpose", "1.3.6.1.5.5.7.3.1", "--infile", str(paths["chain"]))
        asked = (
            (openssl, *lonely, "-purpose", "sslserver", *chain),
            (certtool, "--verify", "--load-ca-certificate", anchors, *usage),
        )
        return [
            subprocess.run(command, check=False, capture_output=True).returncode == 0
            for command in asked
        ]

    return judge


@pytest.fixture
def fleet() -> Fleet:
    now = datetime.now(UTC).replace(microsecond=0)
    cas = {"root": Ca(days=3650), "services": Ca("root", days=1825)}
    return Fleet(cas=cas, leaves={"web": Leaf("services")}, now=now).converge()


def served(fleet: Fleet, name: str = "web") -> Served:
    held = fleet.store("a").objects[name].bundle
    assert held is not None
    record = fleet.journal.state.authorities["root"]
    anchors = {f"G{n}": _pem(found) for n in (1, 2) if (found := record.issued(n))}
    return Served((held.certificate, *held.chain), anchors)


def _pem(issuance: Issuance) -> bytes:
    return (issuance.certificate or "").encode()


def test_before_and_after_a_root_is_replaced(
    fleet: Fleet, judged: Callable[..., list[bool]]
) -> None:
    before = served(fleet)
    fleet.cas["root"] = replace(fleet.cas["root"], generation=2)
    fleet.converge()
    after = served(fleet)
    before = Served(before.chain, after.anchors)
    assert judged(before, "G1") == judged(before, "G1", "G2") == [True, True]
    assert judged(after, "G2") == judged(after, "G1", "G2") == [True, True]
    assert judged(before, "G2") == judged(after, "G1") == [False, False]


def test_by_a_cross_certificate_whoever_trusts_either_follows(
    fleet: Fleet, judged: Callable[..., list[bool]]
) -> None:
    fleet.cas["root"] = replace(fleet.cas["root"], generation=2, crossed=True)
    fleet.leaves["near"] = Leaf("root")
    fleet.converge()
    for name, links in (("web", 3), ("near", 2)):
        after = served(fleet, name)
        assert len(after.chain) == links
        assert judged(after, "G1") == judged(after, "G2") == [True, True]
        assert judged(after, "G1", "G2") == [True, True]


def test_a_renewed_root_is_as_good_an_anchor_as_it_was(
    fleet: Fleet, judged: Callable[..., list[bool]]
) -> None:
    stranger = served(fleet)
    aged = Fleet(cas={"root": Ca(days=3650), "services": Ca("root", days=1825)}, now=fleet.now)
    aged.leaves = {"web": Leaf("services")}
    aged.wait(-700).converge()
    old = served(aged).anchors["G1"]
    aged.now = fleet.now
    aged.cas["root"] = replace(aged.cas["root"], renew_before=3000)
    aged.converge()
    assert served(aged).anchors["G1"] != old
    both = Served(served(aged).chain, {"new": served(aged).anchors["G1"], "old": old})
    assert judged(both, "new") == judged(both, "old") == [True, True]
    assert judged(Served(stranger.chain, both.anchors), "new") == [False, False]
