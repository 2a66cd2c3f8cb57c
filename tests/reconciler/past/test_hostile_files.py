"""Files of a CA that somebody mangled: a sentence each time, and nothing else is raised."""

import random
from collections.abc import Callable
from functools import partial

import pytest
from legacy import LegacyCa

from providers import x509
from providers.x509.foreign_crl import load_foreign_crl
from reconciler.diagnostics import Diagnostic
from reconciler.past.history import Files, read_history
from schemas.plan import Source

ROUNDS = 600
HERE = Source(file="legacy.yaml")


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> LegacyCa:
    made = LegacyCa.founded(
        tmp_path_factory.mktemp("hostile") / "old",
        key=("EC", "ec_paramgen_curve:P-256"),
        root="basicConstraints = critical, CA:true\nsubjectKeyIdentifier = hash\n"
        "keyUsage = keyCertSign, cRLSign\nnameConstraints = permitted;DNS:example.com",
    )
    made.issue("bad.example.com")
    made.revoke("bad.example.com", "superseded")
    made.publish()
    return made


def mangled(data: bytes, chance: random.Random) -> bytes:
    spoilt = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(spoilt))
        match chance.randrange(4):
            case 0:
                spoilt[at] = chance.randrange(256)
            case 1:
                del spoilt[at : at + chance.randint(1, 9)]
            case 2:
                spoilt[at:at] = bytes(spoilt[at : at + chance.randint(1, 30)])
            case _:
                spoilt[at] ^= 1 << chance.randrange(8)
        if not spoilt:
            return b""
    return bytes(spoilt)


def told(work: Callable[[], object]) -> bool:
    """Whether work was refused in words; anything else that is raised is a failure."""
    try:
        work()
    except ValueError as why:
        return bool(str(why))
    return False


def test_a_mangled_certificate_is_refused_or_read(old: LegacyCa) -> None:
    chance, der = random.Random(7), x509.to_der((old.folder / "ca.pem").read_bytes())
    refused = 0
    for _ in range(ROUNDS):
        spoilt = mangled(der, chance)
        refused += told(partial(x509.existing_authority, spoilt))
    assert refused > ROUNDS // 2


def test_a_mangled_crl_is_never_taken_for_this_cas(old: LegacyCa) -> None:
    chance = random.Random(8)
    ca = x509.to_der((old.folder / "ca.pem").read_bytes())
    old.openssl("crl", "-in", "ca.crl", "-outform", "DER", "-out", "crl.der")
    whole = (old.folder / "crl.der").read_bytes()
    for _ in range(ROUNDS):
        spoilt = mangled(whole, chance)
        assert told(partial(load_foreign_crl, spoilt, ca)) or spoilt == whole


def test_a_mangled_index_is_told_line_by_line(old: LegacyCa) -> None:
    chance = random.Random(9)
    ca = x509.to_der((old.folder / "ca.pem").read_bytes())
    whole = (old.folder / "index.txt").read_bytes() * 3
    for _ in range(ROUNDS):
        found: list[Diagnostic] = []
        files = Files(x509.facts(ca), ca, index=(mangled(whole, chance), "index.txt", HERE))
        read_history(files, found)
        assert all(each.summary for each in found)


def test_a_pem_of_rubbish_is_told(old: LegacyCa) -> None:
    ca = x509.to_der((old.folder / "ca.pem").read_bytes())
    rubbish = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    found: list[Diagnostic] = []
    files = Files(x509.facts(ca), ca, issued=((rubbish, "i.pem", HERE), (b"", "j.pem", HERE)))
    read_history(files, found)
    assert len(found) == 2
