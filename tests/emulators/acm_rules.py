"""What ACM refuses to import.

https://docs.aws.amazon.com/acm/latest/userguide/import-certificate-prerequisites.html
and import-reimport.html
"""

import itertools
import re
from collections.abc import Mapping
from datetime import datetime

from acm_certificates import Certificate, Parsed, algorithm_of
from aws_errors import Refusal, invalid
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

LARGEST_KEY = 5_120
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def check_import(pem: bytes, key: bytes, chain: bytes | None, now: datetime) -> Parsed:
    """Return the certificate of an import; raises what ACM refuses it with."""
    parsed = _parse(pem)
    certificate = parsed.certificate
    if algorithm_of(certificate) is None:
        raise invalid("The key algorithm of the certificate is not supported.")
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        raise invalid("The certificate is not in effect: it is not yet valid, or has expired.")
    if not list(certificate.issuer):
        raise invalid("The certificate has no Issuer.")
    _check_key(key, certificate)
    _check_chain(certificate, chain)
    return parsed


def check_reimport(before: Certificate, parsed: Parsed) -> None:
    """Raise ValidationException for a change that ACM does not make in place."""
    if before.type != "IMPORTED" or before.parsed is None:
        raise invalid("Only an imported certificate can be imported again.")
    old = before.parsed
    if algorithm_of(old.certificate) != algorithm_of(parsed.certificate):
        raise invalid("The key type or size cannot be changed when a certificate is reimported.")
    lost = set(old.extended) - set(parsed.extended) - {"TLS_WEB_CLIENT_AUTHENTICATION"}
    if lost:
        raise invalid(f"Extended key usages cannot be removed: {', '.join(sorted(lost))}.")
    spared = {"KEY_ENCIPHERMENT"} if "EC" in (algorithm_of(parsed.certificate) or "") else set()
    if lost := set(old.usages) - set(parsed.usages) - spared:
        raise invalid(f"Key usages cannot be removed: {', '.join(sorted(lost))}.")
    if (parsed.extended and not old.extended) or (parsed.usages and not old.usages):
        raise invalid("Key usages cannot be added to a certificate that had none.")
    if set(old.dns_names) and not set(old.dns_names) & set(parsed.dns_names):
        raise invalid("At least one domain name of the certificate must stay.")


def check_tags(before: Mapping[str, str], given: Mapping[str, str]) -> None:
    """Raise what ACM refuses tags with, beside those that are there; AWS's own do not count."""
    if any(key.lower().startswith("aws:") for key in given):
        raise Refusal("InvalidTagException", "Tag keys must not begin with aws:")
    if sum(not key.startswith("aws:") for key in {**before, **given}) > 50:
        raise Refusal("TooManyTagsException", "A certificate has at most 50 tags.")


def _parse(pem: bytes) -> Parsed:
    if len(_BLOCK.findall(pem)) != 1:
        raise invalid("The certificate field contains more or less than one certificate.")
    try:
        parsed = Parsed(pem)
        parsed.certificate.public_key()
    except ValueError:
        raise invalid("The certificate is not PEM-encoded or is not valid.") from None
    return parsed


def _check_key(key: bytes, certificate: x509.Certificate) -> None:
    if len(key) > LARGEST_KEY:
        raise invalid("The private key is larger than 5 KB.")
    try:
        public = load_pem_private_key(key, None, unsafe_skip_rsa_key_validation=True).public_key()
    except (ValueError, TypeError):
        raise invalid("The private key is encrypted, not PEM-encoded or not valid.") from None
    if public != certificate.public_key():
        raise invalid("The private key does not match the certificate.")


def _check_chain(certificate: x509.Certificate, chain: bytes | None) -> None:
    if chain is None:
        return
    blocks = _BLOCK.findall(chain)
    if not blocks:
        raise invalid("The certificate chain is not PEM-encoded or is not valid.")
    above = [x509.load_pem_x509_certificate(block) for block in blocks]
    for child, parent in itertools.pairwise([certificate, *above]):
        try:
            child.verify_directly_issued_by(parent)
        except (InvalidSignature, ValueError, TypeError):
            raise invalid("The certificate chain does not sign the certificate.") from None
