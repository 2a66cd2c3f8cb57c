"""Sessions with tokens: one for each token of this process, whichever of its keys sign.

PKCS#11 logs a process in, not a session, and counts wrong PINs: a PIN that was refused is not tried
again by this process, however many keys the token holds.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pkcs11
from pkcs11 import Session, Token, TokenFlag

from providers.errors import Ambiguous, Denied, NotFound, ProviderError
from providers.pkcs11.errors import WRONG_PIN, explain
from providers.pkcs11.module import load
from providers.secret import Secret
from schemas.pkcs11 import KeyUri

if TYPE_CHECKING:
    from pkcs11 import _pkcs11

_Spot = tuple[str, bytes]
"""A module, and the serial number of a token."""


@dataclass(slots=True)
class Tokens:
    """The sessions that are open, and the tokens that refused a PIN."""

    _open: dict[_Spot, Session] = field(default_factory=dict)
    _refused: dict[_Spot, str] = field(default_factory=dict)

    def session(self, module: str, uri: KeyUri, pin: Callable[[], Secret]) -> Session:
        """Return a session with the token of a key; `pin` is asked for when nobody is logged in yet.

        Raises ProviderError, and what the token raises.
        """
        try:
            token = _found(load(module), uri)
        except NotFound:
            if not self._held(module):
                self.lose(module)  # a module looks for its tokens when it begins
            raise
        spot = (module, token.serial)
        if spot not in self._open:
            self._open[spot] = self._entered(spot, token, pin)
        return self._open[spot]

    def _entered(self, spot: _Spot, token: Token, pin: Callable[[], Secret]) -> Session:
        if spot in self._refused:
            raise Denied(self._refused[spot])
        require_tries(token.flags)
        try:
            return token.open(user_pin=_text(pin()))
        except pkcs11.UserAlreadyLoggedIn:
            return token.open()
        except WRONG_PIN as why:
            self._refused[spot] = str(explain(why))
            raise Denied(self._refused[spot]) from None

    def lose(self, module: str) -> None:
        """Forget the sessions of a module, which looks for its tokens anew at the next use."""
        for spot in self._held(module):
            del self._open[spot]
        try:
            load(module).finalize()
        except (pkcs11.PKCS11Error, ProviderError):
            return  # it is as good as gone

    def _held(self, module: str) -> tuple[_Spot, ...]:
        return tuple(spot for spot in self._open if spot[0] == module)


@functools.cache
def shared() -> Tokens:
    """Return the sessions of this process."""
    return Tokens()


def require_tries(flags: TokenFlag) -> None:
    """Raise `Denied` where one more wrong PIN would lock a token: the runs before this one had it wrong."""
    if flags & TokenFlag.USER_PIN_LOCKED:
        raise Denied("the token's PIN is locked: its security officer sets a new one")
    if flags & TokenFlag.USER_PIN_FINAL_TRY:
        raise Denied(
            "the token would lock itself at one more wrong PIN, so none is tried: log in by hand with the"
            " right one, which sets its count back"
        )


def _text(pin: Secret) -> str:
    try:
        return pin.reveal().decode()
    except UnicodeDecodeError:
        raise Denied("the PIN is not UTF-8") from None


def _found(library: "_pkcs11.lib", uri: KeyUri) -> Token:
    fitting = [token for token in _tokens(library) if _is_meant(token, uri)]
    if not fitting:
        raise NotFound(f"no token that is here fits {uri}: put it in, or look after its service")
    if len(fitting) > 1:
        slots = ", ".join(_described(token) for token in fitting)
        raise Ambiguous(f"{len(fitting)} tokens fit {uri}: {slots}; say which by serial=")
    return fitting[0]


def _tokens(library: "_pkcs11.lib") -> Iterator[Token]:
    for slot in library.get_slots(token_present=True):
        try:
            yield slot.get_token()
        except (pkcs11.TokenNotPresent, pkcs11.TokenNotRecognised):
            continue


def _is_meant(token: Token, uri: KeyUri) -> bool:
    return (
        bool(token.flags & TokenFlag.TOKEN_INITIALIZED)
        and uri.token in (None, token.label)
        and (uri.serial is None or uri.serial.encode() == token.serial)
        and uri.slot in (None, token.slot.slot_id)
    )


def _described(token: Token) -> str:
    return f"slot-id={token.slot.slot_id} (serial={token.serial.decode(errors='replace')})"
