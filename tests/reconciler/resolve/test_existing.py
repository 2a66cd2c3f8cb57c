"""CAs that existed before, as documents and files speak of them: what cannot be is told with its place."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from legacy import LegacyCa

from providers import x509
from reconciler.diagnostics import Diagnostic, Severity
from reconciler.repository import Examination, examine
from reconciler.takeover import Takeover

ELLIPTIC = ("EC", "ec_paramgen_curve:P-256")
SEALED = '{"data": "ENC[x]", "sops": {"age": [{"recipient": "age1x"}]}}'
DOCUMENT = """\
kind: Authority
metadata: {name: legacy}
spec:
  commonName: Legacy CA
  privateKey: {custody: {sops: legacy/key.sops}}
  existing:
    certificate: legacy/ca.pem
    crl: legacy/ca.crl
    index: legacy/index.txt
    issued: [legacy/issued.pem]
"""
REST = "    crl: legacy/ca.crl\n    index: legacy/index.txt\n    issued: [legacy/issued.pem]\n"
Bring = Callable[..., Examination]


@pytest.fixture(scope="session")
def old(tmp_path_factory: pytest.TempPathFactory) -> LegacyCa:
    made = LegacyCa.founded(tmp_path_factory.mktemp("legacy") / "old", key=ELLIPTIC)
    made.issue("good.example.com")
    made.issue("bad.example.com")
    made.revoke("bad.example.com", "keyCompromise")
    made.publish()
    return made


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> LegacyCa:
    folder = tmp_path_factory.mktemp("legacy") / "other"
    made = LegacyCa.founded(folder, key=ELLIPTIC, name="CN = Other CA")
    made.issue("other.example.com")
    made.publish()
    return made


@pytest.fixture
def bring(write: Callable[[Mapping[str, str]], Path], old: LegacyCa) -> Bring:
    """Examine the sound repository with the legacy CA, its document and some of its files changed."""

    def bring(
        *edits: tuple[str, str], files: Mapping[str, bytes] | None = None, more: str = ""
    ) -> Examination:
        text = DOCUMENT
        for before, after in edits:
            assert before in text
            text = text.replace(before, after)
        root = write({"authorities/legacy.yaml": text + more, "legacy/key.sops": SEALED})
        for name, path in (
            *(("ca.pem", "ca.pem"), ("ca.crl", "ca.crl"), ("index.txt", "index.txt")),
            ("issued.pem", "good.example.com.pem"),
        ):
            (root / "legacy" / name).write_bytes((old.folder / path).read_bytes())
        for name, content in (files or {}).items():
            (root / "legacy" / name).write_bytes(content)
        return examine(root)

    return bring


def only(found: Examination) -> Diagnostic:
    (one,) = (d for d in found.diagnostics if d.severity is Severity.ERROR)
    return one


def taken(found: Examination, name: str = "legacy") -> Takeover:
    assert found.desired is not None, found.diagnostics
    existing = found.desired.authorities[name].existing
    assert existing is not None
    return existing


def test_what_is_wanted_is_what_the_certificate_says(bring: Bring, old: LegacyCa) -> None:
    found = bring()
    assert found.diagnostics == ()
    existing = taken(found)
    assert found.desired is not None
    desired = found.desired.authorities["legacy"]
    assert desired.request == existing.request
    assert desired.request.common_name == "Legacy CA"
    assert desired.request.subject.countries == ("DE",)
    assert str(desired.request.key) == "ECDSA 256"
    assert desired.request.key_ref == "sops"
    assert desired.request.duration == 3650 * 86400
    assert existing.sealed == SEALED.encode()
    assert existing.number == 0x1000
    assert [entry.serial.upper() for entry in existing.past] == old.issued
    assert [entry.revoked is not None for entry in existing.past] == [False, True]


def test_its_certificate_binds_what_is_below_it_offline(
    bring: Bring, tmp_path_factory: pytest.TempPathFactory
) -> None:
    said = "basicConstraints = critical, CA:true, pathlen:0\nnameConstraints = permitted;DNS:.example.com"
    folder = tmp_path_factory.mktemp("narrow") / "ca"
    narrow = LegacyCa.founded(folder, key=ELLIPTIC, root=said)
    below = (
        "---\nkind: Authority\nmetadata: {name: sub}\nspec: {parentRef: legacy, commonName: Sub}\n"
    )
    found = bring((REST, ""), files={"ca.pem": (narrow.folder / "ca.pem").read_bytes()}, more=below)
    assert only(found).summary == "pathLength 0 is too small: 1 needed below"
    (warned,) = (d for d in found.diagnostics if d.severity is Severity.WARNING)
    assert '".example.com" counts here for the domain and everything below' in warned.summary


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ("Legacy CA", "Modern CA", 4, 'says commonName "Legacy CA"'),
        ("privateKey: {", "privateKey: {algorithm: RSA, ", 5, "says a key of ECDSA 256"),
        ("privateKey: {", "privateKey: {size: 384, ", 5, "says a key of ECDSA 256"),
        ("  privateKey", "  pathLength: 1\n  privateKey", 5, "says no pathLength"),
        ("custody: {sops: legacy/key.sops}", "custody: ledger", 6, "does not say where the key"),
        ("legacy/key.sops", "legacy/index.txt", 5, "is not a whole key file in a sops file"),
        (
            "  existing:\n",
            "  existing:\n    generation: 2\n",
            7,
            "existed before, and 1 is to issue",
        ),
        ("  existing:\n", "  generation: 2\n  existing:\n", 5, "needs a key of its own"),
        ("legacy/ca.pem", "legacy/none.pem", 7, "cannot be read"),
        ("  privateKey", "  parentRef: root\n  privateKey", 5, "did not exist before"),
        ("  existing:\n", "  existing:\n    custody: ledger\n", 7, "moves none into the ledger"),
    ],
)
def test_a_document_that_says_something_else_is_told_where(
    bring: Bring, before: str, after: str, line: int, said: str
) -> None:
    finding = only(bring((before, after)))
    assert said in finding.summary
    assert str(finding.source) == f"authorities/legacy.yaml:{line}"


@pytest.mark.parametrize(
    ("file", "content", "line", "said"),
    [
        ("ca.pem", "twice", 7, "holds 2 certificates and not one"),
        ("ca.pem", "leaf", 7, "it is no CA"),
        ("ca.pem", "nothing", 7, "holds 0 certificates"),
        ("ca.crl", "other", 8, "this CA did not sign it, but CN=Other CA"),
        ("ca.crl", "nothing", 8, "no CRL in PEM or DER"),
        ("issued.pem", "other", 10, "certificate 1 in"),
        ("issued.pem", "nothing", 10, "holds no certificate in PEM"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_where_it_is_named(
    bring: Bring, old: LegacyCa, other: LegacyCa, file: str, content: str, line: int, said: str
) -> None:
    of_others = {"ca.crl": "ca.crl", "issued.pem": "other.example.com.pem"}
    files = {
        "twice": (old.folder / "ca.pem").read_bytes() * 2,
        "leaf": (old.folder / "good.example.com.pem").read_bytes(),
        "nothing": b"nothing\n",
        "other": (other.folder / of_others.get(file, "ca.pem")).read_bytes(),
    }
    finding = only(bring(files={file: files[content]}))
    assert said in finding.summary
    assert str(finding.source) == f"authorities/legacy.yaml:{line}"


def test_a_malformed_line_is_told_at_its_line_and_many_are_counted(bring: Bring) -> None:
    good = b"V\t391231235959Z\t\t%02X\tunknown\t/CN=x\n"
    lines = [good % 1, *[b"X\t1\n"] * 30, good % 2]
    found = bring(files={"index.txt": b"".join(lines)})
    wrong = [d for d in found.diagnostics if d.severity is Severity.ERROR]
    assert [str(d.source) for d in wrong[:2]] == ["legacy/index.txt:2", "legacy/index.txt:3"]
    assert len(wrong) == 21
    assert wrong[-1].summary == "10 more lines are malformed"


def test_a_number_that_was_given_twice_counts_as_revoked_and_is_told(bring: Bring) -> None:
    lines = (
        b"V\t391231235959Z\t\t07\tunknown\t/CN=x\n"
        b"R\t391231235959Z\t260101000000Z\t0007\tunknown\t/CN=y\n"
    )
    found = bring(files={"index.txt": lines})
    (told,) = found.diagnostics
    assert (str(told.source), "is on line 1 as well" in told.summary) == (
        "legacy/index.txt:2",
        True,
    )
    assert {e.serial: bool(e.revoked) for e in taken(found).past}["7"]


def test_what_only_the_crl_or_only_a_certificate_tells_is_known_as_well(
    bring: Bring, old: LegacyCa
) -> None:
    past = taken(bring(("    index: legacy/index.txt\n", ""))).past
    good, bad = old.issued
    assert {e.serial.upper(): bool(e.revoked) for e in past} == {good: False, bad: True}
    assert {e.serial.upper(): e.not_after is None for e in past} == {good: False, bad: True}


def test_one_ca_in_two_documents_is_told(bring: Bring) -> None:
    again = "---\n" + DOCUMENT.replace("name: legacy", "name: again")
    assert "the key in it is that of again, too" in only(bring(more=again)).summary


def test_who_asks_an_anchor_to_sign_is_told(bring: Bring) -> None:
    asking = (
        "---\nkind: Authority\nmetadata: {name: sub}\nspec: {parentRef: legacy, commonName: Sub}\n"
    )
    finding = only(bring(("{sops: legacy/key.sops}", "none"), more=asking))
    assert finding.summary == "legacy signs nothing: nobody here has its key (custody: none)"
    assert str(finding.source) == "authorities/legacy.yaml:14"


@pytest.mark.parametrize("custody", ["none", "{sops: legacy/key.sops}"])
def test_these_custodies_are_for_a_ca_that_existed_before(
    examined: Callable[..., Examination], custody: str
) -> None:
    spec = f"{{commonName: N, privateKey: {{custody: {custody}}}}}"
    text = f"kind: Authority\nmetadata: {{name: n}}\nspec: {spec}\n"
    finding = only(examined({"authorities/n.yaml": text, "legacy/key.sops": SEALED}))
    assert "is for a CA that existed before" in finding.summary


def test_the_next_generation_is_an_ordinary_one_with_a_key_of_its_own(bring: Bring) -> None:
    found = bring(
        ("{custody: {sops: legacy/key.sops}}", "{algorithm: RSA}\n  generation: 2"),
        ("  existing:\n", "  existing:\n    custody: {sops: legacy/key.sops}\n"),
    )
    existing = taken(found)
    assert found.desired is not None
    desired = found.desired.authorities["legacy"]
    assert (existing.generation, desired.request.generation) == (1, 2)
    assert desired.request.common_name == "Legacy CA G2"
    assert (str(desired.request.key), desired.custody) == ("RSA 2048", None)
    assert desired.recipients
    assert existing.sealed == SEALED.encode()


def test_a_name_in_an_old_encoding_is_refused_or_taken_as_it_is(
    bring: Bring, tmp_path_factory: pytest.TempPathFactory
) -> None:
    seen = []
    for mask in ("MASK:0x800", "MASK:0x4"):
        folder = tmp_path_factory.mktemp("names") / "ca"
        name = "O = Müller\nCN = Legacy CA"
        ca = LegacyCa.founded(folder, key=ELLIPTIC, mask=mask, name=name)
        seen.append(bring((REST, ""), files={"ca.pem": (ca.folder / "ca.pem").read_bytes()}))
    inherited = taken(seen[0]).request.inherited
    assert inherited is not None
    assert inherited.name is not None
    assert "it is written in T.61" in only(seen[1]).summary


def test_a_parent_that_revoked_it_is_told(
    bring: Bring, old: LegacyCa, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("revoked")
    for file in old.folder.iterdir():
        if file.is_file():
            (folder / file.name).write_bytes(file.read_bytes())
    config = (folder / "openssl.cnf").read_text().replace(str(old.folder), str(folder))
    (folder / "openssl.cnf").write_text(config)
    (folder / "newcerts").mkdir()
    parent = LegacyCa(folder)
    parent.issue("Sub", extensions="sub")
    parent.revoke("Sub")
    below = (
        "---\nkind: Authority\nmetadata: {name: sub}\nspec:\n  parentRef: legacy\n  commonName: Sub\n"
        "  privateKey: {custody: offline}\n  existing: {certificate: legacy/sub.pem}\n"
    )
    files = {
        "sub.pem": (folder / "Sub.pem").read_bytes(),
        "index.txt": (folder / "index.txt").read_bytes(),
    }
    assert only(bring(files=files, more=below)).summary == "legacy has revoked it"
    files.pop("index.txt")
    sound = bring(files=files, more=below)
    assert taken(sound, "sub").request.issuer_generation == 1


def test_a_root_that_signed_itself_with_sha_1_goes_on_but_nothing_that_it_signed_so(
    bring: Bring, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("sha1") / "ca"
    root = LegacyCa.founded(folder, key=ELLIPTIC, md="sha1")
    served = root.issue("served.example.com")
    root.issue("Sub", extensions="sub")
    root.publish()
    below = (
        "---\nkind: Authority\nmetadata: {name: sub}\nspec:\n  parentRef: legacy\n  commonName: Sub\n"
        "  privateKey: {custody: offline}\n  existing: {certificate: legacy/sub.pem}\n"
    )
    files = {
        "ca.pem": (folder / "ca.pem").read_bytes(),
        "sub.pem": (folder / "Sub.pem").read_bytes(),
        "issued.pem": (folder / "served.example.com.pem").read_bytes(),
        "index.txt": b"",
    }
    rest = ("    crl: legacy/ca.crl\n", "")
    existing = taken(bring(rest, files=files))
    assert [entry.serial.upper() for entry in existing.past] == [served]
    assert x509.IssuingAuthority.load(existing.certificate).signs_crls
    found = bring(rest, files=files, more=below)
    assert any("with SHA-1, and nobody takes that any more" in d.summary for d in found.diagnostics)
