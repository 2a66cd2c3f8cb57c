"""The emulated vault refuses what Key Vault refuses, as the official SDK sees it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.keyvault.certificates import (
    CertificateClient,
    CertificateContentType,
    CertificatePolicy,
)
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import load_pem_x509_certificate
from keyvault_emulator import KeyVault

from providers.azure.credentials import Credentials
from providers.base import Bundle
from providers.specimens import Specimens
from schemas.certificate import Algorithm
from schemas.request import KeyType

Made = Callable[[], Bundle]
PEM = CertificatePolicy("Unknown", content_type=CertificateContentType.pem)
UNKNOWN = CertificatePolicy("Unknown", subject="CN=x", key_type="EC", key_curve_name="P-256")
SELF = CertificatePolicy.get_default()


def pem(bundle: Bundle) -> bytes:
    return b"".join((bundle.held_key.reveal(), bundle.certificate, *bundle.chain))


def key_of(bundle: Bundle) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    key = load_pem_private_key(bundle.held_key.reveal(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    return key


def test_pem_wants_its_content_type(client: CertificateClient, bundle: Made) -> None:
    with pytest.raises(HttpResponseError, match="content type"):
        client.import_certificate("web", pem(bundle()))


def test_a_key_in_another_form_than_pkcs8_is_refused(
    client: CertificateClient, bundle: Made
) -> None:
    made = bundle()
    old = key_of(made).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    shut = key_of(made).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
    )
    for key in (old, shut):
        with pytest.raises(HttpResponseError, match="PKCS#8"):
            client.import_certificate("web", key + made.certificate, policy=PEM)


def test_ed25519_is_refused(client: CertificateClient) -> None:
    kind = KeyType(algorithm=Algorithm.ED25519, size=256)
    now = datetime.now(UTC)
    made = Specimens.make(now).bundle("www.example.com", now, kind)
    with pytest.raises(HttpResponseError, match="unsupported kind"):
        client.import_certificate("web", pem(made), policy=PEM)


def test_a_key_of_another_certificate_is_refused(client: CertificateClient, bundle: Made) -> None:
    mixed = bundle().held_key.reveal() + bundle().certificate
    with pytest.raises(HttpResponseError, match="does not match"):
        client.import_certificate("web", mixed, policy=PEM)


def test_a_key_of_another_kind_than_the_policy_says_is_refused(
    client: CertificateClient, bundle: Made
) -> None:
    for said in ({"key_type": "RSA"}, {"key_type": "EC", "key_curve_name": "P-384"}):
        policy = CertificatePolicy("Unknown", content_type=CertificateContentType.pem, **said)
        with pytest.raises(HttpResponseError, match="key_props"):
            client.import_certificate("web", pem(bundle()), policy=policy)


def test_what_has_expired_is_refused(client: CertificateClient) -> None:
    then = datetime.now(UTC) - timedelta(days=400)
    with pytest.raises(HttpResponseError, match="has expired"):
        client.import_certificate(
            "web", pem(Specimens.make(then).bundle("www.example.com", then)), policy=PEM
        )


def test_pfx_is_taken(client: CertificateClient, bundle: Made) -> None:
    made = bundle()
    leaf = load_pem_x509_certificate(made.certificate)
    above = [load_pem_x509_certificate(each) for each in made.chain]
    shut = BestAvailableEncryption(b"opensesame")
    data = pkcs12.serialize_key_and_certificates(b"web", key_of(made), leaf, above, shut)
    found = client.import_certificate("web", data, password="opensesame")
    assert bytes(found.cer or b"") == leaf.public_bytes(Encoding.DER)
    with pytest.raises(HttpResponseError):
        client.import_certificate("web", data, password="wrong")


def test_tags_are_counted_and_measured(client: CertificateClient, bundle: Made) -> None:
    many = {f"tag-{number}": "x" for number in range(16)}
    for tags in (many, {"x": "y" * 513}):
        with pytest.raises(HttpResponseError, match="tags"):
            client.import_certificate("web", pem(bundle()), policy=PEM, tags=tags)


def test_a_creation_that_is_under_way_shuts_the_name(
    client: CertificateClient, bundle: Made
) -> None:
    operation = client.begin_create_certificate("web", UNKNOWN).result()
    assert "inProgress" in str(getattr(operation, "status", ""))
    with pytest.raises(ResourceExistsError, match="Forbidden"):
        client.import_certificate("web", pem(bundle()), policy=PEM)
    with pytest.raises(ResourceExistsError):
        client.begin_create_certificate("web", UNKNOWN)
    assert [each.name for each in client.list_properties_of_certificates()] == []
    pending = client.list_properties_of_certificates(include_pending=True)
    assert [each.x509_thumbprint for each in pending] == [None]
    assert client.cancel_certificate_operation("web").status == "cancelled"
    client.import_certificate("web", pem(bundle()), policy=PEM)


def test_a_merge_wants_the_key_that_waits(client: CertificateClient, bundle: Made) -> None:
    client.begin_create_certificate("web", UNKNOWN)
    with pytest.raises(HttpResponseError, match="x5c"):
        client.merge_certificate("web", [bundle().certificate])
    client.delete_certificate_operation("web")
    with pytest.raises(ResourceNotFoundError):
        client.merge_certificate("web", [bundle().certificate])


def test_a_deleted_name_is_taken_until_it_is_purged(
    vault: KeyVault, client: CertificateClient
) -> None:
    client.begin_create_certificate("web", SELF).result()
    client.begin_delete_certificate("web").wait()
    with pytest.raises(ResourceExistsError, match="recovered or purged"):
        client.begin_create_certificate("web", SELF)
    vault.store.purge_protection = True
    with pytest.raises(HttpResponseError, match="not allowed"):
        client.purge_deleted_certificate("web")
    vault.store.purge_protection = False
    vault.store.denied.add("purge")
    with pytest.raises(HttpResponseError, match="purge"):
        client.purge_deleted_certificate("web")
    vault.store.denied.clear()
    client.purge_deleted_certificate("web")
    client.begin_create_certificate("web", SELF).result()


def test_versions_are_listed_and_got_one_by_one(client: CertificateClient) -> None:
    for _ in range(2):
        client.begin_create_certificate("web", SELF).result()
    versions = [each.version for each in client.list_properties_of_certificate_versions("web")]
    assert len(set(versions)) == 2
    assert client.get_certificate_version("web", versions[0] or "").policy is None
    with pytest.raises(ResourceNotFoundError):
        client.get_certificate_version("web", "0" * 32)


def test_an_issuer_that_the_vault_does_not_know_is_refused(client: CertificateClient) -> None:
    with pytest.raises(ResourceNotFoundError, match="Issuer not found"):
        client.begin_create_certificate("web", CertificatePolicy("DigiCert", subject="CN=x"))


def test_an_unknown_version_of_the_protocol_is_refused(vault: KeyVault, known: Credentials) -> None:
    old = CertificateClient(
        vault.url, known.of(None), api_version="1999-01-01", verify_challenge_resource=False
    )
    with pytest.raises(HttpResponseError, match="not recognized"):
        list(old.list_properties_of_certificates())
