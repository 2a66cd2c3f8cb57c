"""Defects of certificates: how each is told, and one that has it, so that the telling is known to work.

The names are those that x509-limbo has for them, or near them.
"""

from collections.abc import Callable, Sequence
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from malformed import (
    AIA,
    AKI,
    CA,
    CONSTRAINTS,
    LEAF,
    NAME,
    SAN,
    SERVER,
    SKI,
    Seen,
    built,
    rewritten,
    usage,
    without,
)
from pyasn1.type import useful
from pyasn1_alt_modules import rfc5280


def _first_version(parsed: Any) -> None:
    parsed["tbsCertificate"]["version"] = "v1"


def _other_algorithm(parsed: Any) -> None:
    parsed["signatureAlgorithm"]["algorithm"] = rfc5280.univ.ObjectIdentifier("1.2.840.10045.4.3.3")


def _utc_in_2050(parsed: Any) -> None:
    parsed["tbsCertificate"]["validity"]["notAfter"]["utcTime"] = useful.UTCTime("500101000000Z")


def _general_in_2026(parsed: Any) -> None:
    text = useful.GeneralizedTime("20260301000000Z")
    parsed["tbsCertificate"]["validity"]["notAfter"]["generalTime"] = text


def _fraction(parsed: Any) -> None:
    text = useful.GeneralizedTime("20500101000000.5Z")
    parsed["tbsCertificate"]["validity"]["notAfter"]["generalTime"] = text


def _with_length(parsed: Any) -> None:
    parsed["tbsCertificate"]["extensions"][0]["extnValue"] = b"\x30\x03\x02\x01\x00"


def _length_of_leaf(seen: Seen) -> bool:
    """Whether a leaf says how many CAs may stand below it: its basic constraints are more than empty."""
    said = seen.parsed["tbsCertificate"]["extensions"][0]
    return not seen.ca and bytes(said["extnValue"]) != b"\x30\x00"


def _wrongly_encoded(seen: Seen) -> bool:
    return any((kind == "generalTime") != _is_late(text) for kind, text in seen.times)


def _is_late(text: str) -> bool:
    """Whether a date is of 2050 or later; two digits from 50 on are meant so, and say 1950."""
    return text[:4] >= "2050" if text[:2] == "20" else text[:2] >= "50"


KNOWN = {
    each.oid.dotted_string
    for each in (
        x509.BasicConstraints,
        x509.KeyUsage,
        x509.ExtendedKeyUsage,
        x509.SubjectAlternativeName,
        x509.SubjectKeyIdentifier,
        x509.AuthorityKeyIdentifier,
        x509.NameConstraints,
        x509.CRLDistributionPoints,
        x509.AuthorityInformationAccess,
    )
}
STRANGE = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55738.1"), b"\5\0")
BOTH = x509.AuthorityKeyIdentifier(b"\1" * 20, [x509.DirectoryName(NAME)], 7)
ELSE = x509.AuthorityKeyIdentifier(b"\1" * 20, None, None)
Bad = Sequence[tuple[str, Callable[[Seen], bool], bytes, bool]]


def _says_ca(seen: Seen) -> bool:
    found = seen.value(x509.BasicConstraints)
    return found is not None and found.ca


def _silent(seen: Seen) -> bool:
    return seen.value(x509.BasicConstraints) is None


def _uses(seen: Seen) -> list[x509.ObjectIdentifier]:
    found = seen.value(x509.ExtendedKeyUsage)
    return list(found) if found else []


def _critical_usage(seen: Seen) -> bool:
    """RFC 3161 has it critical for time stamping alone."""
    alone = [ExtendedKeyUsageOID.TIME_STAMPING]
    return seen.critical(x509.ExtendedKeyUsage) and _uses(seen) != alone


def _unnamed(seen: Seen) -> bool:
    """An empty subject takes critical alternative names, and any other takes none that are (4.2.1.6)."""
    return (not list(seen.read.subject)) != seen.critical(x509.SubjectAlternativeName)


def _other_key(seen: Seen) -> bool:
    own, named = seen.value(x509.SubjectKeyIdentifier), seen.value(x509.AuthorityKeyIdentifier)
    alone = seen.read.issuer == seen.read.subject
    return alone and own is not None and named is not None and own.digest != named.key_identifier


def _more_than_a_key(seen: Seen) -> bool:
    named = seen.value(x509.AuthorityKeyIdentifier)
    return named is not None and (
        named.authority_cert_issuer is not None or named.key_identifier is None
    )


ANY = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])
NO_NAME = x509.Name([])
NO_CA, IS_CA = x509.BasicConstraints(False, None), x509.BasicConstraints(True, None)
BASIC, USAGE, EKU = x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage
AKID, SKID, NC = x509.AuthorityKeyIdentifier, x509.SubjectKeyIdentifier, x509.NameConstraints
NEVER: Bad = (
    (
        "rfc5280::ee-empty-issuer",
        lambda c: not list(c.read.issuer),
        built(LEAF, issuer=NO_NAME),
        False,
    ),
    (
        "rfc5280::unknown-critical-extension-ee",
        lambda c: not set(c.oids) <= KNOWN,
        built([*LEAF, (STRANGE, True)]),
        False,
    ),
    (
        "rfc5280::unknown-critical-extension-intermediate",
        lambda c: not set(c.oids) <= KNOWN,
        built([*CA, (STRANGE, True)]),
        True,
    ),
    (
        "rfc5280::duplicate-extensions",
        lambda c: len(c.oids) != len(set(c.oids)),
        built([*LEAF, (SAN, False)]),
        False,
    ),
    (
        "rfc5280::intermediate-ca-without-ca-bit",
        lambda c: c.ca and not _says_ca(c),
        without(CA, BASIC, (NO_CA, True)),
        True,
    ),
    ("rfc5280::intermediate-ca-missing-basic-constraints", _silent, without(CA, BASIC), True),
    ("rfc5280::no-basicconstraints", _silent, without(LEAF, BASIC), False),
    (
        "rfc5280::root-non-critical-basic-constraints",
        lambda c: not c.critical(BASIC),
        without(CA, BASIC, (IS_CA, False)),
        True,
    ),
    (
        "webpki::ee-basicconstraints-ca",
        lambda c: not c.ca and _says_ca(c),
        without(LEAF, BASIC, (IS_CA, True)),
        False,
    ),
    ("pathlen::ee-with-pathlen", _length_of_leaf, rewritten(built(LEAF), _with_length), False),
    (
        "rfc5280::ica-ku-keycertsign",
        lambda c: c.ca and not c.key_cert_sign,
        without(CA, USAGE, (usage(signs=False), True)),
        True,
    ),
    (
        "rfc5280::leaf-ku-keycertsign",
        lambda c: not c.ca and c.key_cert_sign,
        without(LEAF, USAGE, (usage(signs=True), True)),
        False,
    ),
    ("rfc5280::no-keyusage", lambda c: c.value(USAGE) is None, without(CA, USAGE), True),
    (
        "webpki::key-usage-not-critical",
        lambda c: not c.critical(USAGE),
        without(LEAF, USAGE, (usage(signs=False), False)),
        False,
    ),
    (
        "rfc5280::ee-critical-aia-invalid",
        lambda c: c.critical(x509.AuthorityInformationAccess),
        built([*LEAF, (AIA, True)]),
        False,
    ),
    (
        "rfc5280::mismatching-signature-algorithm",
        lambda c: c.parsed["signatureAlgorithm"] != c.parsed["tbsCertificate"]["signature"],
        rewritten(built(LEAF), _other_algorithm),
        False,
    ),
    (
        "rfc5280::aki::critical-aki",
        lambda c: c.critical(AKID),
        without(LEAF, AKID, (AKI, True)),
        False,
    ),
    ("rfc5280::aki::leaf-missing-aki", lambda c: c.value(AKID) is None, without(LEAF, AKID), False),
    (
        "rfc5280::aki::intermediate-missing-aki",
        lambda c: c.value(AKID) is None,
        without(CA, AKID),
        True,
    ),
    (
        "webpki::aki::root-with-aki-all-fields",
        _more_than_a_key,
        without(CA, AKID, (BOTH, False)),
        True,
    ),
    ("webpki::aki::root-with-aki-ski-mismatch", _other_key, without(CA, AKID, (ELSE, False)), True),
    (
        "rfc5280::ski::critical-ski",
        lambda c: c.critical(SKID),
        without(CA, SKID, (SKI, True)),
        True,
    ),
    (
        "rfc5280::ski::root-missing-ski",
        lambda c: c.ca and c.value(SKID) is None,
        without(CA, SKID),
        True,
    ),
    (
        "rfc5280::eku::ee-without-eku",
        lambda c: not c.ca and not _uses(c),
        without(LEAF, EKU),
        False,
    ),
    (
        "webpki::eku::ee-anyeku",
        lambda c: ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in _uses(c),
        without(LEAF, EKU, (ANY, False)),
        False,
    ),
    ("webpki::eku::ee-critical-eku", _critical_usage, without(LEAF, EKU, (SERVER, True)), False),
    (
        "webpki::eku::root-has-eku",
        lambda c: c.ca and bool(_uses(c)),
        built([*CA, (SERVER, False)]),
        True,
    ),
    (
        "rfc5280::nc::not-allowed-in-ee",
        lambda c: not c.ca and c.value(NC) is not None,
        built([*LEAF, (CONSTRAINTS, True)]),
        False,
    ),
    (
        "webpki::nc::permitted-dns-match-noncritical",
        lambda c: c.value(NC) is not None and not c.critical(NC),
        built([*CA, (CONSTRAINTS, False)]),
        True,
    ),
    ("rfc5280::san::noncritical-with-empty-subject", _unnamed, built(LEAF, subject=NO_NAME), False),
    (
        "webpki::san::san-critical-with-nonempty-subject",
        _unnamed,
        without(LEAF, x509.SubjectAlternativeName, (SAN, True)),
        False,
    ),
    (
        "webpki::v1-cert",
        lambda c: c.read.version is not x509.Version.v3,
        rewritten(built(LEAF), _first_version),
        False,
    ),
    (
        "rfc5280::validity::utc-time-from-2050",
        _wrongly_encoded,
        rewritten(built(LEAF), _utc_in_2050),
        False,
    ),
    (
        "rfc5280::validity::generalized-time-before-2050",
        _wrongly_encoded,
        rewritten(built(LEAF), _general_in_2026),
        False,
    ),
    (
        "rfc5280::validity::notafter-fractional-as-written",
        lambda c: any("." in text for _, text in c.times),
        rewritten(built(LEAF), _fraction),
        False,
    ),
)
"""What no request can ask for: its name, how it is told, one that has it, and whether that is a CA."""
