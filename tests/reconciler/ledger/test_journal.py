"""Waves: what they leave in git, what they erase from it, and who can judge them."""

import base64
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import ledger_kit as kit
import pyrage
import pytest
from ledger_kit import Site

from providers.secret import Secret
from providers.sops.binary import Sops
from reconciler.errors import LedgerRefused
from reconciler.ledger.contract import Wave
from reconciler.ledger.publications import CrlRecord
from reconciler.ledger.records import AuthorityRecord, CertificateRecord
from schemas.certificate import Algorithm
from schemas.request import AuthorityRequest, KeyType


def keyed(serial: str, bundle: str | None) -> CertificateRecord:
    return kit.certificate(f"web-{serial}", kit.issuance(serial, bundle=bundle))


def keys(*serials: str) -> dict[str, Secret]:
    return {serial: Secret(kit.der(serial)) for serial in serials}


def read_age_files(path: Path, identity: pyrage.x25519.Identity) -> list[bytes]:
    """Return what the identity opens among all objects of a repository."""
    objects = kit.every_object(path).values()
    ciphertexts = [content for content in objects if content.startswith(b"age-encryption.org/")]
    return [pyrage.decrypt(content, [identity]) for content in ciphertexts]


def leaf_identity(site: Site) -> pyrage.x25519.Identity:
    with site.journal() as journal:
        return journal._open().keyring.leaf_identity


def test_what_a_wave_records_is_read_back(site: Site) -> None:
    crl = CrlRecord(
        authority="services", generation=1, number=3, this_update=kit.NOW, next_update=kit.NOW
    )
    authority = AuthorityRecord(name="services")
    wave = Wave(
        "issue",
        certificates=[kit.certificate("web"), kit.certificate("api")],
        authorities=[authority],
        crls=[crl],
        authority_keys={("services", 1): b"{}"},
    )
    with site.journal() as journal:
        journal.write(wave)
        journal.write(Wave("drop", gone=["api"]))
        assert journal.authority_key("services", 1) == b"{}"
        with pytest.raises(LedgerRefused, match="no key of services, generation 2"):
            journal.authority_key("services", 2)
        recorded = journal.state
    assert site.read() == recorded
    assert recorded.certificates == {"web": kit.certificate("web")}
    assert recorded.authorities == {"services": authority}
    assert recorded.crls == {("services", 1, None): crl}


def test_a_forgotten_authority_goes_with_its_keys(site: Site) -> None:
    request = AuthorityRequest(
        generation=2,
        common_name="Example G2",
        key=KeyType(algorithm=Algorithm.ED25519, size=256),
        duration=86400,
    )
    start, end = kit.NOW - timedelta(days=9), kit.NOW - timedelta(days=8)
    issuance = kit.issuance("77", request=request, not_before=start, not_after=end)
    records = [AuthorityRecord(name=name, issuances=(issuance,)) for name in ("old", "old.g2")]
    with site.journal() as journal:
        sealed = {("old", 2): b"{}", ("old.g2", 2): b"{}"}
        journal.write(Wave("issue", authorities=records, authority_keys=sealed))
        journal.write(Wave("forget", gone_authorities=["old"]))
        with pytest.raises(LedgerRefused, match="no key of old, generation 2"):
            journal.authority_key("old", 2)
        assert journal.authority_key("old.g2", 2) == b"{}"
        recorded = journal.state
    assert site.read() == recorded
    assert list(recorded.authorities) == ["old.g2"]


def test_the_working_tree_and_the_index_are_left_alone(site: Site) -> None:
    before = kit.run_git(site.path, "rev-parse", "HEAD")
    with site.journal() as journal:
        journal.write(Wave("issue", certificates=[kit.certificate("web")]))
    assert kit.run_git(site.path, "status", "--porcelain") == ""
    assert kit.run_git(site.path, "rev-parse", "HEAD") == before


def test_git_finds_nothing_to_complain_about(site: Site) -> None:
    with site.journal() as journal:
        for n in range(3):
            names = [f"web-{n}-{i}" for i in range(120 if n == 1 else 2)]
            journal.write(Wave("issue", certificates=[kit.certificate(name) for name in names]))
    assert kit.run_git(site.path, "fsck", "--full", "--strict", "--no-dangling") == ""


def test_the_lock_leaves_no_objects_behind(site: Site) -> None:
    with site.journal() as journal:
        journal.write(Wave("issue", certificates=[kit.certificate("web")]))
        journal.renew()
    assert "commit" not in kit.run_git(site.path, "fsck", "--unreachable", "--no-reflogs")


def test_git_itself_judges_every_signature_good(
    site: Site, require: Callable[[str], str], tmp_path: Path
) -> None:
    require("ssh-keygen")
    with site.journal() as journal:
        journal.write(Wave("issue\n\nwith a body", certificates=[kit.certificate("web")]))
        tip = journal.state.tip
    signers = tmp_path / "signers"
    signers.write_text(f"certform@localhost {site.settings.public_key}\n")
    allowed = f"gpg.ssh.allowedSignersFile={signers}"
    shown = kit.run_git(site.path, "-c", allowed, "log", "--format=%G? %GS", tip).splitlines()
    assert shown == ["G certform@localhost"] * 2


def test_a_message_cannot_forge_a_header_or_an_escape_sequence(site: Site) -> None:
    with site.journal() as journal:
        journal.write(Wave("issue\x1b[2J\0 web\n\nActor: somebody"))
        tip = journal.state.tip
    shown = kit.run_git(site.path, "log", "-1", "--format=%s", tip)
    trailers = kit.run_git(site.path, "log", "-1", "--format=%(trailers)", tip)
    assert (shown, trailers) == ("issue?[2J? web", "Command: certform")
    assert site.read().tip == tip


def test_leaf_keys_are_given_back_while_they_are_kept(site: Site) -> None:
    with site.journal() as journal:
        records = [keyed("a1", "b1"), keyed("a2", "b1")]
        new = keys("a1", "a2")
        journal.write(Wave("reserve", certificates=records, bundle="b1", new_keys=new))
    with site.journal() as journal:
        found = journal.leaf_keys(["a2", "a1", "ff"])
        assert {serial: key.reveal() for serial, key in found.items()} == {
            "a1": kit.der("a1"),
            "a2": kit.der("a2"),
        }
    assert site.read().bundles == {"b1"}


def test_a_bundle_grows_without_losing_what_it_held(site: Site) -> None:
    with site.journal() as journal:
        for serial in ("a1", "a2"):
            record = keyed(serial, "b1")
            new = keys(serial)
            journal.write(Wave("reserve", certificates=[record], bundle="b1", new_keys=new))
        assert journal.leaf_keys(["a1", "a2"]).keys() == {"a1", "a2"}


def test_new_keys_without_a_bundle_are_a_mistake(site: Site) -> None:
    with site.journal() as journal, pytest.raises(ValueError, match="names their bundle"):
        journal.write(Wave("reserve", new_keys=keys("a1")))


def test_an_erased_key_is_in_no_object_of_the_store(site: Site) -> None:
    identity = leaf_identity(site)
    with site.journal() as journal:
        records = [keyed("a1", "b1"), keyed("a2", "b1")]
        new = keys("a1", "a2")
        journal.write(Wave("reserve", certificates=records, bundle="b1", new_keys=new))
        (held,) = read_age_files(site.path, identity)
        assert b"a1" in held

        erased = keyed("a1", None)
        journal.write(Wave("done", certificates=[erased], erase=frozenset({"a1"})))
        (held,) = read_age_files(site.path, identity)
        assert b'"a1"' not in held
        assert b'"a2"' in held
        assert journal.leaf_keys(["a1", "a2"]).keys() == {"a2"}

        erased = keyed("a2", None)
        journal.write(Wave("done", certificates=[erased], erase=frozenset({"a2"})))
        assert read_age_files(site.path, identity) == []
        assert journal.unerased == ()
        assert journal.state.bundles == frozenset()
    assert site.read().bundles == frozenset()


def test_a_bundle_goes_with_the_last_record_that_names_it(site: Site) -> None:
    identity = leaf_identity(site)
    with site.journal() as journal:
        record = keyed("a1", "b1")
        journal.write(Wave("reserve", certificates=[record], bundle="b1", new_keys=keys("a1")))
        journal.write(Wave("drop", gone=[record.name]))
    assert read_age_files(site.path, identity) == []


def test_a_bundle_that_was_packed_is_reported_and_erased_once_it_is_loose(site: Site) -> None:
    identity = leaf_identity(site)
    with site.journal() as journal:
        record = keyed("a1", "b1")
        journal.write(Wave("reserve", certificates=[record], bundle="b1", new_keys=keys("a1")))
        kit.run_git(site.path, "gc", "--quiet")
        erased = keyed("a1", None)
        journal.write(Wave("done", certificates=[erased], erase=frozenset({"a1"})))
        assert len(journal.unerased) == 4
    assert len(read_age_files(site.path, identity)) == 1
    kit.run_git(site.path, "repack", "-a", "-d", "--unpack-unreachable", "--quiet")
    with site.journal() as journal:
        assert journal.unerased == ()
    assert read_age_files(site.path, identity) == []


def test_the_lost_work_of_the_user_survives_every_erasure(site: Site) -> None:
    lost = kit.run_git(site.path, "hash-object", "-w", "certform.yaml")
    (site.path / "other").write_text("not yet added anywhere")
    lost = kit.run_git(site.path, "hash-object", "-w", "other")
    with site.journal() as journal:
        new = keys("a1")
        record = keyed("a1", "b1")
        journal.write(Wave("reserve", certificates=[record], bundle="b1", new_keys=new))
        journal.write(Wave("drop", gone=[record.name]))
    assert kit.run_git(site.path, "cat-file", "-p", lost) == "not yet added anywhere"


def test_another_clone_erases_what_it_fetched(
    make_site: Callable[..., Site], tmp_path: Path
) -> None:
    site = make_site(remote=True)
    identity = leaf_identity(site)
    other = site.clone(tmp_path / "other")
    with site.journal() as journal:
        record = keyed("a1", "b1")
        new = keys("a1")
        journal.write(Wave("reserve", certificates=[record], bundle="b1", new_keys=new))
        assert other.read().bundles == {"b1"}
        assert len(read_age_files(other.path, identity)) == 1
        journal.write(Wave("drop", gone=[record.name]))
    assert other.read().bundles == frozenset()
    assert read_age_files(other.path, identity) == []


def test_no_object_holds_a_key_in_the_clear(site: Site) -> None:
    with site.journal() as journal:
        record = keyed("a1", "b1")
        new = keys("a1")
        journal.write(Wave("reserve", certificates=[record], bundle="b1", new_keys=new))
        keyring = journal._open().keyring
    seed = keyring.signing_key.private_bytes_raw()
    identity = str(keyring.leaf_identity).encode()
    secrets = [kit.der("a1"), base64.b64encode(kit.der("a1")), seed, identity]
    secrets += [seed.hex().encode(), base64.b64encode(seed)]
    for content in kit.every_object(site.path).values():
        assert not any(secret in content for secret in secrets)


def test_the_keyring_is_opened_once_for_many_waves_and_not_at_all_for_none(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    decrypt = Sops.decrypt

    def counted(sops: Sops, ciphertext: bytes) -> Secret:
        calls.append(1)
        return decrypt(sops, ciphertext)

    monkeypatch.setattr(Sops, "decrypt", counted)
    with site.journal():
        pass
    assert calls == []
    with site.journal() as journal:
        for n in range(3):
            journal.write(Wave("issue", certificates=[kit.certificate(f"web-{n}")]))
    assert calls == [1]


def test_time_in_the_ledger_does_not_run_backwards(site: Site) -> None:
    with site.journal(now=kit.NOW.replace(year=2030)) as journal:
        journal.write(Wave("later"))
    with site.journal() as journal:
        journal.write(Wave("earlier"))
        assert journal.state.tip_time == kit.NOW.replace(year=2030)


def test_ten_thousand_records_are_one_wave(site: Site, tell: Callable[[str], None]) -> None:
    records = [
        kit.certificate(f"web-{n}", kit.issuance(f"{n + 1:x}", certificate="Q" * 800))
        for n in range(10_000)
    ]
    with site.journal() as journal:
        journal.write(Wave("open the keyring"))
        began = time.perf_counter()
        journal.write(Wave("issue", certificates=records))
        took = time.perf_counter() - began
    tell(f"10,000 records in one durable wave: {took:.2f} s")
    assert len(site.read().certificates) == 10_000
