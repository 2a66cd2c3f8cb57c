"""The emulator refuses what ACM refuses: asked by the official SDK."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from acm_others import Others
from aws_emulator import AwsEmulator
from botocore.config import Config
from botocore.exceptions import ClientError

from providers import x509
from providers.base import Bundle
from providers.signer import KeySigner
from providers.specimens import Specimens
from schemas.certificate import Algorithm, Usage
from schemas.request import KeyType, LeafRequest

Make = Callable[[], Bundle]
P256 = KeyType(algorithm=Algorithm.ECDSA, size=256)
ED25519 = KeyType(algorithm=Algorithm.ED25519, size=256)


@pytest.fixture
def acm(aws: AwsEmulator) -> Any:
    # what the SDK would refuse by itself is to reach the emulator
    unchecked = Config(parameter_validation=False)
    return boto3.Session().client("acm", region_name="eu-west-1", config=unchecked)


def parts(bundle: Bundle) -> dict[str, Any]:
    chain = {"CertificateChain": bundle.chain[0]} if bundle.chain else {}
    key = bundle.held_key.reveal()
    return {"Certificate": bundle.certificate, "PrivateKey": key, **chain}


def refusal(call: Callable[..., Any], **parameters: Any) -> str:
    """Return the code that a call is refused with."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


def usable(specimens: Specimens, *usages: Usage) -> Bundle:
    """A certificate with these extended key usages."""
    now, key = datetime.now(UTC), x509.generate_key(P256)
    start, end = x509.validity(now, 86_400)
    wanted = LeafRequest(
        issuer="specimen",
        issuer_generation=1,
        dns_names=("www.example.com",),
        usages=usages,
        key=P256,
        duration=86_400,
    )
    tbs = x509.ToBeSigned(wanted, x509.new_serial(), start, end, x509.spki(key.public_key()))
    issuer = x509.IssuingAuthority.load(specimens.intermediate, (specimens.root,))
    return Bundle(
        x509.pem(x509.sign(tbs, issuer, KeySigner(specimens.key))),
        (x509.pem(specimens.intermediate),),
        (),
        x509.key_pem(x509.encode_key(key)),
    )


def test_a_key_of_another_certificate(acm: Any, bundle: Make) -> None:
    wrong = {**parts(bundle()), "PrivateKey": bundle().held_key.reveal()}
    assert refusal(acm.import_certificate, **wrong) == "ValidationException"


def test_a_chain_that_does_not_sign(acm: Any, bundle: Make) -> None:
    other = Specimens.make(datetime.now(UTC))
    wrong = {**parts(bundle()), "CertificateChain": x509.pem(other.intermediate)}
    assert refusal(acm.import_certificate, **wrong) == "ValidationException"


def test_a_key_of_a_kind_it_does_not_take(
    acm: Any, aws: AwsEmulator, make: Callable[[KeyType], Bundle]
) -> None:
    assert refusal(acm.import_certificate, **parts(make(ED25519))) == "ValidationException"
    assert acm.list_certificates()["CertificateSummaryList"] == []


def test_what_has_expired(acm: Any, aws: AwsEmulator, bundle: Make) -> None:
    aws.acm.now = lambda: datetime.now(UTC) + timedelta(days=30)
    assert refusal(acm.import_certificate, **parts(bundle())) == "ValidationException"


@pytest.mark.parametrize("tags", [[], [{"Key": "team", "Value": "a"}]])
def test_tags_on_a_second_import(
    acm: Any, others: Others, bundle: Make, tags: list[dict[str, str]]
) -> None:
    arn = others.put(bundle(), {"team": "b"}).arn
    again = {**parts(bundle()), "CertificateArn": arn}
    assert refusal(acm.import_certificate, **again, Tags=tags) == "ValidationException"
    acm.import_certificate(**again)
    assert acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] == [
        {"Key": "team", "Value": "b"}
    ]


def test_usages_that_go_but_for_client_auth(acm: Any, others: Others, specimens: Specimens) -> None:
    both = usable(specimens, Usage.SERVER_AUTH, Usage.CLIENT_AUTH)
    arn = others.put(both).arn
    without_server = parts(usable(specimens, Usage.CLIENT_AUTH))
    assert (
        refusal(acm.import_certificate, **without_server, CertificateArn=arn)
        == "ValidationException"
    )
    acm.import_certificate(**parts(usable(specimens, Usage.SERVER_AUTH)), CertificateArn=arn)


def test_a_chain_comes_back_as_it_was_given(acm: Any, bundle: Make) -> None:
    made = bundle()
    arn = acm.import_certificate(**parts(made))["CertificateArn"]
    assert acm.get_certificate(CertificateArn=arn)["CertificateChain"].encode() == made.chain[0]
    bare = acm.import_certificate(**parts(replace(bundle(), chain=())))["CertificateArn"]
    assert "CertificateChain" not in acm.get_certificate(CertificateArn=bare)


def test_pages_of_the_older_listing_and_its_filter(
    acm: Any, others: Others, bundle: Make, make: Callable[[KeyType], Bundle]
) -> None:
    others.put_all([bundle() for _ in range(5)], {})
    rsa = others.put(make(KeyType(algorithm=Algorithm.RSA, size=2048)))
    shown = acm.list_certificates()["CertificateSummaryList"]
    assert [each["CertificateArn"] for each in shown] == [rsa.arn]
    assert "Serial" not in str(shown)
    assert shown[0]["KeyAlgorithm"] == "RSA-2048"  # not as the model has it
    pages = acm.get_paginator("list_certificates").paginate(
        Includes={"keyTypes": ["EC_prime256v1"]}, PaginationConfig={"PageSize": 2}
    )
    assert [len(page["CertificateSummaryList"]) for page in pages] == [2, 2, 1]
    for size in (0, 1_001):
        assert refusal(acm.list_certificates, MaxItems=size) == "ValidationException"


def test_pages_and_filters_of_the_search(acm: Any, others: Others, bundle: Make) -> None:
    held = others.put_all([bundle() for _ in range(5)], {})
    assert held[0].parsed is not None
    serial = held[0].parsed.serial
    by_serial = {"Filter": {"X509AttributeFilter": {"SerialNumber": serial}}}
    imported = {"Filter": {"AcmCertificateMetadataFilter": {"Type": "IMPORTED"}}}
    expired = {"Filter": {"AcmCertificateMetadataFilter": {"Status": "EXPIRED"}}}
    for statement, count in (
        (by_serial, 1),
        ({"Not": by_serial}, 4),
        ({"And": [by_serial, imported]}, 1),
        ({"And": [by_serial, expired]}, 0),
        ({"Or": [by_serial, imported]}, 5),
    ):
        assert len(acm.search_certificates(FilterStatement=statement)["Results"]) == count
    pages = acm.get_paginator("search_certificates").paginate(PaginationConfig={"PageSize": 2})
    assert [len(page["Results"]) for page in pages] == [2, 2, 1]
    assert refusal(acm.search_certificates, MaxResults=501) == "ValidationException"
    bad = {"Filter": {"X509AttributeFilter": {"SerialNumber": serial.replace(":", "")}}}
    assert refusal(acm.search_certificates, FilterStatement=bad) == "ValidationException"


def test_quotas_and_rates(acm: Any, aws: AwsEmulator, bundle: Make) -> None:
    quotas, now = aws.store().quotas, datetime.now(UTC)
    aws.acm.now = lambda: now
    quotas.throttled = True
    arn = acm.import_certificate(**parts(bundle()))["CertificateArn"]
    assert refusal(acm.import_certificate, **parts(bundle())) == "ThrottlingException"
    quotas.throttled, quotas.certificates = False, 1
    assert refusal(acm.import_certificate, **parts(bundle())) == "LimitExceededException"
    acm.import_certificate(**parts(bundle()), CertificateArn=arn)
    quotas.imports = 2
    again = {**parts(bundle()), "CertificateArn": arn}
    assert refusal(acm.import_certificate, **again) == "LimitExceededException"


def test_what_is_in_use_or_unknown_is_not_deleted(
    acm: Any, aws: AwsEmulator, others: Others, bundle: Make
) -> None:
    arn = others.put(bundle()).arn
    aws.use(arn, "arn:aws:cloudfront::1:distribution/E1")
    assert refusal(acm.delete_certificate, CertificateArn=arn) == "ResourceInUseException"
    absent = arn[:-12] + "0" * 12
    assert refusal(acm.delete_certificate, CertificateArn=absent) == "ResourceNotFoundException"
    assert refusal(acm.describe_certificate, CertificateArn="x" * 30) == "ValidationException"


def test_tags_by_their_rules(acm: Any, others: Others, bundle: Make) -> None:
    arn = others.put(bundle()).arn
    for tags, code in (
        ([{"Key": "a|b", "Value": ""}], "ValidationException"),
        ([{"Key": "aws:a", "Value": ""}], "InvalidTagException"),
        ([{"Key": f"k{n}"} for n in range(50)], None),
        ([{"Key": "one-more"}], "TooManyTagsException"),
    ):
        wanted = {"CertificateArn": arn, "Tags": tags}
        if code is None:
            acm.add_tags_to_certificate(**wanted)
        else:
            assert refusal(acm.add_tags_to_certificate, **wanted) == code


def test_only_what_has_tags_is_found_by_them(
    aws: AwsEmulator, others: Others, bundle: Make
) -> None:
    tagging: Any = boto3.Session().client("resourcegroupstaggingapi", region_name="eu-west-1")
    others.put(bundle())
    others.put_all([bundle() for _ in range(3)], {"team": "a"})
    kinds = {"ResourceTypeFilters": ["acm:certificate"], "ResourcesPerPage": 2}
    first = tagging.get_resources(**kinds)
    rest = tagging.get_resources(**kinds, PaginationToken=first["PaginationToken"])
    pages = [first["ResourceTagMappingList"], rest["ResourceTagMappingList"]]
    assert ([len(page) for page in pages], rest["PaginationToken"]) == ([2, 1], "")
    assert refusal(tagging.get_resources, ResourcesPerPage=101) == "InvalidParameterException"


def test_state_is_fresh_for_each_emulator(aws: AwsEmulator, others: Others, bundle: Make) -> None:
    others.put(bundle())
    with AwsEmulator().running() as other:
        client = boto3.Session().client("acm", region_name="eu-west-1", endpoint_url=other.wire.url)
        assert client.search_certificates()["Results"] == []
