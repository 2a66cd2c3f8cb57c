"""The audit: what the log shows, and what it finds when something recorded was unsaid."""

from datetime import timedelta

import pytest

from reconciler.errors import LedgerRefused
from reconciler.ledger.contract import Wave
from reconciler.ledger.history import log, verify_history
from reconciler.ledger.records import CrlRecord, Placement, Revoked, Status
from schemas.revocation import RevocationReason


def crl(kit, number: int, sha256: str | None = None) -> CrlRecord:
    week = kit.NOW + timedelta(days=7)
    return CrlRecord(
        authority="root",
        generation=1,
        number=number,
        this_update=kit.NOW,
        next_update=week,
        sha256=sha256,
    )


def certificates(kit, *issuances):
    return {"certificates": [kit.certificate("web", *issuances)]}


def revoked(kit, serial: str = "1f", reason=RevocationReason.SUPERSEDED):
    return kit.issuance(serial, Status.REVOKED, revoked=Revoked(at=kit.NOW, reason=reason))


GOOD = {
    "a life": lambda kit: [
        certificates(kit, kit.issuance("1f", Status.RESERVED)),
        certificates(kit, kit.issuance("1f", certificate="Y2VydA==")),
        certificates(kit, kit.issuance("1f", certificate="Y2VydA=="), kit.issuance("20")),
    ],
    "an abandoned reservation dropped": lambda kit: [
        certificates(kit, kit.issuance("1f", Status.RESERVED)),
        certificates(kit, kit.issuance("1f", Status.ABANDONED)),
        certificates(kit, kit.issuance("20")),
    ],
    "a revocation": lambda kit: [
        certificates(kit, kit.issuance("1f")),
        certificates(kit, revoked(kit)),
    ],
    "an expired one dropped": lambda kit: [
        certificates(kit, kit.issuance("1f", not_after=kit.NOW - timedelta(days=1))),
        {"gone": ["web"]},
    ],
    "a certificate renamed": lambda kit: [
        certificates(kit, kit.issuance("1f")),
        {"gone": ["web"], "certificates": [kit.certificate("www", kit.issuance("1f"))]},
    ],
    "a placement forgotten": lambda kit: [
        {
            "certificates": [
                kit.certificate("web").model_copy(
                    update={"placements": (Placement(target="t", object_name="web"),)}
                )
            ]
        },
        {"certificates": [kit.certificate("web")]},
    ],
    "CRLs": lambda kit: [
        {"crls": [crl(kit, 1)]},
        {"crls": [crl(kit, 1, "aa")]},
        {"crls": [crl(kit, 2)]},
    ],
}
BAD = {
    "serial 1f vanished": lambda kit: [certificates(kit, kit.issuance("1f")), {"gone": ["web"]}],
    "serial 1f went from revoked to issued": lambda kit: [
        certificates(kit, revoked(kit)),
        certificates(kit, kit.issuance("1f")),
    ],
    "serial 1f went from issued to reserved": lambda kit: [
        certificates(kit, kit.issuance("1f")),
        certificates(kit, kit.issuance("1f", Status.RESERVED)),
    ],
    "serial 1f changed its revoked": lambda kit: [
        certificates(kit, revoked(kit)),
        certificates(kit, revoked(kit, reason=RevocationReason.UNSPECIFIED)),
    ],
    "serial 1f changed its spki": lambda kit: [
        certificates(kit, kit.issuance("1f", Status.RESERVED)),
        certificates(kit, kit.issuance("1f", spki="b3RoZXI=")),
    ],
    "serial 1f changed its certificate": lambda kit: [
        certificates(kit, kit.issuance("1f", certificate="YQ==")),
        certificates(kit, kit.issuance("1f", certificate="Yg==")),
    ],
    "the CRL number of root generation 1 went back": lambda kit: [
        {"crls": [crl(kit, 2)]},
        {"crls": [crl(kit, 1)]},
    ],
    "CRL number of root": lambda kit: [
        {"crls": [crl(kit, 2, "aa")]},
        {"crls": [crl(kit, 2, "bb")]},
    ],
}


def write(site, waves) -> None:
    with site.journal() as journal:
        for wave in waves:
            journal.write(Wave("a wave", **wave))


@pytest.mark.parametrize("name", GOOD)
def test_an_honest_history_has_no_findings(make_site, kit, name):
    site = make_site(remote=False)
    write(site, GOOD[name](kit))
    assert verify_history(site.path, site.settings) == ()


@pytest.mark.parametrize("name", BAD)
def test_what_was_unsaid_is_found(make_site, kit, name):
    site = make_site(remote=False)
    write(site, BAD[name](kit))
    findings = verify_history(site.path, site.settings)
    assert name in findings[0].problem
    assert {finding.tip for finding in findings} == {site.read().tip}


def test_an_unsigned_commit_deep_in_history_is_found(make_site, kit):
    site = make_site(remote=False)
    identity = ("-c", "user.name=Test", "-c", "user.email=test@localhost")
    branch = site.settings.branch
    tree = kit.run_git(site.path, "rev-parse", f"{branch}^{{tree}}")
    (site.path / "message").write_bytes(b"mine \xff\xfe")
    commit = ("commit-tree", "-p", branch, "-F", "message", tree)
    outsider = kit.run_git(site.path, *identity, *commit)
    kit.run_git(site.path, "update-ref", f"refs/heads/{branch}", outsider)
    with pytest.raises(LedgerRefused, match="signed by nobody"):
        write(site, [{}])
    (finding,) = verify_history(site.path, site.settings)
    assert finding.problem == "is not signed with the ledger's key"
    assert [entry.signed for entry in log(site.path, site.settings)] == [False, True]


def test_the_log_tells_what_was_done_newest_first(site, kit):
    write(site, [certificates(kit, kit.issuance("1f")), {"gone": ["web"]}])
    entries = log(site.path, site.settings)
    assert [e.summary for e in entries] == ["a wave", "a wave", "Begin the ledger of example"]
    assert all(entry.signed and entry.at == kit.NOW for entry in entries)
    assert entries[0].tip == site.read().tip
