"""certbot: its renewal files, cli.ini, accounts, and the certificates in its archive.

https://eff-certbot.readthedocs.io/en/stable/using.html#where-are-my-certificates
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from reconciler.diagnostics import Diagnostic, error
from reconciler.importing.accounts import LETS_ENCRYPT, Account, Issuers
from reconciler.importing.certbot_fields import OFTEN_OFF, RENEWAL
from reconciler.importing.certbot_proofs import proofs
from reconciler.importing.certbot_settings import Defaults, read_defaults, say_rest
from reconciler.importing.ini import IniWords, read_ini
from reconciler.importing.leaf_drafts import (
    Present,
    Targets,
    key_of,
    key_spec,
    named,
    present,
    renewal,
)
from reconciler.importing.naming import Names
from reconciler.importing.notes import Fate, Note
from reconciler.importing.outcome import Draft, Outcome
from reconciler.importing.sources import (
    MOST_FILES,
    Unread,
    host_and_path,
    inside,
    read_text,
    yaml_document,
)
from reconciler.importing.survey import Survey
from schemas.certificate import Algorithm
from schemas.plan import Source
from schemas.scalars import format_duration

_PART = "renewalparams"
_ACCOUNT = re.compile(r"[0-9a-f]{8,64}")
_NUMBERED = re.compile(r"cert([0-9]{1,6})\.pem")
_INTERVAL = re.compile(r"\s*([0-9]{1,5})\s*(hour|day|week|month|year)s?\s*")
_FORMER = {
    "https://acme-v01.api.letsencrypt.org/directory": LETS_ENCRYPT,
    "https://acme-staging.api.letsencrypt.org/directory": LETS_ENCRYPT.replace(
        "acme-", "acme-staging-"
    ),
}
"""Servers of ACME's first version, and those that stand in their place, as certbot has them do."""
_OTHER = {True: "elliptic_curve", False: "rsa_key_size"}
"""The setting that means nothing, by whether the key is RSA."""
_UNITS = {"hour": 1 / 24, "day": 1, "week": 7, "month": 30, "year": 365}


@dataclass(eq=False)
class _Run:
    """What is gathered over all renewal files."""

    directory: Path
    names: Names
    defaults: Defaults
    issuers: Issuers
    targets: Targets
    drafts: list[Draft] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def import_certbot(directory: Path, names: Names) -> Outcome:
    """Return what certbot's configuration directory declares."""
    broken: list[Diagnostic] = []
    files = _renewal_files(directory, broken)
    defaults = read_defaults(directory, broken)
    run = _Run(directory, names, defaults, Issuers(names), Targets("certbot", names))
    read = 0
    for path in files:
        try:
            words = read_ini(str(path), read_text(path))
        except Unread as why:
            broken.append(why.finding)
            continue
        read += 1
        _lineage(run, path.stem, words)
    run.notes += [*defaults.survey.notes()] if defaults.survey else []
    run.notes += _hooks(directory)
    drafts = (*run.issuers.drafts(), *run.targets.drafts(), *run.drafts)
    return Outcome("certbot", drafts, tuple(run.notes), {}, run.issuers.held(), read, tuple(broken))


def _renewal_files(directory: Path, broken: list[Diagnostic]) -> list[Path]:
    folder = inside(directory, "renewal")
    if folder is None:
        broken.append(error(f"{directory}/renewal is a link, and links are not followed"))
        return []
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix == ".conf")
    except OSError as why:
        said = f"{folder} cannot be listed: {why.strerror}"
        broken.append(
            error(said, hint="name certbot's configuration directory, such as /etc/letsencrypt")
        )
        return []
    if len(found) > MOST_FILES:
        broken.append(error(f"{folder} holds more than {MOST_FILES:,} files"))
    return found[:MOST_FILES]


def _lineage(run: _Run, stem: str, words: IniWords) -> None:
    survey = Survey(words, RENEWAL)
    name = run.names.free("Certificate", stem)
    there = _present(run, stem, name, survey)
    if not there.names:
        say_rest(survey)
        run.notes += survey.notes()
        return
    account = _account(run, survey)
    issuer = run.issuers.add(account, proofs(survey, there.names), words)
    _say_account(survey, issuer, account)
    spec: dict[str, object] = {"issuerRef": issuer, **named(there.names)}
    spec |= _renew_before(survey, there.life)
    if key := _key(survey, there, f"certificate/{name}"):
        spec["privateKey"] = key
    server = survey.text(_PART, "installer")
    spec["targets"] = (run.targets.called(server, words),)
    _say_target(survey, server, run.targets.folder(server, words), name)
    say_rest(survey)
    run.drafts.append(Draft("Certificate", name, spec, words))
    run.notes += survey.notes()


def _present(run: _Run, stem: str, name: str, survey: Survey) -> Present:
    """Return the certificate of a lineage; where there is none to read, the names that were proved."""
    written = survey.text("archive_dir")
    called = Path(written).name if written else stem
    folder = inside(run.directory, "archive", called)
    newest = max(_versions(folder), default=None) if folder else None
    if folder is None or newest is None:
        return _unread(survey, Unread(error(f"there is no certificate in archive/{called}")))
    try:
        found = present(folder / f"cert{newest}.pem")
    except Unread as why:
        return _unread(survey, why)
    survey.carried(
        ("cert",), f"names and key of certificate/{name}, from {folder.name}/cert{newest}.pem"
    )
    survey.known("archive_dir")
    return found


def _unread(survey: Survey, why: Unread) -> Present:
    mapped = tuple(map(str, survey.mapping(_PART, "webroot_map")))
    names = mapped or survey.texts(_PART, "domains")
    then = (
        "names from the settings" if names else "without its names there is no document: write one"
    )
    survey.left(("cert",), f"{why.finding.summary}; {then}")
    survey.known("archive_dir")
    size = survey.text(_PART, "rsa_key_size") or ""
    rsa = survey.text(_PART, "key_type") == "rsa" or (size and not survey.text(_PART, "key_type"))
    curve = survey.text(_PART, "elliptic_curve") or "secp256r1"
    written = f"RSA{size or 2048}" if rsa else f"EC{curve.removeprefix('secp').removesuffix('r1')}"
    return Present(names, key_of(written))


def _versions(folder: Path) -> Iterator[int]:
    if not folder.is_dir():
        return
    for number, path in enumerate(folder.iterdir()):
        if number >= MOST_FILES:
            return
        if found := _NUMBERED.fullmatch(path.name):
            yield int(found[1])


def _account(run: _Run, survey: Survey) -> Account:
    written = survey.text(_PART, "server") or run.defaults.server or LETS_ENCRYPT
    server = _FORMER.get(written, written)
    number = survey.text(_PART, "account") or ""
    email, key_file = survey.text(_PART, "email") or run.defaults.email, None
    if _ACCOUNT.fullmatch(number) and (folder := _folder(run.directory, server)):
        kept = inside(folder, number, "private_key.json")
        key_file = kept if kept and kept.is_file() else None
        registration = inside(folder, number, "regr.json")
        email = (_contact(registration) if registration else None) or email
    profile = next(
        filter(
            None, (survey.text(_PART, f"{word}profile") for word in ("required_", "preferred_", ""))
        ),
        run.defaults.profile,
    )
    chain = survey.text(_PART, "preferred_chain") or run.defaults.chain
    return Account(server, email, key_file, profile, chain, run.defaults.binding)


def _folder(directory: Path, server: str) -> Path | None:
    """Return where certbot keeps the accounts of a server: by its host and path."""
    host, path = host_and_path(server)
    return inside(directory, "accounts", host, *filter(None, path.split("/")))


def _contact(path: Path) -> str | None:
    try:
        survey = Survey(yaml_document(str(path), read_text(path)), {})
    except Unread:
        return None
    contacts = survey.texts("body", "contact")
    return next((c.removeprefix("mailto:") for c in contacts if c.startswith("mailto:")), None)


def _say_account(survey: Survey, issuer: str, account: Account) -> None:
    where = f"issuer/{issuer}"
    for name, word in (
        ("server", "server"),
        ("preferred_chain", "preferredChain"),
        ("required_profile", "profile"),
        ("preferred_profile", "profile"),
        ("profile", "profile"),
    ):
        value = survey.value(_PART, name)
        if name == "server" and value in _FORMER:
            survey.changed(
                (_PART, name), f"the server of {where} is {account.server}: ACME 1 has ended"
            )
        elif value is not None:
            survey.carried((_PART, name), f"{word} of {where}")
    if survey.value(_PART, "account") is None:
        return
    if account.key_file is None:
        said = f"its key was not found: `certform issuer key {issuer}` makes another account"
        survey.left((_PART, "account"), said)
    else:
        said = (
            f"{where} goes on with this account where --with-account-keys has its key sealed;"
            f" else `certform issuer key {issuer}` makes another"
        )
        survey.changed((_PART, "account"), said)


def _renew_before(survey: Survey, life: timedelta | None) -> dict[str, object]:
    written = survey.text("renew_before_expiry")
    if written is None:
        return {}
    found = _INTERVAL.fullmatch(written)
    before = timedelta(days=int(found[1]) * _UNITS[found[2]]) if found else None
    said = renewal(before, life) if before else None
    if said is None or before is None:
        survey.left(
            ("renew_before_expiry",),
            f"{written} does not fit its life: by default, a third is left",
        )
        return {}
    survey.carried(("renew_before_expiry",), f"renewBefore {format_duration(before)}")
    return {"renewBefore": said}


def _key(survey: Survey, there: Present, said: str) -> dict[str, object]:
    reused = survey.text(_PART, "reuse_key") not in {None, *OFTEN_OFF}
    if reused:
        survey.changed(
            (_PART, "reuse_key"),
            f"rotationPolicy Never of {said}: a new key, then kept in the ledger; this one stays here",
        )
    spec = key_spec(there.key, reused=reused)
    for name in ("key_type", "rsa_key_size", "elliptic_curve"):
        if there.key is not None and name == _OTHER[there.key.algorithm is Algorithm.RSA]:
            survey.known(_PART, name)
        elif survey.value(_PART, name) is not None and "algorithm" in spec:
            survey.carried((_PART, name), f"privateKey {there.key} of {said}")
        elif survey.value(_PART, name) is not None:
            survey.left((_PART, name), "no such key is asked for any more: ECDSA P-256 by default")
    return spec


def _say_target(survey: Survey, server: str | None, folder: str, name: str) -> None:
    if server is not None:
        said = f"a proposal: have {server} read {folder}/{name}/current/{{privkey,fullchain}}.pem"
        survey.changed((_PART, "installer"), f"{said}; its configuration is not edited")


def _hooks(directory: Path) -> Iterable[Note]:
    """Say of every hook in certbot's folders that it is not run here."""
    words: dict[str, Callable[[str], str]] = {
        "deploy": lambda path: (
            f"write `reload: [{path}]` in the Target, if it has a service read its files"
        ),
        "pre": lambda _: "certform runs nothing before it asks",
        "post": lambda _: "certform runs nothing afterwards but the `reload` of a Target",
    }
    for kind, said in words.items():
        folder = inside(directory, "renewal-hooks", kind)
        if folder is not None and folder.is_dir():
            for path in sorted(folder.iterdir())[:100]:
                yield Note(
                    Source(file=str(path)), f"renewal-hooks/{kind}", Fate.LEFT, said(str(path))
                )
