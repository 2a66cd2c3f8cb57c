"""Where a CA key is, as it is written: the ledger, or exactly one key with its version."""

import pytest
from pydantic import ValidationError

from schemas.authority import AuthorityKey
from schemas.custody import AwsKmsKey, AzureKey, RemoteKey

ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
AZURE = f"https://kv-example.vault.azure.net/keys/services-ca/{'0a' * 16}"
GCP = "projects/example-pki/locations/europe-west1/keyRings/ca/cryptoKeys/services/cryptoKeyVersions/3"
ROLE = "arn:aws:iam::111122223333:role/certform"
KEYS = {"aws-kms": ARN, "azure-key-vault": AZURE, "gcp-kms": GCP}


def custody(written: object) -> RemoteKey | None:
    found = AuthorityKey.model_validate({"custody": written}).custody
    assert found is None or isinstance(found, RemoteKey)
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
        ("disk", "must be `ledger`, or a key service"),
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
