"""What somebody on the way could do to a request or an answer: all of it is told, and nothing is recorded."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ceremony_table import Table, offline_fleet
from fleet_documents import Ca
from fleet_sights import issuances
from key_kinds import P256

from providers import x509
from providers.signer import KeySigner
from reconciler.ceremony import papers
from reconciler.ceremony.papers import Answer, Request
from reconciler.ceremony.signing import begun, sign
from reconciler.ceremony.wording import told
from reconciler.errors import InvalidInput, Refused
from schemas.custody import Kept


@pytest.fixture
def table() -> Table:
    return Table(offline_fleet())


@pytest.fixture
def standing() -> Table:
    """One whose root exists already, and whose list is due, with an entry."""
    made = Table(offline_fleet())
    made.hold()
    made.fleet.converge()
    made.fleet.cas["more"] = Ca("root", days=900)
    made.fleet.leaves = {}
    made.fleet.revoke("old", serials=(serial(made, "mid", 2),))
    made.fleet.apply()
    return made


def serial(table: Table, name: str, generation: int) -> str:
    found = table.fleet.journal.state.authorities[name].issued(generation)
    assert found is not None
    return found.serial


def edited(paper: Request, edit: Callable[[Any], None]) -> Request:
    """Change a request as somebody would with an editor."""
    data = json.loads(papers.written(paper))
    edit(data)
    return Request.model_validate_json(json.dumps(data))


def refused(table: Table, answer: Answer) -> str:
    """Expect that an answer is refused, and that nothing came of it."""
    before = (table.fleet.journal.waves, tuple(issuances(table.fleet.journal.state)))
    with pytest.raises((InvalidInput, Refused)) as caught:
        table.take_in(answer)
    assert before == (table.fleet.journal.waves, tuple(issuances(table.fleet.journal.state)))
    return str(caught.value)


def child(data: Any) -> Any:
    return next(c for c in data["certificates"] if c["authority"] in ("mid", "more"))["issuance"]


EDITS: Mapping[str, tuple[Callable[[Any], None], str]] = {
    "a longer path": (lambda d: child(d)["request"].update(pathLength=3), "says something else"),
    "another name": (
        lambda d: child(d)["request"].update(commonName="Evil CA"),
        "its common name is Evil CA, and Example",
    ),
    "other constraints": (
        lambda d: child(d)["request"].update(
            nameConstraints={"permitted": {"dnsDomains": ["evil.example"]}}
        ),
        "says something else",
    ),
    "another key": (
        lambda d: child(d).update(
            spki="MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
        ),
        "for another key",
    ),
    "a later end": (
        lambda d: child(d).update(notAfter="2029-01-01T00:00:00Z"),
        "its notAfter is 2029",
    ),
    "another serial": (lambda d: child(d).update(serial="7" * 39), "no such reservation"),
    "another CRL address": (
        lambda d: child(d).update(urls={"crl": "http://evil.example/x.crl"}),
        "says something else",
    ),
}


@pytest.mark.parametrize("what", EDITS)
def test_what_was_signed_by_an_edited_request_is_not_taken_in(table: Table, what: str) -> None:
    request = table.export()
    edit, said = EDITS[what]
    other = edited(request, edit)
    assert other.digest != request.digest
    assert said in refused(table, table.sign(other))


CRLS: Mapping[str, tuple[Callable[[Any], None], str]] = {
    "nothing revoked": (lambda d: d["crls"][0].update(entries=[]), "leaves out what is revoked"),
    "more revoked": (
        lambda d: d["crls"][0]["entries"].append(
            {"serial": "77", "at": "2026-01-01T00:00:00Z", "reason": "unspecified"}
        ),
        "revokes what is not revoked",
    ),
    "another reason": (
        lambda d: d["crls"][0]["entries"][0].update(reason="superseded"),
        "revokes what is not revoked",
    ),
    "a higher number": (
        lambda d: d["crls"][0].update(number=d["crls"][0]["number"] + 9),
        "is not reserved",
    ),
    "a lower number": (lambda d: d["crls"][0].update(number=5), "an old answer"),
    "a later end": (
        lambda d: d["crls"][0].update(nextUpdate="2028-01-01T00:00:00Z"),
        "says something else",
    ),
    "another address": (
        lambda d: d["crls"][0].update(urls=["http://evil.example/x.crl"]),
        "says something else",
    ),
}


@pytest.mark.parametrize("what", CRLS)
def test_a_list_by_an_edited_request_is_not_taken_in(standing: Table, what: str) -> None:
    edit, said = CRLS[what]
    assert said in refused(standing, standing.sign(edited(standing.export(), edit)))


def test_one_bad_part_spoils_the_whole_answer(standing: Table) -> None:
    answer = standing.sign(standing.export())
    (name,) = answer.certificates
    bad = answer.model_copy(update={"certificates": {name: answer.certificates[name][:-60]}})
    refused(standing, bad)
    assert standing.take_in(answer).accepted.keys() == {
        "authority/more, generation 1",
        "root-g1.crl",
    }


def test_what_another_key_signed_is_not_taken_in(standing: Table) -> None:
    request, thief = standing.export(), KeySigner(x509.generate_key(P256))
    ours = begun(request)
    chain = ours.chains["root", 1]
    fake = forged(x509.facts(chain[0]).certificate.subject.rfc4514_string(), thief)
    robbed = sign(replace(ours, chains={("root", 1): [fake]}), {("root", 1): thief})
    assert "signed by another key" in refused(standing, robbed.answer())


def forged(name: str, key: KeySigner) -> bytes:
    """Return a root of the same name with another key."""
    other = Table(offline_fleet(root=Ca(custody=Kept.OFFLINE, key=P256)))
    request = other.export()
    assert name == "CN=Example root G1"
    done = sign(begun(request), {("root", 1): key})
    return done.chains["root", 1][0]


def test_an_answer_of_another_ledger_is_refused(table: Table) -> None:
    answer = table.sign(table.export())
    other = edited(answer.request, lambda d: d.update(ledger="f" * 16))
    said = refused(table, answer.model_copy(update={"request": other}))
    assert "this answer is for another ledger" in said


def test_another_signature_for_what_was_issued_is_an_old_answer(table: Table) -> None:
    table.fleet.cas["root"] = Ca(custody=Kept.OFFLINE, key=P256)
    request = table.export()
    table.take_in(table.sign(request))
    table.keys.clear()
    assert "issued already" in refused(table, table.sign(request))


def test_a_root_with_the_key_of_another_one_is_refused(table: Table) -> None:
    table.hold()
    table.fleet.cas["root"] = Ca(custody=Kept.OFFLINE, generation=2)
    request = table.export()
    again = sign(begun(request), {("root", 2): table.keys[0]})
    assert "its key is that of authority/root, generation 1" in refused(table, again.answer())


def test_what_is_signed_and_not_in_the_request_is_refused(standing: Table) -> None:
    answer = standing.sign(standing.export())
    bare = answer.request.model_copy(update={"certificates": (), "crls": ()})
    said = refused(standing, answer.model_copy(update={"request": bare}))
    assert said.count("was not asked for") == 2


def test_an_answer_that_does_not_hold_is_not_signed_on(table: Table) -> None:
    answer = table.sign(table.export())
    root = next(c for c in answer.request.certificates if c.is_self_signed).issuance.serial
    mid = next(serial for serial in answer.certificates if serial != root)
    swapped = {**answer.certificates, mid: answer.certificates[root]}
    with pytest.raises(InvalidInput, match="another key"):
        begun(answer.model_copy(update={"certificates": swapped}))


def test_a_key_cannot_be_used_beyond_its_own_certificate(standing: Table) -> None:
    """The constraints of the CA itself hold on the offline machine, too, whatever a request says."""
    end = standing.fleet.now + timedelta(days=4000)
    longer = edited(
        standing.export(), lambda d: child(d).update(notAfter=end.strftime("%Y-%m-%dT%H:%M:%SZ"))
    )
    with pytest.raises(InvalidInput, match="would outlive its issuer"):
        standing.sign(longer)


def test_text_for_a_terminal_to_obey_is_spelt_out(table: Table) -> None:
    request = edited(
        table.export(), lambda d: child(d)["request"].update(commonName="Evil\x1b[2J CA")
    )
    assert "Evil\\x1b[2J CA" in told(begun(request))


FILES: Mapping[str, bytes] = {
    "nothing": b"",
    "no JSON": b"\x30\x82\x01",
    "a list": b"[]",
    "depth": b"[" * 100_000,
    "another format": b'{"format": "certform-ceremony-request/9"}',
    "a part": b'{"format": "certform-ceremony-request/1", "project": "x"}',
    "a number for a format": b'{"format": 1}',
}


@pytest.mark.parametrize("what", FILES)
def test_what_is_no_paper_is_told(tmp_path: Path, what: str) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(FILES[what])
    with pytest.raises(InvalidInput, match=r"x\.json is no"):
        papers.read(file)


def test_a_file_of_a_hundred_megabytes_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    with file.open("wb") as sparse:
        sparse.truncate(100 << 20)
    with pytest.raises(InvalidInput, match="at most 32 MiB"):
        papers.read(file)


def test_a_folder_or_a_pipe_or_nothing_is_no_paper(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.json", Path("/dev/zero")):
        with pytest.raises(InvalidInput):
            papers.read(path)


def test_a_request_that_means_two_things_is_refused(table: Table, tmp_path: Path) -> None:
    data = json.loads(papers.written(table.export()))
    data["certificates"].append(data["certificates"][0])
    file = tmp_path / "x.json"
    file.write_text(json.dumps(data))
    with pytest.raises(InvalidInput, match="no ceremony file"):
        papers.read(file)


def test_a_leaf_in_a_request_is_refused(table: Table, tmp_path: Path) -> None:
    data = json.loads(papers.written(table.export()))
    leaf = {"kind": "leaf", "issuer": "root", "issuerGeneration": 1, "usages": ["server auth"]}
    key = {"algorithm": "ECDSA", "size": 256}
    child(data)["request"] = {**leaf, "key": key, "duration": 86400}
    file = tmp_path / "x.json"
    file.write_text(json.dumps(data))
    with pytest.raises(InvalidInput, match="no ceremony file"):
        papers.read(file)


def test_a_paper_reads_back_as_it_was_written(table: Table, tmp_path: Path) -> None:
    answer = table.sign(table.export())
    for paper in (answer.request, answer):
        file = tmp_path / "x.json"
        file.write_text(papers.written(paper))
        assert papers.read(file) == paper
