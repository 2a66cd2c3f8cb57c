"""Key sizes: what is meant when none is written, and which there are."""

from collections.abc import Iterator, Mapping

from reconciler.diagnostics import Diagnostic, error
from reconciler.load.documents import Place
from schemas.authority import AuthorityKey
from schemas.capabilities import ECDSA_SIZES, MLDSA_SIZES, RSA_SIZES, Capabilities
from schemas.certificate import Algorithm
from schemas.custody import SIGNS, CaCustody, MountedKey, RemoteKey, SopsKey
from schemas.request import KeyType

SIZES: Mapping[Algorithm, tuple[int, ...]] = {
    Algorithm.RSA: RSA_SIZES,
    Algorithm.ECDSA: ECDSA_SIZES,
    Algorithm.ED25519: (256,),
    Algorithm.ML_DSA: MLDSA_SIZES,
}


_KEYS: Mapping[tuple[Algorithm, int | None], KeyType] = {
    (algorithm, written): KeyType(algorithm=algorithm, size=written or sizes[0])
    for algorithm, sizes in SIZES.items()
    for written in (None, *sizes)
}


def key_type(algorithm: Algorithm, size: int | None) -> KeyType:
    """Return a key's kind, the smallest size of its algorithm where none is given."""
    known = _KEYS.get((algorithm, size))
    return known or KeyType(algorithm=algorithm, size=size or 0)


def check_size(key: KeyType, place: Place) -> Iterator[Diagnostic]:
    """Yield a finding when there is no such key."""
    sizes = SIZES[key.algorithm]
    if key.algorithm is Algorithm.ML_DSA:
        yield from _check_library(place)
    if key.size not in sizes:
        allowed = ", ".join(map(str, sizes))
        named = f"{key.algorithm}-{key.size}" if key.algorithm is Algorithm.ML_DSA else ""
        summary = f"there is no {named or f'{key.algorithm} key of {key.size} bits'}"
        hint = f"sizes of {key.algorithm} keys: {allowed}"
        yield error(summary, place.at("spec", "privateKey", "size"), hint=hint)


def _check_library(place: Place) -> Iterator[Diagnostic]:
    """Yield a finding where the installed library cannot make such keys."""
    from providers.mldsa import NEEDED, is_available  # noqa: PLC0415 - seldom asked for

    if not is_available():
        where = place.at("spec", "privateKey", "algorithm")
        hint = "pip install 'cryptography>=49'"
        yield error(f"ML-DSA needs {NEEDED} where certform runs", where, hint=hint)


def check_custody(key: AuthorityKey, place: Place) -> Iterator[Diagnostic]:
    """Yield what cannot be said of a CA key that is not in the ledger."""
    custody = key.custody
    if custody is None:
        return
    if isinstance(custody, RemoteKey):
        yield from _check_kind(custody.kind, key, place)
        yield from _check_module(custody, place)
    if key.recipients:
        summary = f"a key {_where(custody)} has no recipients: nobody opens it by the ledger"
        yield error(
            summary, place.at("spec", "privateKey", "recipients"), hint="leave recipients out"
        )


def _where(custody: CaCustody) -> str:
    if isinstance(custody, RemoteKey):
        return f"in {custody.kind}"
    if isinstance(custody, MountedKey):
        return "that Vault keeps"
    return "in a sops file" if isinstance(custody, SopsKey) else "that is kept elsewhere"


def _check_kind(kind: str, key: AuthorityKey, place: Place) -> Iterator[Diagnostic]:
    wanted, sizes = key_type(key.algorithm, key.size), SIGNS[kind]
    there_is = wanted.size in SIZES[wanted.algorithm]
    if there_is and wanted.size not in sizes.get(wanted.algorithm, ()):
        summary = f"{kind} signs with no {wanted} key the way a CA has to"
        known = (f"{name} {', '.join(map(str, sizes[name]))}" for name in sizes)
        hint = f"keys of {kind}: {'; '.join(known)}"
        yield error(summary, place.at("spec", "privateKey"), hint=hint)


def _check_module(custody: RemoteKey, place: Place) -> Iterator[Diagnostic]:
    if custody.pkcs11 and custody.pkcs11.module is None:
        spot = place.at("spec", "privateKey", "custody", "pkcs11")
        hint = "the path of the token's library, such as /usr/lib/softhsm/libsofthsm2.so"
        yield error("spec.privateKey.custody.pkcs11.module is missing", spot, hint=hint)


def holds(capabilities: Capabilities, key: KeyType) -> bool:
    """Whether a kind of target can hold a kind of key."""
    match key.algorithm:
        case Algorithm.RSA:
            return key.size in capabilities.rsa_sizes
        case Algorithm.ECDSA:
            return key.size in capabilities.ecdsa_sizes
        case Algorithm.ED25519:
            return capabilities.ed25519
        case Algorithm.ML_DSA:
            return key.size in capabilities.mldsa_sizes
