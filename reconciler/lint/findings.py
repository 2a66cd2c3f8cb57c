"""Findings of a linter: which of them count, and the fields of a document that they are about."""

import re
from dataclasses import dataclass
from enum import Enum, auto


class Severity(Enum):
    """An error keeps a certificate from being issued; a warning is told."""

    ERROR = auto()
    WARNING = auto()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a judge found: its stable code, its words, and the path within the certificate."""

    judge: str
    severity: Severity
    code: str
    message: str
    path: str

    def __str__(self) -> str:
        told = f"{self.code}{f': {self.message}' if self.message else ''} ({self.judge})"
        advice = next((words for code, words in _ADVICE if re.search(code, self.code)), "")
        return f"{told}; {advice}" if advice else told

    @property
    def field(self) -> str | None:
        """The field of a document that it is about, None where no one is."""
        return next((field for path, field in _FIELDS if path.search(self.path)), None)

    @property
    def counts(self) -> bool:
        """Whether it is about something that is wrong, and not about what is meant to be so."""
        return not any(
            re.fullmatch(code, self.code) and within in self.path for code, within, _ in UNFOUNDED
        )


UNFOUNDED: tuple[tuple[str, str, str], ...] = (
    (
        r"pkix\.invalid_(domain_name|uri|email_address)_syntax",
        ".subjectAltName.",
        "a wildcard, a single label and spiffe:// are sound; malformed names are refused by certform itself",
    ),
    (
        r"(pkix\.invalid_(domain_name|uri|email_address)_syntax|cabf\.internal_domain_name)",
        ".nameConstraints.",
        "a subtree is read as if it were a name: RFC 5280 section 4.2.1.10 has a bare host there",
    ),
    (
        r"pkix\.certificate_skid_end_entity_missing",
        "",
        "the Baseline Requirements (7.1.2.7.6) recommend that a leaf has none",
    ),
    (
        r"cabf\.serverauth\.(subscriber|ca)\.certificate_policies_extension_absent",
        "",
        "a CA that is not in browsers asserts no policy of the Forum",
    ),
    (
        r"cabf\.serverauth\.ca\.(extended_key_usage_extension_absent|incomplete_name_constraints)",
        "",
        "a private CA may issue for other uses as well, and constrains no directory names",
    ),
    (
        r"cabf\.serverauth\.name_constraints_discouraged_name_type",
        "",
        "constraints are closed: every kind of name that is not permitted is shut",
    ),
    (
        r"cabf\.serverauth\.subscriber_rsa_digitalsignature_and_keyencipherment_present",
        "",
        "an RSA key of a TLS server signs, and deciphers for clients of before TLS 1.3: both are allowed",
    ),
    (
        r"cabf\.ca_certificate_no_digital_signature_bit",
        "",
        "a CA key signs certificates and CRLs, and leaves OCSP to a responder's",
    ),
)
"""Codes, the part of the path they are found in, and why they are not counted."""

_ADVICE = (
    (
        r"(revocation_information|authority_info_access_extension)_absent$",
        "set `publish` in certform.yaml, so that certificates say where the CRL is",
    ),
)
"""What to do about a code that no field of the document is about."""

_FIELDS = tuple(
    (re.compile(path), field)
    for path, field in (
        (r"subjectAltName.*dNSName", "dnsNames"),
        (r"subjectAltName.*iPAddress", "ipAddresses"),
        (r"subjectAltName.*uniformResourceIdentifier", "uris"),
        (r"subjectAltName.*rfc822Name", "emailAddresses"),
        (r"tbsCertificate\.validity", "duration"),
        (r"tbsCertificate\.subject\b.*CommonName", "commonName"),
        (r"tbsCertificate\.subject\b", "subject"),
        (r"subjectPublicKeyInfo", "privateKey"),
        (r"extnValue\.(extKeyUsage|keyUsage)", "usages"),
        (r"extnValue\.nameConstraints", "nameConstraints"),
        (r"extnValue\.basicConstraints", "pathLength"),
    )
)
