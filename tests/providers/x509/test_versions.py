"""Certificates and CRLs of versions that do not exist: malformed, and nothing worse."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509 as standard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from providers import x509
from providers.specimens import Specimens

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def crl() -> bytes:
    name = standard.Name([standard.NameAttribute(standard.NameOID.COMMON_NAME, "x")])
    builder = (
        standard.CertificateRevocationListBuilder()
        .issuer_name(name)
        .last_update(NOW)
        .next_update(NOW + timedelta(days=1))
        .add_extension(standard.CRLNumber(1), critical=False)
    )
    return builder.sign(Ed25519PrivateKey.generate(), None).public_bytes(Encoding.DER)


@pytest.mark.parametrize("version", [1, 7, 127])
def test_a_certificate_of_an_unknown_version_is_malformed(version: int) -> None:
    der = x509.to_der(Specimens.make(NOW).bundle("www.example.com", NOW).certificate)
    changed = der.replace(b"\xa0\x03\x02\x01\x02", bytes([0xA0, 3, 2, 1, version]), 1)
    with pytest.raises(ValueError, match="version"):
        x509.facts(changed)


@pytest.mark.parametrize("version", [0, 2, 127])
def test_a_crl_of_an_unknown_version_is_malformed(version: int) -> None:
    changed = crl().replace(b"\x02\x01\x01\x30", bytes([2, 1, version, 0x30]), 1)
    with pytest.raises(ValueError, match="version"):
        x509.read_crl(changed)
    issuer = x509.to_der(Specimens.make(NOW).bundle("www.example.com", NOW).chain[0])
    with pytest.raises(ValueError, match="version"):
        x509.crl_is_by(changed, issuer)
