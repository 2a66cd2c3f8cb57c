"""What a role makes of an order, and what the text says to change where it is not what was asked for."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bao import Bao
from bao_line import Line
from cryptography.x509 import load_pem_x509_crl
from vault_orders import DAY, Order, as_root, issuer, revocation

from providers import x509
from providers.errors import Conflict, NotFound, Rejected
from providers.issuing import Issued, IssuerConfig
from providers.registry import make_issuer
from providers.vault.issuer import VaultIssuer
from providers.vault.mount import colons
from schemas.certificate import Algorithm, Usage
from schemas.issuer import IssuerSpec
from schemas.request import KeyType


def test_it_is_made_of_a_document_and_asks_nobody(tmp_path: Any) -> None:
    spec = IssuerSpec.model_validate({"vault": {"server": "https://localhost:1", "role": "web"}})
    made = make_issuer(IssuerConfig("theirs", spec, "owner", tmp_path))
    assert isinstance(made, VaultIssuer)


@pytest.mark.parametrize(
    ("usage", "setting"),
    [
        (Usage.CLIENT_AUTH, "client_flag=true"),
        (Usage.CODE_SIGNING, "code_signing_flag=true"),
        (Usage.EMAIL_PROTECTION, "email_protection_flag=true"),
        (Usage.TIMESTAMPING, "ext_key_usage=TimeStamping"),
    ],
)
def test_a_usage_that_the_role_does_not_give_is_told_and_given_once_it_is_set(
    bao: Bao, usage: Usage, setting: str
) -> None:
    order = Order.of(usages=(usage,))
    with pytest.raises(Rejected, match=rf"{usage}: set {setting} in pki/roles/web"):
        order.by(as_root(bao))
    with pytest.raises(Rejected, match=f"set {setting}"):
        order.by(as_root(bao), order.noted[0])
    name, _, value = setting.partition("=")
    settings: dict[str, Any] = {name: True if value == "true" else value}
    bao.role(**settings)
    order = Order.of(usages=(usage,))
    order.facts(order.by(as_root(bao)))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"dns_names": ("www.example.org",)}, "www.example.org.*not allowed by this role"),
        ({"email_addresses": ("who@example.org",)}, "who@example.org.*not allowed by this role"),
        ({"uris": ("https://example.org/",)}, "have pki/roles/web allow it"),
        ({"ip_addresses": ("192.0.2.1",)}, "IP Subject Alternative Names are not allowed"),
        ({"common_name": "example.org"}, "example.org.*not allowed by this role"),
    ],
)
def test_a_name_that_the_role_does_not_allow_is_refused_in_vaults_words(
    bao: Bao, fields: dict[str, Any], words: str
) -> None:
    bao.role(allow_ip_sans=False)
    order = Order.of(**fields)
    with pytest.raises(Rejected, match=words):
        order.by(as_root(bao))
    assert not order.noted
    assert len(bao.issued()) == 1, "there is the root alone"


def test_a_role_that_wants_a_common_name_says_so(bao: Bao) -> None:
    bao.role(require_cn=True)
    with pytest.raises(Rejected, match="set require_cn=false in pki/roles/web, or give it a"):
        Order.of().by(as_root(bao))
    order = Order.of(common_name="www.example.com")
    order.facts(order.by(as_root(bao)))


@pytest.mark.parametrize("size", [2048, 256])
def test_a_kind_of_key_that_the_role_does_not_take_is_told(bao: Bao, size: int) -> None:
    bao.role(key_type="ec" if size == 2048 else "rsa", key_bits=0)
    algorithm = Algorithm.RSA if size == 2048 else Algorithm.ECDSA
    order = Order.of(key=KeyType(algorithm=algorithm, size=size))
    with pytest.raises(Rejected, match="set key_type=any in pki/roles/web"):
        order.by(as_root(bao))


@pytest.mark.parametrize("use_csr", [True, False])
def test_names_are_those_asked_for_whether_the_role_reads_the_request_or_the_parameters(
    bao: Bao, use_csr: bool
) -> None:
    bao.role(use_csr_sans=use_csr, use_csr_common_name=use_csr)
    order = Order.of(
        common_name="www.example.com",
        dns_names=("*.example.com", "a.example.com"),
        ip_addresses=("192.0.2.1", "2001:db8::1"),
        uris=("spiffe://example.com/one", "spiffe://example.com/two,three"),
        email_addresses=("who@example.com",),
    )
    order.facts(order.by(as_root(bao)))


def test_a_life_that_is_longer_than_the_role_allows_is_cut(bao: Bao) -> None:
    bao.role(max_ttl="24h")
    order = Order.of(duration=30 * DAY)
    facts = order.facts(order.by(as_root(bao)))
    assert facts.not_after < datetime.now(UTC) + timedelta(days=2)


def test_a_life_that_ends_after_the_ca_is_refused_unless_the_issuer_cuts_it(bao: Bao) -> None:
    bao.mount_pki("brief", ttl="48h")
    made = as_root(bao, path="brief")
    with pytest.raises(Rejected, match=r"beyond the expiration of the CA.*shorter duration"):
        Order.of().by(made)
    bao.write("brief/issuer/default", {"leaf_not_after_behavior": "truncate"})
    order = Order.of()
    facts = order.facts(order.by(made))
    (root,) = order.by(made, order.noted[0]).anchors
    assert facts.not_after == x509.facts(root).not_after


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"role": "other"}, r"has no role other \(pki/sign/other\)"),
        ({"path": "elsewhere"}, r"has nothing at elsewhere/sign/web"),
        ({"issuer": "other"}, r"has no issuer other \(pki/issuer/other/sign/web\)"),
    ],
)
def test_what_the_document_names_and_is_not_there_is_named(
    bao: Bao, settings: dict[str, str], words: str
) -> None:
    named = {"issuerName" if name == "issuer" else name: v for name, v in settings.items()}
    with pytest.raises(NotFound, match=words):
        Order.of().by(as_root(bao, **named))


def test_a_mount_without_a_ca_says_so(bao: Bao) -> None:
    bao.write("sys/mounts/empty", {"type": "pki"})
    bao.role("empty")
    with pytest.raises(NotFound, match="has no CA of its own there yet"):
        Order.of().by(as_root(bao, path="empty"))


@pytest.mark.parametrize(("serial", "written"), [("abc", "0a:bc"), ("1f00", "1f:00"), ("7", "07")])
def test_a_serial_is_written_as_vault_writes_it(serial: str, written: str) -> None:
    assert colons(serial) == written


class Intermediate:
    """A mount `below`, whose CA is signed by the root of the mount `pki`; the root is not in it."""

    def __init__(self, bao: Bao, path: str = "below") -> None:
        bao.write(f"sys/mounts/{path}", {"type": "pki"})
        asked = bao.write(
            f"{path}/intermediate/generate/internal",
            {"common_name": f"Test {path}", "key_type": "ec"},
        )
        signed = bao.write(
            "pki/root/sign-intermediate", {"csr": asked["data"]["csr"], "ttl": "4000h"}
        )
        self.root = bao.read("pki/cert/ca")["certificate"]
        self.certificate = signed["data"]["certificate"]
        bao.write(f"{path}/intermediate/set-signed", {"certificate": self.certificate})
        bao.role(path)


@pytest.mark.parametrize("with_root", [True, False])
def test_the_chain_goes_as_far_up_as_the_mount_knows(bao: Bao, with_root: bool) -> None:
    below = Intermediate(bao)
    if with_root:
        bao.write("below/issuers/import/cert", {"pem_bundle": below.root})
    order, made = Order.of(), as_root(bao, path="below")
    issued = order.by(made)
    order.facts(issued)
    assert issued.chain == (x509.to_der(below.certificate.encode()),)
    assert issued.anchors == ((x509.to_der(below.root.encode()),) if with_root else ())
    assert order.by(made, order.noted[0]) == issued


def test_what_another_issuer_of_the_mount_signed_is_read_back_with_its_own_chain(bao: Bao) -> None:
    made, order = as_root(bao), Order.of()
    issued = order.by(made)
    bao.write("pki/root/rotate/internal", {"common_name": "Next Root", "key_type": "ec"})
    (new,) = {*bao.ask("LIST", "pki/issuers")["data"]["keys"]} - {
        bao.read("pki/config/issuers")["default"]
    }
    bao.write("pki/config/issuers", {"default": new})
    other = Order.of().by(made)
    assert other.anchors != issued.anchors
    assert order.by(made, order.noted[0]) == issued
    made.revoke(revocation(issued))


def test_one_of_several_issuers_signs_where_it_is_named(bao: Bao) -> None:
    bao.write("pki/root/rotate/internal", {"common_name": "Next Root", "issuer_name": "next"})
    order = Order.of()
    issued = order.by(as_root(bao, issuerName="next"))
    order.facts(issued)
    assert x509.facts(issued.anchors[0]).subject == "CN=Next Root"


def test_what_a_role_keeps_nothing_of_cannot_be_gone_on_with(bao: Bao) -> None:
    bao.role(no_store=True)
    order, made = Order.of(), as_root(bao)
    issued = order.by(made)
    with pytest.raises(NotFound, match=r"keeps no certificate .* no_store"):
        order.by(made, order.noted[0])
    made.revoke(revocation(issued))
    made.revoke(revocation(issued))


def _listed(bao: Bao, issued: Issued) -> bool:
    told = load_pem_x509_crl(bao.read("pki/issuer/default/crl")["crl"].encode())
    return int(x509.facts(issued.certificate).serial, 16) in {each.serial_number for each in told}


def test_what_is_revoked_is_on_the_crl_and_may_be_revoked_again(bao: Bao) -> None:
    made = as_root(bao)
    issued, other = Order.of().by(made), Order.of().by(made)
    made.revoke(revocation(issued))
    made.revoke(revocation(issued))
    assert _listed(bao, issued)
    assert not _listed(bao, other)


@pytest.mark.parametrize("setting", ["auto_rebuild", "disable"])
def test_a_list_that_is_not_made_at_once_is_not_waited_for(bao: Bao, setting: str) -> None:
    made = as_root(bao)
    issued = Order.of().by(made)
    bao.write("pki/config/crl", {setting: True})
    made.revoke(revocation(issued))
    assert bao.read(f"pki/cert/{colons(x509.facts(issued.certificate).serial)}")["revocation_time"]
    assert not _listed(bao, issued)


def test_what_has_expired_is_revoked_without_being_on_a_list(bao: Bao) -> None:
    bao.role(max_ttl="1s")
    made = as_root(bao)
    issued = Order.of().by(made)
    end = x509.facts(issued.certificate).not_after
    made.clock = lambda: end + timedelta(seconds=1)
    while datetime.now(UTC) <= end:
        time.sleep(0.05)
    made.revoke(revocation(issued))
    assert not _listed(bao, issued)


def test_what_another_mount_issued_cannot_be_revoked_here(bao: Bao) -> None:
    bao.mount_pki("other")
    issued = Order.of().by(as_root(bao, path="other"))
    with pytest.raises(NotFound, match="has no issuer there that issued it"):
        as_root(bao).revoke(revocation(issued))


def test_a_revocation_that_the_crl_does_not_tell_is_not_done(bao: Bao) -> None:
    with Line.to(bao) as (line, wire):
        made = issuer(wire.url, bao.root)
        issued = Order.of().by(made)
        before = bao.read("pki/issuer/default/crl")["crl"]
        line.changes["crl"] = lambda told, _: told.update(crl=before) if "crl" in told else None
        with pytest.raises(Conflict, match=r"CRL of 2\d{3}-\d\d-\d\d .* with 0 entries"):
            made.revoke(revocation(issued))
        line.changes["cert"] = lambda told, _: told.update(revocation_time=0)
        with pytest.raises(Conflict, match="it was to be revoked, and is not"):
            made.revoke(revocation(issued))
        line.changes.clear()
        made.revoke(revocation(issued))


def test_a_crl_of_somebody_else_is_of_no_use(bao: Bao) -> None:
    bao.mount_pki("other")
    with Line.to(bao) as (line, wire):
        made = issuer(wire.url, bao.root)
        issued = Order.of().by(made)
        theirs = bao.read("other/issuer/default/crl")["crl"]
        line.changes["crl"] = lambda told, _: told.update(crl=theirs) if "crl" in told else None
        with pytest.raises(Rejected, match="is of no use: this CA did not sign it"):
            made.revoke(revocation(issued))
