"""What the page at the table says is what is signed, whoever wrote the request."""

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ceremony_table import Table, offline_fleet
from cryptography import x509 as pyca
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from fleet_documents import Ca
from key_kinds import P256
from takeovers import elliptic

from providers import x509
from reconciler.ceremony import papers
from reconciler.ceremony.papers import Request, groups
from reconciler.ceremony.signing import begun, sign
from reconciler.ceremony.wording import told
from reconciler.errors import InvalidInput


@pytest.fixture
def table() -> Table:
    """One whose root exists already, with a new CA to be signed and a list that is due."""
    made = Table(offline_fleet())
    made.hold()
    made.fleet.converge()
    made.fleet.cas["more"] = Ca("root", days=900)
    made.fleet.leaves = {}
    made.fleet.wait(4)
    return made


def edited(paper: Request, edit: Callable[[Any], None]) -> Request:
    """Change a request as somebody would with an editor."""
    data = json.loads(papers.written(paper))
    edit(data)
    return Request.model_validate_json(json.dumps(data))


def child(data: Any) -> Any:
    return data["certificates"][0]["issuance"]


def named(common_name: str) -> pyca.Name:
    return pyca.Name([pyca.NameAttribute(NameOID.COMMON_NAME, common_name)])


def test_a_name_that_is_inherited_is_shown_as_it_is_signed(table: Table) -> None:
    other = b64encode(named("Evil CA").public_bytes()).decode()
    request = edited(
        table.export(),
        lambda d: child(d)["request"].update(inherited={"name": other, "keyId": "beef"}),
    )
    done = sign(begun(request), {("root", 1): table.keys[0]})
    (der,) = done.certificates.values()
    assert x509.facts(der).subject == "CN=Evil CA"
    page = told(begun(request))
    assert "   subject     CN=Evil CA\n" in page
    assert "   key id      beef\n" in page


def test_every_address_in_a_certificate_is_shown(table: Table) -> None:
    urls = {"crl": "http://a.example/x", "issuer": "http://b.example/x", "ocsp": "http://c.example"}
    page = told(begun(edited(table.export(), lambda d: child(d).update(urls=urls))))
    assert all(url in page for url in urls.values())


def test_under_what_name_and_certificate_is_signed_is_shown(table: Table) -> None:
    request = table.export()
    page, (der,) = told(begun(request)), begun(request).chains["root", 1]
    assert page.count("   issuer      CN=Example root G1\n") == 2
    assert page.count(f"       {groups(x509.facts(der).sha256)}\n") == 2


def test_a_stranger_cannot_have_the_key_sign_under_another_name_unseen(table: Table) -> None:
    """The custodian's key in a certificate that a stranger's root signed is another certificate."""
    request, thief = table.export(), elliptic()
    real = x509.facts(begun(request).chains["root", 1][0])
    chain = [
        forged(named("Bank Root"), named("Thief"), real.certificate.public_key(), thief),
        forged(named("Thief"), named("Thief"), thief.public_key(), thief),
    ]
    pems = [x509.pem(der).decode() for der in chain]
    robbed = edited(request, lambda d: d["standing"][0].update(chain=pems))
    page = told(begun(robbed))
    assert "   issuer      CN=Bank Root\n" in page
    assert groups(real.sha256) not in page


def forged(subject: pyca.Name, issuer: pyca.Name, key: Any, by: Any) -> bytes:
    start = Table(offline_fleet()).fleet.now
    builder = pyca.CertificateBuilder(issuer, subject, key, 7, start, start.replace(year=2035))
    builder = builder.add_extension(pyca.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(by, hashes.SHA256()).public_bytes(Encoding.DER)


def test_a_generation_with_two_names_is_refused(table: Table) -> None:
    table.fleet.cas["root"] = Ca(custody=table.fleet.cas["root"].custody, key=P256, generation=2)
    request = table.export()

    def rename(data: Any) -> None:
        root = next(c for c in data["certificates"] if c["authority"] == "root")
        root["issuance"]["request"]["generation"] = 1

    with pytest.raises(InvalidInput, match="has two names in it"):
        begun(edited(request, rename))


def test_constraints_that_constrain_nothing_are_shown_as_none(table: Table) -> None:
    request = edited(table.export(), lambda d: child(d)["request"].update(nameConstraints={}))
    assert "   names       any" in told(begun(request))


def test_no_text_makes_a_line_of_its_own(table: Table) -> None:
    text = "x" + " " * 87 + "2. CRL of nothing" + " " * 200 + "3. authority/web, generation 1"
    page = told(begun(edited(table.export(), lambda d: child(d).update(urls={"crl": text}))))
    assert max(map(len, page.splitlines())) <= 90
    assert [line[:2] for line in page.splitlines() if line[:1].isdigit()] == ["1.", "2."]


@pytest.mark.parametrize("text", ["Ex\u0430mple CA", "\uff25xample CA", "\u05d0\u05d1 CA"])
def test_what_only_looks_alike_is_spelt_out(table: Table, text: str) -> None:
    page = told(
        begun(edited(table.export(), lambda d: child(d)["request"].update(commonName=text)))
    )
    assert (
        f"   in ASCII    subject     CN={text.encode('ascii', 'backslashreplace').decode()}\n"
        in page
    )


def test_a_standing_certificate_that_is_none_is_told(table: Table) -> None:
    for chain in ("0garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        data = json.loads(papers.written(table.export()))
        data["standing"][0]["chain"] = [chain]
        bad = Request.model_validate_json(json.dumps(data))
        with pytest.raises(InvalidInput, match="holds what is no certificate"):
            begun(bad)


def _twice(data: Any, name: str) -> None:
    data[name].append(data[name][0])


MEANT_TWICE: dict[str, Callable[[Any], None]] = {
    "a CA that stands twice": lambda d: _twice(d, "standing"),
    "a list twice": lambda d: _twice(d, "crls"),
    "one generation twice": lambda d: d["certificates"].append(
        {"authority": "more", "issuance": {**child(d), "serial": "77"}}
    ),
    "an entry twice": lambda d: d["crls"][0].update(
        entries=[
            {"serial": "77", "at": "2026-01-01T00:00:00Z", "reason": reason}
            for reason in ("unspecified", "keyCompromise")
        ]
    ),
    "an entry in another spelling": lambda d: d["crls"][0].update(
        entries=[{"serial": "0x77", "at": "2026-01-01T00:00:00Z", "reason": "unspecified"}]
    ),
    "a serial number in another spelling": lambda d: child(d).update(serial=" 7_7"),
    "a CA that is called a page of text": lambda d: d["certificates"][0].update(authority="a b\nc"),
    "a project that is a page of text": lambda d: d.update(project="x " * 900),
    "a ledger that is no ledger's": lambda d: d.update(ledger="f" * 15 + "G"),
    "no chain": lambda d: d["standing"][0].update(chain=[]),
    "a name that cannot be read": lambda d: child(d)["request"].update(inherited={"name": "!"}),
    "a name that is none": lambda d: child(d)["request"].update(inherited={"name": "MAA="}),
    "a number that is none": lambda d: d["crls"][0].update(number=1.5),
}


@pytest.mark.parametrize("what", MEANT_TWICE)
def test_a_request_that_can_be_meant_in_two_ways_is_refused(
    table: Table, tmp_path: Path, what: str
) -> None:
    data = json.loads(papers.written(table.export()))
    MEANT_TWICE[what](data)
    file = tmp_path / "x.json"
    file.write_text(json.dumps(data))
    with pytest.raises(InvalidInput, match="no ceremony file"):
        papers.read(file)


def test_the_digest_is_over_what_is_meant_whatever_else_a_file_says(
    table: Table, tmp_path: Path
) -> None:
    """Of a key that is there twice every reader takes the last; the digest and the page are of that one."""
    request, file = table.export(), tmp_path / "x.json"
    file.write_text('{"project": "evil",' + papers.written(request).lstrip()[1:])
    found = papers.read(file)
    assert found == request
    assert isinstance(found, Request)
    assert found.digest == request.digest
