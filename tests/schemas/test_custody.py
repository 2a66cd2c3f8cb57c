"""Where a CA key is, as it is written: the ledger, or exactly one key with its version."""

import pytest
from pydantic import ValidationError

from schemas.authority import AuthorityKey
from schemas.custody import AwsKmsKey, AzureKey, CaCustody, Kept, RemoteKey, SopsKey

ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
AZURE = f"https://kv-example.vault.azure.net/keys/services-ca/{'0a' * 16}"
GCP = "projects/example-pki/locations/europe-west1/keyRings/ca/cryptoKeys/services/cryptoKeyVersions/3"
ROLE = "arn:aws:iam::111122223333:role/certform"
TOKEN = "pkcs11:token=ca;object=services"
MODULE = "/usr/lib/softhsm/libsofthsm2.so"
KEYS = {"aws-kms": ARN, "azure-key-vault": AZURE, "gcp-kms": GCP}


def kept(written: object) -> CaCustody | None:
    return AuthorityKey.model_validate({"custody": written}).custody


def custody(written: object) -> RemoteKey | None:
    found = kept(written)
    assert found is None or isinstance(found, RemoteKey)
    return found


def token(uri: str) -> RemoteKey:
    found = custody({"pkcs11": {"key": uri, "module": MODULE}})
    assert found is not None
    return found


def test_the_ledger_is_where_a_key_is_that_nothing_is_said_of() -> None:
    assert AuthorityKey().custody is custody("ledger") is None


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_is_short_for_its_settings(kind: str) -> None:
    short, long = custody({kind: KEYS[kind]}), custody({kind: {"key": KEYS[kind]}})
    assert short == long
    assert short is not None
    assert (short.kind, short.settings.key) == (kind, KEYS[kind])
    assert short.reference == f"{kind}:{KEYS[kind]}"
    assert RemoteKey.named(short.reference) == short


def test_parts_of_a_key_are_known() -> None:
    assert AwsKmsKey(key=ARN).region == "eu-west-1"
    key = AzureKey(key=AZURE)
    assert (key.vault, key.name) == ("https://kv-example.vault.azure.net", "services-ca")
    assert key.version == "0a" * 16


def test_another_key_is_reached_as_one_of_its_kind_is() -> None:
    like = custody({"aws-kms": {"key": ARN, "role": ROLE, "externalId": "x"}})
    other = ARN.replace("1234abcd", "00000000")
    assert RemoteKey.named(f"aws-kms:{other}", like).settings == AwsKmsKey(
        key=other, role=ROLE, external_id="x"
    )
    assert RemoteKey.named(f"gcp-kms:{GCP}", like) == custody({"gcp-kms": GCP})


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("disk", "must be `ledger`, `offline`, `none`, or name a key"),
        (5, "valid dictionary"),
        ({}, "name exactly one key"),
        ({"aws-kms": ARN, "gcp-kms": GCP}, "name exactly one key"),
        ({"aws-kms": ARN.replace("key/", "alias/")}, "an alias can be moved to another key"),
        ({"aws-kms": "alias/ca"}, "an alias can be moved to another key"),
        ({"azure-key-vault": AZURE.rpartition("/")[0]}, "with its version"),
        ({"azure-key-vault": AZURE.replace("https", "http")}, "with its version"),
        ({"azure-key-vault": AZURE.replace("/keys/", "/secrets/")}, "with its version"),
        ({"gcp-kms": GCP.partition("/cryptoKeyVersions")[0]}, "must be one version of a key"),
        ({"gcp-kms": f"{GCP}/../1"}, "must be one version of a key"),
        ({"aws-kms": {"key": ARN, "role": "root"}}, "must be the ARN of an IAM role"),
    ],
)
def test_what_is_not_one_key_for_ever_is_refused(written: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        custody(written)


def test_a_key_may_be_kept_where_nothing_opens_it() -> None:
    assert (kept("offline"), kept("none")) == (Kept.OFFLINE, Kept.NONE)
    assert kept({"sops": "old/ca.sops.yaml"}) == SopsKey(sops="old/ca.sops.yaml")
    assert [k.reference for k in (Kept.OFFLINE, SopsKey(sops="x"))] == ["offline", "sops"]


@pytest.mark.parametrize(
    "uri",
    [
        "pkcs11:object=services;token=ca",
        "pkcs11:token=ca;type=private;object=services",
        "pkcs11:token=c%61;object=%73ervices",
    ],
)
def test_a_token_s_key_has_one_name_however_it_is_written(uri: str) -> None:
    assert token(uri).reference == f"pkcs11:{TOKEN}"


def test_of_a_token_s_key_the_reference_leaves_out_how_it_is_reached() -> None:
    named = RemoteKey.named(f"pkcs11:{TOKEN}", token(TOKEN))
    assert named == token(TOKEN)
    assert RemoteKey.named(f"pkcs11:{TOKEN}").settings.to_json() == {"key": TOKEN}


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("pkcs11:object=services", "must name its token"),
        ("pkcs11:token=ca", "must name its key"),
        ("pkcs11:token=ca;object=a;object=b", "must give object once"),
        ("pkcs11:token=ca;object=a;model=x", "not model"),
        ("pkcs11:token=ca;object=a;type=public", "must name a private key"),
        ("pkcs11:token=ca;object=a?pin-value=1234", "a PIN is no part of it"),
        ("pkcs11:token=ca;object=a;pin-value=1234", "a PIN is no part of it"),
        ("pkcs11:token=%ff;object=a", "in UTF-8"),
        ("pkcs11:token=%0a;object=a", "printable"),
        ("pkcs11:slot-id=0x1;object=a", "decimal"),
        ("pkcs11:token=ca; object=a", r"must be a PKCS#11 URI \(RFC 7512\)"),
        ("token=ca;object=a", r"must be a PKCS#11 URI \(RFC 7512\)"),
    ],
)
def test_what_names_no_one_key_of_a_token_is_refused(uri: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        token(uri)


def test_a_module_is_named_by_its_whole_path() -> None:
    with pytest.raises(ValidationError, match="never of the repository"):
        custody({"pkcs11": {"key": TOKEN, "module": "vendor/evil.so"}})


@pytest.mark.parametrize(
    "written",
    [{"pkcs11": {"key": "pkcs11:token=ca", "module": MODULE}}, {"sops": 5}, {"aws-kmz": ARN}],
)
def test_one_mistake_is_one_finding(written: object) -> None:
    with pytest.raises(ValidationError) as caught:
        kept(written)
    assert caught.value.error_count() == 1
