"""certform issuer."""

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePosixPath

import click
from pydantic import ValidationError

from providers.secret import Secret
from providers.sops.binary import Sops
from reconciler.cli.app import Console
from reconciler.cli.options import DocumentName
from reconciler.diagnostics import error
from reconciler.errors import InvalidInput
from reconciler.importing.keys import account_key_of, keyring, new_account_key, seal, wanted_secrets
from reconciler.importing.naming import documents_of
from reconciler.importing.writing import write
from reconciler.load.documents import Document
from reconciler.load.suggest import nearest
from reconciler.load.trees import WorkingTree
from schemas.issuer import IssuerSpec

_MOST = 1 << 16
"""Bytes of standard input that are read."""
_THERE = (
    "`sops edit` changes what is in it; another account wants another file in privateKeySecretRef"
)


@click.group("issuer")
def command() -> None:
    """Look after Issuers: CAs of others."""


@command.command("key")
@click.argument("name", type=DocumentName())
@click.option(
    "--stdin", "given", is_flag=True, help="Take the key (PEM or JWK) from standard input instead."
)
@click.pass_obj
def key(console: Console, name: str, *, given: bool) -> None:
    """Make the key of an ACME account.

    A new ECDSA P-256 key, in the sops file that the Issuer's privateKeySecretRef names, for the
    recipients in the Project's keyring. It is encrypted before it is written; a file that is
    there already is never written over. Nobody is asked: the CA hears of the key when the first
    certificate is ordered.

    \b
    Examples:
      certform issuer key letsencrypt
      base64 -d account.b64 | certform issuer key letsencrypt --stdin
    """
    documents, _ = documents_of(WorkingTree(console.root))
    spec = _issuer(documents, name)
    if spec.acme is None:
        said = f"{name} is of kind {spec.kind}: only an account at an ACME server has a key"
        raise InvalidInput([error(said)])
    reference = spec.acme.private_key_secret_ref
    _check_path(reference.name)
    secret = _given_key() if given else new_account_key()
    sealed = seal(secret, reference, keyring(documents), Sops())
    write(console.root, {reference.name: sealed}, frozenset({reference.name}), _THERE)
    whose = "an account" if given else "a new account"
    console.say(f"Wrote {reference.name}: the key of {whose}, under {reference.key}.")
    if wanted_secrets(spec.secrets, console.root):
        console.say(f"More is secret: certform issuer secrets {name} asks for it.")
    console.say(f"Next: git add {reference.name}, commit, certform plan.")


@command.command("secrets")
@click.argument("name", type=DocumentName())
@click.pass_obj
def secrets(console: Console, name: str) -> None:
    """Seal what an Issuer needs to be asked: HMAC keys, TSIG keys, tokens.

    Asks for every secret in a sops file that the Issuer names and that is not there yet, and writes
    the file for the recipients in the Project's keyring. Off a terminal, KEY=VALUE lines are read from
    standard input, FILE:KEY=VALUE where several files have a key of that name. An account's key is not
    asked for: `certform issuer key` makes it.

    \b
    Examples:
      certform issuer secrets letsencrypt
    """
    documents, _ = documents_of(WorkingTree(console.root))
    spec = _issuer(documents, name)
    account = spec.acme.private_key_secret_ref if spec.acme else None
    wanted = wanted_secrets((each for each in spec.secrets if each != account), console.root)
    for path in wanted:
        _check_path(path)
    recipients, sops, given = keyring(documents), Sops(), _given(wanted)
    sealed = {
        path: sops.seal({key: given[path, key] for key in keys}, path, recipients)
        for path, keys in wanted.items()
    }
    write(console.root, sealed, frozenset(sealed), _THERE)
    for path, keys in wanted.items():
        console.say(f"Wrote {path}: {', '.join(keys)}.")
    if not wanted:
        console.say("Nothing to do: every file is there. `sops edit` changes what is in it.")


def _given(wanted: Mapping[str, tuple[str, ...]]) -> dict[tuple[str, str], Secret]:
    """Return the secrets, asked for or read; raises `InvalidInput` where one is missing."""
    every = [(path, key) for path, keys in wanted.items() for key in keys]
    often = Counter(key for _, key in every)
    called = {(path, key): f"{path}:{key}" if often[key] > 1 else key for path, key in every}
    if sys.stdin.isatty():
        asked = (click.prompt(f"{key} ({path})", hide_input=True, err=True) for path, key in every)
        return {each: Secret(str(text).encode()) for each, text in zip(every, asked, strict=True)}
    lines = (line.partition("=") for line in sys.stdin.read(_MOST).splitlines()) if every else ()
    said = {key.strip(): value for key, _, value in lines}
    if missing := [name for name in called.values() if not said.get(name)]:
        hint = "write one KEY=VALUE a line to standard input, or run it on a terminal"
        raise InvalidInput([error(f"{name} was not given", hint=hint) for name in missing])
    return {each: Secret(said[name].encode()) for each, name in called.items()}


def _given_key() -> Secret:
    try:
        return account_key_of(Secret(sys.stdin.buffer.read(_MOST)))
    except ValueError as why:
        raise InvalidInput([error(f"standard input holds no account key: {why}")]) from None


def _issuer(documents: tuple[Document, ...], name: str) -> IssuerSpec:
    issuers = {each.name: each for each in documents if each.kind == "Issuer" and each.name}
    found = issuers.get(name)
    if found is None:
        hint = nearest(name, filter(None, issuers))
        raise InvalidInput([error(f"there is no Issuer {name}", hint=hint)])
    try:
        return IssuerSpec.model_validate(found.data.get("spec"))
    except ValidationError:
        hint = "`certform validate` says what is wrong with it"
        said = f"the Issuer {name} is not valid"
        raise InvalidInput([error(said, found.at("spec"), hint=hint)]) from None


def _check_path(path: str) -> None:
    parts = PurePosixPath(path).parts
    if path.startswith("/") or any(part.startswith(".") for part in parts):
        hint = "name it by its path from the repository's root, such as config/account.sops.yaml"
        raise InvalidInput([error(f"{path} is no file of the repository", hint=hint)])
