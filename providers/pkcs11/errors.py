"""What a token's refusals mean; nothing that it said is repeated but the name of the error."""

import pkcs11

from providers.errors import Conflict, Denied, NotFound, ProviderError, Unreachable

WRONG_PIN = (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange)
LOST = (
    pkcs11.TokenNotPresent,
    pkcs11.TokenNotRecognised,
    pkcs11.DeviceRemoved,
    pkcs11.DeviceError,
    pkcs11.SessionHandleInvalid,
    pkcs11.SessionClosed,
    pkcs11.SlotIDInvalid,
    pkcs11.KeyHandleInvalid,
    pkcs11.ObjectHandleInvalid,
    pkcs11.UserNotLoggedIn,
    pkcs11.GeneralError,
    pkcs11.FunctionFailed,
)
"""What is said when a token is not there any more: a new session may find it again."""
_LOCKED = (pkcs11.PinLocked, pkcs11.PinExpired, pkcs11.UserPinNotInitialized)
_UNFIT = (
    pkcs11.MechanismInvalid,
    pkcs11.MechanismParamInvalid,
    pkcs11.KeyTypeInconsistent,
    pkcs11.KeySizeRange,
    pkcs11.FunctionNotSupported,
    pkcs11.AttributeTypeInvalid,
)


def explain(error: Exception) -> ProviderError | None:
    """Return what a PKCS#11 error means for whoever runs this; None for what is none."""
    name = type(error).__name__
    if isinstance(error, WRONG_PIN):
        return Denied(
            f"the token refused its PIN ({name}). It was tried once and is not tried again: after a few"
            " wrong ones a token locks itself. Put the PIN right before the next run"
        )
    if isinstance(error, _LOCKED):
        return Denied(
            f"the token's PIN cannot be used ({name}): its security officer sets a new one"
        )
    if isinstance(error, LOST):
        return Unreachable(
            f"the token does not answer any more ({name}): put it back, or look after its service; the"
            " next use opens a new session"
        )
    if isinstance(error, pkcs11.NoSuchKey):
        return NotFound("there is no such private key in the token")
    if isinstance(error, _UNFIT):
        return Conflict(f"the key cannot sign the way a CA has to ({name})")
    if isinstance(error, pkcs11.PKCS11Error):
        return Unreachable(f"the token answered {name}; the next use opens a new session")
    return None
