"""pkilint (RFC 5280 and the CA/B Forum's TLS Baseline Requirements) finds no error in what is made."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from key_kinds import KINDS
from mint import Mint
from pkilint import finding_filter, loader, pkix
from pkilint.cabf import serverauth
from pkilint.pkix import certificate, crl, extension, name
from pkilint.validation import ValidationFindingSeverity, ValidationResult

from schemas.authority import NameConstraints, NameForms
from schemas.certificate import Subject, Usage
from schemas.request import KeyType

Lint = Callable[[bytes], list[tuple[str, str]]]
BAD = (ValidationFindingSeverity.ERROR, ValidationFindingSeverity.FATAL)
NOW = datetime.now(UTC).replace(microsecond=0)

CONSTRAINED = NameConstraints(
    permitted=NameForms(dns_domains=("example.com",)),
    excluded=NameForms(email_domains=("example.org",)),
)
HOSTS_TAKEN_FOR_NAMES = frozenset({"pkix.invalid_uri_syntax", "pkix.invalid_email_address_syntax"})
"""pkilint reads a subtree as if it were a name: RFC 5280 section 4.2.1.10 has a bare host there."""

NO_PUBLIC_POLICY = "cabf.serverauth.subscriber.certificate_policies_extension_absent"
"""A private CA asserts no CA/B Forum policy; everything else of the Baseline Requirements holds."""


def _errors(results: Iterable[ValidationResult]) -> Iterator[tuple[str, str]]:
    """Every finding that is an error: its code, and the path of what it is about."""
    for result in results:
        for found in result.finding_descriptions:
            if found.finding.severity in BAD:
                yield found.finding.code, result.node.path


@pytest.fixture(scope="module")
def pkix_lint() -> Lint:
    validators = certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(
            name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS
        ),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )
    return lambda der: list(
        _errors(validators.validate(loader.load_der_certificate(der, "made").root))
    )


@pytest.fixture(scope="module")
def crl_lint() -> Lint:
    validators = crl.create_pkix_crl_validator_container(
        [
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [
            crl.create_issuer_validator_container([]),
            crl.create_validity_validator_container([]),
            crl.create_extensions_validator_container([]),
        ],
    )
    return lambda der: list(_errors(validators.validate(loader.load_der_crl(der, "made").root)))


def _tls_lint(der: bytes) -> list[str]:
    document = loader.load_der_certificate(der, "made")
    kind = serverauth.determine_certificate_type(document)
    validators = certificate.create_pkix_certificate_validator_container(
        serverauth.create_decoding_validators(), serverauth.create_validators(kind)
    )
    results, _ = finding_filter.filter_results(
        serverauth.create_serverauth_finding_filters(kind), validators.validate(document.root)
    )
    return [code for code, _path in _errors(results)]


# a wildcard is no name to RFC 5280, which leaves it to RFC 9525: the Baseline Requirements judge it;
# of URIs pkilint knows the web's schemes alone and takes spiffe:// for a mistake in spelling
PROFILES: tuple[dict[str, Any], ...] = (
    {"dns_names": ("example.com", "www.example.com"), "usages": (Usage.SERVER_AUTH,)},
    {"common_name": "client 1", "usages": (Usage.CLIENT_AUTH,)},
    {
        "common_name": "web.example.com",
        "subject": Subject(
            organizations=("Example Ltd",),
            organizational_units=("Unit",),
            countries=("GB",),
            localities=("London",),
            provinces=("Greater London",),
            street_addresses=("1 Example Street",),
            postal_codes=("N1 1AA",),
            serial_number="4711",
        ),
        "dns_names": ("web.example.com",),
        "ip_addresses": ("192.0.2.1", "2001:db8::1"),
        "uris": ("https://web.example.com/a", "https://example.com/b?c=d"),
        "email_addresses": ("web@example.com",),
        "usages": (Usage.SERVER_AUTH, Usage.CLIENT_AUTH, Usage.EMAIL_PROTECTION),
    },
    {"common_name": "Time Stamps", "usages": (Usage.TIMESTAMPING,)},
    {"common_name": "Code", "usages": (Usage.CODE_SIGNING,)},
)
ENDS = (
    NOW + timedelta(days=47),
    NOW + timedelta(days=200),
    datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2050, 1, 1, tzinfo=UTC),
)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_everything_of_one_kind_of_key_is_free_of_errors(
    mint: Mint, pkix_lint: Lint, crl_lint: Lint, kind: KeyType
) -> None:
    root = mint.authority("root", kind)
    issuing = mint.authority("issuing", kind, root, path_length=0)
    leaves = [
        mint.leaf(issuing, NOW, end, kind=kind, **profile) for profile in PROFILES for end in ENDS
    ]
    for der in (root.der, issuing.der, *leaves):
        assert pkix_lint(der) == []
    for der in (mint.crl(root), mint.crl(issuing, "7f" * 20, "11" * 12)):
        assert crl_lint(der) == []


def test_constraints_have_no_error_but_hosts_that_are_taken_for_names(
    mint: Mint, pkix_lint: Lint
) -> None:
    root = mint.authority("root", KINDS[3])
    der = mint.authority("narrow", KINDS[3], root, CONSTRAINED).der
    found = pkix_lint(der)
    assert {code for code, _path in found} == HOSTS_TAKEN_FOR_NAMES
    assert all("nameConstraints" in path for _code, path in found)


@pytest.mark.parametrize("kind", KINDS[:-1], ids=str)
@pytest.mark.parametrize("days", [1, 47, 100, 200])
def test_a_server_certificate_meets_the_baseline_requirements_but_for_a_policy(
    mint: Mint, kind: KeyType, days: int
) -> None:
    root = mint.authority("root", kind)
    issuing = mint.authority("issuing", kind, root, path_length=0)
    end = NOW + timedelta(days=days, seconds=-1)
    names = ("*.example.com", "web.example.org")
    leaf = mint.leaf(issuing, NOW, end, kind=kind, dns_names=names)
    assert _tls_lint(leaf) == [NO_PUBLIC_POLICY]


def test_one_second_over_200_days_is_noticed(mint: Mint) -> None:
    """So the judge really looks, and a day is counted as the Baseline Requirements count it."""
    root = mint.authority("root", KINDS[3])
    issuing = mint.authority("issuing", KINDS[3], root, path_length=0)
    leaf = mint.leaf(issuing, NOW, NOW + timedelta(days=200), dns_names=("web.example.com",))
    assert any("exceeds" in code or "too_long" in code for code in _tls_lint(leaf))
