"""certform issuer."""

from pathlib import PurePosixPath

import click
from pydantic import ValidationError

from providers.sops.binary import Sops
from reconciler.cli.app import Console
from reconciler.cli.options import DocumentName
from reconciler.diagnostics import error
from reconciler.errors import InvalidInput
from reconciler.importing.keys import keyring, new_account_key, seal
from reconciler.importing.naming import documents_of
from reconciler.importing.writing import write
from reconciler.load.documents import Document
from reconciler.load.suggest import nearest
from reconciler.load.trees import WorkingTree
from schemas.acme import Acme
from schemas.issuer import IssuerSpec


@click.group("issuer")
def command() -> None:
    """Look after Issuers: CAs of others."""


@command.command("key")
@click.argument("name", type=DocumentName())
@click.pass_obj
def key(console: Console, name: str) -> None:
    """Make the key of an ACME account.

    A new ECDSA P-256 key, in the sops file that the Issuer's privateKeySecretRef names, for the
    recipients in the Project's keyring. It is encrypted before it is written; a file that is
    there already is never written over. Nobody is asked: the CA hears of the key when the first
    certificate is ordered.

    \b
    Examples:
      certform issuer key letsencrypt
    """
    documents, _ = documents_of(WorkingTree(console.root))
    acme = _acme(documents, name)
    reference = acme.private_key_secret_ref
    _check_path(reference.name)
    sealed = seal(new_account_key(), reference, keyring(documents), Sops())
    write(console.root, {reference.name: sealed}, frozenset({reference.name}))
    console.say(f"Wrote {reference.name}: the key of a new account, under {reference.key}.")
    binding = acme.external_account_binding
    if binding is not None:
        where = binding.key_secret_ref
        console.say(
            f"The CA binds accounts: `sops edit {where.name}`, and write the HMAC key that it gives"
            f" for {binding.key_id} under {where.key}."
        )
    console.say(f"Next: git add {reference.name}, commit, certform plan.")


def _acme(documents: tuple[Document, ...], name: str) -> Acme:
    issuers = {each.name: each for each in documents if each.kind == "Issuer" and each.name}
    found = issuers.get(name)
    if found is None:
        hint = nearest(name, filter(None, issuers))
        raise InvalidInput([error(f"there is no Issuer {name}", hint=hint)])
    try:
        spec = IssuerSpec.model_validate(found.data.get("spec"))
    except ValidationError:
        hint = "`certform validate` says what is wrong with it"
        raise InvalidInput(
            [error(f"the Issuer {name} is not valid", found.at("spec"), hint=hint)]
        ) from None
    if spec.acme is None:
        said = (
            f"the Issuer {name} is of kind {spec.kind}: only an account at an ACME server has a key"
        )
        raise InvalidInput([error(said, found.at("spec"))])
    return spec.acme


def _check_path(path: str) -> None:
    parts = PurePosixPath(path).parts
    if path.startswith("/") or any(part.startswith(".") for part in parts):
        hint = "name it by its path from the repository's root, such as config/account.sops.yaml"
        raise InvalidInput([error(f"{path} is no file of the repository", hint=hint)])
