"""The keys that are at hand at a ceremony: files with passphrases, tokens with PINs, and new ones."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from pydantic import ValidationError

from providers.secret import Secret
from providers.signer import Signer
from reconciler.ceremony.keys import SHORTEST, load_key, make_key, require_strong
from reconciler.diagnostics import error
from reconciler.errors import InvalidInput
from schemas.custody import RemoteKey
from schemas.request import KeyType

_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line names."""

    keys: tuple[Path, ...]
    new: tuple[Path, ...]
    uris: tuple[str, ...]
    module: str | None
    passphrase_fd: int | None


def opened(given: Given, wanting: Sequence[KeyType]) -> tuple[Signer, ...]:
    """Return every key, passphrases and PINs asked for; `wanting` are the kinds of the keys to be made.

    Keys that are there already are taken for the first of these, new ones for the last.
    """
    passphrases = _passphrases(given.passphrase_fd)
    old = [load_key(path, lambda p: _passphrase(passphrases, p)) for path in given.keys]
    tokens = [_token(uri, given.module) for uri in given.uris]
    kinds = wanting[len(wanting) - len(given.new) :]
    sealing = [require_strong(_twice(passphrases, path)) for path in given.new]
    made = [
        make_key(path, kind, passphrase)
        for path, kind, passphrase in zip(given.new, kinds, sealing, strict=True)
    ]
    return (*old, *tokens, *made)


def forbid_core() -> None:
    """Have this process leave no image of its memory behind, whatever becomes of it."""
    try:
        import resource  # noqa: PLC0415 - there is none on Windows
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _passphrases(descriptor: int | None) -> Iterator[Secret] | None:
    if descriptor is None:
        return None
    try:
        with os.fdopen(descriptor, "rb") as file:
            lines = file.read(_LIMIT).splitlines()
    except OSError as failure:
        why = f"file descriptor {descriptor} cannot be read: {failure.strerror}"
        raise InvalidInput((error(why),)) from None
    return iter([Secret(line) for line in lines])


def _passphrase(passphrases: Iterator[Secret] | None, path: Path) -> Secret:
    if passphrases is None:
        return _asked(f"Passphrase of {path}")
    found = next(passphrases, None)
    if found is None:
        raise InvalidInput((error(f"there is no passphrase for {path}: one line is for each key"),))
    return found


def _twice(passphrases: Iterator[Secret] | None, path: Path) -> Secret:
    if passphrases is not None:
        return _passphrase(passphrases, path)
    text = f"New passphrase for {path}, at least {SHORTEST} characters"
    return _asked(text, confirm="Again")


def _asked(text: str, confirm: bool | str = False) -> Secret:
    typed: str = click.prompt(text, hide_input=True, confirmation_prompt=confirm, err=True)
    return Secret(typed.encode())


def _token(uri: str, module: str | None) -> Signer:
    from providers.signers import open_signer  # noqa: PLC0415 - only where a token is used

    secret = {"name": "pin", "key": "pin"}
    try:
        key = RemoteKey.model_validate(
            {"pkcs11": {"key": uri, "module": module, "pinSecretRef": secret}}
        )
    except ValidationError as failure:
        why = failure.errors(include_url=False)[0]
        raise InvalidInput(
            (error(f"--{_OPTIONS.get(why['loc'][-1], 'pkcs11')} {why['msg']}"),)
        ) from None
    if module is None:
        raise InvalidInput((error("--pkcs11 needs --module, the library of the token"),))
    return open_signer(key, _pin_for(uri))


_OPTIONS: dict[str | int, str] = {"module": "module"}


def _pin_for(uri: str) -> Callable[[], Secret]:
    def pin() -> Secret:
        set_already = os.environ.get("CERTFORM_PKCS11_PIN")
        return Secret(set_already.encode()) if set_already else _asked(f"PIN for {uri}")

    return pin
