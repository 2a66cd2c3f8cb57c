"""The audit: what the log shows, and what it finds when something recorded was unsaid."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

import ledger_kit as kit
import pytest
from ledger_kit import Site

from reconciler.errors import LedgerRefused
from reconciler.git import Git
from reconciler.ledger.contract import Wave
from reconciler.ledger.history import log, trace, verify_history
from reconciler.ledger.layout import belongs_to
from reconciler.ledger.publications import CrlRecord
from reconciler.ledger.records import CertificateRecord, Issuance, Placement, Revoked, Status
from reconciler.ledger.trust import TrustRecord
from schemas.revocation import RevocationReason


def crl(number: int, sha256: str | None = None) -> CrlRecord:
    week = kit.NOW + timedelta(days=7)
    return CrlRecord(
        authority="root",
        generation=1,
        number=number,
        this_update=kit.NOW,
        next_update=week,
        sha256=sha256,
    )


def wave(
    certificates: Sequence[CertificateRecord] = (),
    crls: Sequence[CrlRecord] = (),
    gone: Sequence[str] = (),
) -> Wave:
    return Wave("a wave", certificates=certificates, crls=crls, gone=gone)


def certificates(*issuances: Issuance) -> Wave:
    return wave([kit.certificate("web", *issuances)])


def revoked(serial: str = "1f", reason: RevocationReason = RevocationReason.SUPERSEDED) -> Issuance:
    return kit.issuance(serial, Status.REVOKED, revoked=Revoked(at=kit.NOW, reason=reason))


GOOD = {
    "a life": [
        certificates(kit.issuance("1f", Status.RESERVED)),
        certificates(kit.issuance("1f", certificate="Y2VydA==")),
        certificates(kit.issuance("1f", certificate="Y2VydA=="), kit.issuance("20")),
    ],
    "an abandoned reservation dropped": [
        certificates(kit.issuance("1f", Status.RESERVED)),
        certificates(kit.issuance("1f", Status.ABANDONED)),
        certificates(kit.issuance("20")),
    ],
    "a revocation": [
        certificates(kit.issuance("1f")),
        certificates(revoked()),
    ],
    "an expired one dropped": [
        certificates(kit.issuance("1f", not_after=kit.NOW - timedelta(days=1))),
        wave(gone=["web"]),
    ],
    "a certificate renamed": [
        certificates(kit.issuance("1f")),
        wave([kit.certificate("www", kit.issuance("1f"))], gone=["web"]),
    ],
    "a placement forgotten": [
        wave(
            [
                kit.certificate("web").model_copy(
                    update={"placements": (Placement(target="t", object_name="web"),)}
                )
            ]
        ),
        certificates(),
    ],
    "CRLs": [
        wave(crls=[crl(1)]),
        wave(crls=[crl(1, "aa")]),
        wave(crls=[crl(2)]),
    ],
}
BAD = {
    "serial 1f vanished": [certificates(kit.issuance("1f")), wave(gone=["web"])],
    "serial 1f went from revoked to issued": [
        certificates(revoked()),
        certificates(kit.issuance("1f")),
    ],
    "serial 1f went from issued to reserved": [
        certificates(kit.issuance("1f")),
        certificates(kit.issuance("1f", Status.RESERVED)),
    ],
    "serial 1f changed its revoked": [
        certificates(revoked()),
        certificates(revoked(reason=RevocationReason.UNSPECIFIED)),
    ],
    "serial 1f changed its spki": [
        certificates(kit.issuance("1f", Status.RESERVED)),
        certificates(kit.issuance("1f", spki="b3RoZXI=")),
    ],
    "serial 1f changed its certificate": [
        certificates(kit.issuance("1f", certificate="YQ==")),
        certificates(kit.issuance("1f", certificate="Yg==")),
    ],
    "the CRL number of root generation 1 went back": [
        wave(crls=[crl(2)]),
        wave(crls=[crl(1)]),
    ],
    "bundle corp: aaaaaaaaaaaaaaaa was given up earlier than it was": [
        Wave(message="Test", trust=[TrustRecord(name="corp", replaced={"a" * 64: kit.NOW})]),
        Wave(
            message="Test",
            trust=[TrustRecord(name="corp", replaced={"a" * 64: kit.NOW - timedelta(days=1)})],
        ),
    ],
    "CRL number of root": [
        wave(crls=[crl(2, "aa")]),
        wave(crls=[crl(2, "bb")]),
    ],
}


def write(site: Site, waves: Iterable[Wave]) -> None:
    with site.journal() as journal:
        for each in waves:
            journal.write(each)


@pytest.mark.parametrize("name", GOOD)
def test_an_honest_history_has_no_findings(make_site: Callable[..., Site], name: str) -> None:
    site = make_site(remote=False)
    write(site, GOOD[name])
    assert verify_history(site.path, site.settings) == ()


@pytest.mark.parametrize("name", BAD)
def test_what_was_unsaid_is_found(make_site: Callable[..., Site], name: str) -> None:
    site = make_site(remote=False)
    write(site, BAD[name])
    findings = verify_history(site.path, site.settings)
    assert name in findings[0].problem
    assert {finding.tip for finding in findings} == {site.read().tip}


def test_an_unsigned_commit_deep_in_history_is_found(make_site: Callable[..., Site]) -> None:
    site = make_site(remote=False)
    identity = ("-c", "user.name=Test", "-c", "user.email=test@localhost")
    branch = site.settings.branch
    tree = kit.run_git(site.path, "rev-parse", f"{branch}^{{tree}}")
    (site.path / "message").write_bytes(b"mine \xff\xfe")
    commit = ("commit-tree", "-p", branch, "-F", "message", tree)
    outsider = kit.run_git(site.path, *identity, *commit)
    kit.run_git(site.path, "update-ref", f"refs/heads/{branch}", outsider)
    with pytest.raises(LedgerRefused, match="signed by nobody"):
        write(site, [wave()])
    (finding,) = verify_history(site.path, site.settings)
    assert finding.problem == "is not signed with the ledger's key"
    assert [entry.signed for entry in log(site.path, site.settings)] == [False, True]


def put_on_top(site: Site, entry: bytes) -> str:
    """Put an unsigned commit with one entry (as `git ls-tree -z` shows it) on the ledger."""
    made = Git(site.path).run("mktree", "-z", "--missing", stdin=entry)
    identity = ("-c", "user.name=Test", "-c", "user.email=test@localhost")
    branch = site.settings.branch
    commit = ("commit-tree", "-p", branch, "-m", "mine", made.decode().strip())
    outsider = kit.run_git(site.path, *identity, *commit)
    kit.run_git(site.path, "update-ref", f"refs/heads/{branch}", outsider)
    return outsider


STRANGE = {
    "a path of any bytes": b"100644 blob %s\t\xff\xfe.json\0",
    "a submodule": b"160000 commit " + b"1" * 40 + b"\tcertificates\0",
    "a link": b"120000 blob %s\tlineage.json\0",
    "no record": b"100644 blob %s\tcertificates\0",
}


@pytest.mark.parametrize("entry", STRANGE.values(), ids=STRANGE.keys())
def test_an_outsider_commit_is_named_whatever_it_holds(
    make_site: Callable[..., Site], entry: bytes
) -> None:
    site = make_site(remote=False)
    write(site, [certificates(kit.issuance("1f"))])
    blob = kit.run_git(site.path, "hash-object", "-w", "certform.yaml").encode()
    outsider = put_on_top(site, entry.replace(b"%s", blob))
    (finding,) = verify_history(site.path, site.settings)
    assert (finding.tip, finding.problem) == (outsider, "is not signed with the ledger's key")
    (mine, told), (first, _) = trace(
        site.path, site.settings, lambda path: belongs_to("certificate/web", path)
    )
    assert (mine.tip, mine.signed, first.signed) == (outsider, False, True)
    assert told == ("changed by somebody without the ledger's key",)


def test_the_log_tells_what_was_done_newest_first(site: Site) -> None:
    write(site, [certificates(kit.issuance("1f")), wave(gone=["web"])])
    entries = log(site.path, site.settings)
    assert [e.summary for e in entries] == ["a wave", "a wave", "Begin the ledger of example"]
    assert all(entry.signed and entry.at == kit.NOW for entry in entries)
    assert entries[0].tip == site.read().tip
