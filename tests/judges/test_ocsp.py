"""OpenSSL, GnuTLS and pkilint look at responses: what they ask for is what we signed, and they believe it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from answers import Asker, delegated, path_of, tree
from cryptography.x509 import ExtendedKeyUsage, OCSPNoCheck, load_der_x509_certificate
from key_kinds import KINDS
from mint import Authority, Mint
from pkilint import finding_filter, loader, pkix
from pkilint.pkix import extension, name, ocsp
from pkilint.validation import ValidationFindingSeverity

from providers import x509
from providers.x509.ocsp import request_for
from schemas.authority import NameConstraints, NameForms
from schemas.request import KeyType
from schemas.revocation import RevocationReason

NOW = datetime.now(UTC).replace(microsecond=0)
AT = NOW - timedelta(hours=1)
CONSTRAINED = NameConstraints(permitted=NameForms(dns_domains=("example.com",)))


@pytest.fixture(scope="module")
def asker(
    tmp_path_factory: pytest.TempPathFactory, require: Callable[[str], str]
) -> Callable[[Authority], Asker]:
    require("openssl")
    require("ocsptool")
    return lambda issuer: Asker(tmp_path_factory.mktemp("asker"), issuer)


@pytest.fixture(scope="module")
def lint() -> Callable[[bytes], list[str]]:
    validators = ocsp.create_pkix_ocsp_response_validator_container(
        [
            ocsp.create_response_decoder(),
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [],
    )

    def judge(der: bytes) -> list[str]:
        document = loader.load_der_ocsp_response(der, "made")
        results = validators.validate(document.root)
        left, _ = finding_filter.filter_results((), results)
        bad = (ValidationFindingSeverity.ERROR, ValidationFindingSeverity.FATAL)
        return [
            found.finding.code
            for result in left
            for found in result.finding_descriptions
            if found.finding.severity in bad
        ]

    return judge


def leaves(mint: Mint, issuer: Authority, count: int) -> list[tuple[bytes, str]]:
    made = [
        mint.leaf(issuer, NOW, NOW + timedelta(days=9), dns_names=("www.example.com",))
        for _ in range(count)
    ]
    return [(der, x509.facts(der).serial) for der in made]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_judges_agree_about_good_revoked_and_unknown_with_every_kind_of_key(
    mint: Mint,
    asker: Callable[[Authority], Asker],
    lint: Callable[[bytes], list[str]],
    kind: KeyType,
) -> None:
    issuing = mint.authority("services", kind, mint.authority("root", kind), CONSTRAINED, 0)
    (good, one), (gone, two), (unsaid, three), (stranger, _) = leaves(mint, issuing, 4)
    files = tree(
        issuing,
        {
            one: None,
            two: x509.CrlEntry(AT, RevocationReason.KEY_COMPROMISE),
            three: x509.CrlEntry(AT, RevocationReason.UNSPECIFIED),
        },
    ).files
    asking = asker(issuing)
    for leaf, serial, status in (
        (good, one, "good"),
        (gone, two, "revoked"),
        (unsaid, three, "revoked"),
    ):
        response = files[path_of(issuing, serial)]
        assert asking.openssl_request(leaf) == request_for(issuing.authority, serial)
        assert asking.gnutls_request(leaf) == request_for(issuing.authority, serial)
        told = asking.openssl(leaf, response)
        assert f"leaf.pem: {status}" in told, told
        assert "Response verify OK" in told, told
        told = asking.gnutls(leaf, response)
        assert f"Certificate Status: {status}" in told, told
        assert "Verifying OCSP Response: Success" in told, told
        assert lint(response) == []
    assert "Reason: keyCompromise" in asking.openssl(gone, files[path_of(issuing, two)])
    assert "Reason" not in asking.openssl(unsaid, files[path_of(issuing, three)])
    assert "No Status found" in asking.openssl(stranger, files[path_of(issuing, one)])


def test_a_response_of_another_cas_responder_is_not_believed(
    mint: Mint, asker: Callable[[Authority], Asker]
) -> None:
    root = mint.authority("root", KINDS[3])
    issuing = mint.authority("services", KINDS[3], root, path_length=0)
    other = mint.authority("other", KINDS[4], root, path_length=0)
    leaf, serial = leaves(mint, issuing, 1)[0]
    forged = tree(other, {serial: None}).files[path_of(other, serial)]
    assert "Response verify OK" not in asker(issuing).openssl(leaf, forged)


def test_a_responder_says_that_it_signs_responses_and_nothing_else(mint: Mint) -> None:
    issuing = mint.authority("root", KINDS[3])
    made = load_der_x509_certificate(delegated(issuing, NOW).certificate)
    usages = made.extensions.get_extension_for_class(ExtendedKeyUsage).value
    assert [usage.dotted_string for usage in usages] == ["1.3.6.1.5.5.7.3.9"]
    assert made.extensions.get_extension_for_class(OCSPNoCheck).critical is False
    assert x509.is_issued_by(made, load_der_x509_certificate(issuing.der))
    assert made.not_valid_after_utc - made.not_valid_before_utc < timedelta(days=5)


def test_a_responder_beyond_its_ca_or_by_another_key_is_refused(mint: Mint) -> None:
    issuing, other = (mint.authority("root", kind) for kind in (KINDS[3], KINDS[4]))
    with pytest.raises(x509.IssuanceRefused, match="within the dates"):
        delegated(issuing, NOW, life=timedelta(days=40000))
    stranger = Authority(issuing.der, (), other.signer, "root")
    with pytest.raises(x509.IssuanceRefused, match="another key"):
        delegated(stranger, NOW)
