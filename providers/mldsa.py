"""ML-DSA (FIPS 204), for X.509 as in RFC 9881, where the installed cryptography has it.

A signature takes fresh random numbers: over the same content no two are the same, and cryptography
offers no other variant. Keys are kept as their seed (RFC 9881 section 6).
"""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import mldsa
else:
    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa
    except ImportError:

        class _Absent:
            """Stands for what an older cryptography does not have: no key is one."""

            MLDSA44PublicKey = MLDSA65PublicKey = MLDSA87PublicKey = type("Absent", (), {})
            MLDSA44PrivateKey = MLDSA65PrivateKey = MLDSA87PrivateKey = type("Absent", (), {})

        mldsa = _Absent

NEEDED = "cryptography 49 or newer"
"""What has ML-DSA, for people."""

MlDsaPublicKey = mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey
MlDsaPrivateKey = mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey

PRIVATE: Mapping[
    int,
    type[mldsa.MLDSA44PrivateKey] | type[mldsa.MLDSA65PrivateKey] | type[mldsa.MLDSA87PrivateKey],
] = {44: mldsa.MLDSA44PrivateKey, 65: mldsa.MLDSA65PrivateKey, 87: mldsa.MLDSA87PrivateKey}
"""The kinds of private keys, by parameter set."""
SIGNATURES: Mapping[int, int] = {44: 2420, 65: 3309, 87: 4627}
"""The length of a signature in octets, by parameter set (FIPS 204 table 2)."""


def generate(size: int) -> MlDsaPrivateKey:
    """Return a new private key of a parameter set; raises ValueError where there is none."""
    try:
        return PRIVATE[size].generate()
    except (KeyError, AttributeError, UnsupportedAlgorithm):
        raise ValueError(f"ML-DSA-{size} keys are not supported: that needs {NEEDED}") from None


def size_of(key: MlDsaPublicKey) -> int:
    """Return the parameter set of a public key: 44, 65 or 87."""
    if isinstance(key, mldsa.MLDSA44PublicKey):
        return 44
    return 65 if isinstance(key, mldsa.MLDSA65PublicKey) else 87


@cache
def is_available() -> bool:
    """Whether the installed cryptography makes such keys and signs requests with them: tried once."""
    try:
        key = generate(44)
        request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        return request.sign(key, None).is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
