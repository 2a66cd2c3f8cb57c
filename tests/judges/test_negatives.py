"""What must not exist cannot be made: it is refused before it is signed, or nothing there is can ask for it.

In the manner of x509-limbo, whose names the cases bear: there a certificate that must be rejected; here the
attempt to have our issuer make it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from defects import NEVER
from key_kinds import KINDS, P256
from malformed import Seen, built
from mint import Mint
from pydantic import ValidationError

from providers import x509
from providers.signer import KeySigner
from schemas.authority import NameConstraints, NameForms
from schemas.certificate import CertificateSpec, Subject, Usage
from schemas.request import AuthorityRequest, LeafRequest

NOW = datetime(2026, 11, 27, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CLOSED = NameConstraints(permitted=NameForms(dns_domains=("example.com",)))
Change = Mapping[str, Any]


def spki_of(key: Any) -> bytes:
    return bytes(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _explicit_curve() -> bytes:
    """A P-256 key whose curve is written out: only its name is allowed (RFC 5480 section 2.1.1)."""
    whole = spki_of(ec.generate_private_key(ec.SECP256R1()))
    return whole.replace(
        bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("3003020101") + b"\5\0" * 2
    )


KEYS: Mapping[str, Callable[[], bytes]] = {
    "webpki::forbidden-weak-rsa-in-leaf": lambda: spki_of(rsa.generate_private_key(65537, 1024)),
    "webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf": lambda: spki_of(
        rsa.generate_private_key(65537, 2052)
    ),
    "webpki::rsa-exponent-3": lambda: spki_of(rsa.generate_private_key(3, 2048)),
    "webpki::forbidden-p192-leaf": lambda: spki_of(ec.generate_private_key(ec.SECP192R1())),
    "webpki::forbidden-dsa-leaf": lambda: spki_of(dsa.generate_private_key(2048)),
    "webpki::explicit-curve": _explicit_curve,
}
RESERVED: Mapping[str, Change] = {
    "rfc5280::serial::zero": {"serial": "0"},
    "rfc5280::serial::negative": {"serial": "-7f" + "11" * 12},
    "rfc5280::serial::negative-as-read": {"serial": "8" + "0" * 39},
    "rfc5280::serial::too-long": {"serial": "7f" * 21},
    "rfc5280::serial::guessable": {"serial": "2a"},
    "rfc5280::validity::reversed": {"not_after": NOW - timedelta(days=1)},
    "rfc5280::validity::notbefore-fractional": {"not_before": NOW.replace(microsecond=5)},
    "rfc5280::validity::notafter-fractional": {"not_after": datetime(2026, 12, 1, 0, 0, 0, 1, UTC)},
    "rfc5280::validity::before-1950": {"not_before": datetime(1949, 12, 31, tzinfo=UTC)},
    "rfc5280::validity::no-zone": {"not_after": datetime(2026, 12, 1)},  # noqa: DTZ001
    "webpki::malformed-aia": {"issuer_url": "pki.example.com/ca.crt"},
    "webpki::aia-https": {"issuer_url": "https://pki.example.com/ca.crt"},
    "crl::distribution-point-not-http": {"crl_url": "ldap://pki.example.com/ca.crl"},
    "rfc5280::spki-malformed": {"spki": b"\x30\x03\x02\x01\x01"},
}
LEAVES: Mapping[str, Change] = {
    "rfc5280::san::malformed": {"dns_names": ("www..example.com",)},
    "rfc5280::san::leading-period": {"dns_names": (".example.com",)},
    "rfc5280::san::null-byte": {"dns_names": ("www.example.com\0.example.org",)},
    "rfc5280::san::ip-in-dns": {"dns_names": ("192.0.2.1",)},
    "rfc5280::san::invalid-ipv4": {"ip_addresses": ("192.0.2.0/24",)},
    "rfc5280::san::invalid-ipv6": {"ip_addresses": ("2001:db8::g",)},
    "rfc5280::san::invalid-email": {"email_addresses": ("@example.com",)},
    "rfc5280::san::relative-uri": {"uris": ("/www",)},
    "webpki::san::case-mismatch": {"dns_names": ("WWW.example.com",)},
    "webpki::san::no-san": {"dns_names": ()},
    "webpki::san::unicode-emoji-san": {"dns_names": ("😜.example.com",)},
    "webpki::san::wildcard-not-in-leftmost-san": {"dns_names": ("www.*.example.com",)},
    "webpki::san::wildcard-embedded-leftmost-san": {"dns_names": ("w*.example.com",)},
    "webpki::san::wildcard-embedded-ulabel-san": {"dns_names": ("xn--*.example.com",)},
    "webpki::san::san-wildcard-only": {"dns_names": ("*",)},
    "webpki::san::san-wildcard-only-tld": {"dns_names": ("*.com",)},
    "webpki::cn::too-long": {"common_name": "w" * 65},
    "webpki::cn::empty": {"common_name": ""},
    "rfc5280::subject::too-long": {"subject": Subject(organizations=("x" * 65,))},
    "rfc5280::subject::bad-string": {"subject": Subject(serial_number="5 €")},
    "rfc5280::eku::ee-eku-empty": {"usages": ()},
    "rfc3161::eku::time-stamping-and-more": {"usages": (Usage.TIMESTAMPING, Usage.SERVER_AUTH)},
    "rfc5280::nc::permitted-dns-mismatch": {"dns_names": ("www.example.org",)},
    "rfc5280::nc::permitted-dns-mismatch-suffix": {"dns_names": ("badexample.com",)},
    "rfc5280::nc::permitted-ip-mismatch": {"ip_addresses": ("192.0.2.1",)},
    "rfc5280::nc::forbids-other-kinds": {"uris": ("https://www.example.com/",)},
    "rfc5280::nc::common-name-outside": {"common_name": "www.example.org"},
}


def leaf_of(mint: Mint, **changes: Any) -> x509.ToBeSigned:
    fields = {
        "issuer": "narrow",
        "issuer_generation": 1,
        "dns_names": ("www.example.com",),
        "usages": (Usage.SERVER_AUTH,),
        "key": P256,
        "duration": 86400,
    }
    request = LeafRequest(**{**fields, **changes})
    return reserved(mint, request)


def reserved(mint: Mint, request: LeafRequest | AuthorityRequest) -> x509.ToBeSigned:
    key = x509.spki(mint.key(request.key).public_key())
    return x509.ToBeSigned(request, x509.new_serial(), NOW, NOW + timedelta(days=9), key)


def refused(tbs: x509.ToBeSigned, issuer: Any) -> bool:
    with pytest.raises(x509.IssuanceRefused):
        x509.sign(tbs, issuer.authority, issuer.signer)
    return True


def test_what_is_reserved_malformed_is_refused(mint: Mint, tell: Callable[[str], None]) -> None:
    narrow = mint.authority("narrow", P256, mint.authority("root", P256), CLOSED)
    sound = leaf_of(mint)
    assert x509.sign(sound, narrow.authority, narrow.signer)
    for id_, change in RESERVED.items():
        assert refused(replace(sound, **change), narrow), id_
    for id_, make in KEYS.items():
        assert refused(replace(sound, spki=make()), narrow), id_
    for id_, change in LEAVES.items():
        assert refused(leaf_of(mint, **change), narrow), id_
    count = len(RESERVED) + len(KEYS) + len(LEAVES)
    tell(f"negatives: {count} of {count} malformed requests for leaves refused before a signature")


def authority(issuer: str | None = "root", **changes: Any) -> AuthorityRequest:
    fields = {
        "issuer": issuer,
        "issuer_generation": 1 if issuer else None,
        "generation": 1,
        "common_name": "Sub G1",
        "key": P256,
        "duration": 86400,
    }
    return AuthorityRequest(**{**fields, **changes})


def test_what_a_ca_above_does_not_allow_is_refused(mint: Mint, tell: Callable[[str], None]) -> None:
    root = mint.authority("root", P256)
    last = mint.authority("last", P256, root, path_length=0)
    narrow = mint.authority("narrow", P256, root, CLOSED)
    wide = NameConstraints(permitted=NameForms(dns_domains=("example.org",)))
    longer = root.authority.not_after + SECOND
    cases: Mapping[str, tuple[x509.ToBeSigned, Any]] = {
        "pathlen::intermediate-violates-pathlen-0": (reserved(mint, authority("last")), last),
        "rfc5280::ca-empty-subject": (reserved(mint, authority(common_name="")), root),
        "rfc5280::nc::intermediates-widen": (
            reserved(mint, authority("narrow", name_constraints=wide)),
            narrow,
        ),
        "rfc5280::validity::outlives-its-issuer": (
            replace(leaf_of(mint, issuer="root"), not_after=longer),
            root,
        ),
        "rfc5280::validity::starts-before-its-issuer": (
            replace(leaf_of(mint), not_before=datetime(2020, 2, 28, tzinfo=UTC)),
            root,
        ),
        "rfc5280::root-below-another": (reserved(mint, authority(None)), root),
    }
    for id_, (tbs, issuer) in cases.items():
        assert refused(tbs, issuer), id_
    sub = reserved(mint, authority("narrow"))
    assert x509.sign(sub, narrow.authority, narrow.signer)  # what is above goes on to bind it
    signed = x509.sign(leaf_of(mint, issuer="root"), root.authority, root.signer)
    for no_ca in (signed, built([])):
        with pytest.raises(x509.IssuanceRefused, match="cannot be used"):
            x509.IssuingAuthority.load(no_ca, (root.der,))
    with pytest.raises(x509.IssuanceRefused):
        x509.sign(sub, narrow.authority, KeySigner(x509.generate_key(P256)))
    count = len(cases) + 3
    tell(f"negatives: {count} of {count} things that a CA above does not allow refused")


PROFILES: tuple[Change, ...] = (
    {"dns_names": ("example.com", "*.example.com"), "usages": (Usage.SERVER_AUTH,)},
    {"common_name": "client 1", "usages": (Usage.CLIENT_AUTH,)},
    {
        "common_name": "web.example.com",
        "subject": Subject(organizations=("Example Ltd",), countries=("GB",)),
        "dns_names": ("web.example.com",),
        "ip_addresses": ("192.0.2.1", "2001:db8::1"),
        "uris": ("spiffe://example.com/web",),
        "email_addresses": ("web@example.com",),
        "usages": (Usage.SERVER_AUTH, Usage.CLIENT_AUTH, Usage.EMAIL_PROTECTION),
    },
    {"common_name": "Time Stamps", "usages": (Usage.TIMESTAMPING,)},
)
ENDS = (
    NOW + timedelta(days=47),
    datetime(2028, 2, 29, 12, tzinfo=UTC),
    datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2050, 1, 1, tzinfo=UTC),
    datetime(2059, 12, 31, tzinfo=UTC),
)


def everything(mint: Mint) -> Iterator[Seen]:
    """One of everything that can be asked for: each kind of key, profile and end, and the CAs above."""
    for kind in KINDS:
        root = mint.authority("root", kind)
        issuing = mint.authority("issuing", kind, root, path_length=0)
        narrow = mint.authority("narrow", kind, root, CLOSED)
        yield from (Seen(ca.der, True) for ca in (root, issuing, narrow))
        for profile in PROFILES:
            for end in ENDS:
                yield Seen(mint.leaf(issuing, NOW, end, kind=kind, **profile), False)


def test_what_no_request_can_ask_for_is_in_nothing_that_is_made(
    mint: Mint, tell: Callable[[str], None]
) -> None:
    made = list(everything(mint))
    for id_, has, bad, ca in NEVER:
        assert has(Seen(bad, ca)), f"{id_} is not told where it is"
        assert not any(has(each) for each in made), id_
    tell(f"negatives: {len(NEVER)} defects that nothing can ask for, in 0 of {len(made)} made")


@pytest.mark.parametrize(
    "field",
    [
        {"isCA": "true"},
        {"basicConstraints": {"ca": True}},
        {"keyUsages": ("cert sign",)},
        {"nameConstraints": {"permitted": {"dnsDomains": ("example.com",)}}},
        {"serialNumber": "1"},
        {"notAfter": "2050-01-01"},
        {"extensions": ({"oid": "1.2.3", "critical": True},)},
        {"usages": ("any",)},
        {"usages": ("ocsp signing",)},
        {"usages": ("cert sign",)},
    ],
)
def test_a_document_has_no_words_for_what_a_certificate_must_not_say(field: Change) -> None:
    sound = {"issuerRef": "services", "dnsNames": ("www.example.com",)}
    assert CertificateSpec.model_validate(sound)
    with pytest.raises(ValidationError):
        CertificateSpec.model_validate({**sound, **field})
