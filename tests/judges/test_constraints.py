"""Name constraints mean to OpenSSL, GnuTLS and cryptography what they mean to us.

What a verifier must refuse is signed by hand, past our own refusals, which are seen to refuse first.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from key_kinds import P256
from mint import Authority, Court, Mint

from providers import x509
from providers.signer import builder_key, signature_hash
from providers.x509.issuance import _builder
from providers.x509.keys import decode_spki
from schemas.authority import NameConstraints, NameForms
from schemas.certificate import Usage
from schemas.request import LeafRequest

NOW = datetime.now(UTC).replace(microsecond=0)


def _closed(**permitted: tuple[str, ...]) -> NameConstraints:
    return NameConstraints(permitted=NameForms(**permitted))


CONSTRAINTS = {
    "dns": _closed(dns_domains=("example.com",)),
    "ip4": _closed(ip_ranges=("10.0.0.0/8",)),
    "ip6": _closed(ip_ranges=("2001:db8::/32",)),
    "uri": _closed(uri_domains=("example.com",)),
    "mail": _closed(email_domains=("example.com",)),
    "all": _closed(
        dns_domains=("example.com",),
        ip_ranges=("10.0.0.0/8", "2001:db8::/32"),
        uri_domains=("example.com",),
        email_domains=("example.com",),
    ),
    "excluded": NameConstraints(
        excluded=NameForms(
            dns_domains=("example.com",),
            ip_ranges=("10.0.0.0/8",),
            uri_domains=("example.com",),
            email_domains=("example.com",),
        )
    ),
}
NAMES: dict[str, dict[str, Any]] = {
    "dns apex": {"dns_names": ("example.com",)},
    "dns below": {"dns_names": ("a.b.example.com",)},
    "dns wildcard": {"dns_names": ("*.example.com",)},
    "dns other": {"dns_names": ("notexample.com",)},
    "ip4": {"ip_addresses": ("10.1.2.3",)},
    "ip4 other": {"ip_addresses": ("11.1.2.3",)},
    "ip6": {"ip_addresses": ("2001:db8::1",)},
    "ip6 other": {"ip_addresses": ("2001:db9::1",)},
    "uri apex": {"uris": ("spiffe://example.com/web",)},
    "uri below": {"uris": ("https://a.example.com:8443/web",)},
    "uri other": {"uris": ("spiffe://example.org/web",)},
    "mail apex": {"email_addresses": ("web@example.com",)},
    "mail below": {"email_addresses": ("web@a.example.com",)},
    "mail other": {"email_addresses": ("web@example.org",)},
}


def _gnutls_differs(constraints: str, name: str, *, allowed: bool) -> bool:
    """GnuTLS reads no permitted URI, and refuses every URI below a CA that excludes one."""
    uri = name.startswith("uri")
    return uri and (constraints == "excluded" if allowed else constraints in ("uri", "all"))


def _cryptography_differs(constraints: str, name: str, *, allowed: bool) -> bool:
    """Cryptography refuses every URI below a CA that says anything of URIs."""
    return name.startswith("uri") and allowed and constraints in ("uri", "all", "excluded")


def _sign_by_hand(tbs: x509.ToBeSigned, issuer: Authority) -> bytes:
    builder = _builder(tbs, decode_spki(tbs.spki), issuer.authority)
    key = builder_key(issuer.signer)
    return builder.sign(key, signature_hash(key.public_key())).public_bytes(Encoding.DER)


def _cryptography(leaf: bytes, issuer: Authority) -> bool:
    chain = [load_der_x509_certificate(der) for der in (leaf, issuer.der, *issuer.above)]
    verifier = PolicyBuilder().store(Store(chain[-1:])).time(NOW).build_client_verifier()
    try:
        verifier.verify(chain[0], chain[1:-1])
    except VerificationError:
        return False
    return True


@pytest.mark.parametrize("constraints", CONSTRAINTS)
def test_every_verifier_sees_a_constraint_as_we_do(
    mint: Mint,
    hold_court: Callable[[Authority, tuple[bytes, ...]], Court],
    constraints: str,
) -> None:
    root = mint.authority("root", P256)
    narrow = mint.authority("narrow", P256, root, CONSTRAINTS[constraints])
    court = hold_court(narrow, (mint.crl(root), mint.crl(narrow)))
    verdicts = {True: 0, False: 0}
    for name, names in NAMES.items():
        request = LeafRequest(
            issuer="narrow",
            issuer_generation=1,
            usages=(Usage.CLIENT_AUTH,),
            key=P256,
            duration=86400,
            **names,
        )
        tbs = x509.ToBeSigned(
            request,
            x509.new_serial(),
            NOW - timedelta(minutes=5),
            NOW + timedelta(days=1),
            x509.spki(mint.key(P256).public_key()),
        )
        allowed = not x509.refusals(tbs, narrow.authority)
        verdicts[allowed] += 1
        if not allowed:
            with pytest.raises(x509.IssuanceRefused):
                x509.sign(tbs, narrow.authority, narrow.signer)
        leaf = _sign_by_hand(tbs, narrow)
        said = court.openssl(leaf)
        assert (said.returncode == 0) is allowed, (name, said.stderr)
        differs = _gnutls_differs(constraints, name, allowed=allowed)
        said = court.gnutls(leaf)
        assert (said.returncode == 0) is (allowed != differs), (name, said.stdout)
        differs = _cryptography_differs(constraints, name, allowed=allowed)
        assert _cryptography(leaf, narrow) is (allowed != differs), name
    assert all(verdicts.values())


def test_a_common_name_that_is_a_host_is_refused_by_openssl_and_by_us(
    mint: Mint, hold_court: Callable[[Authority, tuple[bytes, ...]], Court]
) -> None:
    root = mint.authority("root", P256)
    narrow = mint.authority("narrow", P256, root, CONSTRAINTS["dns"])
    court = hold_court(narrow, (mint.crl(root), mint.crl(narrow)))
    for name, allowed in (("web.example.com", True), ("web.example.org", False), ("web", True)):
        request = LeafRequest(
            issuer="narrow",
            issuer_generation=1,
            common_name=name,
            usages=(Usage.CLIENT_AUTH,),
            key=P256,
            duration=86400,
        )
        spki = x509.spki(mint.key(P256).public_key())
        tbs = x509.ToBeSigned(
            request, x509.new_serial(), NOW - timedelta(minutes=5), NOW + timedelta(days=1), spki
        )
        assert (not x509.refusals(tbs, narrow.authority)) is allowed
        assert (court.openssl(_sign_by_hand(tbs, narrow)).returncode == 0) is allowed
