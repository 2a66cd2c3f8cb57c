"""Every kind of key that certform makes."""

from schemas.capabilities import ECDSA_SIZES, RSA_SIZES
from schemas.certificate import Algorithm
from schemas.request import KeyType

KINDS = (
    *(KeyType(algorithm=Algorithm.RSA, size=size) for size in RSA_SIZES),
    *(KeyType(algorithm=Algorithm.ECDSA, size=size) for size in ECDSA_SIZES),
    KeyType(algorithm=Algorithm.ED25519, size=256),
)
P256 = KINDS[3]
