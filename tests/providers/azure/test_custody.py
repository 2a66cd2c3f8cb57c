"""Keys that are made in the vault: a request comes out, a certificate goes in, the key never moves."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from azure.keyvault.certificates import CertificateClient, CertificatePolicy
from cryptography import x509 as pyca
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from keyvault_emulator import KeyVault
from wire import Way

from providers import x509
from providers.abilities import KeyRequest
from providers.azure.vault import KeyVaultTarget
from providers.base import Bundle, Installed
from providers.conformance import OURS, labels, request
from providers.errors import Ambiguous, Conflict, Denied
from providers.signer import KeySigner
from providers.specimens import P256, Specimens
from providers.x509.keys import decode_spki
from schemas.certificate import Algorithm, Subject, Usage
from schemas.request import KeyType, LeafRequest

RSA = KeyType(algorithm=Algorithm.RSA, size=2048)
P384 = KeyType(algorithm=Algorithm.ECDSA, size=384)
WEEK = 7 * 86_400
Made = Callable[[], Bundle]


def leaf(kind: KeyType = P256) -> LeafRequest:
    return LeafRequest(
        issuer="specimen",
        issuer_generation=1,
        common_name="www.example.com",
        subject=Subject(organizations=("Example, Inc.",), countries=("DE",)),
        dns_names=("www.example.com",),
        ip_addresses=("192.0.2.1",),
        uris=("https://www.example.com/",),
        usages=(Usage.SERVER_AUTH,),
        key=kind,
        duration=WEEK,
    )


def wanted(name: str = "web", kind: KeyType = P256) -> KeyRequest:
    return KeyRequest(name, leaf(kind), labels(name))


def signed(csr: bytes, kind: KeyType = P256) -> Bundle:
    """Return a certificate for a request's key, by a CA of ours."""
    now = datetime.now(UTC)
    specimens = Specimens.make(now)
    key = pyca.load_der_x509_csr(csr).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    start, end = x509.validity(now, WEEK)
    tbs = x509.ToBeSigned(leaf(kind), x509.new_serial(), start, end, spki)
    issuer = x509.IssuingAuthority.load(specimens.intermediate, (specimens.root,))
    return Bundle(
        certificate=x509.pem(x509.sign(tbs, issuer, KeySigner(specimens.key))),
        chain=(x509.pem(specimens.intermediate),),
        anchors=(x509.pem(specimens.root),),
        private_key=None,
    )


def installed(target: KeyVaultTarget, before: Installed | None = None) -> Installed:
    return target.install(request("web", signed(target.make_key(wanted())), before))


@pytest.mark.parametrize("kind", [P256, P384, RSA])
def test_a_key_is_made_in_the_vault_and_cannot_be_taken_out(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient, kind: KeyType
) -> None:
    csr = pyca.load_der_x509_csr(target.make_key(wanted(kind=kind)))
    names = csr.extensions.get_extension_for_class(pyca.SubjectAlternativeName).value
    assert names.get_values_for_type(pyca.DNSName) == ["www.example.com"]
    assert "O=Example\\, Inc." in csr.subject.rfc4514_string()
    assert x509.key_type(decode_spki(_spki(csr))) == (kind.algorithm, kind.size)
    assert client.get_certificate_policy("web").exportable is False
    assert not [path for path in vault.wire.asked if "Import" in path]


def _spki(csr: pyca.CertificateSigningRequest) -> bytes:
    return csr.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_a_certificate_for_the_key_is_merged_with_it(
    vault: KeyVault, target: KeyVaultTarget
) -> None:
    bundle = signed(target.make_key(wanted()))
    made = target.install(request("web", bundle))
    (version,) = vault.entry("web").versions
    assert version.der == x509.to_der(bundle.certificate)
    assert version.chain == tuple(map(x509.to_der, bundle.chain))
    assert made.labels == labels("web")
    assert list(target.observe()) == [made]
    assert target.install(request("web", bundle)) == made


@pytest.mark.parametrize("pending_hides", [False, True])
def test_a_renewal_has_a_new_key_under_the_same_name(
    vault: KeyVault, target: KeyVaultTarget, pending_hides: bool
) -> None:
    vault.store.pending_hides = pending_hides
    before = installed(target)
    after = installed(target, before)
    one, other = vault.entry("web").versions
    assert one.key.public_key() != other.key.public_key()
    assert (before.id, before.serial) != (after.id, after.serial)
    assert before.id == after.id
    assert list(target.observe()) == [after]


def test_a_key_that_waits_is_asked_for_again(vault: KeyVault, target: KeyVaultTarget) -> None:
    first = target.make_key(wanted())
    assert target.make_key(wanted()) == first
    assert vault.wire.counts["CreateCertificate"] == 1
    (waiting,) = target.observe()
    assert waiting.owned_by(OURS)
    assert "no certificate for it" in waiting.drift[0]
    assert target.install(request("web", signed(first), waiting)).drift == ()


def test_another_kind_of_key_takes_the_place_of_the_one_that_waits(
    target: KeyVaultTarget,
) -> None:
    first = target.make_key(wanted())
    second = target.make_key(wanted(kind=P384))
    assert first != second
    with pytest.raises(Conflict, match="--replace certificate/web"):
        target.install(request("web", signed(first)))
    target.install(request("web", signed(second, P384)))


def test_a_certificate_for_a_key_that_is_gone_is_refused(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient
) -> None:
    bundle = signed(target.make_key(wanted()))
    client.delete_certificate_operation("web")
    with pytest.raises(Conflict, match="no longer holds the key"):
        target.install(request("web", bundle))
    assert vault.wire.counts["MergeCertificate"] == 0
    assert target.make_key(wanted())


def test_a_certificate_without_any_key_there_is_refused(
    target: KeyVaultTarget, bundle: Made
) -> None:
    with pytest.raises(Conflict, match="no longer holds the key"):
        target.install(request("web", replace(bundle(), private_key=None)))


def test_somebody_elses_creation_is_neither_used_nor_ended(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient
) -> None:
    client.begin_create_certificate("web", CertificatePolicy("Unknown", subject="CN=theirs"))
    with pytest.raises(Conflict, match="not ours"):
        target.make_key(wanted())
    assert vault.entry("web").busy


def test_a_key_that_could_be_taken_out_is_not_taken_for_one_of_ours(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient
) -> None:
    installed(target)
    theirs = CertificatePolicy(
        "Unknown", subject="CN=theirs", exportable=True, key_type="EC", key_curve_name="P-256"
    )
    client.begin_create_certificate("web", theirs)
    with pytest.raises(Conflict, match="somebody else's creation"):
        target.make_key(wanted())
    assert vault.entry("web").busy


def test_a_key_nobody_waits_for_any_more_makes_room_for_an_import(
    target: KeyVaultTarget, bundle: Made
) -> None:
    before = installed(target)
    target.make_key(wanted())
    after = target.install(request("web", bundle(), before))
    assert list(target.observe()) == [after]


@pytest.mark.parametrize("way", [Way.UNANSWERED, Way.MISANSWERED])
def test_a_key_whose_request_was_lost_on_the_way_is_found(
    vault: KeyVault, target: KeyVaultTarget, way: Way
) -> None:
    vault.wire.fail("CreateCertificate", way)
    csr = target.make_key(wanted())
    assert target.make_key(wanted()) == csr
    assert vault.wire.counts["CreateCertificate"] == 1


def test_a_key_that_was_not_made_is_told(vault: KeyVault, target: KeyVaultTarget) -> None:
    vault.wire.fail("CreateCertificate", Way.DROPPED)
    with pytest.raises(Ambiguous, match="apply again"):
        target.make_key(wanted())


def test_a_merge_whose_answer_was_lost_is_found(vault: KeyVault, target: KeyVaultTarget) -> None:
    vault.wire.fail("MergeCertificate", Way.UNANSWERED)
    made = installed(target)
    assert list(target.observe()) == [made]
    assert vault.wire.counts["MergeCertificate"] == 1


def test_a_key_under_a_name_that_we_deleted_comes_after_recovery(
    vault: KeyVault, target: KeyVaultTarget
) -> None:
    target.remove(installed(target))
    csr = target.make_key(wanted())
    assert vault.wire.counts["RecoverCertificate"] == 1
    (recovered,) = target.observe()
    assert target.install(request("web", signed(csr), recovered)) in target.observe()


def test_what_waits_can_be_removed(vault: KeyVault, target: KeyVaultTarget) -> None:
    target.make_key(wanted())
    (waiting,) = target.observe()
    target.remove(waiting)
    assert list(target.observe()) == []
    assert target.make_key(wanted())


def test_what_waits_is_not_removed_with_somebody_elses_version_beneath(
    vault: KeyVault, target: KeyVaultTarget
) -> None:
    vault.store.pending_hides = True
    installed(target)
    target.make_key(wanted())
    vault.entry("web").versions[-1].tags = {"theirs": "now"}
    (waiting,) = target.observe()
    with pytest.raises(Conflict, match="not ours"):
        target.remove(waiting)
    assert len(vault.entry("web").versions) == 1


def test_a_missing_permission_to_create_is_named(vault: KeyVault, target: KeyVaultTarget) -> None:
    vault.store.denied.add("create")
    with pytest.raises(Denied, match="certificates/create"):
        target.make_key(wanted())


def test_dates_are_those_that_we_signed(target: KeyVaultTarget) -> None:
    made = installed(target)
    assert made.not_after is not None
    assert made.not_after - datetime.now(UTC) < timedelta(seconds=WEEK)
