"""lego: what it keeps below its storage folder, and what the configuration of v5 declares."""

from collections.abc import Sequence
from pathlib import Path

from reconciler.diagnostics import Diagnostic
from reconciler.importing.accounts import Account, Issuers
from reconciler.importing.challenges import stand_in
from reconciler.importing.leaf_drafts import Targets, key_spec, named
from reconciler.importing.lego_config import Configured, configured
from reconciler.importing.lego_storage import (
    Kept,
    Stored,
    accounts,
    certificates,
    directory_of,
    folder_of,
)
from reconciler.importing.naming import Names
from reconciler.importing.notes import Note
from reconciler.importing.outcome import Draft, Outcome

_CONFIGURATIONS = (".lego.yml", ".lego.yaml")


def import_lego(path: Path, names: Names, server: str | None = None) -> Outcome:
    """Return what lego declares: `path` is its storage folder, or the configuration of v5.

    `server` is the directory of the CA where nothing says it.
    """
    broken: list[Diagnostic] = []
    config = _configuration(path)
    storage = path if path.is_dir() else path.parent / ".lego"
    issuers, targets = Issuers(names), Targets("lego", names)
    kept = accounts(storage, broken)
    said = Configured()
    if config is not None:
        said = configured(config, kept, issuers, targets, names, broken)
    drafts, notes, read = list(said.drafts), list(said.notes), len(said.drafts)
    there = certificates(storage, broken) if config is None or storage.is_dir() else ()
    for stored in there:
        if stored.name not in said.names:
            draft = _stored(stored, kept, issuers, targets, names, server)
            drafts.append(draft)
            notes += stored.survey.notes()
            read += 1
    notes += _of_accounts(kept, issuers)
    made = (*issuers.drafts(), *targets.drafts(), *drafts)
    return Outcome("lego", made, tuple(notes), {}, issuers.held(), read, tuple(broken))


def _configuration(path: Path) -> Path | None:
    if path.is_file():
        return path
    folders = (path, path.resolve().parent)
    found = (folder / name for folder in folders for name in _CONFIGURATIONS)
    return next((file for file in found if file.is_file()), None)


def _stored(
    stored: Stored,
    kept: Sequence[Kept],
    issuers: Issuers,
    targets: Targets,
    names: Names,
    server: str | None,
) -> Draft:
    survey, words = stored.survey, stored.survey.words
    account = _account(stored, kept, server)
    proof = stand_in("lego keeps no record of how names were proved (`lego run` was told)")
    issuer = issuers.add(account, ((proof, stored.present.names),), words)
    name = names.free("Certificate", stored.name)
    survey.carried(("domain",) if survey.value("domain") else ("domains",), f"certificate/{name}")
    if survey.value("keyType") is not None:
        survey.carried(("keyType",), f"privateKey {stored.present.key} of certificate/{name}")
    for field in ("domain", "domains", "id"):
        survey.known(field)
    survey.left((), proof.said)
    spec: dict[str, object] = {"issuerRef": issuer, **named(stored.present.names)}
    if key := key_spec(stored.present.key, reused=False):
        spec["privateKey"] = key
    spec["targets"] = (targets.called(None, words),)
    survey.changed(
        (),
        f"a proposal: {targets.folder(None, words)}/{name}/current/{{privkey,cert,chain,fullchain}}.pem"
        f" stand for {stored.name}.key and .crt: have what reads those read these",
    )
    return Draft("Certificate", name, spec, words)


def _account(stored: Stored, kept: Sequence[Kept], server: str | None) -> Account:
    """Return the account at the certificate's server; the first there is, where nobody says."""
    mine = [each for each in kept if each.host == folder_of(stored.host)]
    found = next(iter([*mine, *kept]), None)
    host = stored.host or (found.host if found else "acme-v02.api.letsencrypt.org")
    known, sure = directory_of(host)
    url = (found.server if found else None) or (server if server and not sure else None) or known
    if not sure and url == known:
        said = f"its server's directory is a guess, {known}: name it with --server, or correct it"
        stored.survey.left(("certUrl",), said)
    return Account(url, found.email if found else None, found.key_file if found else None)


def _of_accounts(kept: Sequence[Kept], issuers: Issuers) -> list[Note]:
    """Say what became of every account that lego keeps."""
    made = {held.file: held.issuer for held in issuers.held()}
    notes: list[Note] = []
    for account in kept:
        survey = account.survey
        issuer = made.get(account.key_file) if account.key_file else None
        for field in ("email", "server", "id"):
            if survey.value(field) is not None and issuer:
                survey.carried((field,), f"{field} of issuer/{issuer}")
            elif survey.value(field) is not None:
                survey.left((field,), "no certificate here was asked for with this account")
        if issuer:
            said = (
                f"issuer/{issuer} goes on with this account where --with-account-keys has its key"
                f" sealed; else `certform issuer key {issuer}` makes another"
            )
            survey.changed((), said)
        notes += survey.notes()
    return notes
