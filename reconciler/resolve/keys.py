"""Key sizes: what is meant when none is written, and which there are."""

from collections.abc import Iterator, Mapping

from reconciler.diagnostics import Diagnostic, error
from reconciler.load.documents import Place
from schemas.capabilities import ECDSA_SIZES, RSA_SIZES, Capabilities
from schemas.certificate import Algorithm
from schemas.request import KeyType

_SIZES: Mapping[Algorithm, tuple[int, ...]] = {
    Algorithm.RSA: RSA_SIZES,
    Algorithm.ECDSA: ECDSA_SIZES,
    Algorithm.ED25519: (256,),
}


_KEYS: Mapping[tuple[Algorithm, int | None], KeyType] = {
    (algorithm, written): KeyType(algorithm=algorithm, size=written or sizes[0])
    for algorithm, sizes in _SIZES.items()
    for written in (None, *sizes)
}


def key_type(algorithm: Algorithm, size: int | None) -> KeyType:
    """Return a key's kind, the smallest size of its algorithm where none is given."""
    known = _KEYS.get((algorithm, size))
    return known or KeyType(algorithm=algorithm, size=size or 0)


def check_size(key: KeyType, place: Place) -> Iterator[Diagnostic]:
    """Yield a finding when there is no such key."""
    sizes = _SIZES[key.algorithm]
    if key.size not in sizes:
        allowed = ", ".join(map(str, sizes))
        summary = f"there is no {key.algorithm} key of {key.size} bits"
        hint = f"sizes of {key.algorithm} keys: {allowed}"
        yield error(summary, place.at("spec", "privateKey", "size"), hint=hint)


def holds(capabilities: Capabilities, key: KeyType) -> bool:
    """Whether a kind of target can hold a kind of key."""
    match key.algorithm:
        case Algorithm.RSA:
            return key.size in capabilities.rsa_sizes
        case Algorithm.ECDSA:
            return key.size in capabilities.ecdsa_sizes
        case Algorithm.ED25519:
            return capabilities.ed25519
