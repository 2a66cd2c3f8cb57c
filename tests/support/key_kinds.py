"""Every kind of key that certform makes: those that every judge knows, and ML-DSA."""

from schemas.capabilities import ECDSA_SIZES, MLDSA_SIZES, RSA_SIZES
from schemas.certificate import Algorithm
from schemas.request import KeyType

KINDS = (
    *(KeyType(algorithm=Algorithm.RSA, size=size) for size in RSA_SIZES),
    *(KeyType(algorithm=Algorithm.ECDSA, size=size) for size in ECDSA_SIZES),
    KeyType(algorithm=Algorithm.ED25519, size=256),
)
ML_DSA = tuple(KeyType(algorithm=Algorithm.ML_DSA, size=size) for size in MLDSA_SIZES)
"""Those that no OpenSSL before 3.5 and no GnuTLS here knows."""
P256 = KINDS[3]
