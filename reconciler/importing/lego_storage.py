"""What lego keeps on disk: accounts with their keys, and certificates with what the CA called them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.diagnostics import Diagnostic, error
from reconciler.importing.leaf_drafts import Present, key_of, present
from reconciler.importing.lego_fields import ACCOUNT, CODES, RESOURCE
from reconciler.importing.sources import (
    MOST_FILES,
    Unread,
    host_and_path,
    inside,
    read_text,
    yaml_document,
)
from reconciler.importing.survey import Survey


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """An account that lego keeps; `host` is its server's, as its folder is called."""

    name: str
    host: str
    server: str | None
    email: str | None
    key_file: Path | None
    survey: Survey


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A certificate that lego keeps, and where the CA has it."""

    name: str
    host: str
    present: Present
    survey: Survey


def accounts(storage: Path, broken: list[Diagnostic]) -> tuple[Kept, ...]:
    """Return the accounts below a storage folder; what cannot be read is told in `broken`."""
    found = []
    for folder in _folders(storage / "accounts"):
        for inner in _folders(folder):
            path = inner / "account.json"
            if path.exists() or path.is_symlink():
                try:
                    found.append(_account(path, folder.name, inner))
                except Unread as why:
                    broken.append(why.finding)
    return tuple(found)


def _account(path: Path, host: str, folder: Path) -> Kept:
    survey = Survey(yaml_document(str(path), read_text(path)), ACCOUNT)
    email = survey.text("email") or (folder.name if "@" in folder.name else None)
    named = f"{folder.name}.key"
    kept = filter(None, (inside(folder, named), inside(folder, "keys", named)))
    key_file = next((file for file in kept if file.is_file()), None)
    return Kept(folder.name, host, survey.text("server"), email, key_file, survey)


def certificates(storage: Path, broken: list[Diagnostic]) -> Iterator[Stored]:
    """Yield the certificates below a storage folder; what cannot be read is told in `broken`."""
    folder = inside(storage, "certificates")
    if folder is None:
        broken.append(error(f"{storage}/certificates is a link, and links are not followed"))
        return
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".json")
    except OSError as why:
        broken.append(error(f"{folder} cannot be listed: {why.strerror}"))
        return
    for path in files[:MOST_FILES]:
        try:
            yield _stored(path)
        except Unread as why:
            broken.append(why.finding)


def _stored(path: Path) -> Stored:
    survey = Survey(yaml_document(str(path), read_text(path)), RESOURCE)
    names = survey.texts("domains") or tuple(filter(None, (survey.text("domain"),)))
    url = survey.text("certUrl") or survey.text("certStableUrl") or ""
    try:
        there = present(path.with_suffix(".crt"))
    except Unread as why:
        survey.left(
            ("domain",), f"{why.finding.summary} ({path.stem}.crt): only this name is known"
        )
        there = Present(names, key_of(survey.text("keyType") or ""))
    return Stored(path.stem, host_and_path(url)[0], there, survey)


def _folders(path: Path) -> list[Path]:
    if path.is_symlink() or not path.is_dir():
        return []
    found = sorted(path.iterdir())[:MOST_FILES]
    return [each for each in found if each.is_dir() and not each.is_symlink()]


def folder_of(host: str) -> str:
    """Return what lego calls a server's folder."""
    return host.replace(":", "_").replace("/", "_")


def directory_of(host: str) -> tuple[str, bool]:
    """Return the directory of the server with this host, and whether it is known and not guessed."""
    for url in CODES.values():
        if folder_of(host_and_path(url)[0]) == folder_of(host):
            return url, True
    name, _, port = host.rpartition("_")
    netloc = f"{name}:{port}" if name and port.isdecimal() else host
    return f"https://{netloc}/directory", False
