"""What each built-in kind of target can hold: data, so that `validate` needs no SDK."""

from dataclasses import dataclass

RSA_SIZES = (2048, 3072, 4096)
ECDSA_SIZES = (256, 384, 521)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The limits of a kind of target; `plan` refuses what `apply` would fail on."""

    rsa_sizes: tuple[int, ...] = RSA_SIZES
    ecdsa_sizes: tuple[int, ...] = ECDSA_SIZES
    ed25519: bool = True
    keeps_identity: bool = True
    chain_limit: int | None = None
    label_limit: int | None = None
    output_formats: tuple[str, ...] = ()


LOCAL_DIRECTORY = Capabilities(output_formats=("CombinedPEM",))
